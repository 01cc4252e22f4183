"""What the client in C lays out is what the solver does, for random requirements of one device."""

from __future__ import annotations

import os
import random
import struct
from typing import Any

import pytest
from cffi import FFI
from patience import turns
from problem_building import SYSTEM, ask, display, need, of, pair

from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BY_NAME,
    PERMITTED_SOURCES,
    REGISTRY,
    ConstraintSet,
    ValueKind,
)

ALIGNMENTS = (1, 2, 3, 16, 48, 64, 256)
CHOICES: dict[str, tuple[int, ...]] = {
    "pitch-alignment": ALIGNMENTS,
    "offset-alignment": ALIGNMENTS,
    "size-alignment": (1, 4096, 5000),
    "scanline-alignment": ALIGNMENTS,
    "min-pitch": (1, 300, 2000, 9000),
    "max-pitch": (100, 2000, 9000),
    "min-width": (1, 100, 2000),
    "max-width": (100, 2000),
    "min-height": (1, 100, 2000),
    "max-height": (100, 2000),
    "width-alignment": ALIGNMENTS,
    "height-alignment": ALIGNMENTS,
    "max-area": (10000, 1 << 22),
    "min-size": (1, 1 << 20),
    "max-size": (1 << 16, 1 << 24),
    "padding": (0, 100),
    "pixel-boundary-pitch": (1,),
    "power-of-two-pitch": (1,),
    "exact-pitch": (1,),
    "tied-pitch": (1,),
    "adjacent-planes": (1,),
    "visible-width-alignment": (1, 2, 8),
    "least-width": (1, 300),
}
FORMATS = ("XRGB8888", "NV12", "YUV420", "RGB888", "P010", "YUYV")
SOURCE = (0, 250, 1)

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


def random_set(rng: random.Random, fourcc: str, planes: int) -> ConstraintSet:
    constraints = []
    for name in rng.sample(sorted(CHOICES), rng.randrange(5)):
        single = BY_NAME[name].per_plane and rng.random() < 0.4
        where = (rng.randrange(planes),) if single else ()
        constraints.append(need(name, rng.choice(CHOICES[name]), *where))
    return of(pair(fourcc), *constraints)


def in_c(client: tuple[FFI, Any], one: ConstraintSet, size: tuple[int, int]) -> Any:
    """The layout as a tuple, or the sentence for which there is none."""
    ffi, lib = client
    kept = []
    constraints = ffi.new("struct heapwire_constraint[]", max(1, len(one.constraints)))
    for place, constraint in zip(constraints, one.constraints, strict=False):
        is_flag = REGISTRY[constraint.type].kind is ValueKind.FLAG
        value = b"" if is_flag else struct.pack("=Q", constraint.value)
        kept.append(ffi.new("char[]", value or b"\0"))
        place.type, place.planes, place.flags = constraint.type, constraint.planes, 1
        place.size, place.value = len(value), kept[-1]
    (format_,) = one.formats
    pairs = ffi.new("struct heapwire_pair *", [format_.fourcc, 0, format_.modifier])
    sources = ffi.new("struct heapwire_source_id *", SOURCE)
    entry = ffi.new("struct heapwire_set *", [0, 0, ffi.NULL, len(one.constraints), constraints])
    tranche = ffi.new("struct heapwire_tranche *", [0, 1, 1, pairs, 1, sources, 1, entry])
    layout, error = ffi.new("struct heapwire_layout *"), ffi.new("struct heapwire_error *")
    done = lib.heapwire_lay_out(tranche, format_.fourcc, 0, *size, layout, error)
    if done < 0:
        return ffi.string(error.text).decode()
    return (
        (layout.width, layout.height),
        layout.objects[0].size,
        [(layout.planes[i].offset, layout.planes[i].pitch) for i in range(layout.n_planes)],
    )


@pytest.mark.parametrize("seed", range(300))
def test_it_agrees_with_the_solver(seed: int, client: tuple[FFI, Any]) -> None:
    rng = random.Random(seed)
    fourcc = rng.choice(FORMATS)
    planes = {"NV12": 2, "P010": 2, "YUV420": 3}.get(fourcc, 1)
    size = (rng.choice((64, 320, 322, 1920)), rng.choice((48, 240, 1080)))
    one = random_set(rng, fourcc, planes)
    asked = in_c(client, one, size)
    one_object = need("same-buffer", 1, *range(planes)) if planes > 1 else need("min-size", 1)
    wanted = of(list(one.formats), *one.constraints, one_object)
    answer = solve(ask(display(wanted), sources=(SYSTEM,), size=size))
    if not answer.plans:
        assert isinstance(asked, str), (one, size)
        return
    layout = answer.plans[0].layout
    assert asked == (
        (layout.extent.width, layout.extent.height),
        layout.objects[0].size,
        [(plane.offset, plane.pitch) for plane in layout.planes],
    ), (one, size)


@pytest.mark.parametrize("seed", range(40))
def test_the_memory_is_what_all_devices_permit(seed: int, client: tuple[FFI, Any]) -> None:
    """Of what is in all lists the first in the order of the tranche, which is the best."""
    ffi, lib = client
    rng = random.Random(seed)
    heaps = [(0, 250, minor) for minor in range(5)]
    told = rng.sample(heaps, rng.randint(1, 5))
    lists = [rng.sample(heaps, rng.randint(1, 5)) for _ in range(rng.randint(1, 3))]
    format_ = pair("XRGB8888")
    pairs = ffi.new("struct heapwire_pair *", [format_.fourcc, 0, format_.modifier])
    values = [ffi.new("uint32_t[]", [number for id_ in one for number in id_]) for one in lists]
    constraints = [
        ffi.new(
            "struct heapwire_constraint *",
            [BY_NAME["permitted-sources"].type, 0, 1, ffi.sizeof(value), value],
        )
        for value in values
    ]
    sets = ffi.new(
        "struct heapwire_set[]",
        [[device, 0, ffi.NULL, 1, one] for device, one in enumerate(constraints)],
    )
    sources = ffi.new("struct heapwire_source_id[]", told)
    tranche = ffi.new(
        "struct heapwire_tranche *", [0, 1, 1, pairs, len(told), sources, len(lists), sets]
    )
    layout, error = ffi.new("struct heapwire_layout *"), ffi.new("struct heapwire_error *")
    done = lib.heapwire_lay_out(tranche, format_.fourcc, 0, 64, 64, layout, error)
    permitted = [one for one in told if all(one in listed for listed in lists)]
    if not permitted:
        assert (done, error.fault) == (-1, lib.HEAPWIRE_NOT_POSSIBLE)
        return
    found = layout.objects[0].source
    assert (found.kind, found.major, found.minor) == permitted[0]


def test_no_source_takes_the_place_of_another_that_is_not_permitted(
    client: tuple[FFI, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ffi, lib = client
    monkeypatch.setenv("HEAPWIRE_SIMULATED", "1")
    ffi.cdef(
        "struct wl_display *wl_display_connect_to_fd(int fd);"
        "int wl_display_roundtrip(struct wl_display *display);"
        "void wl_display_disconnect(struct wl_display *display);"
    )
    wayland = ffi.dlopen("libwayland-client.so.0")
    platform = Platform.load("raspberry-pi-4")
    system, cma = (
        (one.kind, one.major, one.minor)
        for one in (platform.source(name).id for name in ("system", "linux,cma"))
    )
    nowhere = (0, 4000, 1)
    format_ = pair("XRGB8888")
    pairs = ffi.new("struct heapwire_pair *", [format_.fourcc, 0, format_.modifier])
    value = ffi.new("uint32_t[]", [*nowhere, *cma])
    constraint = ffi.new(
        "struct heapwire_constraint *", [PERMITTED_SOURCES.type, 0, 1, ffi.sizeof(value), value]
    )
    entry = ffi.new("struct heapwire_set *", [0, 0, ffi.NULL, 1, constraint])
    sources = ffi.new("struct heapwire_source_id[]", [nowhere, system, cma])
    tranche = ffi.new("struct heapwire_tranche *", [0, 1, 1, pairs, 3, sources, 1, entry])
    layout, fd = ffi.new("struct heapwire_layout *"), ffi.new("int *")
    assert lib.heapwire_lay_out(tranche, format_.fourcc, 0, 64, 64, layout, ffi.NULL) == 0
    assert layout.objects[0].source.major == nowhere[1]
    with Compositor(platform) as compositor, compositor.running():
        display = wayland.wl_display_connect_to_fd(compositor.connect())
        made = lib.heapwire_client_create(display, ffi.NULL, ffi.NULL)
        for _ in turns(10, "a client that is ready"):
            if lib.heapwire_client_ready(made):
                break
            assert wayland.wl_display_roundtrip(display) >= 0
        assert lib.heapwire_allocate(made, tranche, layout, fd, ffi.NULL) == 0
        os.close(fd[0])
        lib.heapwire_client_destroy(made)
        wayland.wl_display_disconnect(display)
    taken = layout.objects[0].source
    assert (taken.kind, taken.major, taken.minor) == cma
