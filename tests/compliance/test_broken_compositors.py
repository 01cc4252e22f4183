"""Compositors that hang up, fall silent, or send what is no message: the check says so and ends."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from patience import PATIENCE
from served_platform import PLATFORM

from heapwire.client_lib import NoCompositorError
from heapwire.client_lib.compliance import Outcome, Result, case_run, cases_named, run_cases

SHORT = 0.2  # seconds until a silent compositor is taken for one
DISPLAY = 1

Serve = Callable[[socket.socket], object]


@contextmanager
def served(serve: Serve) -> Iterator[str]:
    """A socket whose every client is given to a function, and hung up on when that returns."""
    with tempfile.TemporaryDirectory(prefix="heapwire-") as folder:
        path = str(Path(folder) / "broken")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(64)

        def run() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client, suppress(OSError):
                    serve(client)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def event(object_: int, opcode: int, body: bytes = b"") -> bytes:
    return struct.pack("=II", object_, (len(body) + 8) << 16 | opcode) + body


def string(text: bytes) -> bytes:
    return struct.pack("=I", len(text) + 1) + text + bytes(-(len(text) + 1) % 4 + 1)


def error(code: int, message: bytes) -> bytes:
    return event(DISPLAY, 0, struct.pack("=II", DISPLAY, code) + string(message))


def run(path: str, *names: str, timeout: float = PATIENCE) -> list[Result]:
    return list(run_cases(cases_named(names), path, PLATFORM, timeout=timeout))


def only(results: list[Result]) -> tuple[str, str]:
    """What was seen by the first, and why the others were not tried."""
    first, *others = results
    assert first.outcome is Outcome.FAIL
    assert {one.outcome for one in others} == {Outcome.SKIPPED}
    return first.seen, {one.why for one in others}.pop()


def hang_up(client: socket.socket) -> None:
    client.recv(4096)


def say_nothing(client: socket.socket) -> None:
    while client.recv(4096):
        pass


def test_one_that_hangs_up() -> None:
    with served(hang_up) as path:
        assert only(run(path, "feedback")) == (
            "the connection closed without an error",
            "the compositor turns clients away",
        )


def test_one_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_run, "LOOK", SHORT)
    with served(say_nothing) as path:
        seen, why = only(run(path, "feedback", timeout=SHORT))
    assert seen == f"no answer to wl_display.sync within {SHORT:g} s"
    assert why == "the compositor does not answer any more"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (struct.pack("=II", DISPLAY, 4 << 16), "a message of 4 bytes on object 1"),
        (event(77, 0), "an event on object 77, which there is not"),
        (event(DISPLAY, 9), "event 9 of wl_display, which there is not"),
        (event(DISPLAY, 0, b"\0" * 4), "error cannot be read"),
        (event(DISPLAY, 0, struct.pack("=III", 1, 1, 1000)), "error cannot be read"),
    ],
)
def test_one_that_sends_no_messages(sent: bytes, seen: str) -> None:
    def serve(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(sent)
        say_nothing(client)

    with served(serve) as path:
        assert run(path, "dmabuf/silent/v4")[0].seen == seen


def test_one_that_says_two_errors() -> None:
    """As no compositor on libwayland can."""

    def serve(client: socket.socket) -> None:
        asked = b""
        while len(asked) < 24:  # get_registry and sync; one that only syncs is the check's look
            asked += (read := client.recv(4096))
            if not read or asked[4:6] == bytes(2):
                return
        globals_ = struct.pack("=I", 1) + string(b"zwp_linux_dmabuf_v1") + struct.pack("=I", 3)
        client.sendall(event(2, 0, globals_) + event(3, 0, bytes(4)))
        client.recv(4096)
        client.sendall(error(1, b"the first") + error(3, b"the second"))

    with served(serve) as path:
        (result,) = run(path, "dmabuf/newer-request")
    assert result.expected == "one error, and nothing after it"
    assert "'the first'" in result.seen
    assert "wl_display.implementation ('the second')" in result.seen


def test_there_has_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(NoCompositorError, match="no compositor at"):
        run(f"{tmp_path}/nobody")


def test_one_that_goes_in_the_middle() -> None:
    remaining = [2]  # the check looks first, and then the first case comes

    def serve(client: socket.socket) -> None:
        remaining[0] -= 1
        if not remaining[0]:
            os.unlink(path)  # noqa: PTH108  # it is a name, as the check has it

    with served(serve) as path:
        assert only(run(path, "feedback"))[1] == "the compositor is gone"


def test_ctrl_c_ends_it_with_what_was_seen() -> None:
    served_clients = threading.Semaphore(0)

    def serve(client: socket.socket) -> None:
        served_clients.release()
        say_nothing(client)

    with served(serve) as path:
        command = [sys.executable, "-m", "heapwire.cli.main", "check", "--timeout=1000", "dmabuf"]
        command += ["--platform=raspberry-pi-4"]
        with subprocess.Popen(
            command,
            env={**os.environ, "WAYLAND_DISPLAY": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            for _ in range(2):
                assert served_clients.acquire(timeout=PATIENCE)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")
    assert out in ("", "0 cases: 0 ok, 0 FAIL, 0 skipped\n")
