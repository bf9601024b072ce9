"""Opening ports: on JACK by the sample where a server runs, else by what the machine has."""

from lofid.errors import NoMidiError
from lofid.player.jackports import open_jack
from lofid.player.ports import Hear, PortRequest, Ports
from lofid.player.rtmidiports import open_rtmidi
from lofid.player.systems import no_system


def open_ports(request: PortRequest, hear: Hear, hear_clock: Hear) -> Ports:
    """Open what is asked for; the others are called from a thread of the MIDI system's.

    ``auto`` takes JACK where a server runs, for it alone is on time to the sample. Blocks for some
    tens of milliseconds, for up to a second while a dead predecessor still has our name.
    NoMidiError where there is no MIDI system, PortError for a port that is not there and for a
    name that another program keeps.
    """
    if request.backend in ("auto", "jack"):
        try:
            return open_jack(request, hear, hear_clock)
        except NoMidiError as error:
            if request.backend == "jack":
                raise no_system([str(error)]) from None
    return open_rtmidi(request, hear, hear_clock)
