"""What an emulated display shows, taken by QEMU while the guest holds the picture."""

from __future__ import annotations

import json
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from patience import PATIENCE


class Screen:
    """Two ends of a guest: the port that says when a picture is on, and QEMU's monitor."""

    def __init__(self) -> None:
        # The path of a socket may have 107 bytes, and the folder of a test is often longer.
        self._folder = tempfile.TemporaryDirectory(prefix="heapwire-")
        self._listeners = {
            name: socket.create_server(self._path(name), family=socket.AF_UNIX)
            for name in ("stage", "monitor")
        }

    def _path(self, name: str) -> str:
        return str(Path(self._folder.name) / name)

    @property
    def options(self) -> list[str]:
        """Options of kernel/vm/run that connect a guest to this."""
        arguments = ["-device", "virtserialport,chardev=stage,nr=4", "-mon", "monitor,mode=control"]
        for name in self._listeners:
            arguments += ["-chardev", f"socket,id={name},path={self._path(name)}"]
        return [f"--qemu={argument}" for argument in arguments]

    @contextmanager
    def connected(self, seconds: float) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """Both ends, once QEMU has connected; to read from them takes no longer than `seconds`."""
        ends = []
        for listener in self._listeners.values():
            listener.settimeout(PATIENCE)
            end, _ = listener.accept()
            end.settimeout(seconds)
            ends.append(end)
        stage, monitor = (end.makefile("rwb", buffering=0) for end in ends)
        try:
            yield stage, monitor
        finally:
            for end in (stage, monitor, *ends):
                end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._folder.cleanup()


def screendump(monitor: BinaryIO, file: Path, device: str | None) -> bytes:
    """The pixels that QEMU has on a display, as red, green and blue; `device` is QEMU's id."""
    where = {} if device is None else {"device": device}
    _execute(monitor, "qmp_capabilities", {})
    _execute(monitor, "screendump", {"filename": str(file), **where})
    data = file.read_bytes()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    assert head is not None, data[:20]
    pixels = data[head.end() :]
    assert len(pixels) == int(head[1]) * int(head[2]) * 3
    return pixels


def _execute(monitor: BinaryIO, command: str, arguments: dict[str, str]) -> None:
    monitor.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    while True:
        line = monitor.readline()
        assert line, f"QEMU has ended before it answered {command}"
        answer = json.loads(line)
        if "return" in answer or "error" in answer:
            assert "return" in answer, answer
            return
