"""Write one file that says what there is here and what failed, for whoever is to help."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform as python_platform
from collections.abc import Callable
from typing import TypeVar

from heapwire.cli.arguments import (
    add_platform,
    add_timeout,
    extent,
    fourcc,
    load_platform,
    output_file,
)
from heapwire.cli.list import list_document
from heapwire.cli.pages import discreet, feedback_document, private_words
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, OutputFile, say
from heapwire.client_lib.negotiation import NegotiationError, NegotiationManager
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import Platform
from heapwire.kernel.system import own_version, package_version
from heapwire.protocol import HeapwireError
from heapwire.protocol.explain import Document, Json
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
)
from heapwire.protocol.wire import Explanation, trace_document

Answer = TypeVar("Answer")

_FILE = "heapwire-report.json"
_LIBRARIES = ("pywayland", "cffi", "av", "numpy", "pillow")
_VARIABLES = ("XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP", "HEAPWIRE_PLATFORM", "HEAPWIRE_POLICY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire report`."""
    parser.add_argument(
        *("-o", "--output"),
        metavar="FILE.json",
        type=output_file,
        default=_FILE,
        help="where it goes (default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        metavar="FOURCC",
        type=fourcc,
        default="NV12",
        help="of the buffers that are asked about (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        metavar="WxH",
        type=extent,
        default="1920x1080",
        help="of the buffers that are asked about (default: %(default)s)",
    )
    add_platform(parser)
    add_timeout(parser)


def run(options: argparse.Namespace) -> int:
    """Ask everything that can be asked; what fails is a part of the answer."""
    report = Report()
    machine = report.part("machine", lambda: load_platform(options.platform))
    report.add("machine", None if machine is None else list_document(machine))
    report.part("compositor", lambda: _compositor(report, options, machine))
    output: OutputFile = options.output
    output.write_json(report.document())
    if not output.is_standard:
        failed = f"; what failed: {', '.join(report.failed)}" if report.failed else ""
        say(
            f"wrote {output}: what there is here{failed}\n"
            "names of users and of this machine, home directories and serial numbers are left "
            "out; read it before you send it"
        )
    return DONE


class Report:
    """What was asked, a part each; `failed` has for each part that failed what it said."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self._parts: dict[str, Json] = {}

    def add(self, name: str, value: Json) -> None:
        """Put a part into it."""
        self._parts[name] = value

    def part(self, name: str, ask: Callable[[], Answer]) -> Answer | None:
        """Ask for something; None if that failed, which is noted."""
        try:
            return ask()
        except (HeapwireError, OSError) as error:
            self.failed[name] = f"{type(error).__name__}: {error}"
            return None

    def document(self) -> Document:
        """All of it, without what is nobody's business."""
        whole: Document = {
            "schema_version": SCHEMA_VERSION,
            "versions": _versions(),
            "environment": {key: os.environ[key] for key in _VARIABLES if key in os.environ},
            **self._parts,
            "failed": dict(self.failed),
        }
        return discreet(whole, private_words())


def _versions() -> Document:
    found: dict[str, Json] = {
        "heapwire": own_version(),
        "python": python_platform.python_version(),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "machine": os.uname().machine,
    }
    return {**found, **{name: package_version(name) for name in _LIBRARIES}}


def _compositor(report: Report, options: argparse.Namespace, machine: Platform | None) -> None:
    """What the compositor of `$WAYLAND_DISPLAY` offers, and a negotiation with it."""
    timeout: float = options.timeout
    with Connection() as connection:
        offered = connection.globals(timeout=timeout)
        report.add("globals", {name: one.version for name, one in sorted(offered.items())})
        report.add(
            "feedback", report.part("feedback", lambda: feedback_document(connection, timeout))
        )
        capture = report.part(
            "negotiation",
            lambda: _capture(connection, options.format, options.size, timeout),
        )
        report.add("negotiation", capture)


def _capture(connection: Connection, code: int, size: Extent, timeout: float) -> Document:
    """A negotiation about pictures that the CPU would write, as `heapwire replay` reads it."""
    manager = NegotiationManager(connection, timeout=timeout)
    negotiation = manager.default_negotiation()
    try:
        negotiation.events = []
        negotiation.set_explanation(Explanation.ALL)
        pairs = (FormatModifier(code, LINEAR),)
        writes = Participant(
            name="cpu", usage=Usage.CPU_WRITE, sets=(ConstraintSet(formats=pairs),)
        )
        negotiation.set_participant(writes)
        negotiation.set_extents(Extents(coded=size))
        with contextlib.suppress(NegotiationError):  # no plan is an answer too: see the events
            negotiation.negotiate(timeout=timeout)
        return trace_document(negotiation.events)
    finally:
        negotiation.close()
        manager.close()
