"""Machines of public bug reports, with the layouts that their drivers take, worked out by hand.

Each is a file of `cases/`. What is asked of it was refused, or garbage, where it was reported.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from heapwire.kernel import Platform
from heapwire.protocol.values import parse_modifier

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def plan_of(heapwire):
    """The best plan for a picture."""

    def plan_of(name: str, fourcc: str, size: str, *participants: str):
        who = [word for one in participants for word in ("--participant", one)]
        file = CASES / f"{name}.toml"
        run = heapwire(
            "explain", "--platform", file, "--format", fourcc, "--size", size, *who, "--json"
        )
        assert run.status == 0, run.out + run.err
        return run.document["plans"][0]

    return plan_of


@pytest.mark.parametrize(
    ("name", "fourcc", "size", "participants", "pitches", "offsets"),
    [
        # endlessm/linux-meson#67: the driver is told one bytesperline for both planes.
        ("tied-pitch", "NV12", "1040x720", (), [1088, 1088], [0, 1088 * 720]),
        # raspberrypi/firmware#1608: chroma at multiples of 64 is luma at multiples of 128.
        ("each-pitch", "YUV420", "1296x972", (), [1408, 704, 704],
         [0, 1408 * 972, 1408 * 972 + 704 * 486]),
        # raspberrypi/linux#4419: chroma begins where luma ends, and has half of its pitch.
        ("isp-yuv420", "YUV420", "800x650", ("isp:camera", "hvs:scanout"), [832, 416, 416],
         [0, 832 * 650, 832 * 650 + 416 * 325]),
        # anholt/linux#12: chroma begins after whole macroblocks.
        ("macroblock-height", "NV12", "640x200", (), [640, 640], [0, 133120]),
        # i915's planes take packed 4:2:2 of 10 bits: two pixels are eight bytes.
        ("y210-linear", "Y210", "1366x768", ("cpu:cpu-write", "display:scanout"), [5504], [0]),
        ("y210-linear", "XV30", "1366x768", ("cpu:cpu-write", "display:scanout"), [5504], [0]),
        # hbiyik/FFmpeg#14: the GPU needs multiples of 64.
        ("gpu-stride", "NV12", "720x576", (), [768, 768], [0, 768 * 576]),
    ],
)  # fmt: skip
def test_the_layout_is_the_one_that_every_driver_takes(
    plan_of, name, fourcc, size, participants, pitches, offsets
):
    plan = plan_of(name, fourcc, size, *participants)
    assert [plane["pitch"] for plane in plan["planes"]] == pitches
    assert [plane["offset"] for plane in plan["planes"]] == offsets
    assert len(plan["objects"]) == 1


def test_a_pitch_that_follows_from_another_is_told_as_that(plan_of):
    plan = plan_of("tied-pitch", "NV12", "1040x720")
    _, tied = (one["text"] for one in plan["reasons"] if one["subject"] == "pitch")
    assert tied == "pitch 1088: tied to that of plane 0 for codec:decode"


@pytest.mark.parametrize(
    ("name", "modifier"),
    # xbmc#18450: the display lists columns of any height, the decoder those of its picture.
    [("sand-any-height", "BROADCOM_SAND128(1632)"), ("rpi-sand", "BROADCOM_SAND128(3240)")],
)
def test_a_display_that_lists_a_family_takes_what_the_decoder_writes(plan_of, name, modifier):
    plan = plan_of(name, "NV12", "1920x1080")
    assert parse_modifier(modifier) == int(plan["modifier"], 16)
    assert plan["scanout"] is True


def test_a_display_without_a_pitch_register_gets_rows_with_nothing_behind(plan_of, heapwire):
    who = ("gpu:render", "lcdif:scanout")
    plan = plan_of("exact-pitch", "XRGB8888", "1280x800", *who)
    assert (plan["scanout"], plan["planes"][0]["pitch"]) == (True, 5120)
    # 1366 pixels are no multiple of 64 bytes, and a framebuffer of another pitch is refused.
    run = heapwire(
        *("explain", "--platform", CASES / "exact-pitch.toml", "--format", "XRGB8888"),
        *("--size", "1366x768", "--json", "--participant", who[0], "--participant", who[1]),
    )
    assert run.status == 1
    assert [member["text"] for member in run.document["conflict"]] == [
        "gpu:render needs a pitch that is a multiple of 64 bytes",
        "lcdif:scanout needs a pitch that is the bytes of a row, with no room behind it",
    ]
    assert plan_of("exact-pitch", "XRGB8888", "1366x768", "cpu:cpu-write", who[1])["scanout"]


@pytest.mark.parametrize(
    ("decoder", "size", "name", "pitch"),
    [
        ("fixed", "1280x720", "LINEAR", 1280),  # in other blocks than the display's
        ("picky", "1296x720", "LINEAR", 1344),  # no multiple of 64
        ("picky", "1280x720", "ARM_AFBC(32x8,SPARSE)", 1280 * 3 // 2),
    ],
)
def test_compressed_pictures_are_planned_where_both_have_them(plan_of, decoder, size, name, pitch):
    fourcc = "NV12" if name == "LINEAR" else "YU08"
    who = (f"{decoder}:decode", "vop:scanout", "gpu:sampling")
    plan = plan_of("compressed-or-rows", fourcc, size, *who)
    assert (plan["modifier_name"], plan["planes"][0]["pitch"]) == (name, pitch)
    # A heap decides no layout: it is told to the byte.
    assert plan["layout"] == "exact"
    assert plan["objects"][0]["source"]["name"] == "pages"


def test_blocks_that_the_display_has_not_are_named(heapwire):
    """Compressed pictures are asked for, which decoder and display have in different blocks."""
    run = heapwire(
        *("explain", "--platform", CASES / "compressed-or-rows.toml", "--format", "YU08"),
        *("--size", "1280x720", "--participant", "fixed:decode", "--participant", "vop:scanout"),
        *("--participant", "gpu:sampling", "--json"),
    )
    [failure] = [one for one in run.document["failures"] if one["goal"] == "scanout"]
    told = {one["participant"]: one["text"] for one in failure["conflict"]}
    assert "ARM_AFBC(32x8,SPARSE)" in told["vop:scanout"]
    assert "ARM_AFBC(32x8,SPARSE)" not in told["fixed:decode"]
    assert "ARM_AFBC(16x16,SPARSE)" in told["fixed:decode"]


@pytest.mark.parametrize(
    ("who", "fourcc", "pitch"),
    [("vpu:decode", "NV12", 896), ("camera:camera", "YUYV", 1664)],
)
def test_the_first_answer_of_a_queue_is_no_restriction(plan_of, who, fourcc, pitch):
    """V4L2: S_FMT may be asked for a larger `bytesperline` than what it says unasked."""
    plan = plan_of("first-answer", fourcc, "800x480", who, "lcdc:scanout")
    assert {plane["pitch"] for plane in plan["planes"]} == {pitch}


@pytest.mark.parametrize(
    ("who", "fourcc", "size"),
    [("stubborn:decode", "NV12", "848x480"), ("blitter:render", "YUYV", "800x480")],
)
def test_a_pitch_that_was_refused_or_is_not_a_queues_stays(heapwire, who, fourcc, size):
    file = CASES / "first-answer.toml"
    run = heapwire(
        *("explain", "--platform", file, "--format", fourcc, "--size", size),
        *("--participant", who, "--participant", "lcdc:scanout", "--json"),
    )
    assert run.status == 1
    assert any("at most" in member["text"] for member in run.document["conflict"])


def test_what_is_read_as_a_first_answer_is_said():
    notes = Platform.load(str(CASES / "first-answer.toml")).notes
    assert len(notes) == 2
    assert all("a larger one is asked for" in note for note in notes)


def test_a_format_that_the_gpu_cannot_sample_is_scanned_out_else_black(plan_of):
    """xbmc#22202: the player's ten bits are for the display alone."""
    plan = plan_of("packed-ten-bits", "NV15", "1920x1080")
    assert plan["goal"] == "scanout, black where it is composited"
    assert plan["objects"][0]["source"]["name"] == "reserved"
    assert [plane["pitch"] for plane in plan["planes"]] == [2432, 2432]


@pytest.mark.parametrize("fourcc", ["NV12", "NV21", "P010", "YUYV", "XRGB8888", "XRGB2101010"])
def test_a_dump_of_a_displays_planes_is_a_machine(plan_of, fourcc):
    plan = plan_of("dumped-planes", fourcc, "1280x720")
    assert (plan["modifier_name"], plan["scanout"]) == ("LINEAR", True)


def test_a_dumped_layout_that_only_its_driver_knows_is_planned_from_no_heap(heapwire):
    file = CASES / "dumped-planes.toml"
    run = heapwire("explain", "--platform", file, "--format", "YU08", "--json")
    assert run.status == 1
    assert any("AMLOGIC" in member["text"] for member in run.document["conflict"])


def test_a_telephones_clear_pictures_are_in_no_protected_heap(plan_of):
    """Nor in one of which nobody knows whether it is."""
    plan = plan_of("telephone", "NV12", "1280x720")
    assert plan["goal"] == "scanout"
    assert plan["objects"][0]["source"]["name"] == "system"


def test_a_telephones_protected_pictures_are_where_decoder_and_display_reach(heapwire):
    file = CASES / "telephone.toml"
    run = heapwire("explain", "--platform", file, "--format", "NV12", "--protected", "--json")
    plan = run.document["plans"][0]
    # No GPU reads it: black where it would be composited.
    assert plan["goal"] == "scanout, black where it is composited"
    assert plan["objects"][0]["source"]["name"] == "vframe-secure"


@pytest.mark.parametrize(("buffers", "fits"), [(3, True), (4, False)])
def test_a_small_area_is_planned_as_far_as_it_goes(heapwire, buffers, fits):
    """gstreamer-imx#153: three buffers fit in 50 MiB, four do not."""
    run = heapwire(
        *("explain", "--platform", CASES / "small-pool.toml", "--format", "NV12"),
        *("--size", "4096x2160", "--buffers", buffers, "--json"),
    )
    assert run.status == (0 if fits else 1)
    if fits:
        assert run.document["plans"][0]["objects"][0]["source"]["name"] == "pool"
    else:
        assert any("4 buffers" in member["text"] for member in run.document["conflict"])


def test_too_many_buffers_are_the_streams_fault(heapwire):
    run = heapwire("explain", "--platform", "raspberry-pi-4", "--buffers", "257", "--json")
    assert run.status == 1
    (member,) = run.document["conflict"]
    assert member["text"] == "the stream needs 257 buffers at the same time; 256 are the most"


@pytest.mark.parametrize(
    ("buffers", "shares"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 0, 2)), (4, (1, 1, 2)), (9, (6, 1, 2))],
)
def test_the_buffers_are_shared_out_as_the_player_does(heapwire, buffers, shares):
    run = heapwire("explain", "--platform", "raspberry-pi-4", "--buffers", str(buffers), "--json")
    producer, flight, held = shares
    (count,) = [r["text"] for r in run.document["plans"][0]["reasons"] if r["subject"] == "count"]
    said = "1 buffer" if buffers == 1 else f"{buffers} buffers"
    shared = f"{producer} for the producer, {flight} in flight, {held} held"
    assert count.startswith(f"{said}: {shared}")
