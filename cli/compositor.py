"""Run the reference compositor until it is interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from resource import RLIMIT_NOFILE, prlimit
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias

from heapwire.cli.arguments import (
    DEFAULT_PLATFORM,
    add_platform,
    add_policy,
    extent,
    load_platform,
    load_policy,
    output_file,
)
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, Written, complain, say
from heapwire.protocol import MachineError, words_of
from heapwire.protocol.explain import Document, Json, capture_document
from heapwire.protocol.values import Answer, Extent, Problem

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference import Compositor
    from heapwire.compositor_plugin.hosts.reference.scene import FrameRecord

Handler: TypeAlias = Callable[[int, FrameType | None], None]

CAPTURED = 256  # negotiations that a capture holds, the last ones
TO_END = 1.0  # seconds that a command has to end, once it is told to
READY = "socket"  # the key of the line that says that clients may connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire compositor`."""
    add_platform(parser, default=DEFAULT_PLATFORM)
    add_policy(parser)
    parser.add_argument(
        "--socket", metavar="NAME", help="name of the Wayland socket (default: the next free)"
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        default=Extent(1280, 720),
        help="size of the output (default: %(default)s)",
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
    parser.add_argument(
        "command",
        metavar="COMMAND",
        nargs=argparse.REMAINDER,
        help="after --: a program to run on it, which takes the same platform; both end together",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT, SIGTERM, SIGHUP or a command's end; write what was asked for then."""
    from heapwire.compositor_plugin import rehearse, spare_the_loop
    from heapwire.compositor_plugin.hosts.reference import Compositor
    from heapwire.compositor_plugin.hosts.reference.dmabuf import raise_limit

    usual = raise_limit()
    policy = load_policy(options.policy)
    platform = load_platform(options.platform)
    if not os.environ.get("XDG_RUNTIME_DIR"):
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
    command = [one for at, one in enumerate(options.command) if at or one != "--"]
    client: subprocess.Popen[bytes] | None = None
    interrupted = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        compositor.stop()

    def look(_signal: int, _frame: FrameType | None) -> None:
        compositor.stop()  # a process has ended: the command, or one of the plugin's own

    handlers: dict[int, Handler] = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's: it outlives its terminal
        handlers[signal.SIGHUP] = stop
    if command:
        handlers[signal.SIGCHLD] = look
    try:
        with compositor, _handled(handlers):
            say(f"{READY} {compositor.socket}")
            complain(f"{platform.name} on {compositor.socket}; Ctrl-C ends it")
            for note in compositor.plugin.platform.notes:
                complain(f"note: {note}")
            rehearse(compositor.plugin.platform)
            spare_the_loop()
            if command:
                client = _begun(command, _environment(compositor, options.platform))
                with suppress(ProcessLookupError):  # it has ended
                    prlimit(client.pid, RLIMIT_NOFILE, usual)  # it may use select()
            compositor.run()
            while client is not None and not interrupted and client.poll() is None:
                compositor.run()
            # It has stopped already: another signal is for whoever does not read what is written.
            at_once = dict.fromkeys(handlers, signal.default_int_handler)
            with _handled(at_once):
                _write(options, compositor, solved)
    finally:
        if client is not None:
            _end(client)
    if client is not None and client.returncode != 0 and not interrupted:
        complain(f"{command[0]} ended with status {client.returncode}")
        return FAILED
    return DONE


def _write(
    options: argparse.Namespace, compositor: Compositor, solved: Sequence[tuple[Problem, Answer]]
) -> None:
    """Write what was asked for; what cannot be written is told when all else is."""
    from heapwire.compositor_plugin.hosts.reference.scene import png

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


@contextmanager
def _handled(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Have signals handled in a `with` block, and as before behind it: the compositor is gone."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _environment(compositor: Compositor, platform: str) -> dict[str, str]:
    """The variables of a program that is to run on a compositor, and to take its platform."""
    # WAYLAND_SOCKET is a connection to whoever began this, and clients prefer it.
    others = {"WAYLAND_SOCKET", "HEAPWIRE_PLATFORM", "HEAPWIRE_SIMULATED"}
    variables = {name: value for name, value in os.environ.items() if name not in others}
    variables["WAYLAND_DISPLAY"] = compositor.socket or ""
    if compositor.platform.simulated:
        variables |= {"HEAPWIRE_PLATFORM": platform, "HEAPWIRE_SIMULATED": "1"}
    return variables


def _begun(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, env=environment)
    except OSError as error:
        raise MachineError(f"cannot run {command[0]}: {words_of(error)}") from None


def _end(client: subprocess.Popen[bytes]) -> None:
    """End a program that runs on, though its compositor is gone; one that stays is killed."""
    if client.poll() is None:
        client.terminate()
    try:
        client.wait(TO_END)
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()


def record_document(frames: Sequence[FrameRecord]) -> Document:
    """What became of each frame."""
    documents: list[Json] = [frame.document() for frame in frames]
    return {"schema_version": SCHEMA_VERSION, "frames": documents}
