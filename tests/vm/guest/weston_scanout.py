"""In the guest: a stock Weston on vkms with the module, and a player that negotiates.

    weston_scanout.py MODULE...

Prints one JSON object for each module, a line each: the heaps that were announced, the plan,
what became of each frame as the client was told, the unasked batches, and what Weston's own
drm-backend log says of the planes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from heapwire.client_lib.buffer import Buffer, allocate
from heapwire.client_lib.connection import Connection
from heapwire.client_lib.errors import NoCompositorError
from heapwire.client_lib.heap_manager import HeapManager
from heapwire.client_lib.linux_dmabuf import LinuxDmabuf
from heapwire.client_lib.window import Presented, Window
from heapwire.kernel.platform import Platform
from heapwire.protocol.model.constraint_set import ConstraintSet, FormatModifier
from heapwire.protocol.model.extents import Extent, Extents
from heapwire.protocol.model.format import parse_fourcc
from heapwire.protocol.model.modifier import LINEAR
from heapwire.protocol.model.participant import Participant, Usage
from heapwire.protocol.wire.batch import TrancheFlags

RUNTIME = Path("/run/weston")
LOG = Path("/tmp/weston.log")
PLANES = Path("/tmp/planes.log")
SIZE = Extent(1024, 768)  # the mode that vkms prefers
BUFFERS = 3
FRAMES = 30
PATIENCE = 240.0  # seconds; Python starts slowly in a guest that is emulated
PLAYER = Participant(
    name="player",
    usage=Usage.CPU_WRITE,
    sets=(ConstraintSet(formats=(FormatModifier(parse_fourcc("XRGB8888"), LINEAR),)),),
)


def start(module: str, stack: ExitStack) -> str:
    """Weston on the card of vkms; the path of its socket."""
    RUNTIME.mkdir(mode=0o700)
    stack.callback(shutil.rmtree, RUNTIME)
    os.environ |= {"XDG_RUNTIME_DIR": str(RUNTIME), "LIBGL_ALWAYS_SOFTWARE": "1"}
    cards = Path("/sys/devices/platform/vkms/drm").glob("card*")
    card = next(entry.name for entry in cards)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    seat = subprocess.Popen(["seatd"], env={**os.environ, "SEATD_VTBOUND": "0"}, **quiet)
    stack.callback(end, seat)
    time.sleep(1)
    command = ["weston", "--backend=drm-backend.so", f"--drm-device={card}", "--socket=vm-0"]
    command += ["--continue-without-input", "--idle-time=0", "--debug", "--no-config"]
    command += ["--shell=kiosk-shell.so", f"--log={LOG}", f"--modules={module}"]
    LOG.unlink(missing_ok=True)
    weston = subprocess.Popen(command, **quiet)
    stack.callback(end, weston)
    deadline = time.monotonic() + PATIENCE
    while not (RUNTIME / "vm-0").exists():
        if weston.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"Weston does not listen:\n{LOG.read_text() if LOG.exists() else ''}")
        time.sleep(0.2)
    return str(RUNTIME / "vm-0")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)


def connect(socket: str) -> Connection:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection = Connection(socket)
        except NoCompositorError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            connection.globals(timeout=PATIENCE)
            return connection


def present(connection: Connection, window: Window, buffer: Buffer) -> bool:
    """Put a buffer on the screen; whether Weston says that it was not copied."""
    shown: list[Presented | None] = []
    window.show(buffer, SIZE, shown=shown.append)
    connection.wait(lambda: bool(shown) and window.ready, timeout=PATIENCE, what="frame")
    return shown[0] is not None and shown[0].zero_copy


def play(socket: str, stack: ExitStack) -> dict[str, object]:
    platform = Platform.local()
    connection = stack.enter_context(connect(socket))
    manager = HeapManager(connection, timeout=PATIENCE)
    window = stack.enter_context(
        Window(connection, title="player", fullscreen=True, timeout=PATIENCE)
    )
    negotiation = manager.surface_negotiation(window.surface)
    negotiation.set_participant(PLAYER)
    negotiation.set_extents(Extents(coded=SIZE))
    batch = negotiation.negotiate(timeout=PATIENCE)
    offer = batch.offers[0]
    dmabuf = LinuxDmabuf(connection, timeout=PATIENCE)
    buffers = []
    for _ in range(BUFFERS):
        buffer = stack.enter_context(allocate(offer.plan, platform.memory))
        dmabuf.import_buffer(buffer, SIZE).wait(timeout=PATIENCE)
        buffer.tag(negotiation, batch, offer)
        buffers.append(buffer)
    unasked = []
    negotiation.on_batch = unasked.append
    with PLANES.open("wb") as planes:
        watcher = subprocess.Popen(
            ["weston-debug", "drm-backend"],
            env={**os.environ, "WAYLAND_DISPLAY": socket},
            stdout=planes,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(watcher.kill)
        time.sleep(2)
        uncopied = [
            present(connection, window, buffers[frame % BUFFERS]) for frame in range(FRAMES)
        ]
        connection.roundtrip(timeout=PATIENCE)
        watcher.terminate()
        watcher.wait()
    repaints = PLANES.read_text(errors="replace").split("preparing state for output")[1:]
    return {
        "sources": sorted(source.name for source in manager.sources.values()),
        "plan": {
            "scanout": offer.plan.scanout,
            "sources": [manager.source_name(entry.source) for entry in offer.plan.layout.objects],
        },
        "statuses": [
            [buffer.status.status.name, buffer.status.reason.name] if buffer.status else None
            for buffer in buffers
        ],
        "unasked": [
            any(tranche.flags & TrancheFlags.SCANOUT for tranche in one.tranches) for one in unasked
        ],
        "zero_copy": sum(uncopied),
        "repaints": len(repaints),
        # Newer Westons use a state of the planes again, and say "reused plane-only".
        "plane_only": sum("plane-only state composition" in one for one in repaints),
        "module": [line for line in LOG.read_text().splitlines() if "heapwire:" in line],
    }


def main() -> None:
    for module in sys.argv[1:]:
        with ExitStack() as stack:
            socket = start(module, stack)
            print(json.dumps(play(socket, stack)), flush=True)


if __name__ == "__main__":
    main()
