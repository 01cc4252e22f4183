"""What is stored in a buffer equals the decoder's picture, sample by sample."""

from __future__ import annotations

import av
import numpy as np
import pytest

from heapwire.client_lib.buffers import PlaneView
from heapwire.client_lib.player.pictures.frame_writer import (
    WRITER_NAME,
    writable_formats,
    write_picture,
    writer_participant,
)
from heapwire.protocol import InputError, UsageError
from heapwire.protocol.values import (
    ALLWINNER_TILED,
    FORMATS,
    LINEAR,
    SAMSUNG_64_32_TILE,
    TILINGS,
    FormatModifier,
    Usage,
    fourcc_name,
    parse_fourcc,
    parse_modifier,
)
from heapwire.protocol.wire import set_requests

SIZES = [(64, 48), (40, 30), (33, 17)]
PADDING = 0xAA
ROUNDING = 8  # levels of 256 by which dithering and its ways of rounding differ


def picture(name: str, width: int, height: int) -> av.VideoFrame:
    """A picture of noise, the same each time."""
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    return av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=name, threads=1)


def grey(name: str, width: int, level: int) -> av.VideoFrame:
    """A picture of one luma, made without swscale; 16 rows."""
    frame = av.VideoFrame(width, 16, name)
    for plane, value in zip(frame.planes, (level, 128, 128), strict=False):
        if name.endswith("10le"):
            plane.update(np.full(plane.buffer_size // 2, value << 2, "<u2").tobytes())
        else:
            plane.update(bytes([value]) * plane.buffer_size)
    return frame


class Target:
    """The planes of a format in memory that is full of padding."""

    def __init__(self, code: int, width: int, height: int) -> None:
        self.arrays, self.views = [], []
        for plane in FORMATS[code].planes:
            rows, row_bytes = plane.rows(height), plane.row_bytes(width)
            array = np.full((rows, row_bytes + 13), PADDING, np.uint8)
            self.arrays.append(array)
            view = memoryview(array.reshape(-1).data)
            self.views.append(PlaneView(view, row_bytes + 13, rows, row_bytes))

    def pixels(self, index: int) -> np.ndarray:
        view = self.views[index]
        assert (self.arrays[index][:, view.row_bytes :] == PADDING).all(), "padding was written"
        return self.arrays[index][:, : view.row_bytes]


def component(source: av.VideoFrame, index: int, item: int = 1) -> np.ndarray:
    plane = source.planes[index]
    flat = np.frombuffer(plane, np.uint8 if item == 1 else "<u2")
    return flat.reshape(-1, plane.line_size // item)[: plane.height, : plane.width]


def write(source: av.VideoFrame, name: str) -> tuple[Target, int]:
    target = Target(parse_fourcc(name), source.width, source.height)
    return target, write_picture(source, parse_fourcc(name), target.views)


@pytest.mark.parametrize(("width", "height"), SIZES)
class TestPlanar:
    @pytest.mark.parametrize(("name", "order"), [("YUV420", (0, 1, 2)), ("YVU420", (0, 2, 1))])
    def test_three_planes(self, width, height, name, order):
        source = picture("yuv420p", width, height)
        target, copied = write(source, name)
        for plane, index in enumerate(order):
            assert (target.pixels(plane) == component(source, index)).all()
        assert copied == sum(target.pixels(plane).size for plane in range(3))

    @pytest.mark.parametrize(
        ("name", "made_of", "order"),
        [
            ("NV12", "yuv420p", (1, 2)),
            ("NV12", "yuvj420p", (1, 2)),
            ("NV21", "yuv420p", (2, 1)),
            ("NV16", "yuv422p", (1, 2)),
            ("NV24", "yuv444p", (1, 2)),
        ],
    )
    def test_two_planes(self, width, height, name, made_of, order):
        source = picture(made_of, width, height)
        target, copied = write(source, name)
        assert (target.pixels(0) == component(source, 0)).all()
        for start, index in enumerate(order):
            assert (target.pixels(1)[:, start::2] == component(source, index)).all()
        assert copied == target.pixels(0).size + target.pixels(1).size

    def test_ten_bits_are_in_the_upper_part(self, width, height):
        source = picture("yuv420p10le", width, height)
        target, copied = write(source, "P010")
        luma = np.ascontiguousarray(target.pixels(0)).view("<u2")
        chroma = np.ascontiguousarray(target.pixels(1)).view("<u2")
        assert (luma == component(source, 0, 2) << 6).all()
        assert (chroma[:, 0::2] == component(source, 1, 2) << 6).all()
        assert (chroma[:, 1::2] == component(source, 2, 2) << 6).all()
        assert copied == 2 * (luma.size + chroma.size)

    @pytest.mark.parametrize(
        ("name", "order"), [("YUYV", (0, 1, 0, 2)), ("UYVY", (1, 0, 2, 0)), ("VYUY", (2, 0, 1, 0))]
    )
    def test_one_plane(self, width, height, name, order):
        source = picture("yuv422p", width, height)
        target, _ = write(source, name)
        pixels, seen = target.pixels(0), 0
        for column, index in enumerate(order):
            wanted = component(source, index)
            if index == 0:
                wanted = wanted[:, seen::2]
                seen += 1
            assert (pixels[:, column::4][:, : wanted.shape[1]] == wanted).all()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    ("name", "made_of"),
    [
        ("XRGB8888", "bgra"),
        ("XBGR8888", "rgba"),
        ("RGBX8888", "abgr"),
        ("RGB888", "bgr24"),
        ("RGB565", "rgb565le"),
    ],
)
@pytest.mark.parametrize("kind", ["yuv420p", "rgb24"])
def test_rgb_is_what_swscale_makes_of_the_picture(width, height, name, made_of, kind):
    source = picture(kind, width, height)
    target, copied = write(source, name)
    plane = source.reformat(format=made_of, threads=1).planes[0]
    wanted = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    pixels = target.pixels(0)
    assert (pixels == wanted[:height, : pixels.shape[1]]).all()
    assert copied == pixels.size + plane.buffer_size


def test_xrgb_is_what_pyav_itself_shows():
    source = picture("yuv420p", 40, 30)
    target, _ = write(source, "XRGB8888")
    assert (
        target.pixels(0).reshape(30, 40, 4) == source.to_ndarray(format="bgra", threads=1)
    ).all()


@pytest.mark.parametrize("kind", ["yuv420p", "yuv422p", "nv12", "yuv420p10le"])
@pytest.mark.parametrize("name", ["XRGB8888", "RGB888", "NV12"])
def test_every_column_is_written_whatever_the_width(name, kind):
    """What a conversion leaves out holds another picture's pixels, so no two are alike."""
    for width in range(33, 49):
        for level in (16, 235, 16):
            target, _ = write(grey(kind, width, level), name)
            pixels = target.pixels(0).reshape(16, width, -1)
            apart = np.abs(pixels.astype(int) - pixels[0, 0]).max()
            assert apart <= ROUNDING, (width, level)


@pytest.mark.parametrize("code", writable_formats(), ids=fourcc_name)
@pytest.mark.parametrize("kind", ["yuv420p", "yuvj444p", "yuv422p10le", "nv12", "gray", "rgb24"])
def test_any_picture_can_be_written_as_any_format(code, kind):
    source = picture(kind, 36, 20)
    target = Target(code, 36, 20)
    copied = write_picture(source, code, target.views)
    stored = sum(target.pixels(plane).size for plane in range(len(target.views)))
    assert copied >= stored
    assert any((target.pixels(plane) != PADDING).any() for plane in range(len(target.views)))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    ("name", "kind"),
    [("NV12", "nv12"), ("NV21", "nv21"), ("P010", "p010le"), ("NV16", "nv16"), ("NV24", "nv24"),
     ("NV42", "nv42"), ("YUYV", "yuyv422"), ("UYVY", "uyvy422"), ("YVYU", "yvyu422")],
)  # fmt: skip
def test_what_has_the_planes_of_the_format_is_copied_row_by_row(name, kind, width, height):
    source = picture("rgb24", width, height).reformat(format=kind, threads=1)
    target, copied = write(source, name)
    for index, plane in enumerate(source.planes):
        pixels = target.pixels(index)
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        assert (pixels == rows[: pixels.shape[0], : pixels.shape[1]]).all()
    assert copied == sum(target.pixels(plane).size for plane in range(len(target.views)))
    found = costs(kind)
    assert found[name] == 0 < min(cost for other, cost in found.items() if other != name)


@pytest.mark.parametrize(("kind", "name"), [("yuv420p", "NV12"), ("yuv420p10le", "P010")])
def test_chroma_of_many_rows_is_stored_as_that_of_few(kind, name):
    """It goes by blocks of rows, of which the last is not whole."""
    source = picture(kind, 20, 300)
    target, _ = write(source, name)
    item = 1 if name == "NV12" else 2
    chroma = np.ascontiguousarray(target.pixels(1)).view("u1" if item == 1 else "<u2")
    for start in (0, 1):
        wanted = component(source, start + 1, item)
        assert (chroma[:, start::2] == (wanted << 6 if item == 2 else wanted)).all()


@pytest.mark.parametrize(("kind", "name"), [("yuv420p", "XRGB8888"), ("rgb24", "NV12")])
def test_a_conversion_is_done_by_one_thread(kind, name):
    """With more of them what is stored past the end of a row may stay: which one wins is chance."""
    asked = []

    class Watched:
        def __init__(self, frame):
            self._frame = frame

        def __getattr__(self, name):
            return getattr(self._frame, name)

        def reformat(self, **how):
            asked.append(how["threads"])
            return self._frame.reformat(**how)

    write(Watched(picture(kind, 40, 30)), name)
    assert asked == [1]


def test_full_range_stays_full_range_between_yuv_formats():
    white = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 255, np.uint8), format="rgb24")
    target, _ = write(white.reformat(format="yuvj444p"), "NV12")
    assert (target.pixels(0) == 255).all()


def test_a_buffer_may_be_larger_than_the_picture():
    source = picture("yuv420p", 32, 16)
    target = Target(parse_fourcc("NV12"), 64, 48)
    write_picture(source, parse_fourcc("NV12"), target.views)
    assert (target.arrays[0][:16, :32] == component(source, 0)).all()
    assert (target.arrays[0][16:] == PADDING).all()
    assert (target.arrays[0][:, 32:] == PADDING).all()


def test_an_unknown_format_is_refused():
    with pytest.raises(UsageError, match="NV15"):
        write_picture(picture("yuv420p", 4, 4), parse_fourcc("NV15"), ())
    with pytest.raises(InputError, match="NV15"):
        writer_participant("yuv420p", [parse_fourcc("NV15")])


def costs(kind: str) -> dict[str, int]:
    (constraint_set,) = writer_participant(kind).sets
    pairs = zip(constraint_set.formats, constraint_set.costs, strict=True)
    return {fourcc_name(pair.fourcc): cost for pair, cost in pairs}


def test_the_writer_prefers_what_copies_least():
    found = costs("yuv420p")
    assert found["YUV420"] < found["NV12"] < found["YUYV"] < found["XRGB8888"] < found["RGB565"]
    found = costs("yuv420p10le")
    assert found["P010"] == min(found.values())


def test_rgb_pictures_are_made_into_yuv_only_where_nothing_else_is_taken():
    found = costs("gbrp")
    dearest = max(cost for name, cost in found.items() if not FORMATS[parse_fourcc(name)].is_yuv)
    assert dearest < min(cost for name, cost in found.items() if FORMATS[parse_fourcc(name)].is_yuv)


@pytest.mark.parametrize("kind", ["yuv444p", "yuvj444p", "yuv444p10le", "yuva444p"])
def test_what_has_all_chroma_is_rather_made_into_rgb_than_into_what_has_half_of_it(kind):
    found = costs(kind)
    assert found["XRGB8888"] + 1 < min(found["NV12"], found["P010"], found["YUYV"])
    halved = costs("yuv422p")
    assert max(halved["NV12"], halved["P010"]) < halved["XRGB8888"]


def test_the_writer_is_the_cpu():
    participant = writer_participant("yuv420p", [parse_fourcc("NV12")])
    assert (participant.name, participant.usage) == (WRITER_NAME, Usage.CPU_WRITE)
    assert participant.device is None
    assert [fourcc_name(pair.fourcc) for pair in participant.sets[0].formats] == ["NV12"]
    for constraint_set in participant.sets:
        set_requests(constraint_set)


def test_a_format_that_swscale_takes_is_converted_and_any_other_is_not_offered() -> None:
    """All that FFmpeg knows: some raise, and two would end this process."""
    refused = set()
    for name in sorted(av.video.format.names):
        try:
            offered = writer_participant(name).sets[0].formats
        except InputError:
            refused.add(name)
            continue
        for pair in offered:
            target = Target(pair.fourcc, 40, 30)
            assert write_picture(av.VideoFrame(40, 30, name), pair.fourcc, target.views)
    assert {"vaapi", "yaf32le", "rgba128le", "bgr4", "y210be", "gray32le"} <= refused
    assert {"yuv420p", "rgb24", "gray16le", "gbrapf32le", "grayf32le", "pal8"}.isdisjoint(refused)
    assert len(refused) < 50


def test_no_format_that_is_asked_for_helps_with_what_is_not_converted() -> None:
    with pytest.raises(InputError, match="its pictures are yaf32le"):
        writer_participant("yaf32le", [parse_fourcc("NV12")])


@pytest.mark.parametrize("modifier", [SAMSUNG_64_32_TILE, ALLWINNER_TILED])
def test_a_picture_in_tiles_is_that_in_rows_in_another_order(modifier):
    source, code = picture("yuv420p", 200, 120), parse_fourcc("NV12")
    rows, _ = write(source, "NV12")
    tiling = TILINGS[modifier]
    width = 64 if tiling.paired else tiling.tile_width
    pitch = -(-200 // tiling.tile_width) * tiling.tile_width
    heights = [128, 64]
    arrays = [np.zeros(pitch * height, np.uint8) for height in heights]
    views = [
        PlaneView(memoryview(array.data), pitch, lines, 200)
        for array, lines in zip(arrays, (120, 60), strict=True)
    ]
    write_picture(source, code, views, modifier)
    for index, (array, height) in enumerate(zip(arrays, heights, strict=True)):
        expected = np.zeros((height, pitch), np.uint8)
        pixels = rows.pixels(index)
        expected[: pixels.shape[0], :200] = pixels
        across, down = pitch // width, height // 32
        places = tiling.places(across, down)
        for number, place in enumerate(places):
            row, column = divmod(number, across)
            tile = expected[row * 32 : row * 32 + 32, column * width : (column + 1) * width]
            stored = array[place * 32 * width : (place + 1) * 32 * width].reshape(32, width)
            assert (stored == tile).all(), (index, number)


def test_tiles_are_written_only_where_that_is_asked_for():
    (plain,) = writer_participant("yuv420p").sets
    (tiled,) = writer_participant("yuv420p", tiles=True).sets
    assert {pair.modifier for pair in plain.formats} == {LINEAR}
    more = set(tiled.formats) - set(plain.formats)
    assert more == {
        FormatModifier(parse_fourcc("NV12"), SAMSUNG_64_32_TILE),
        FormatModifier(parse_fourcc("NV12"), ALLWINNER_TILED),
    }
    with pytest.raises(UsageError, match="BROADCOM"):
        write_picture(
            picture("yuv420p", 4, 4),
            parse_fourcc("NV12"),
            (),
            parse_modifier("BROADCOM_SAND128(0)"),
        )
