"""The shape of what an object holds, and a display's own memory made of it."""

from dataclasses import replace

import pytest
from fake_card import BOCHS, VKMS, FakeCard

from heapwire.kernel.memory import LocalMemory, PictureShape, local_memory
from heapwire.protocol import MachineError
from heapwire.protocol.values import (
    BufferObject,
    DeviceId,
    Extent,
    HeapId,
    Layout,
    LayoutKind,
    PlaneLayout,
    Source,
    SourceId,
    fourcc,
)

OWN = SourceId.device(DeviceId(226, 0))
CARD = Source(id=OWN, name="card0", device_local=DeviceId(226, 0))
HEAP = Source(id=SourceId.heap(HeapId(251, 0)), name="heap")


def layout(*sizes, planes):
    return Layout(
        kind=LayoutKind.EXACT,
        extent=Extent(64, 48),
        objects=tuple(BufferObject(OWN, size) for size in sizes),
        planes=tuple(PlaneLayout(*plane) for plane in planes),
    )


@pytest.mark.parametrize(
    ("code", "laid_out", "expected"),
    [
        ("XR24", layout(256 * 48, planes=[(0, 0, 256)]), (256, 48, 32, 64)),
        ("RG16", layout(192 * 50, planes=[(0, 0, 192)]), (192, 50, 16, 96)),
        ("RG24", layout(256 * 48, planes=[(0, 0, 256)]), (256, 48, 8, 256)),  # 85 pixels and a bit
        ("RG24", layout(192 * 48, planes=[(0, 0, 192)]), (192, 48, 24, 64)),
        ("NV12", layout(64 * 72, planes=[(0, 0, 64), (0, 3072, 64)]), (64, 72, 8, 64)),
        ("YUYV", layout(128 * 48, planes=[(0, 0, 128)]), (128, 48, 8, 128)),
        ("XR24", layout(256 * 48 + 1, planes=[(0, 0, 256)]), (256, 49, 32, 64)),
        ("zzzz", layout(64 * 48, planes=[(0, 0, 64)]), (64, 48, 8, 64)),
    ],
)
def test_the_shape_of_an_object(code, laid_out, expected):
    shape = PictureShape.of(fourcc(code), laid_out, 0)
    assert (shape.pitch, shape.rows, shape.bits, shape.width) == expected
    assert shape.width * shape.bits == shape.pitch * 8


def test_planes_apart_have_shapes_of_their_own():
    apart = layout(64 * 48, 64 * 24, planes=[(0, 0, 64), (1, 0, 64)])
    shapes = [PictureShape.of(fourcc("NV12"), apart, index) for index in (0, 1)]
    assert [(one.rows, one.bits, one.width) for one in shapes] == [(48, 8, 64), (24, 16, 32)]
    assert PictureShape.of(fourcc("NV12"), layout(64, 64, planes=[(0, 0, 64)]), 1) is None


@pytest.fixture
def card(tmp_path, monkeypatch):
    (tmp_path / "card0").touch()
    card = FakeCard(VKMS)
    made = local_memory.dumb_buffer.allocate
    monkeypatch.setattr(
        local_memory.dumb_buffer, "allocate", lambda node, shape: made(node, shape, card)
    )
    card.memory = LocalMemory((HEAP,), {}).with_cards({CARD: str(tmp_path / "card0")})
    return card


SHAPE = PictureShape(pitch=256, rows=48, bits=32)


def test_a_card_gives_a_picture_and_keeps_nothing(card):
    assert card.memory.openable == {OWN}
    with card.memory.allocate(OWN, 256 * 48, shape=SHAPE) as buffer:
        assert (buffer.source, buffer.size) == (OWN, 256 * 48)
        assert card.memory.live(OWN) == buffer.size
    assert card.left == ({}, {}, set())
    assert card.memory.live() == 0


def test_without_a_shape_there_is_none(card):
    with pytest.raises(MachineError, match="card0 allocates pictures, and not 4096 bytes"):
        card.memory.allocate(OWN, 4096)


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (replace(VKMS, pitch_rule=512), "with rows of 512, not 12288 with rows of 256"),
        (BOCHS, "Invalid argument"),  # makes none of this size of pixel
        (replace(VKMS, exports=False), "Function not implemented"),
    ],
)
def test_what_a_driver_makes_otherwise_is_an_error_and_leaves_nothing(card, driver, said):
    card.driver = driver
    with pytest.raises(MachineError, match=said):
        card.memory.allocate(OWN, 256 * 48, shape=replace(SHAPE, bits=8))
    assert card.left == ({}, {}, set())
    assert card.memory.live() == 0


def test_the_budget_is_one_for_heaps_and_cards(tmp_path):
    small = LocalMemory((HEAP,), {}, budget=8192)
    with_card = small.with_cards({CARD: str(tmp_path / "none")})
    assert with_card._ledger is small._ledger
