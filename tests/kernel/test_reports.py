"""Reports: dumps of drm_info, lists of v4l2-ctl, and our own lists, as platforms."""

import json
from contextlib import suppress
from dataclasses import fields, replace

import pytest
from board_root import Board, discovered
from hypothesis import HealthCheck, given, settings, strategies as st

from heapwire.kernel.description import DeviceKind, PlaneType, Platform, PlatformFileError, shipped
from heapwire.kernel.discovery.reports import platform_data, reported_machine, toml_text
from heapwire.kernel.discovery.reports.json_file import json_lines
from heapwire.kernel.discovery.reports.machine_list import listed_platform
from heapwire.protocol import FileError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BY_NAME,
    CONTIGUOUS,
    LINEAR,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Provenance,
    Source,
    Usage,
    fourcc,
)

NV12, XRGB = fourcc("NV12"), fourcc("XR24")
AFBC = 0x0800000000000051


def plane(number, kind, pairs=None, formats=(XRGB,), tearing=None):
    properties = {"type": {"id": 8, "raw_value": kind, "value": kind, "spec": []}}
    if pairs is not None:
        data = [{"modifier": modifier, "formats": [*codes]} for modifier, codes in pairs]
        properties["IN_FORMATS"] = {"id": 9, "raw_value": 40, "data": data}
    if tearing is not None:
        data = [{"modifier": modifier, "formats": [*codes]} for modifier, codes in tearing]
        properties["IN_FORMATS_ASYNC"] = {"id": 10, "raw_value": 41, "data": data}
    return {
        "id": number,
        "possible_crtcs": 3,
        "formats": [*formats],
        "properties": properties,
    }


def dump(*planes, bus=2, driver="vendor"):
    return {
        "/dev/dri/card0": {
            "driver": {"name": driver, "desc": "", "version": {"major": 1}, "caps": {"PRIME": 3}},
            "device": {"bus_type": bus, "device_data": None},
            "fb_size": {"min_width": 4, "max_width": 4096, "min_height": 4, "max_height": 2160},
            "connectors": [],
            "planes": [*planes],
        }
    }


LISTING = """\
Driver Info:
\tDriver name      : rkvdec
\tCard type        : rkvdec
\tBus info         : platform:rkvdec
\tCapabilities     : 0x84204000
ioctl: VIDIOC_ENUM_FMT
\tType: Video Capture Multiplanar

\t[0]: 'NV12' (Y/UV 4:2:0)
ioctl: VIDIOC_ENUM_FMT
\tType: Video Output Multiplanar

\t[0]: 'S264' (H.264 Parsed Slice Data, compressed)
\t\tSize: Stepwise 48x48 - 4096x2560 with step 16/16
"""


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return str(file)

    return written


def machine(*files):
    return Platform.parse(toml_text(reported_machine(files, name="reported")))


def constraints(platform, device, usage):
    sets = platform.participant(device, usage).sets
    return {constraint.type: constraint for one in sets for constraint in one.constraints}


def answers(platform):
    """What is planned for each device that shows, makes or takes pictures."""
    found = {}
    for device in platform.devices:
        for usage in device.usages:
            if usage & (Usage.CPU_READ | Usage.CPU_WRITE):
                continue
            problem = platform.problem(
                participants=(platform.participant(device.name, usage),),
                goals=(Goal(name="goal"),),
                extents=Extents(coded=Extent(640, 480)),
            )
            answer = solve(problem)
            found[device.name, usage] = (
                [
                    (
                        plan.fourcc,
                        plan.modifier,
                        plan.layout.planes,
                        plan.layout.extent,
                        *(platform.source_name(one.source) for one in plan.layout.objects),
                    )
                    for plan in answer.plans
                ],
                len(answer.conflict),
            )
    return found


class TestRoundTrip:
    @pytest.mark.parametrize("name", shipped())
    def test_a_platform_as_text_is_the_same_platform(self, name):
        platform = Platform.load(name)
        again = Platform.parse(toml_text(platform_data(platform)))
        assert (again.sources, again.links, again.topology, again.format_costs) == (
            platform.sources, platform.links, platform.topology, platform.format_costs,
        )  # fmt: skip
        assert again.notes == platform.notes == ()
        for device, other in zip(platform.devices, again.devices, strict=True):
            assert replace(other, sets={}, planes=()) == replace(device, sets={}, planes=())
            assert [(one.name, one.type) for one in other.planes] == [
                (one.name, one.type) for one in device.planes
            ]
        assert answers(again) == answers(platform)

    @pytest.mark.parametrize("board", ["rk3399-rock-pi-4b", "sun7i-a20-cubietruck"])
    def test_a_list_of_a_machine_is_that_machine(self, board, tmp_path, write):
        Board(board).build(tmp_path, (6, 19))
        platform = discovered(tmp_path)
        file = write("list.json", {"platform": "local", "description": platform_data(platform)})
        again = listed_platform(file)
        assert again.simulated
        properties = [
            (s.name, s.contiguous, s.cached, s.protected, s.capacity, s.area, s.address_range,
             dict(s.provenance))
            for s in platform.sources
        ]  # fmt: skip
        assert properties == [
            (s.name, s.contiguous, s.cached, s.protected, s.capacity, s.area, s.address_range,
             dict(s.provenance))
            for s in again.sources
        ]  # fmt: skip
        for device in platform.devices:
            for usage in device.usages:
                said = {
                    (c.type, c.planes, c.provenance, c.source)
                    for c in constraints(platform, device.name, usage).values()
                }
                assert said == {
                    (c.type, c.planes, c.provenance, c.source)
                    for c in constraints(again, device.name, usage).values()
                }
        assert answers(again) == answers(platform)

    def test_every_property_of_memory_is_told(self):
        platform = Platform.load("generic-desktop")
        full = replace(
            platform.sources[0],
            contiguous=True,
            address_range=(4096, 8191),
            alignment=8192,
            capacity=4096,
            cached=False,
            protected=True,
            mappable=False,
            numa_node=3,
            substitutes_for=("system",),
            rows_only=True,
            area="cma",
            provenance=dict.fromkeys(
                [
                    *("contiguous", "address_range", "alignment", "capacity", "cached"),
                    *("protected", "mappable", "numa_node", "substitutes_for"),
                    *("rows_only", "area"),
                ],
                Provenance.TRIAL,
            ),
        )
        bare = Source(id=full.id, name=full.name)
        kept = {"id", "name", "device_local"}  # which every file has, or a device alone
        for field in fields(Source):
            same = getattr(full, field.name) == getattr(bare, field.name)
            assert same is (field.name in kept), field.name
        platform = replace(platform, sources=(full, *platform.sources[1:]))
        assert Platform.parse(toml_text(platform_data(platform))).sources[0] == full

    def test_what_nobody_knows_stays_unknown(self):
        platform = Platform.load("generic-desktop")
        unknown = replace(platform.sources[0], protected=None, contiguous=None)
        platform = replace(platform, sources=(unknown, *platform.sources[1:]))
        again = Platform.parse(toml_text(platform_data(platform)))
        assert again.sources[0].protected is None
        assert again.sources[0].contiguous is None

    def test_what_only_a_cursor_shows_is_shown_by_it_alone(self, write):
        cursor = plane(35, 2, [(LINEAR, [fourcc("AR24")])])
        platform = machine(write("d.json", dump(plane(31, 1, [(LINEAR, [XRGB])]), cursor)))
        card = platform.device("card0")
        assert [one.type for one in card.planes] == [PlaneType.PRIMARY, PlaneType.CURSOR]
        assert card.planes[1].sets
        shown = {pair for one in card.sets[Usage.SCANOUT] for pair in one.formats}
        assert shown == {FormatModifier(XRGB, LINEAR)}


class TestDrmInfo:
    def test_planes_with_their_formats_modifiers_and_limits(self, write):
        pairs = [(LINEAR, [XRGB, NV12]), (AFBC, [XRGB])]
        file = write("drm.json", dump(plane(41, 0, pairs), plane(31, 1, pairs[:1])))
        card = machine(file).device("card0")
        assert (card.kind, card.api_driver) == (DeviceKind.DISPLAY, "vendor")
        assert [(one.name, one.type, one.crtcs) for one in card.planes] == [
            ("plane-31", PlaneType.PRIMARY, 3),
            ("plane-41", PlaneType.OVERLAY, 3),
        ]
        overlay = {pair for one in card.planes[1].sets for pair in one.formats}
        assert overlay == {
            FormatModifier(XRGB, LINEAR), FormatModifier(NV12, LINEAR), FormatModifier(XRGB, AFBC),
        }  # fmt: skip
        found = constraints(machine(file), "card0", Usage.SCANOUT)
        assert found[BY_NAME["max-height"].type].value == 2160
        assert found[BY_NAME["max-height"].type].provenance is Provenance.KERNEL

    def test_a_display_on_a_soc_is_presumed_to_need_contiguous_memory(self, write):
        shown = plane(31, 1, [(LINEAR, [XRGB])])
        platform = machine(write("soc.json", dump(shown)))
        presumed = constraints(platform, "card0", Usage.SCANOUT)[CONTIGUOUS.type]
        assert presumed.provenance is Provenance.PRESUMPTION
        assert presumed.source
        ((plan, *_), _) = answers(platform)["card0", Usage.SCANOUT]
        assert plan[-1] == "default_cma_region"
        on_pci = machine(write("pci.json", dump(shown, bus=0, driver="i915")))
        assert CONTIGUOUS.type not in constraints(on_pci, "card0", Usage.SCANOUT)

    def test_the_default_area_is_where_each_device_of_a_soc_reaches_it(self, write):
        """So the kernel of 64-bit ARM places it; the display of a Raspberry Pi 4 reads a GiB."""
        said = dump(plane(31, 1, [(LINEAR, [XRGB])]), driver="vc4")
        said["/dev/dri/card0"]["device"]["device_data"] = {"compatible": ["brcm,bcm2711-vc5"]}
        platform = machine(write("pi.json", said))
        ((plan, *_), _) = answers(platform)["card0", Usage.SCANOUT]
        assert plan[-1] == "default_cma_region"
        area = platform.source("default_cma_region")
        assert area.address_range == (0, 0x3FFFFFFF)
        assert area.provenance["address_range"] is Provenance.PRESUMPTION

    def test_what_the_driver_table_knows_is_added(self, write):
        shown = plane(31, 1, [(LINEAR, [XRGB])])
        platform = machine(write("amd.json", dump(shown, bus=0, driver="amdgpu")))
        pitch = constraints(platform, "card0", Usage.SCANOUT)[BY_NAME["pitch-alignment"].type]
        assert pitch.provenance in (Provenance.PROFILE, Provenance.UNCHECKED)
        ((plan, *_), _) = answers(platform)["card0", Usage.SCANOUT]
        assert plan[-1] == "card0", "no heap's memory is scanned out"
        bare = dump(shown, driver="rockchip")
        bare["/dev/dri/card0"]["device"]["device_data"] = {"compatible": ["rockchip,rk3399-vop"]}
        found = constraints(machine(write("rk.json", bare)), "card0", Usage.SCANOUT)
        assert found[CONTIGUOUS.type].provenance is Provenance.PROFILE

    @pytest.mark.parametrize(
        ("driver", "number", "memory"),
        [
            ("i915", 0x56A0, "card0"),  # a discrete card
            ("xe", 0xE20B, "card0"),
            ("i915", 0x1912, "system"),  # Skylake's
            ("nobody", 0xFFFF, "card0"),  # presumed
        ],
    )
    def test_a_model_is_known_by_its_numbers_of_pci(self, driver, number, memory, write):
        said = dump(plane(31, 1, [(LINEAR, [XRGB])]), bus=0, driver=driver)
        said["/dev/dri/card0"]["device"]["device_data"] = {
            "vendor": 0x8086,
            "device": number,
            "subsystem_vendor": 0x1028,
            "subsystem_device": 0x6B9,
        }
        ((plan, *_), _) = answers(machine(write("intel.json", said)))["card0", Usage.SCANOUT]
        assert plan[-1] == memory

    def test_a_driver_without_in_formats_takes_rows(self, write):
        card = machine(write("old.json", dump(plane(1, 1, formats=[XRGB])))).device("card0")
        pairs = {pair.modifier for one in card.sets[Usage.SCANOUT] for pair in one.formats}
        assert LINEAR in pairs

    def test_a_format_from_later_goes_by_its_number(self, write):
        code = 0x39394142
        card = machine(write("new.json", dump(plane(1, 1, [(LINEAR, [code])])))).device("card0")
        assert card.sets[Usage.SCANOUT][0].formats == (FormatModifier(code, LINEAR),)

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            (lambda card: card["driver"].pop("name"), "driver: 'name' is missing"),
            (lambda card: card["planes"][0].pop("id"), "planes[0]: 'id' is missing"),
            (lambda card: card["planes"].append(7), "planes[1]: 7 is not an object"),
            (lambda card: card.update(planes=7), "planes: 7 is not a list"),
            (lambda card: card["fb_size"].update(max_width=-1), "fb_size.max_width: -1 is not"),
            (lambda card: card["fb_size"].update(max_width=True), "fb_size.max_width: True is not"),
            (
                lambda card: card["planes"][0]["properties"]["type"].update(raw_value=9),
                "planes[0].properties.type: 9 is no type of a plane",
            ),
            (
                lambda card: card["planes"][0]["properties"]["IN_FORMATS"]["data"][0].update(
                    modifier=1 << 64
                ),
                "planes[0].properties.IN_FORMATS.data[0].modifier: ",
            ),
            (
                lambda card: card["planes"][0]["properties"]["IN_FORMATS"]["data"][0].update(
                    formats=[1, "NV12"]
                ),
                "planes[0].properties.IN_FORMATS.data[0].formats[1]: 'NV12' is not a number",
            ),
        ],
    )
    def test_a_fault_is_told_with_its_place(self, write, change, place):
        content = dump(plane(1, 1, [(LINEAR, [XRGB])]))
        change(content["/dev/dri/card0"])
        file = write("bad.json", content)
        with pytest.raises(FileError) as caught:
            reported_machine([file], name="x")
        assert str(caught.value).startswith(f"{file}:")
        assert f"'/dev/dri/card0'.{place}" in str(caught.value)

    @pytest.mark.parametrize(
        "text", ["{", "[" * 100, '{"/dev/dri/card0": NaN}', "{}", '{"a": 1}', '{"/dev/dri/x": 1}']
    )
    def test_what_is_no_dump_is_a_fault_of_the_file(self, write, text):
        with pytest.raises(FileError):
            reported_machine([write("bad.json", text)], name="x")

    def test_there_is_no_end_of_pairs(self, write):
        many = [(modifier, range(1, 300)) for modifier in range(20)]
        with pytest.raises(FileError, match="more than 4096 pairs"):
            reported_machine([write("many.json", dump(plane(1, 1, many)))], name="x")


texts = st.text(max_size=9)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
one_folder = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@one_folder
@given(st.data())
def test_whatever_stands_somewhere_in_a_dump_it_is_read_or_a_fault_of_the_file(tmp_path, data):
    content = dump(plane(1, 1, [(LINEAR, [XRGB]), (AFBC, [NV12])]), plane(2, 2))
    place = content
    while isinstance(place, dict | list) and place:
        keys = [*place] if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            place[key] = data.draw(values)
            break
        place = place[key]
    file = tmp_path / "dump.json"
    file.write_text(json.dumps(content))
    with suppress(FileError):
        Platform.parse(toml_text(reported_machine([str(file)], name="x")))


@one_folder
@given(st.data())
def test_whatever_stands_in_a_listing_it_is_read_or_a_fault_of_the_file(tmp_path, data):
    lines = LISTING.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        rest = line[cut + data.draw(st.integers(0, 3)) :]
        lines[at] = line[:cut] + data.draw(st.text(max_size=5)) + rest
    file = tmp_path / "list.txt"
    file.write_text("\n".join(lines), "utf-8", "replace")
    with suppress(FileError):
        Platform.parse(toml_text(reported_machine([str(file)], name="x")))


class TestV4l2:
    def test_a_decoder_with_its_sizes(self, write):
        platform = machine(write("video0.txt", LISTING))
        codec = platform.device("rkvdec")
        assert (codec.kind, codec.api_driver) == (DeviceKind.DECODER, "rkvdec")
        assert codec.bitstreams == (fourcc("S264"),)
        found = constraints(platform, "rkvdec", Usage.DECODE)
        assert found[BY_NAME["max-height"].type].value == 2560
        assert found[BY_NAME["width-alignment"].type].value == 16
        assert found[CONTIGUOUS.type].provenance is Provenance.PROFILE
        unknown = machine(write("video1.txt", LISTING.replace(": rkvdec", ": vendor")))
        presumed = constraints(unknown, "vendor", Usage.DECODE)[CONTIGUOUS.type]
        assert presumed.provenance is Provenance.PRESUMPTION
        pairs = {pair for one in codec.sets[Usage.DECODE] for pair in one.formats}
        assert pairs == {FormatModifier(NV12, LINEAR)}

    def test_a_camera_on_usb_leaves_its_lines_dirty(self, write):
        text = (
            "\tDriver name : uvcvideo\n\tBus info : usb-0000:00:14.0-1\nioctl: VIDIOC_ENUM_FMT\n"
            "\tType: Video Capture\n\n\t[0]: 'YUYV' (YUYV 4:2:2)\n\t\tSize: Discrete 640x480\n"
            "\t\t\tInterval: Discrete 0.033s (30.000 fps)\n\t\tSize: Discrete 320x240\n"
            "\t[1]: 'MJPG' (Motion-JPEG, compressed)\n\t[2]: 'Y16 -BE' (16-bit Greyscale BE)\n"
        )
        platform = machine(write("camera.txt", text))
        assert platform.device("uvcvideo").kind is DeviceKind.CAMERA
        found = constraints(platform, "uvcvideo", Usage.CAMERA)
        assert BY_NAME["dirty-lines"].type in found
        assert found[BY_NAME["max-width"].type].value == 640

    def test_files_of_one_machine_make_one_platform(self, write):
        drm = write("drm.json", dump(plane(31, 1, [(LINEAR, [NV12])])))
        platform = machine(drm, write("a.txt", LISTING), write("b.txt", LISTING))
        names = [device.name for device in platform.devices]
        assert names == ["card0", "rkvdec", "rkvdec-2", "cpu"]
        assert [source.name for source in platform.sources] == ["system", "default_cma_region"]

    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            ("Stepwise 48x48", "Stepwise 48", 14),
            ("\t[0]: 'S264' (H.264 Parsed Slice Data, compressed)\n", "", 13),
            ("Video Capture Multiplanar", "Video Somewhere", 7),
        ],
    )
    def test_a_fault_is_told_with_its_line(self, write, old, new, line):
        file = write("bad.txt", LISTING.replace(old, new))
        with pytest.raises(FileError) as caught:
            reported_machine([file], name="x")
        assert str(caught.value).startswith(f"{file}:{line}: ")

    @pytest.mark.parametrize("text", ["", "hello\n", "ioctl: VIDIOC_ENUM_FMT\n"])
    def test_what_lists_nothing_is_no_report(self, write, text):
        with pytest.raises(FileError):
            reported_machine([write("bad.txt", text)], name="x")


class TestListed:
    def test_a_fault_is_told_with_its_line_and_key(self, write):
        file = write("list.json", {"description": {"memory": [{"name": "a", "cached": 7}]}})
        with pytest.raises(PlatformFileError) as caught:
            listed_platform(file)
        assert str(caught.value) == f"{file}:6: memory[0].cached: 7 is neither true nor false"

    def test_a_list_without_its_description_is_none(self, write):
        with pytest.raises(FileError, match="'description' is missing"):
            listed_platform(write("list.json", {"platform": "local"}))

    @pytest.mark.parametrize("word", ["H2645", "H26\\u0080", ""])
    def test_a_bitstream_that_is_none(self, word):
        text = f'[[device]]\nname = "a"\nkind = "decoder"\nbitstreams = ["{word}"]\n'
        with pytest.raises(PlatformFileError, match=r"platform\.toml:4: "):
            Platform.parse(text)

    def test_the_spaces_of_a_bitstream_may_be_left_out(self):
        text = '[[device]]\nname = "a"\nkind = "decoder"\nbitstreams = ["VP9"]\n'
        assert Platform.parse(text).devices[0].bitstreams == (fourcc("VP9 "),)

    def test_a_rung_that_there_is_not(self):
        text = '[[memory]]\nname = "a"\ncached = true\nrungs = { cached = "hearsay" }\n'
        with pytest.raises(PlatformFileError, match=r"platform\.toml:4: .*is no rung"):
            Platform.parse(text)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ([], ()),
        (
            [(0, [XRGB, NV12]), (AFBC, [XRGB])],
            (
                FormatModifier(XRGB, 0), FormatModifier(XRGB, AFBC), FormatModifier(NV12, 0),
            ),
        ),
    ],
)  # fmt: skip
def test_what_may_tear_goes_from_a_dump_through_a_file(tmp_path, said, expected) -> None:
    file = tmp_path / "drm.json"
    pairs = [(0, [XRGB, NV12]), (AFBC, [XRGB])]
    file.write_text(json.dumps(dump(plane(31, 1, pairs=pairs, tearing=said))))
    platform = Platform.parse(toml_text(reported_machine([str(file)], name="reported")))
    again = Platform.parse(toml_text(platform_data(platform)))
    for one in (platform, again):
        [display] = [device for device in one.devices if device.planes]
        assert [known.tearing for known in display.planes] == [expected]


def test_lines_of_json():
    text = '{\n "a": [1,\n  {"b": null}],\n "c:": {},\n "d": "{"\n}'
    assert json_lines(text) == {
        (): 1, ("a",): 2, ("a", 0): 2, ("a", 1): 3, ("a", 1, "b"): 3, ("c:",): 4, ("d",): 5,
    }  # fmt: skip
