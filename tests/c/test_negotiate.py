"""A client in C and the Python client are given the same answer."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, until
from pywayland.protocol.wayland import WlCompositor

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection, create
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Plan,
    Provenance,
    Usage,
    fourcc_name,
    parse_fourcc,
)
from heapwire.protocol.wire.generate import protocol_xml

HERE = Path(__file__).parent
PLATFORMS = ("raspberry-pi-4", "rockchip-rk3399", "exynos4-mfc-v5")

pytestmark = pytest.mark.system("wayland-scanner", "gcc", "wayland-client.pc")

DECODER = Participant(
    name="decoder",
    usage=Usage.DECODE,
    sets=(
        ConstraintSet(
            formats=tuple(
                FormatModifier(parse_fourcc(name), LINEAR) for name in ("NV12", "XRGB8888")
            ),
            constraints=(
                Constraint(
                    type=BY_NAME["pitch-alignment"].type, value=64, provenance=Provenance.KERNEL
                ),
                Constraint(type=BY_NAME["contiguous"].type, value=1, provenance=Provenance.KERNEL),
            ),
        ),
    ),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C client, compiled against what wayland-scanner makes of the XML."""
    folder = tmp_path_factory.mktemp("negotiate")
    xml = folder / "xx-dmabuf-negotiation-v1.xml"
    xml.write_text(protocol_xml(), encoding="utf-8")
    for mode, name in (("client-header", "xx-dmabuf-negotiation-v1.h"), ("private-code", "code.c")):
        subprocess.run(["wayland-scanner", "--strict", mode, xml, folder / name], check=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "wayland-client"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    program = folder / "negotiate"
    sources = [HERE / "negotiate.c", folder / "code.c"]
    strict = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *strict, f"-I{folder}", *sources, "-o", program, *flags], check=True)
    return program


@pytest.fixture(params=PLATFORMS)
def display(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The path of a reference compositor's socket, for each of the platforms."""
    folder = Path(tempfile.mkdtemp(prefix="heapwire-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    options = ["--platform", request.param, "--socket", "test-0"]
    command = [sys.executable, "-m", "heapwire.cli.main", "compositor"]
    compositor = subprocess.Popen([*command, *options])
    path = folder / "test-0"
    try:
        until(
            lambda: accepts(path) or compositor.poll() is not None,
            "the compositor to listen",
        )
        assert compositor.poll() is None, "the compositor ended"
        yield str(path)
        assert compositor.poll() is None, "the compositor did not outlive its clients"
    finally:
        compositor.terminate()
        compositor.wait(PATIENCE)
        shutil.rmtree(folder)


def accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def as_json(plan: Plan, manager: NegotiationManager) -> dict[str, object]:
    return {
        "fourcc": fourcc_name(plan.fourcc),
        "modifier": f"{plan.modifier:#x}",
        "scanout": plan.scanout,
        "layout": plan.layout.kind.name.lower(),
        "objects": [
            {
                "source": {
                    "kind": entry.source.kind.name.lower(),
                    "name": manager.source_name(entry.source),
                    "major": entry.source.major,
                    "minor": entry.source.minor,
                },
                "size": entry.size,
            }
            for entry in plan.layout.objects
        ],
        "planes": [
            {"object": plane.object, "offset": plane.offset, "pitch": plane.pitch}
            for plane in plan.layout.planes
        ],
    }


def asked_in_python(display: str, which: str) -> dict[str, object]:
    with Connection(display) as connection:
        manager = NegotiationManager(connection)
        if which == "surface":
            compositor = connection.bind(WlCompositor)[0]
            negotiation = manager.surface_negotiation(create(compositor, "create_surface"))
        else:
            negotiation = manager.default_negotiation()
        negotiation.set_participant(DECODER)
        negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        return as_json(negotiation.negotiate(timeout=PATIENCE).offers[0].plan, manager)


@pytest.mark.parametrize("which", ["default", "surface"])
def test_both_clients_are_answered_alike(client: Path, display: str, which: str) -> None:
    done = subprocess.run(
        [client, which],
        env={**os.environ, "WAYLAND_DISPLAY": display},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    assert all(plane["pitch"] % 64 == 0 for plane in plan["planes"])
    assert plan == asked_in_python(display, which)


def test_without_a_compositor_it_says_so(client: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [client, "default"],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "nobody"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "no compositor\n")
