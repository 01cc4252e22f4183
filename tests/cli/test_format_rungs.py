"""On which rung it stands that a device has its formats, wherever these are shown."""

import pytest

from heapwire.kernel.description import Platform
from heapwire.kernel.discovery.reports import listed_platform
from heapwire.protocol.explain import format_rungs
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Usage,
    fourcc,
)

MACHINE = """
[[memory]]
name = "system"

[[device]]
name = "screen"
kind = "display"

[[device.use]]
usage = "scanout"

[[device.use.set]]
formats = ["XRGB8888", "RGB565"]
rung = "kernel"
source = "IN_FORMATS"

[[device.use.set]]
formats = ["NV16"]
source = "a forum (unchecked)"

[[device]]
name = "writer"
kind = "decoder"

[[device.use]]
usage = "decode"

[[device.use.set]]
formats = ["NV12"]
source = "a table (unchecked)"

[[device.use.set]]
formats = ["NV21"]
cost = 1
source = "a table (unchecked)"
"""
CLASHING = ("writer:decode", "screen:scanout")
LINES = [
    "formats{}: XRGB8888, RGB565 with LINEAR (kernel, IN_FORMATS)",
    "formats{}: NV16 with LINEAR (unchecked, a forum (unchecked))",
]


@pytest.fixture
def machine(tmp_path):
    path = tmp_path / "machine.toml"
    path.write_text(MACHINE)
    return path


def test_a_list_has_one_rung_for_a_use_or_says_which_formats_have_which(heapwire, machine):
    lines = [line.strip() for line in heapwire("list", "--platform", machine).out.splitlines()]
    assert [line for line in lines if line.startswith("formats")] == [
        *(line.format("") for line in LINES),
        "formats (unchecked, a table (unchecked))",
    ]
    document = heapwire("list", "--platform", machine, "--json").document
    screen, writer = (device["usages"][0]["formats_from"] for device in document["devices"])
    assert [(one["provenance"], one["source"], one["pairs"]) for one in screen] == [
        ("kernel", "IN_FORMATS", ["XRGB8888:LINEAR", "RGB565:LINEAR"]),
        ("unchecked", "a forum (unchecked)", ["NV16:LINEAR"]),
    ]
    [one] = writer  # of all that it has, which is not told a second time
    assert (one["provenance"], one["always"], one["pairs"]) == ("unchecked", True, [])


def test_a_list_is_read_back_with_the_rungs(heapwire, machine, tmp_path):
    again = tmp_path / "list.json"
    again.write_text(heapwire("list", "--platform", machine, "--json").out)
    of_file, of_list = (
        [
            (one.formats, one.provenance, one.source)
            for device in platform.devices
            for sets in device.sets.values()
            for one in sets
        ]
        for platform in (Platform.load(machine), listed_platform(str(again)))
    )
    assert of_list == of_file


def test_an_explanation_tells_it_as_text_as_json_and_as_a_page(heapwire, machine, tmp_path):
    page = tmp_path / "page.html"
    asked = [part for name in CLASHING for part in ("--participant", name)]
    arguments = ("explain", "--platform", machine, *asked, "--html", page)
    lines = [line.strip() for line in heapwire(*arguments).out.splitlines()]
    assert [line for line in lines if line.startswith("formats")] == [
        "formats of writer:decode (unchecked, a table (unchecked))",
        *(line.format(" of screen:scanout") for line in LINES),
    ]
    # Who has no format in common is told with the lowest rung that this rests on.
    assert [line.rpartition(" ")[2] for line in lines if "can use only" in line][1:3] == [
        "(unchecked)",
        "(unchecked)",
    ]
    document = heapwire(*arguments, "--json").document
    assert {
        one["participant"]: one["provenance"] for one in document["formats_from"] if one["always"]
    } == {"writer:decode": "unchecked"}
    assert {one["provenance"] for one in document["conflict"]} == {"unchecked"}
    text = page.read_text("utf-8")
    assert '<p class="dim">for NV12 with LINEAR (unchecked, a table (unchecked))</p>' in text
    assert "for RGB565, XRGB8888 with LINEAR (kernel, IN_FORMATS)</p>" in text


def test_what_nobody_told_of_is_not_given_a_rung():
    def of(code, **told):
        return ConstraintSet(formats=(FormatModifier(fourcc(code), LINEAR),), **told)

    assert format_rungs([of("NV12"), of("NV21")]) == []
    [one] = format_rungs([of("NV12"), of("NV21", provenance=Provenance.TRIAL)])
    assert (one["pairs"], one["always"], one["provenance"]) == (["NV21:LINEAR"], False, "trial")


@pytest.mark.parametrize("name", ["vc4", "amdgpu"])
def test_the_formats_of_a_profile_are_known_by_its_rows(name):
    device = f'[[device]]\nname = "d"\nkind = "display"\nprofile = "{name}"\n'
    machine = Platform.parse(f'[[memory]]\nname = "system"\n{device}')
    found = machine.device("d").sets[Usage.SCANOUT]
    assert {one.provenance for one in found} == {Provenance.PROFILE}
    assert all(f"drivers/gpu/drm/{name[:3]}" in one.source for one in found)
