"""An application with its own pywayland connection and event loop shows a moving picture.

    python docs/examples/own_event_loop.py PLATFORM [FRAMES]

The compositor must be one of a simulated platform, such as
`heapwire compositor --platform raspberry-pi-4`. Nothing here waits but `select`.
"""

from __future__ import annotations

import selectors
import sys

from pywayland.client import Display

from heapwire.client_lib import (
    LINEAR,
    BufferSupply,
    Connection,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    LinuxDmabuf,
    NegotiationManager,
    Participant,
    PlaneView,
    Platform,
    Usage,
    Window,
    parse_fourcc,
)

SIZE = Extent(320, 180)
XRGB = FormatModifier(parse_fourcc("XRGB8888"), LINEAR)


def draw(plane: PlaneView, number: int) -> None:
    """A bar of white that moves over blue."""
    blue, white = b"\xc0\x20\x10\xff", b"\xff\xff\xff\xff"
    bar = number * 4 % SIZE.width
    row = blue * bar + white * min(16, SIZE.width - bar)
    row += blue * (SIZE.width - len(row) // 4)
    for y in range(SIZE.height):
        plane.memory[y * plane.pitch :][: len(row)] = row


class Application:
    """Draws a frame whenever the compositor wants one and has given a buffer back."""

    def __init__(self, display: Display, platform: Platform, frames: int) -> None:
        self.connection = Connection(display)  # borrowed: the display stays the application's
        self.frames = frames
        self.drawn = 0
        self.window = Window(self.connection, title="own event loop")
        manager = NegotiationManager(self.connection)
        negotiation = manager.surface_negotiation(self.window.surface)
        negotiation.set_extents(Extents(coded=SIZE))
        negotiation.set_participant(
            Participant(
                name="painter", usage=Usage.CPU_WRITE, sets=(ConstraintSet(formats=(XRGB,)),)
            )
        )
        self.supply = BufferSupply(negotiation, LinuxDmabuf(self.connection), platform.memory)
        self.supply.negotiate(SIZE)

    def turn(self) -> None:
        """Do what there is to do now; called whenever events have been dispatched."""
        self.supply.update()  # other buffers, if the compositor has a better plan by now
        if not self.window.ready or self.finished:
            return
        buffer = self.supply.free()
        if buffer is None:
            return
        with buffer.planes() as (plane,):
            draw(plane, self.drawn)
        self.window.show(buffer, SIZE, shown=lambda presented: None)
        self.drawn += 1

    @property
    def finished(self) -> bool:
        """Whether all frames are drawn, or the user wants it gone."""
        return self.drawn >= self.frames or self.window.close_requested

    def close(self) -> None:
        """Take the window away; the display is not ours to close."""
        self.window.close()
        self.supply.close()
        self.connection.close()


def main() -> None:
    """Run the application on the display of $WAYLAND_DISPLAY."""
    platform = Platform.load(sys.argv[1])
    frames = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with Display() as display:  # it is disconnected whatever happens: pywayland crashes otherwise
        application = Application(display, platform, frames)
        with selectors.DefaultSelector() as selector:
            selector.register(display.get_fd(), selectors.EVENT_READ)
            while not application.finished:
                application.turn()
                application.connection.flush()
                selector.select(timeout=1.0)
                application.connection.dispatch(0.0)
        application.close()


if __name__ == "__main__":
    main()
