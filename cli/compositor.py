"""Run the reference compositor until it is interrupted."""

from __future__ import annotations

import argparse
import os
import signal
from collections import deque
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from heapwire.cli.arguments import (
    DEFAULT_PLATFORM,
    add_platform,
    add_policy,
    extent,
    load_platform,
    load_policy,
    output_file,
)
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, Written, complain, say
from heapwire.protocol import MachineError
from heapwire.protocol.explain import Document, Json, capture_document
from heapwire.protocol.values import Answer, Extent, Problem

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import FrameRecord

CAPTURED = 256  # negotiations that a capture holds, the last ones
READY = "socket"  # the key of the line that says that clients may connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire compositor`."""
    add_platform(parser, default=DEFAULT_PLATFORM)
    add_policy(parser)
    parser.add_argument(
        "--socket", metavar="NAME", help="name of the Wayland socket (default: the next free)"
    )
    parser.add_argument(
        "--size", metavar="WxH", type=extent, default=Extent(1280, 720), help="size of the output"
    )
    parser.add_argument(
        "--screenshot",
        metavar="FILE",
        type=output_file,
        help="at the end, write what is on the screen, or was there last, as PNG",
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        type=output_file,
        help="write what became of each frame as JSON at the end",
    )
    parser.add_argument(
        "--capture",
        metavar="FILE",
        type=output_file,
        help="at the end, write the last negotiations for `heapwire replay`",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; write what was asked for then."""
    from heapwire.compositor_plugin import spare_the_loop
    from heapwire.compositor_plugin.hosts.reference import Compositor
    from heapwire.compositor_plugin.hosts.reference.scene import png

    policy = load_policy(options.policy)
    platform = load_platform(options.platform)
    if "XDG_RUNTIME_DIR" not in os.environ:
        raise MachineError("$XDG_RUNTIME_DIR is not set: it names the folder for the socket")
    solved: deque[tuple[Problem, Answer]] = deque(maxlen=CAPTURED)
    compositor = Compositor(
        platform,
        size=options.size,
        socket=options.socket,
        record=options.record is not None,
        keep_last=options.screenshot is not None,
        policy=policy,
        on_solved=None
        if options.capture is None
        else lambda problem, answer: solved.append((problem, answer)),
    )
    with compositor:

        def stop(_signal: int, _frame: FrameType | None) -> None:
            compositor.stop()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        say(f"{READY} {compositor.socket}")
        complain(f"{platform.name} on {compositor.socket}; Ctrl-C ends it")
        for note in compositor.plugin.platform.notes:
            complain(f"note: {note}")
        spare_the_loop()
        compositor.run()
        written = Written()
        if options.screenshot is not None:
            with written.each():
                options.screenshot.write(png(compositor.screenshot()))
        if options.record is not None:
            with written.each():
                options.record.write_json(record_document(compositor.frames))
        if options.capture is not None:
            with written.each():
                options.capture.write_json(capture_document(solved))
        written.check(complain)
    return DONE


def record_document(frames: Sequence[FrameRecord]) -> Document:
    """What became of each frame."""
    documents: list[Json] = [frame.document() for frame in frames]
    return {"schema_version": SCHEMA_VERSION, "frames": documents}
