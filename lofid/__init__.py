"""An endless lofi player that lives in a MIDI port."""

__version__ = "0.1.0"
