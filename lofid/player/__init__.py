"""The real-time process: MIDI ports, the tempo clock, what is due and what is owed.

Run as ``python -P -m lofid.player FD``. It stays light: the standard library and rtmidi only.
"""
