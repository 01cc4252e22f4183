"""Sixty pictures of a bar that moves, in buffers that the compositor can show as they are."""

import os

from heapwire.client_lib import (
    BufferSupply,
    Connection,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    LinuxDmabuf,
    Participant,
    Platform,
    Usage,
    Window,
    surface_negotiation,
)
from heapwire.kernel import local_platform
from heapwire.protocol import LINEAR, parse_fourcc

SIZE = Extent(640, 360)
ROW = b"\x40\x40\x40\x00" * SIZE.width
BAR = b"\xff\xff\xff\x00" * 40

simulated = os.environ.get("HEAPWIRE_PLATFORM")
platform = Platform.load(simulated) if simulated else local_platform()
rows = FormatModifier(parse_fourcc("XRGB8888"), LINEAR)
writer = Participant(name="the CPU", usage=Usage.CPU_WRITE, sets=(ConstraintSet(formats=(rows,)),))
with Connection() as connection, Window(connection, title="a bar") as window:
    dmabuf = LinuxDmabuf(connection)
    negotiation = surface_negotiation(dmabuf, window.surface, platform)
    negotiation.set_participant(writer)
    negotiation.set_extents(Extents(coded=SIZE))
    with BufferSupply(negotiation, dmabuf, platform.memory) as supply:
        supply.negotiate(SIZE)
        for number in range(60):
            connection.wait(lambda: window.ready, what="the screen to take a picture")
            connection.wait(lambda: supply.free() is not None, what="a free buffer")
            buffer = supply.free()
            with buffer.planes() as planes:
                start = 4 * 10 * number
                line = ROW[:start] + BAR + ROW[start + len(BAR) :]
                for row in range(SIZE.height):
                    at = row * planes[0].pitch
                    planes[0].memory[at : at + len(ROW)] = line[: len(ROW)]
            window.show(buffer, SIZE, shown=lambda presented: None)
        print(f"shown from {supply.plan.layout.objects[0].source}")
