"""A compositor that says of feedback and sources just what it is told to, in wire events."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import fake_compositor
import pytest
from fake_compositor import FakeCompositor
from patience import PATIENCE, until
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufFeedbackV1

from heapwire.protocol.wire.bindings import XX_DMABUF_FEEDBACK_SOURCES_V1, XX_DMABUF_SOURCES_V1

TELLS = XX_DMABUF_SOURCES_V1.name
for _table in (
    fake_compositor._table(ZwpLinuxDmabufFeedbackV1),
    XX_DMABUF_SOURCES_V1,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
):
    fake_compositor.TABLES[_table.name] = _table

VECTORS = json.loads((Path(__file__).parents[1] / "c/feedback_vectors.json").read_text("utf-8"))
LEAK_CHECK = ("valgrind", "-q", "--leak-check=full", "--error-exitcode=9")
WRAPPERS = [
    pytest.param((), id="alone"),
    pytest.param(LEAK_CHECK, id="in-valgrind", marks=pytest.mark.system("valgrind")),
]
"""How a program in C is run over the vectors: for what it says, and for how it gets there."""


class TellingCompositor(FakeCompositor):
    """Sends `sources` to who binds the global, and `events` once feedback has been extended.

    An event is a list: "feedback" or "extension" (for sources nothing), its name, its arguments.
    Arrays are hexadecimal digits, a file of a format table is a list of pairs. The event
    ["settle"] waits for the client's next wl_display.sync to be answered. `version` is that
    of linux-dmabuf.
    """

    def __init__(
        self, sources: Sequence[list[Any]], events: Sequence[list[Any]], version: int = 5
    ) -> None:
        self.globals = (("wl_compositor", 6), ("zwp_linux_dmabuf_v1", version), (TELLS, 1))
        self._sources, self._events = sources, list(events)
        self._ids: dict[str, int] = {}
        self.told = threading.Event()
        super().__init__()

    def on_wl_registry_bind(
        self, _id: int, _number: int, interface: str, _version: int, new: int
    ) -> None:
        self.objects[new] = interface
        if interface == TELLS:
            for name, *values in self._sources:
                self.event(new, name, *values)

    def on_zwp_linux_dmabuf_v1_get_default_feedback(self, _id: int, new: int) -> None:
        self._ids["feedback"] = new
        if TELLS not in dict(self.globals):
            self._tell()

    def on_xx_dmabuf_sources_v1_extend_feedback(self, _id: int, new: int, _feedback: int) -> None:
        self._ids["extension"] = new
        self._tell()

    def on_wl_display_sync(self, id_: int, callback: int) -> None:
        super().on_wl_display_sync(id_, callback)
        if self._events and self._ids:
            self._tell()

    def _tell(self) -> None:
        while self._events:
            who, *rest = self._events.pop(0)
            if who == "settle":
                return
            name, *values = rest
            if name == "format_table":
                self._send_table(self._ids[who], *values)
                continue
            raw = [bytes.fromhex(one) if isinstance(one, str) else one for one in values]
            self.event(self._ids[who], name, *raw)
        self.told.set()

    def _send_table(self, feedback: int, pairs: Sequence[Sequence[int]], size: int = -1) -> None:
        content = b"".join(struct.pack("=IIQ", fourcc, 0, modifier) for fourcc, modifier in pairs)
        fd = os.memfd_create("table")
        os.write(fd, content)
        self.event(feedback, "format_table", fd, len(content) if size < 0 else size)
        os.close(fd)

    def finish(self) -> None:
        """Wait until all was sent, and hang up."""
        until(lambda: self.told.is_set() or self.faults, "all to be told")
        self.hang_up()


class Finishing(Protocol):
    """What `in_c` wants of a compositor."""

    socket: socket.socket

    def finish(self) -> None:
        """Wait until all was sent, and hang up."""


def client_socket(compositor: Finishing) -> int:
    """The client's end, the caller's to close: for a program as $WAYLAND_SOCKET."""
    return os.dup(compositor.socket.fileno())


def events(case: dict[str, Any]) -> list[list[Any]]:
    """The events; ["times", n, event] stands for n of them."""
    spread: list[list[Any]] = []
    for event in case["events"]:
        spread += [event[2]] * event[1] if event[0] == "times" else [event]
    return spread


def in_c(
    program: Path,
    compositor: Finishing,
    wrapper: tuple[str, ...] = (),
    *,
    arguments: tuple[str, ...] = (),
) -> list[Any]:
    """What a C program prints, a line of JSON each."""
    end = client_socket(compositor)
    compositor.socket.close()
    with subprocess.Popen(
        [*wrapper, program, *arguments],
        env={"WAYLAND_SOCKET": str(end), "PATH": os.environ["PATH"]},
        pass_fds=[end],
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        os.close(end)
        compositor.finish()
        said, _ = client.communicate(timeout=PATIENCE)
    assert client.returncode == 0
    return [json.loads(line) for line in said.splitlines()]
