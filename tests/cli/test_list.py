"""`heapwire list`: a platform, and this machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heapwire.cli.list import list_document, render
from heapwire.kernel.description import Device, DeviceKind, Platform, shipped
from heapwire.kernel.discovery import DeviceRecord, Verdict
from heapwire.protocol.values import (
    LINEAR,
    DeviceId,
    FormatModifier,
    fourcc,
    parse_fourcc,
    parse_modifier,
)


def test_a_platform_is_listed(heapwire):
    run = heapwire("list", "--platform", "raspberry-pi-4", "--json")
    assert run.status == 0
    assert {"platform", "heaps", "devices", "links"} <= set(run.document)
    assert [heap["name"] for heap in run.document["heaps"]] == ["linux,cma", "system"]
    text = heapwire("list", "--platform", "raspberry-pi-4").out
    assert "linux,cma (heap 254:3217): contiguous, 256 MiB" in text
    assert "hvs -> linux,cma (preferred, profile)" in text


def test_each_requirement_has_its_rung_and_source_and_what_it_overrules(heapwire, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        """
        [[device]]
        name = "hvs"
        [[device.use]]
        usage = "scanout"
        constraints = [{ type = "address-range", value = ["0", "0xfffffff"], source = "measured" }]
        """
    )
    arguments = ("list", "--platform", "raspberry-pi-4", "--policy", policy)
    text = heapwire(*arguments).out
    stated = "needs memory that is at addresses 0x0 to 0xfffffff (user, measured)"
    assert f"            {stated}\n" in text
    [overruled] = [line for line in text.splitlines() if "overruled: " in line]
    assert (
        "addresses 0x0 to 0x3fffffff (profile, arch/arm/boot/dts/broadcom/bcm2711.dtsi" in overruled
    )
    assert overruled.endswith(stated)
    [display] = [d for d in heapwire(*arguments, "--json").document["devices"] if d["planes"]]
    [scanout] = display["usages"]
    assert {(one["constraint"], one["provenance"]) for one in scanout["requirements"]} == {
        ("colours", "profile"),
        ("contiguous", "profile"),
        ("scaling", "profile"),
        ("address-range", "user"),
    }
    assert {"NV12", "XRGB8888"} <= set(scanout["requirements"][0]["formats"])
    [lost] = scanout["overruled"]
    assert (lost["provenance"], lost["by"]["provenance"]) == ("profile", "user")


def test_formats_with_the_same_modifiers_share_a_line(heapwire):
    arguments = ("list", "--platform", "raspberry-pi-4")
    lines = [line.strip() for line in heapwire(*arguments).out.splitlines()]
    sand = "LINEAR, BROADCOM_SAND64(0), BROADCOM_SAND128(0), BROADCOM_SAND256(0)"
    assert f"NV12, NV21: {sand}" in lines
    assert "P030: BROADCOM_SAND128(0)" in lines
    whole = [line.strip() for line in heapwire(*arguments, "--verbose").out.splitlines()]
    assert (whole[whole.index("scanout") + 1], lines.count("scanout")) == ("ABGR2101010: LINEAR", 1)
    assert f"NV21: {sand}" in whole


@pytest.mark.parametrize("name", shipped())
def test_each_pair_of_a_machine_is_listed(heapwire, name):
    machine = Platform.load(name)
    for device in heapwire("list", "--platform", name, "--json").document["devices"]:
        sets = machine.device(device["name"]).sets
        for use, there in zip(device["usages"], sets.values(), strict=True):
            listed = {
                FormatModifier(parse_fourcc(code), parse_modifier(modifier))
                for code, _, modifier in (pair.partition(":") for pair in use["pairs"])
            }
            assert listed == {pair for each in there for pair in each.formats}
            for one in use["requirements"]:
                assert one["always"] == (set(one["pairs"]) == set(use["pairs"]))


def test_a_requirement_of_some_formats_says_which(heapwire):
    arguments = ("list", "--platform", "intel-skylake")
    [pitch] = [
        line.strip().partition(" (")[0]
        for line in heapwire(*arguments).out.splitlines()
        if "at most 8192 bytes" in line
    ]
    assert pitch == "needs a pitch that is at most 8192 bytes, for C8 with INTEL_X_TILED, LINEAR"
    for options, more in (((), True), (("-v",), False)):
        [width] = [
            line
            for line in heapwire(*arguments, *options).out.splitlines()
            if "at most 5120 pixels" in line
        ]
        assert (" and 9 more with " in width) is more
        assert ("XBGR2101010" in width) is not more
    assert "for YUV420 with LINEAR (" in heapwire("explain", "--platform", "raspberry-pi-4").out


def test_memory_that_no_cpu_maps_is_listed_as_such(heapwire, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('[[memory]]\nname = "system"\nmappable = false\n')
    text = heapwire("list", "--platform", "raspberry-pi-4", "--policy", policy).out
    assert "system (heap 254:395): not contiguous, mapped by no CPU\n" in text


def test_a_list_is_a_platform_itself(heapwire, tmp_path):
    listed = tmp_path / "machine.json"
    for name in ("exynos4-mfc-v5", "uvc-camera"):
        listed.write_text(heapwire("list", "--platform", name, "--json").out)
        for arguments in (("explain", "--json"), ("explain", "--protected", "--json")):
            asked = heapwire(*arguments, "--platform", name)
            again = heapwire(*arguments, "--platform", listed)
            assert (again.status, again.document) == (asked.status, asked.document)
        made = tmp_path / "made.toml"
        assert heapwire("import", listed, "--name", name, "-o", made).status == 0
        again = heapwire("explain", "--json", "--platform", made)
        assert again.document == heapwire("explain", "--json", "--platform", name).document


def test_this_machine_is_listed_whatever_it_has(heapwire):
    run = heapwire("list")
    assert run.status == 0
    assert run.out.startswith("local")


def test_only_real_hardware_is_probed(heapwire):
    run = heapwire("list", "--platform", "raspberry-pi-4", "--probe")
    assert run.status == 2
    assert "simulated" in run.err


def test_what_was_tried_is_listed(heapwire, monkeypatch):
    shown = (FormatModifier(fourcc("XR24"), LINEAR), FormatModifier(fourcc("RG16"), LINEAR))
    records = {
        "card0": DeviceRecord(
            verdicts=(
                Verdict(source="system", taken=False, said="PRIME import: EINVAL"),
                Verdict(source="reserved", taken=True, pairs=shown),
            )
        )
    }
    asked = []

    def ask(platform, store, *, again):
        asked.append(again)
        return records

    monkeypatch.setattr("heapwire.cli.list.ask_devices", ask)
    text = heapwire("list").out
    assert "tried: card0 refuses system (PRIME import: EINVAL)\n" in text
    assert "tried: card0 takes reserved for RGB565, XRGB8888" in text
    told = heapwire("list", "--probe", "--json").document["trials"]
    assert [(one["taken"], one["formats"]) for one in told] == [
        (False, []),
        (True, ["RGB565", "XRGB8888"]),
    ]
    assert asked == [False, True]  # unasked, and once more on request


def test_the_shipped_platforms_are_named(heapwire):
    assert heapwire("list", "--names").out.split() == list(shipped())
    assert len(shipped()) >= 16


def test_an_unknown_command_is_a_usage_error(heapwire):
    assert heapwire("frobnicate").status == 2
    assert heapwire().status == 2


def test_what_a_codec_decodes_is_listed():
    codec = Device(
        id=DeviceId(81, 1),
        name="video1",
        kind=DeviceKind.DECODER,
        bitstreams=(fourcc("H264"), fourcc("MPG2")),
    )
    machine = replace(Platform.load("raspberry-pi-4"), devices=(codec,))
    document = list_document(machine)
    [device] = document["devices"]
    assert device["bitstreams"] == ["H264", "MPG2"]
    assert "        bitstreams: H264, MPG2" in render(document).splitlines()
