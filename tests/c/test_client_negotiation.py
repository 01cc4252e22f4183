"""Plans that the client in C is told are those that the Python client is told."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from answer_document import document
from patience import PATIENCE
from problem_building import need, of, pair, part

from heapwire.client_lib import Connection, NegotiationError
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    BufferObject,
    Extent,
    Extents,
    FixedBuffer,
    Layout,
    LayoutKind,
    PlaneLayout,
    Provenance,
)

HERE = Path(__file__).parent
PLATFORMS = ("raspberry-pi-4", "exynos4-mfc-v5")

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


@pytest.fixture(params=PLATFORMS)
def compositor(request: pytest.FixtureRequest) -> Iterator[Compositor]:
    with Compositor(Platform.load(request.param)) as one, one.running():
        yield one


def in_c(program: Path, compositor: Compositor, *wanted: int, wrapper: tuple[str, ...] = ()) -> Any:
    socket = compositor.connect()
    try:
        done = subprocess.run(
            [*wrapper, program, *map(str, wanted)],
            env={"WAYLAND_SOCKET": str(socket), "PATH": os.environ["PATH"]},
            pass_fds=[socket],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(socket)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_python(
    compositor: Compositor, alignment: int, most: int, times: int = 0, pitch: int = 0
) -> Any:
    kernel = Provenance.KERNEL
    constraints = [
        need("pitch-alignment", alignment, provenance=kernel),
        need("contiguous", provenance=kernel),
    ]
    if most:
        constraints.append(need("max-pitch", most, provenance=kernel))
    decoder = part("decoder", of([pair("NV12"), pair("XRGB8888")], *constraints))
    with Connection(compositor.connect()) as connection:
        manager = NegotiationManager(connection)
        negotiation = manager.default_negotiation()
        negotiation.set_participant(decoder)
        negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        negotiation.set_buffer_count(minimum=3, queue=2)
        if pitch:
            first = next(iter(manager.sources))
            layout = Layout(
                kind=LayoutKind.FIXED,
                extent=Extent(1920, 1080),
                objects=(BufferObject(first, pitch * 1080 * 3 // 2),),
                planes=(PlaneLayout(0, 0, pitch), PlaneLayout(0, pitch * 1080, pitch)),
            )
            negotiation.set_fixed(FixedBuffer(pair("NV12"), layout))
        with contextlib.suppress(NegotiationError):
            negotiation.negotiate(timeout=PATIENCE)
        assert negotiation.batch is not None
        return document(negotiation.batch)


@pytest.mark.system("valgrind")
@pytest.mark.parametrize("wanted", [(64, 0), (48, 0), (64, 100)])
def test_both_are_told_the_same(
    wanted: tuple[int, int], compositor: Compositor, program: Callable[..., Path]
) -> None:
    wrapper = ("valgrind", "-q", "--leak-check=full", "--error-exitcode=9")
    told = in_c(program(HERE / "plan.c"), compositor, *wanted, wrapper=wrapper)
    assert bool(told["plans"]) == (wanted[1] == 0)
    assert bool(told["conflicts"]) == (wanted[1] != 0)
    assert told == in_python(compositor, *wanted)


@pytest.mark.parametrize(("pitch", "good"), [(1920, True), (2048, True), (1952, False)])
def test_buffers_that_exist_are_asked_about_alike(
    pitch: int, good: bool, compositor: Compositor, program: Callable[..., Path]
) -> None:
    told = in_c(program(HERE / "plan.c"), compositor, 64, 0, 0, pitch)
    assert [one["kind"] for one in told["plans"]] == ([LayoutKind.FIXED] if good else [])
    assert bool(told["conflicts"]) == (not good)
    assert told == in_python(compositor, 64, 0, pitch=pitch)
