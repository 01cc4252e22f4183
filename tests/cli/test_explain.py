"""`heapwire explain`: the answer, its JSON, its page, and bad input."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from heapwire.kernel.description import Device, DeviceKind, Platform, shipped
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import DeviceId

TURNING = """
[[memory]]
name = "cma"

[[device]]
name = "display"
kind = "display"
kms-planes = [{ name = "primary", type = "primary" }]

[[device.use]]
usage = "scanout"
constraints = [{ type = "when-rotation", value = ["0", "180"], rung = "kernel" }]

[[device.use.set]]
formats = ["XRGB8888"]

[[device]]
name = "gpu"
kind = "gpu"

[[device.use]]
usage = "sampling"

[[device.use.set]]
formats = ["XRGB8888"]
"""


def test_the_pi_scans_out_of_contiguous_memory(heapwire):
    run = heapwire("explain", "--platform", "raspberry-pi-4", "--format", "NV12", "--json")
    assert run.status == 0
    assert run.document["satisfiable"] is True
    plan = run.document["plans"][0]
    assert (plan["fourcc"], plan["modifier"]) == ("NV12", "0x0")
    assert plan["scanout"] is True
    assert plan["layout"] == "exact"
    assert [one["source"]["name"] for one in plan["objects"]] == ["linux,cma"]
    assert plan["planes"][1] == {"object": 0, "offset": 1920 * 1088, "pitch": 1920}
    system = next(one for one in run.document["sources"] if one["name"] == "system")
    assert system["chosen"] is False
    assert "contiguous" in system["reason"]


def test_luma_and_chroma_in_two_banks(heapwire):
    run = heapwire("explain", "--platform", "exynos4-mfc-v5", "--format", "NV12", "--json")
    plan = run.document["plans"][0]
    names = [plan["objects"][plane["object"]]["source"]["name"] for plane in plan["planes"]]
    assert names == ["mfc-right", "mfc-left"]


def without_bank(tmp_path, bank: str):
    """The platform's file without one of its `[[memory]]` tables."""
    text = resources.files("heapwire.kernel").joinpath("platforms/exynos4-mfc-v5.toml").read_text()
    tables = re.split(r"(?m)^(?=\[\[)", text)
    kept = [one for one in tables if not one.startswith(f'[[memory]]\nname = "{bank}"')]
    assert len(kept) == len(tables) - 1
    path = tmp_path / "one-bank.toml"
    path.write_text("".join(kept))
    return path


def test_a_missing_bank_is_named_with_its_plane(heapwire, tmp_path):
    path = without_bank(tmp_path, "mfc-left")
    run = heapwire("explain", "--platform", path, "--format", "NV12", "--json")
    assert run.status == 1
    assert run.document["satisfiable"] is False
    [member] = [one for one in run.document["conflict"] if one["constraint"] == "permitted-sources"]
    assert (member["participant"], member["plane"]) == ("mfc:decode", 1)
    text = heapwire("explain", "--platform", path, "--format", "NV12").out
    assert "plane 1" in text
    assert "mfc-left" in text


@pytest.mark.parametrize("platform", shipped())
def test_every_shipped_platform_is_explained(heapwire, platform, tmp_path):
    page = tmp_path / "page.html"
    run = heapwire("explain", "--platform", platform, "--html", page)
    # What MediaTek's decoder writes only a converter reads.
    assert run.status == (1 if platform == "mediatek-mt8183" else 0), run.out
    html = page.read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "http" not in html.replace("http-equiv", "")  # it needs nothing from elsewhere
    assert html.count("<section>") == html.count("</section>") == 3


def test_participants_can_be_chosen(heapwire):
    run = heapwire(
        *("explain", "--platform", "raspberry-pi-4", "--format", "XRGB8888"),
        *("--participant", "cpu:cpu-write", "--participant", "v3d:sampling", "--json"),
    )
    plan = run.document["plans"][0]
    assert plan["scanout"] is False
    assert plan["objects"][0]["source"]["name"] == "system"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--platform", "no-such-board"), 1, "there is no platform 'no-such-board'"),
        (("--platform", "/nowhere/x.toml"), 1, "/nowhere/x.toml: No such file"),
        (("--platform", "raspberry-pi-4", "--size", "big"), 2, "'big' is not WIDTHxHEIGHT"),
        (("--platform", "raspberry-pi-4", "--format", "NV99X"), 2, "NV99X"),
        (("--platform", "raspberry-pi-4", "--participant", "codec"), 2, "DEVICE:USAGE"),
        (("--platform", "raspberry-pi-4", "--participant", "codex:decode"), 1, "no device codex"),
        (("--platform", "raspberry-pi-4", "--participant", "hvs:decode"), 1, "not for decode"),
    ],
)
def test_bad_input_is_one_clear_line(heapwire, arguments, status, message):
    run = heapwire("explain", *arguments)
    assert run.status == status
    assert message in run.err
    assert "Traceback" not in run.err


def test_a_broken_platform_file_is_pointed_at(heapwire, tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text('title = "x"\n[[memory]]\nname = "a"\ncontiguous = "yes"\n')
    run = heapwire("explain", "--platform", path)
    assert run.status == 1
    assert f"{path}:4: memory[0].contiguous" in run.err


def test_each_requirement_is_told_with_its_rung_and_source(heapwire):
    arguments = ("explain", "--platform", "raspberry-pi-4", "--format", "NV12")
    needs = heapwire(*arguments).out.partition("\nrequirements\n")[2].splitlines()
    assert (
        "    hvs:scanout needs memory that is at addresses 0x0 to 0x3fffffff "
        "(profile, arch/arm/boot/dts/broadcom/bcm2711.dtsi: soc: "
        "dma-ranges = <0xc0000000 0x0 0x00000000 0x40000000>)"
    ) in needs
    document = heapwire(*arguments, "--json").document
    told = [*document["formats_from"], *document["requirements"]]
    assert {one["provenance"] for one in told} == {"profile"}
    assert len(told) == len(needs)


def test_a_mere_preference_is_not_told_as_a_demand(heapwire):
    text = heapwire("explain", "--platform", "raspberry-pi-4", "--format", "NV12").out
    assert "contiguous for codec:decode and hvs:scanout" in text
    assert "from heap linux,cma or heap system" not in text


def test_protected_content_needs_no_gpu_that_can_read_it(heapwire, tmp_path):
    """Where it would be composited it is black; scanned out it is seen."""
    text = (resources.files("heapwire.kernel") / "platforms" / "optee-protected.toml").read_text()
    head, gpu, tail = text.partition('name = "gpu"')
    blind = '{ type = "permitted-sources", value = ["system"] }'
    old = 'usage = "sampling"'
    assert old in tail
    machine = tmp_path / "machine.toml"
    machine.write_text(head + gpu + tail.replace(old, f"{old}\nconstraints = [{blind}]", 1))
    run = heapwire("explain", "--platform", machine, "--protected", "--json")
    assert run.status == 0
    plans = run.document["plans"]
    assert [one["name"] for plan in plans for one in [plan["objects"][0]["source"]]] == [
        "protected,secure-video"
    ]
    assert all(plan["scanout"] for plan in plans)
    assert "black where it is composited" in plans[0]["goal"]
    # What is not protected may be composited at any time, and needs the GPU.
    clear = heapwire("explain", "--platform", machine, "--json").document["plans"]
    names = {plan["objects"][0]["source"]["name"] for plan in clear}
    assert names == {"default_cma_region"}  # which substitutes for `system`


def test_a_format_that_no_gpu_knows_is_scanned_out_and_said_to_be_black_elsewhere(
    heapwire, tmp_path
):
    machine = tmp_path / "machine.toml"
    machine.write_text(
        '[[memory]]\nname = "pool"\ncontiguous = true\n'
        '[[device]]\nname = "screen"\nkind = "display"\n[[device.use]]\nusage = "scanout"\n'
        '[[device.use.set]]\nformats = ["NV21", "YUYV"]\n'
        '[[device]]\nname = "writer"\nkind = "decoder"\n[[device.use]]\nusage = "decode"\n'
        '[[device.use.set]]\nformats = ["NV21"]\n'
        '[[device]]\nname = "shader"\nkind = "gpu"\n[[device.use]]\nusage = "sampling"\n'
        'constraints = [{ type = "pitch-alignment", value = 64 }]\n'
        '[[device.use.set]]\nformats = ["YUYV"]\n'
    )
    run = heapwire("explain", "--platform", machine, "--json", "--size", "100x100")
    assert run.status == 0
    [plan] = run.document["plans"]
    assert (plan["fourcc"], plan["goal"]) == ("NV21", "scanout, black where it is composited")
    assert plan["planes"][0]["pitch"] == 100, "who samples it not has no say"
    # What the GPU knows, it must be able to read: memory alone is no reason to leave it out.
    text = machine.read_text()
    machine.write_text(
        text.replace('["YUYV"]', '["NV21"]').replace(
            "value = 64", 'value = 64 }, { type = "max-pitch", value = 32'
        )
    )
    assert heapwire("explain", "--platform", machine, "--size", "100x100").status == 1


def test_a_size_on_the_screen_leaves_out_planes_that_do_not_scale_that_far(heapwire):
    """Of a display that scales nothing; what is as large as the screen is scanned out."""
    asked = ("explain", "--platform", "mediatek-mt8183", "--participant", "ovl:scanout")
    asked += ("--format", "XRGB8888", "--size", "1280x720")
    assert heapwire(*asked).status == 0
    assert heapwire(*asked, "--shown-as", "1280x720").status == 0
    scaled = heapwire(*asked, "--shown-as", "1920x1080")
    assert scaled.status == 1
    told = "needs a scale that is 1; the picture is 1280x720, shown as 1920x1080"
    assert told in scaled.out


def test_a_picture_that_is_turned_is_composited_where_no_plane_turns_it_so(heapwire, tmp_path):
    file = tmp_path / "turning.toml"
    file.write_text(TURNING)
    asked = ("explain", "--platform", file, "--format", "XRGB8888", "--json", "--rotation")
    for rotation, scanout in ((0, True), (180, True), (90, False), (270, False)):
        run = heapwire(*asked, str(rotation))
        assert run.status == 0
        assert run.document["plans"][0]["scanout"] is scanout
        said = [m["text"] for one in run.document["failures"] for m in one["conflict"]]
        assert any(f"turned by {rotation} degrees" in one for one in said) is not scanout
    assert heapwire(*asked, "45").status == 2
    listed = heapwire("list", "--platform", file).out
    assert "needs content that has rotation 0 or 180 (kernel)" in listed


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("words", [("--protected",), ("--size", "16000x9000")])
def test_what_stands_in_the_way_is_told_of_every_machine(heapwire, name, words):
    run = heapwire("explain", "--platform", name, "--format", "NV12", *words, "--json")
    if run.status == 1:
        assert run.document["conflict"]
        assert run.document["message"]
    else:
        assert (run.status, bool(run.document["plans"])) == (0, True)


FRAME = ("--size", "64x64", "--format", "NV12", "--object", "drm:8192", *("--plane", "0:64") * 2)


@pytest.mark.parametrize(
    ("command", "sought"),
    [
        (("explain",), "no decoder, camera, display or GPU that could take part"),
        (("check-frame", *FRAME), "no display or GPU that could take part"),
    ],
)
def test_of_a_device_that_is_for_nothing_it_says_why(heapwire, monkeypatch, command, sought):
    """An NVIDIA GPU without a DRM node is such a one."""
    note = "nvidia0 has no DRM node: it imports nothing"
    found = Platform(
        name="local",
        sources=(),
        devices=(Device(id=DeviceId(195, 0), name="nvidia0", kind=DeviceKind.GPU),),
        memory=MemfdMemory(()),
        notes=("heaps are missing", note),
    )
    for module in ("explain", "check_frame"):
        monkeypatch.setattr(f"heapwire.cli.{module}.load_platform", lambda _: found)
    run = heapwire(*command)
    assert run.status == 1
    told, *why = run.err.splitlines()
    assert f"local has {sought}: name a platform" in told
    assert why == [f"heapwire: {note}"]


def test_one_buffer_is_not_told_as_several(heapwire):
    run = heapwire("explain", "--platform", "raspberry-pi-4", "--format", "NV12", "--buffers", 1)
    assert run.status == 0
    assert ", 1 buffer\n" in run.out
    assert "why: 1 buffer: 1 for the producer" in run.out
    assert "1 buffers" not in run.out
