"""Whether a device can use a buffer, asked without a compositor."""

from __future__ import annotations

import fcntl
import os
from dataclasses import replace

import pytest
from problem_building import need

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf import (
    BufferAttributes,
    BufferCheck,
    DmabufContent,
)
from heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory import ObjectMemory
from heapwire.kernel import Platform
from heapwire.protocol import LINEAR, Extent, FormatModifier, PlaneLayout, Usage, parse_fourcc

XRGB = FormatModifier(parse_fourcc("XRGB8888"), LINEAR)
SIZE = Extent(64, 32)
PITCH = 512


@pytest.fixture(scope="module")
def pi() -> Platform:
    return Platform.load("raspberry-pi-4")


def buffer_of(platform: Platform, source: str) -> BufferAttributes:
    return BufferAttributes(
        extent=SIZE,
        format=XRGB,
        planes=(PlaneLayout(0, 0, PITCH),),
        sources=(platform.source(source).id,),
    )


def test_memory_that_nobody_knows_is_not_scanned_out(pi: Platform) -> None:
    check = BufferCheck(pi, Usage.SCANOUT)
    known = buffer_of(pi, "linux,cma")
    assert check.reason(known, (PITCH * SIZE.height,)) is StatusReason.NONE
    unknown = replace(known, sources=(None,))
    assert check.reason(unknown, (PITCH * SIZE.height,)) is StatusReason.MEMORY


def test_one_object_that_nobody_knows_is_enough(pi: Platform) -> None:
    check = BufferCheck(pi, Usage.SCANOUT)
    known = buffer_of(pi, "linux,cma")
    mixed = replace(known, sources=(*known.sources, None))
    assert check.reason(mixed, (PITCH * SIZE.height, 4096)) is StatusReason.MEMORY


@pytest.mark.parametrize(
    ("masks", "turned"),
    [
        ([], {0}),
        ([0b0101], {0, 180}),
        ([0b1111], {0, 90, 180, 270}),
        ([0b0101, 0b0001], {0}),  # what the plane can, and what its driver refuses of the format
        ([0b1111, 0b0101], {0, 180}),
    ],
)
def test_a_picture_is_turned_as_all_say_that_it_can_be(pi: Platform, masks, turned) -> None:
    display = pi.device("hvs")
    said = tuple(need("when-rotation", mask) for mask in masks)
    sets = tuple(
        replace(each, constraints=(*each.constraints, *said))
        for each in display.sets[Usage.SCANOUT]
    )
    turning = replace(display, sets={Usage.SCANOUT: sets})
    devices = tuple(turning if one is display else one for one in pi.devices)
    check = BufferCheck(replace(pi, devices=devices), Usage.SCANOUT)
    for degrees in (0, 90, 180, 270):
        reason = check.reason(buffer_of(pi, "linux,cma"), (PITCH * SIZE.height,), rotation=degrees)
        expected = StatusReason.NONE if degrees in turned else StatusReason.TRANSFORM
        assert reason is expected, degrees


@pytest.mark.parametrize("wanted", [None, ("min-buffers", 8), ("max-buffers", 1)])
def test_a_buffer_that_is_there_is_judged_as_one(pi: Platform, wanted) -> None:
    """The stream would have several, of which the area holds no two, or the display takes none."""
    size = PITCH * SIZE.height
    area = replace(pi.source("linux,cma"), capacity=size + 4096)
    device = BufferCheck(pi, Usage.SCANOUT).device
    sets = tuple(
        replace(one, constraints=(*one.constraints, *([need(*wanted)] if wanted else ())))
        for one in device.sets[Usage.SCANOUT]
    )
    display = replace(device, sets={Usage.SCANOUT: sets})
    small = replace(pi, sources=(area, pi.source("system")), devices=(display,))
    known = buffer_of(small, "linux,cma")
    assert BufferCheck(small, Usage.SCANOUT).reason(known, (size,)) is StatusReason.NONE


def test_protected_memory_has_protected_pictures_and_all_of_it(pi: Platform) -> None:
    """The display scans them out; half of a picture that everybody may read is none of them."""
    safe = replace(pi.source("linux,cma"), protected=True)
    loose = replace(safe, id=pi.source("system").id, name="system", protected=False)
    check = BufferCheck(replace(pi, sources=(safe, loose)), Usage.SCANOUT)
    size = PITCH * SIZE.height
    assert check.reason(buffer_of(pi, "linux,cma"), (size,)) is StatusReason.NONE
    nv12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
    halves = (PlaneLayout(0, 0, PITCH), PlaneLayout(1, 0, PITCH))
    for sources, reason in (
        ((safe.id, safe.id), StatusReason.NONE),
        ((safe.id, loose.id), StatusReason.PROTECTION),
    ):
        split = BufferAttributes(extent=SIZE, format=nv12, planes=halves, sources=sources)
        assert check.reason(split, (size, size // 2)) is reason


def test_without_a_device_everything_fits(pi: Platform) -> None:
    check = BufferCheck(replace(pi, devices=()), Usage.SCANOUT)
    unknown = replace(buffer_of(pi, "system"), sources=(None,))
    assert check.reason(unknown, (1,)) is StatusReason.NONE


def memory_of(size: int, seals: int = 0) -> ObjectMemory:
    fd = os.memfd_create("object", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.truncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return ObjectMemory(fd, size=size, source=None)


def test_what_cannot_shrink_is_mapped_to_its_last_byte() -> None:
    sealed = memory_of(4096, fcntl.F_SEAL_SHRINK)
    assert sealed._cannot_shrink(4096)
    assert not sealed._cannot_shrink(4097), "it was shorter before it was sealed"
    assert not memory_of(4096)._cannot_shrink(4096)


def test_the_last_row_ends_with_its_pixels(pi: Platform) -> None:
    """A plane may end where its last pixel does: the rest of the pitch need not be there."""
    size = PITCH * (SIZE.height - 1) + 4 * SIZE.width
    content = DmabufContent(buffer_of(pi, "system"), [memory_of(size)])
    assert content._lengths() == [size]
    assert content.image().shape == (SIZE.height, SIZE.width, 4)
