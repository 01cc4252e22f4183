"""The scope `heapwire` of weston-debug: what each client asks, is told, is given and refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, until
from stock_weston import DMABUF_DEVICES, PLATFORM, Weston, build_dmabuf
from test_errors import WestonClient
from windows import SIZE, Client

from heapwire.client_lib import ImportRefusedError, LinuxDmabuf
from heapwire.client_lib.buffers import allocate
from heapwire.kernel.description import Platform
from heapwire.protocol.values import fourcc_name

MACHINE = Platform.load(PLATFORM)
ME = f"client with pid {os.getpid()}: "

pytestmark = [
    pytest.mark.system(
        *("weston", "weston-debug", "libweston-*.pc", "cc", "pkg-config", "wayland-scanner"),
        "wayland-protocols.pc",
    ),
]


@pytest.fixture
def weston(start, module, tmp_path):
    """A Weston that may be looked into, with a linux-dmabuf that takes NV12 alone."""
    return start(
        module=Path(f"{module},{build_dmabuf(tmp_path)}"),
        environment={"HEAPWIRE_PLATFORM": PLATFORM, **DMABUF_DEVICES},
        options=("--debug",),
    )


class Listening:
    """A running `weston-debug heapwire`; `lines` are what it has been told so far."""

    def __init__(self, weston: Weston, file: Path) -> None:
        self._file = file
        self.process = debug(weston, "--output", str(file), "heapwire")

    @property
    def lines(self) -> list[str]:
        text = self._file.read_text() if self._file.exists() else ""
        whole = text.split("\n")[:-1]  # what follows the last newline is still being written
        assert all(line.startswith(ME) for line in whole)
        return [line.removeprefix(ME) for line in whole]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def debug(weston: Weston, *arguments: str) -> subprocess.Popen[str]:
    environment = {"XDG_RUNTIME_DIR": str(weston.folder), "WAYLAND_DISPLAY": weston.socket.name}
    return subprocess.Popen(
        ["weston-debug", *arguments],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def listening(weston, tmp_path) -> Iterator[Listening]:
    """Subscribed already: a client has asked until it was told of."""
    made = Listening(weston, tmp_path / "said")
    with weston.connect() as connection:
        client = Client(connection)
        until(lambda: made.lines, "somebody who listens", client.negotiate)
    yield made
    if made.process.poll() is None:
        made.stop()
    assert made.process.stderr is not None
    made.process.stderr.close()


def test_the_scope_is_on_the_list(weston):
    _, listed = debug(weston, "--list").communicate(timeout=PATIENCE)
    assert "heapwire" in {line.split()[0] for line in listed.splitlines() if line.strip()}
    assert weston.stop() == 0


def test_what_is_asked_answered_and_allocated_is_told(weston, listening):
    before = len(listening.lines)
    with weston.connect() as connection:
        client = Client(connection)
        [offer, *_] = client.negotiate().offers
        with client.negotiation.allocate(offer) as allocation:
            allocation.wait(timeout=PATIENCE)
        connection.roundtrip(timeout=PATIENCE)
    said = listening.lines[before:]
    pair = f"{fourcc_name(offer.plan.fourcc)} LINEAR"
    size = offer.plan.layout.objects[0].size
    assert said[0] == "question 1: 1920x1080, for decoder (1 constraint set)"
    assert said[1] == f"answer to question 1: plan 0, for scanout: {pair} from linux,cma"
    asked = said.index(f"asks for {size} bytes of linux,cma")
    assert said.index(f"allocated {size} bytes of linux,cma") > asked


def test_what_is_imported_and_refused_is_told(weston, listening):
    before = len(listening.lines)
    with weston.connect() as connection:
        client = Client(connection)
        dmabuf = LinuxDmabuf(connection, timeout=PATIENCE)
        plans = {fourcc_name(one.plan.fourcc): one.plan for one in client.negotiate().offers}
        with allocate(plans["NV12"], MACHINE.memory) as buffer:
            dmabuf.import_buffer(buffer, SIZE).wait(timeout=PATIENCE)
        with (
            allocate(plans["XRGB8888"], MACHINE.memory) as buffer,
            pytest.raises(ImportRefusedError),
        ):
            dmabuf.import_buffer(buffer, SIZE).wait(timeout=PATIENCE)
        connection.roundtrip(timeout=PATIENCE)
    said = [line for line in listening.lines[before:] if "buffer" in line]
    assert said == [
        "imports a buffer of NV12 LINEAR, 320x240",
        "imported a buffer of NV12 LINEAR, 320x240",
        "imports a buffer of XRGB8888 LINEAR, 320x240",
        "refused: a buffer of XRGB8888 LINEAR, 320x240",
    ]


def test_misuse_is_told(weston, listening):
    client = WestonClient(weston)
    negotiation = client.negotiation(client.surface())
    client.request(negotiation, "set_explanation", 99)
    client.close()
    [line] = [line for line in listening.lines if line.startswith("refused")]
    assert line.startswith(f"refused: xx_dmabuf_negotiation_v1#{negotiation}: error ")


def test_who_listens_may_leave_and_weston_goes_on(weston, listening, tmp_path):
    before = listening.lines
    listening.stop()
    with weston.connect() as connection:
        client = Client(connection)
        assert client.negotiate().offers
        again = Listening(weston, tmp_path / "again")
        until(lambda: again.lines, "somebody who listens again", client.negotiate)
        assert weston.stop() == 0  # with somebody who listens
    again.stop()
    assert listening.lines == before
    assert [line for line in weston.lines if "error" in line] == []


def test_who_listens_from_the_start_may_be_westons_own_log(start):
    weston = start(options=("--logger-scopes=log,heapwire",))
    with weston.connect() as connection:
        Client(connection).negotiate()
        connection.roundtrip(timeout=PATIENCE)
    assert f"{ME}question 1: 1920x1080, for decoder" in weston.log
    assert weston.stop() == 0
