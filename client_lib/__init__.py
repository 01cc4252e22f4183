"""The client's side: negotiate, allocate, import, show, and hear what became of it.

A client says what its devices need, the compositor answers with plans, and
buffers are made by the best of them:

    with Connection(display) as connection:
        manager = HeapManager(connection)
        negotiation = manager.default_negotiation()
        negotiation.set_participant(platform.participant("codec", Usage.DECODE))
        negotiation.set_extents(Extents(coded=Extent(1920, 1088), visible=Extent(1920, 1080)))
        batch = negotiation.negotiate(timeout=2.0)
        pool = BufferPool.best(
            negotiation=negotiation, batch=batch, dmabuf=LinuxDmabuf(connection),
            memory=platform.memory, extent=Extent(1920, 1080),
        )
        with pool, pool.free().planes() as planes:
            planes[0].memory[: planes[0].row_bytes] = bytes(planes[0].row_bytes)

`negotiate` raises `ConflictError` when the requirements contradict each other;
its `entries` say whose they are. `batch.offers` has the plans, the best first;
`allocate` makes a single buffer of one. `Negotiation` for a surface of your own:
`manager.surface_negotiation(surface)`. `Buffer.proxy` is the `wl_buffer` to
attach; set `Buffer.busy` when you do, and the compositor's release clears it.
`Buffer.status` says whether it was scanned out, and why not.

In an application with its own pywayland `Display` and event loop, make a
`Connection(display)` of it: nothing here has a thread, and nothing blocks but
the methods that have a `timeout`. Poll `connection.fileno()`, call
`connection.dispatch(0)`, use `negotiation.commit()` instead of `negotiate`, and
let `negotiation.on_batch` tell you. A batch may come unasked, when the surface
is about to be scanned out or the hardware has changed: allocate anew and go on
with the new buffers; `BufferSupply` does just that.

Where the compositor does not have the protocol, a `LocalNegotiation` makes the
plans from linux-dmabuf's feedback and a `Platform`.

`Player` puts all of it together and plays a video file. Decoding needs the
extra `play`.

Errors are `LocalError` (this side asked for something wrong), `RemoteError`
(the compositor did) or neither (`NegotiationError`, `AllocationError`: nobody
did anything wrong, and it cannot be done).
"""

from heapwire.client_lib.allocation import Allocation
from heapwire.client_lib.buffer import Buffer, allocate
from heapwire.client_lib.buffer_pool import BufferPool
from heapwire.client_lib.buffer_status import BufferStatus
from heapwire.client_lib.buffer_supply import BufferSupply
from heapwire.client_lib.conflict import (
    ConflictError,
    Contradiction,
    NegotiationError,
    contradictions,
)
from heapwire.client_lib.connection import DEFAULT_TIMEOUT, Connection, Global
from heapwire.client_lib.decoder import DecodedFrame, Decoder
from heapwire.client_lib.errors import (
    AllocationError,
    DisconnectedError,
    ImportRefusedError,
    MissingGlobalError,
    NoAnswerError,
    NoCompositorError,
    ProtocolError,
)
from heapwire.client_lib.frame_writer import (
    writable_formats,
    write_picture,
    writer_participant,
)
from heapwire.client_lib.heap_manager import AnnouncedSource, HeapManager
from heapwire.client_lib.linux_dmabuf import Import, LinuxDmabuf
from heapwire.client_lib.local_negotiation import LocalNegotiation
from heapwire.client_lib.negotiation import Negotiation
from heapwire.client_lib.plane_view import PlaneView
from heapwire.client_lib.play_result import FrameCounts, PlayResult
from heapwire.client_lib.playback import PlayOptions, Progress
from heapwire.client_lib.player import Player
from heapwire.client_lib.window import Presented, Window

__all__ = [
    "DEFAULT_TIMEOUT",
    "Allocation",
    "AllocationError",
    "AnnouncedSource",
    "Buffer",
    "BufferPool",
    "BufferStatus",
    "BufferSupply",
    "ConflictError",
    "Connection",
    "Contradiction",
    "DecodedFrame",
    "Decoder",
    "DisconnectedError",
    "FrameCounts",
    "Global",
    "HeapManager",
    "Import",
    "ImportRefusedError",
    "LinuxDmabuf",
    "LocalNegotiation",
    "MissingGlobalError",
    "Negotiation",
    "NegotiationError",
    "NoAnswerError",
    "NoCompositorError",
    "PlaneView",
    "PlayOptions",
    "PlayResult",
    "Player",
    "Presented",
    "Progress",
    "ProtocolError",
    "Window",
    "allocate",
    "contradictions",
    "writable_formats",
    "write_picture",
    "writer_participant",
]
