"""Profiles: matched by any name of a device, row by row, and never more than a row says."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    KmsPlane,
    MachineNames,
    PlaneType,
    ProfileFileError,
    own_sources,
    parse_profile,
    profiles_of,
    shipped_profile,
    shipped_profiles,
    with_profiles,
)
from heapwire.protocol.solver import BOTTOM, join, lift
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    REGISTRY,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Place,
    Provenance,
    SourceId,
    Usage,
    parse_fourcc,
    parse_modifier,
)

FILES = sorted((Path(__file__).parents[2] / "kernel" / "profiles").glob("*.toml"))
CARD = DeviceId(226, 0)

DISPLAY = """
title = "A display"
drivers = ["sysfs-name"]
api-drivers = ["api-name"]
compatibles = ["vendor,soc-*", "pci:v0000ABCDd0000000[12]*"]

[[use]]
usage = "scanout"
constraints = [{ type = "contiguous", without-iommu = true }]

[[use.set]]
formats = ["XRGB8888", "NV12"]
constraints = [{ type = "pitch-alignment", value = 64 }]

[[use.set]]
formats = ["NV12"]
modifiers = ["ALLWINNER_TILED"]
constraints = [{ type = "scanline-alignment", value = 32 }]

[[use.set]]
formats = ["NV12"]
constraints = [{ type = "max-width", value = 640 }]
"""


def pair(name, modifier="LINEAR"):
    return FormatModifier(parse_fourcc(name), parse_modifier(modifier))


def display(*pairs, iommu=False, **names):
    shown = (ConstraintSet(formats=pairs),)
    plane = KmsPlane(name="primary", type=PlaneType.PRIMARY, sets=shown)
    return Device(
        id=CARD,
        name="card0",
        kind=DeviceKind.DISPLAY,
        sets={Usage.SCANOUT: shown},
        planes=(plane,),
        iommu=iommu,
        **names,
    )


def told(device, text=DISPLAY, itself=()):
    """What each pair of a display is told to keep to: one entry an alternative."""
    profile = parse_profile(text, file="test.toml", name="test")
    names = MachineNames(lambda name, path: pytest.fail(name), {}, itself)
    said = with_profiles(device, [profile], names)
    found = {}
    for one in said.sets[Usage.SCANOUT]:
        assert all(c.provenance is Provenance.PROFILE for c in one.constraints)
        for each in one.formats:
            demands = {REGISTRY[c.type].name: c.value for c in one.constraints}
            found.setdefault(each, []).append(demands)
    assert said.planes[0].sets == said.sets[Usage.SCANOUT]
    return found


def test_each_pair_has_what_its_own_row_says():
    plain, tiled, other = pair("XRGB8888"), pair("NV12", "ALLWINNER_TILED"), pair("RGB565")
    assert told(display(plain, tiled, other)) == {
        plain: [{"contiguous": 1, "pitch-alignment": 64}],
        tiled: [{"contiguous": 1, "scanline-alignment": 32}],
        other: [{"contiguous": 1}],
    }


def test_two_rows_with_the_same_pair_are_alternatives():
    assert told(display(pair("NV12"))) == {
        pair("NV12"): [
            {"contiguous": 1, "pitch-alignment": 64},
            {"contiguous": 1, "max-width": 640},
        ]
    }


def test_a_driver_without_modifiers_has_the_rows_of_linear():
    implicit = FormatModifier(parse_fourcc("XRGB8888"), INVALID)
    assert told(display(implicit)) == {implicit: [{"contiguous": 1, "pitch-alignment": 64}]}


@pytest.mark.parametrize(("iommu", "contiguous"), [(True, False), (False, True), (None, True)])
def test_an_iommu_lifts_what_holds_without_one(iommu, contiguous):
    [demands] = told(display(pair("XRGB8888"), iommu=iommu))[pair("XRGB8888")]
    assert ("contiguous" in demands) is contiguous


COLOURED = """
title = "A display that turns YCbCr into RGB"

[[use]]
usage = "scanout"
constraints = [{ type = "colours", value = ["BT.601 limited", "BT.709 limited"] }]

[[use.set]]
formats = ["NV12", "XRGB8888", "YUYV"]
constraints = [{ type = "pitch-alignment", value = 64 }]
"""


def test_colours_are_for_what_is_converted_and_rgb_is_shown_as_it_is():
    converted = {"colours": 1 << 1 | 1 << 6, "pitch-alignment": 64}  # H.273: 1 BT.709, 6 BT.601
    assert told(display(*map(pair, ("XRGB8888", "NV12", "YUYV"))), COLOURED) == {
        pair("XRGB8888"): [{"pitch-alignment": 64}],
        pair("NV12"): [converted],
        pair("YUYV"): [converted],
    }


def test_colours_of_no_format_are_a_fault():
    text = COLOURED.partition("[[use.set]]")[0]
    with pytest.raises(ProfileFileError, match="of which formats"):
        parse_profile(text, file="test.toml", name="test")


def test_what_can_use_anything_is_told_what_holds_for_every_pair():
    profile = parse_profile(
        DISPLAY.replace('"scanout"', '"sampling"'), file="test.toml", name="test"
    )
    gpu = Device(id=CARD, name="gpu", kind=DeviceKind.GPU, sets={Usage.SAMPLING: ()})
    names = MachineNames(lambda name, path: pytest.fail(name), {})
    (anything,) = with_profiles(gpu, [profile], names).sets[Usage.SAMPLING]
    assert [REGISTRY[c.type].name for c in anything.constraints] == ["contiguous"]
    assert with_profiles(gpu, [], names) == gpu


def test_itself_is_whatever_the_card_allocates():
    text = DISPLAY.replace(
        '{ type = "contiguous", without-iommu = true }',
        '{ type = "permitted-sources", value = ["itself"] }',
    )
    card = display(pair("RGB565"), place=Place(("pci0", "0:1")))
    gpu = Device(
        id=DeviceId(226, 128), name="renderD128", kind=DeviceKind.GPU, place=Place(("pci0", "0:1"))
    )
    other = Device(
        id=DeviceId(226, 129), name="renderD129", kind=DeviceKind.GPU, place=Place(("pci0", "0:2"))
    )
    itself = own_sources(card, [card, gpu, other])
    assert itself == (SourceId.device(CARD), SourceId.device(DeviceId(226, 128)))
    [demands] = told(card, text, itself)[pair("RGB565")]
    assert demands == {"permitted-sources": itself}


def test_a_device_of_no_place_has_nothing_but_itself():
    """No path is not a path that two devices share."""
    card = display(pair("RGB565"))
    other = Device(id=DeviceId(226, 128), name="renderD128", kind=DeviceKind.GPU)
    assert own_sources(card, [card, other]) == (SourceId.device(CARD),)


@pytest.mark.parametrize(
    "names",
    [
        {"driver": "sysfs-name"},
        {"api_driver": "api-name"},
        {"compatibles": ("vendor,soc-7", "vendor,soc")},
        {"compatibles": ("pci:v0000ABCDd00000002sv00001234",)},
        {"driver": "another", "api_driver": "api-name"},
    ],
)
def test_any_name_of_a_device_will_do(names):
    profile = parse_profile(DISPLAY, file="test.toml", name="test")
    assert profile.speaks_of(display(pair("RGB565"), **names))


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"driver": "api-name"},
        {"api_driver": "sysfs-name"},
        {"compatibles": ("vendor,so",)},
        {"compatibles": ("pci:v0000ABCDd00000003sv00001234",)},
    ],
)
def test_no_other_name_does(names):
    profile = parse_profile(DISPLAY, file="test.toml", name="test")
    assert not profile.speaks_of(display(pair("RGB565"), **names))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("title", "titel"), r"test\.toml:\d+: 'title' is missing"),
        (("type = \"contiguous\"", "type = \"contigous\""), "did you mean 'contiguous'"),
        (("value = 640", "value = true"), "max-width"),
        (('"scanout"', '"scanin"'), "'scanin' is not a use"),
        (("[[use.set]]\nformats", "[[use.set]]\nformatz"), "'formats' is missing"),
        (('{ type = "pitch-alignment", value = 64 }',
          '{ type = "permitted-sources", value = ["linux,cma"] }'), "a driver has 'itself' only"),
        (('{ type = "pitch-alignment", value = 64 }',
          '{ type = "peer-link", value = ["gpu"] }'), "a driver has 'itself' only"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_line_and_key(change, fault):
    text = DISPLAY.replace(*change)
    assert text != DISPLAY
    with pytest.raises(ProfileFileError, match=fault):
        parse_profile(text, file="test.toml", name="test")


# A device by one of its names, and the profiles that it has, the more special first.
OF_DEVICES = [
    ({"driver": "vc4-drm"}, ["vc4", "drm-gem-dma"]),
    ({"api_driver": "vc4"}, ["vc4", "drm-gem-dma"]),
    ({"compatibles": ("brcm,bcm2711-vc5",)}, ["vc4-bcm2711", "vc4", "drm-gem-dma"]),
    ({"driver": "rockchip-drm"}, ["rockchip-drm"]),
    ({"compatibles": ("rockchip,rk3399-vop-big",)}, ["rockchip-vop-rk3399", "rockchip-drm"]),
    ({"driver": "exynos-drm"}, ["exynos-drm"]),
    ({"compatibles": ("samsung,exynos4210-mixer",)}, ["exynos-mixer", "exynos-drm"]),
    ({"compatibles": ("samsung,exynos5420-mixer",)}, ["exynos5-mixer", "exynos-drm"]),
    ({"driver": "mediatek-drm"}, ["mediatek-drm"]),
    ({"compatibles": ("mediatek,mt8183-mmsys", "syscon")}, ["mediatek-ovl", "mediatek-drm"]),
    ({"driver": "drm", "api_driver": "tegra"}, ["tegra-drm"]),
    ({"compatibles": ("nvidia,tegra124-dc",)}, ["tegra124-dc", "tegra-drm"]),
    ({"driver": "msm_dpu", "api_driver": "msm"}, ["msm-dpu", "msm"]),
    ({"driver": "msm_mdp", "api_driver": "msm"}, ["msm"]),
    ({"driver": "hantro-vpu"}, ["hantro"]),
    ({"compatibles": ("rockchip,rk3399-vpu",)}, ["hantro-rk3399", "hantro"]),
    ({"driver": "qcom-venus-decoder", "api_driver": "qcom-venus"}, ["qcom-venus"]),
    ({"driver": "s5p-mfc", "compatibles": ("samsung,mfc-v5",)}, ["s5p-mfc-v5", "s5p-mfc"]),
    ({"driver": "meson-drm", "api_driver": "meson"}, ["meson", "drm-gem-dma"]),
    ({"driver": "mxsfb"}, ["mxsfb", "drm-gem-dma"]),
    ({"compatibles": ("allwinner,sun50i-h6-display-engine",)}, ["sun50i-de3", "drm-gem-dma"]),
    ({"api_driver": "zynqmp-dpsub"}, ["zynqmp-dpsub", "drm-gem-dma"]),
    ({"compatibles": ("samsung,exynos4210-fimd",)}, ["exynos-fimd", "exynos-drm"]),
    ({"driver": "stm32-display", "api_driver": "stm"}, ["stm-ltdc", "drm-gem-dma"]),
    ({"api_driver": "imx-dcss"}, ["imx-dcss", "drm-gem-dma"]),
    ({"driver": "drm-clcd-pl111", "api_driver": "pl111"}, ["pl111"]),
    ({"driver": "tidss"}, ["tidss", "drm-gem-dma"]),
    ({"api_driver": "mali-dp", "compatibles": ("arm,mali-dp650",)},
     ["mali-dp550", "drm-gem-dma"]),
    ({"compatibles": ("renesas,du-r8a7795",)}, ["rcar-du-gen3"]),
    ({"driver": "i915"}, ["i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d00000166sv0",)},
     ["intel-ivy-bridge", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d00003185sv0",)},
     ["intel-gemini-lake", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d000027AEsv0",)}, ["intel-915", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d00001912sv0",)}, ["intel-skylake", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d00003EA0sv0",)},
     ["intel-kaby-lake", "intel-skylake", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d00009A49sv0",)},
     ["intel-tiger-lake", "intel-display-11", "i915"]),
    ({"driver": "i915", "compatibles": ("pci:v00008086d000056A0sv0",)},
     ["i915-dg2", "intel-meteor-lake", "intel-display-11", "i915"]),
    ({"driver": "xe", "compatibles": ("pci:v00008086d000064A0sv0",)},
     ["intel-meteor-lake", "intel-display-11", "xe", "i915"]),
    ({"driver": "xe"}, ["xe", "i915"]),
    ({"driver": "xe", "compatibles": ("pci:v00008086d0000E20Bsv0",)},
     ["intel-battlemage", "intel-meteor-lake", "intel-display-11", "xe", "i915"]),
    ({"driver": "udl"}, ["drm-gem-shmem"]),
    ({"driver": "vkms"}, ["vkms", "drm-gem-shmem"]),
    ({"driver": "vmwgfx"}, []),
    ({"driver": ""}, []),
]  # fmt: skip


@pytest.mark.parametrize(("names", "expected"), OF_DEVICES)
def test_which_profiles_a_device_has(names, expected):
    device = Device(id=None, name="d", kind=DeviceKind.DISPLAY, **names)
    assert [profile.name for profile in profiles_of(device)] == expected


def test_only_the_profiles_of_a_device_are_read_whole():
    """There are many, and most of a file is its uses."""
    shipped_profile.cache_clear()
    for driver, expected in (("vmwgfx", 0), ("pl111", 1), ("meson", 2)):
        before = shipped_profile.cache_info().currsize
        assert len(profiles_of(display(driver=driver, api_driver=driver))) == expected
        assert shipped_profile.cache_info().currsize == before + expected


@pytest.mark.parametrize("name", shipped_profiles())
def test_a_profile_is_found_by_each_kind_of_name_that_its_file_has(name):
    whole = shipped_profile(name)
    for kind, key in (
        (whole.drivers, "driver"),
        (whole.api_drivers, "api_driver"),
        (whole.compatibles, "compatibles"),
    ):
        for known in kind[-1:]:
            own = known.replace("*", "sv0")
            device = display(**{key: (own,) if key == "compatibles" else own})
            assert whole in profiles_of(device)


@pytest.mark.parametrize(
    ("model", "fourcc", "modifier", "pitch", "width", "most"),
    [
        ("2A42", "YUYV", "INTEL_X_TILED", 8192, None, 16 << 16),
        ("2A42", "C8", "INTEL_X_TILED", 4096, None, 1 << 16),
        ("2A42", "C8", "LINEAR", 32768, None, 1 << 16),
        ("0166", "UYVY", "INTEL_X_TILED", 8192, None, 2 << 16),
        ("0166", "UYVY", "LINEAR", 16384, None, 2 << 16),
        ("0042", "XBGR16161616F", "INTEL_X_TILED", 32768, None, 1 << 16),
        ("0106", "RGB565", "INTEL_X_TILED", 8192, None, 1 << 16),
        ("0F31", "YUYV", "INTEL_X_TILED", 8192, None, 1 << 16),
        ("0412", "YUYV", "LINEAR", 16384, None, 1 << 16),
        ("0412", "C8", "LINEAR", 8192, None, 1 << 16),
        ("0412", "RGB565", "INTEL_X_TILED", 16384, None, 1 << 16),
        ("1912", "XRGB8888", "INTEL_X_TILED", 32768, 5120, 0x30000 - 1),
        ("1912", "XRGB8888", "INTEL_Y_TILED", 32768, 4096, 0x30000 - 1),
        ("1912", "C8", "LINEAR", 8192, 5120, 1 << 16),
        ("1912", "YUYV", "LINEAR", 16384, 5120, 0x30000 - 1),
        ("3EA0", "NV12", "INTEL_Y_TILED", 8192, 4096, 0x20000 - 1),
        ("3EA0", "RGB565", "INTEL_Y_TILED", 16384, 4096, 0x30000 - 1),
        ("3EA0", "XRGB8888", "LINEAR", 32768, 5120, 0x30000 - 1),
        ("3185", "P010", "INTEL_YF_TILED", 16384, 5120, 0x30000 - 1),
        ("3185", "XRGB16161616F", "INTEL_Y_TILED", 32768, 2048, 1 << 16),
        ("3185", "XRGB16161616F", "LINEAR", 32768, 4096, 1 << 16),
        ("8A52", "P010", "INTEL_YF_TILED", 16384, 4096, 0x30000 - 1),
        ("9A49", "NV12", "INTEL_Y_TILED", 8192, 4096, 0x30000 - 1),
        ("9A49", "Y210", "LINEAR", 32768, 5120, 0x30000 - 1),
        ("46A6", "NV12", "LINEAR", 65536, 4096, 0x30000 - 1),
        ("46A6", "P010", "LINEAR", 131072, 4096, 0x30000 - 1),
        ("46A6", "XRGB8888", "LINEAR", 131072, 5120, 0x30000 - 1),
        ("7D55", "XRGB8888", "INTEL_4_TILED", 131072, 5120, 0x30000 - 1),
    ],
)
def test_a_laptop_is_told_the_limits_of_its_generation(model, fourcc, modifier, pitch, width, most):
    """By PCI numbers: skl_universal_plane.c's functions, called for the model's display version."""
    device = display(
        pair(fourcc, modifier), driver="i915", compatibles=(f"pci:v00008086d0000{model}sv0",)
    )
    names = MachineNames(lambda name, path: pytest.fail(name), {}, ())
    said = with_profiles(device, profiles_of(device), names)
    for one in said.sets[Usage.SCANOUT]:
        demands = {}
        for constraint in one.constraints:
            demands.setdefault(REGISTRY[constraint.type].name, []).append(constraint.value)
        assert min(demands["max-pitch"]) == pitch
        assert min(demands.get("max-width", ()), default=None) == width
        assert min(largest for _, largest in demands["scaling"]) == most


def scalings(plane, name):
    """What is said of how a plane scales one format, in all alternatives."""
    return {
        c.value
        for one in plane.sets
        if pair(name) in one.formats
        for c in one.constraints
        if REGISTRY[c.type].name == "scaling"
    }


def test_a_plane_is_told_what_planes_of_its_type_do():
    """Ivy Bridge's primary planes and sprites take the same format; the sprites alone scale it."""
    shown = (ConstraintSet(formats=(pair("XRGB8888"), pair("YUYV"))),)
    known = display(
        pair("XRGB8888"), driver="i915", compatibles=("pci:v00008086d00000166sv0",), iommu=True
    )
    device = replace(
        known,
        planes=tuple(
            KmsPlane(name=type_.name, type=type_, sets=shown)
            for type_ in (PlaneType.PRIMARY, PlaneType.OVERLAY, PlaneType.CURSOR)
        ),
    )
    names = MachineNames(lambda name, path: pytest.fail(name), {}, ())
    said = with_profiles(device, profiles_of(device), names)
    fixed, twice = (1 << 16, 1 << 16), (1, 2 << 16)
    # A profile says nothing of cursors, and no row of primary planes has YUYV: what is known.
    assert [scalings(plane, "XRGB8888") for plane in said.planes] == [
        {fixed}, {twice}, {fixed, twice},
    ]  # fmt: skip
    assert [scalings(plane, "YUYV") for plane in said.planes] == [{twice}] * 3


@pytest.mark.parametrize("model", ["1912", "3EA0", "3185"])
def test_what_is_compressed_and_wide_has_rows_of_four_tiles(model):
    """Work-around 0531 of Skylake, Kaby Lake and Gemini Lake, in intel_fb_stride_alignment."""
    device = display(
        pair("XRGB8888", "INTEL_YF_TILED_CCS"),
        driver="i915",
        compatibles=(f"pci:v00008086d0000{model}sv0",),
    )
    names = MachineNames(lambda name, path: pytest.fail(name), {}, ())
    said = with_profiles(device, profiles_of(device), names)
    alternatives = {}
    for one in said.sets[Usage.SCANOUT]:
        demands = {(REGISTRY[c.type].name, c.planes): c.value for c in one.constraints}
        alternatives[demands["when-width", 0]] = demands.get(("pitch-alignment", 1))
    assert alternatives == {(1, 3840): None, (3841, 16384): 512}


SD, SD_FULL, HD, HD_FULL = "BT.601 limited", "BT.601 full", "BT.709 limited", "BT.709 full"
SOME = {SD, HD}
MOST = {SD, SD_FULL, HD, HD_FULL}
ALL = MOST | {"BT.2020 limited", "BT.2020 full"}


@pytest.mark.parametrize(
    ("names", "fourcc", "colours"),
    [
        ({"driver": "imx-drm"}, "NV12", SOME),
        ({"driver": "imx-lcdif"}, "YUYV", ALL),
        ({"driver": "armada-drm"}, "YUV420", SOME),
        ({"driver": "omapdrm"}, "NV12", MOST),
        ({"driver": "tidss"}, "NV12", MOST),
        ({"driver": "stm32-display"}, "NV12", MOST),
        ({"driver": "komeda"}, "P010", ALL),
        ({"compatibles": ("arm,mali-dp500",)}, "NV12", ALL),
        ({"compatibles": ("arm,mali-dp650",)}, "P010", ALL),
        ({"driver": "kmb-drm"}, "YUV420", {SD_FULL}),
        ({"compatibles": ("renesas,du-r8a77995",)}, "NV12", {SD}),
        ({"compatibles": ("renesas,du-r8a779g0",)}, "Y210", {SD}),
        ({"compatibles": ("allwinner,sun7i-a20-display-engine",)}, "YUV420", {SD}),
        ({"driver": "i915", "compatibles": ("pci:v00008086d00000166sv0",)}, "YUYV", MOST),
        ({"driver": "i915", "compatibles": ("pci:v00008086d00003185sv0",)}, "P010", ALL),
        # Nothing is written, or what is written has no name in the source.
        ({"driver": "meson-drm"}, "NV12", None),
        ({"compatibles": ("samsung,exynos4210-mixer",)}, "NV12", None),
        ({"compatibles": ("mediatek,mt8183-mmsys",)}, "YUYV", None),
        ({"compatibles": ("rockchip,rk3288-vop",)}, "NV12", None),
        ({"driver": "nouveau"}, "YUYV", None),
    ],
)  # fmt: skip
def test_the_colours_of_a_display_are_those_that_its_driver_sets_or_unknown(names, fourcc, colours):
    device = display(pair(fourcc), **names)
    itself = (SourceId.device(CARD),)
    machine = MachineNames(lambda name, path: pytest.fail(name), {}, itself)
    said = with_profiles(device, profiles_of(device), machine)
    [mask] = {
        next((c.value for c in one.constraints if REGISTRY[c.type].name == "colours"), None)
        for one in said.sets[Usage.SCANOUT]
    }
    words = {
        f"{standard} {range_}": 1 << code + shift
        for standard, code in (("BT.709", 1), ("BT.601", 6), ("BT.2020", 9))
        for range_, shift in (("limited", 0), ("full", 32))
    }
    assert mask == (None if colours is None else sum(words[one] for one in colours))


@pytest.mark.parametrize(
    "driver",
    ["amdgpu", "radeon", "virtio_gpu", "bochs-drm", "qxl", "vboxvideo", "hibmc-drm", "rzg2l-du"],
)
def test_a_display_that_takes_no_foreign_memory_has_its_own_only(driver):
    device = display(pair("XRGB8888"), driver=driver, iommu=True)
    names = MachineNames(lambda name, path: pytest.fail(name), {}, own_sources(device, [device]))
    said = with_profiles(device, profiles_of(device), names)
    for one in said.sets[Usage.SCANOUT]:
        demands = {REGISTRY[c.type].name: c.value for c in one.constraints}
        assert demands["permitted-sources"] == (SourceId.device(CARD),)


@pytest.mark.parametrize("name", shipped_profiles())
class TestEvery:
    def test_profile_is_one_that_a_driver_can_meet(self, name):
        profile = shipped_profile(name)
        for use in profile.uses.values():
            for row in use.rows or ():
                demands = [
                    one.bound(MachineNames(lambda n, p: None, {}, (SourceId.device(CARD),)),
                              Provenance.PROFILE)
                    for one in (*use.constraints, *row.constraints)
                ]  # fmt: skip
                demand = lift(demands)
                assert demand is not BOTTOM
                assert join((demand,)) is not BOTTOM

    def test_profile_extends_what_is_there(self, name):
        assert set(shipped_profile(name).extends) <= set(shipped_profiles())

    def test_profile_can_be_found_or_is_named_by_a_board_or_another(self, name):
        profile = shipped_profile(name)
        boards = FILES[0].parents[1] / "platforms"
        named = any(
            f'"{name}"' in file.read_text("utf-8")
            for folder in (boards, FILES[0].parent)
            for file in folder.glob("*.toml")
        )
        assert profile.drivers or profile.api_drivers or profile.compatibles or named


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_says_where_it_was_read(path):
    data = tomllib.loads(path.read_text("utf-8"))
    for use in data["use"]:
        rows = [*use.get("constraints", ()), *use.get("set", ())]
        rows += [one for row in use.get("set", ()) for one in row.get("constraints", ())]
        assert rows or use["takes-any-memory"]
        for row in rows:
            assert row.get("source"), row


def test_linear_is_the_modifier_of_a_row_without_any():
    profile = parse_profile(DISPLAY, file="test.toml", name="test")
    rows = profile.uses[Usage.SCANOUT].rows
    assert {one.modifier for one in rows[0].pairs} == {LINEAR}


@pytest.mark.parametrize(
    ("names", "fourcc", "expected"),
    [
        ({"compatibles": ("renesas,du-r8a7791",)}, "NV12",
         {"tied-pitch": 1, "pitch-alignment": 128}),
        ({"compatibles": ("renesas,du-r8a7795",)}, "YUV420", {"tied-pitch": 1}),
        ({"compatibles": ("renesas,du-r8a779g0",)}, "YUV422", {"tied-pitch": 1}),
        ({"driver": "omapdrm"}, "NV12", {"tied-pitch": 1, "pixel-boundary-pitch": 1}),
        ({"driver": "imx-drm"}, "NV12",
         {"max-pitch": 16384, "width-alignment": 8, "offset-alignment": 8}),
        ({"compatibles": ("arm,mali-dp500",)}, "YUV420", {"pitch-alignment": 8}),
        ({"compatibles": ("arm,mali-dp650",)}, "P010", {"pitch-alignment": 16}),
        ({"driver": "komeda"}, "NV12", {"pitch-alignment": 16}),
        ({"compatibles": ("fsl,imx28-lcdif",)}, "RGB565", {"exact-pitch": 1}),
        ({"driver": "tilcdc"}, "BGR888", {"exact-pitch": 1}),
        ({"driver": "mcde"}, "XBGR8888", {"exact-pitch": 1}),
        ({"compatibles": ("faraday,tve200",)}, "YUYV", {"exact-pitch": 1}),
        ({"api_driver": "pl111"}, "XRGB8888", {"exact-pitch": 1}),
        ({"driver": "shmob-drm"}, "NV12",
         {"pitch-alignment": 8, "max-pitch": 65535, "tied-pitch": 1}),
        ({"driver": "rzg2l-du"}, "XRGB8888", {"max-pitch": 65535}),
        ({"driver": "gma500"}, "XRGB8888", {"pitch-alignment": 64}),
        ({"driver": "hibmc-drm"}, "XRGB8888", {"pitch-alignment": 128}),
    ],
)  # fmt: skip
def test_a_pitch_that_a_driver_refuses_is_ruled_out(names, fourcc, expected) -> None:
    """By fb_create or atomic_check of each, with EINVAL."""
    device = display(pair(fourcc), iommu=True, **names)
    own = own_sources(device, [device])
    machine = MachineNames(lambda name, path: pytest.fail(name), {}, own)
    said = with_profiles(device, profiles_of(device), machine)
    [one] = said.sets[Usage.SCANOUT]
    demands = {REGISTRY[c.type].name: c.value for c in one.constraints}
    assert {name: demands.get(name) for name in expected} == expected


@pytest.mark.parametrize("usage", [Usage.SAMPLING, Usage.RENDER])
def test_radeon_draws_from_linear_surfaces_with_no_more_rows_than_the_picture(usage) -> None:
    """r600_get_array_mode_alignment, evergreen_surface_check_linear_aligned: of rows, 1."""
    gpu = Device(id=CARD, name="gpu", kind=DeviceKind.GPU, driver="radeon", sets={usage: ()})
    names = MachineNames(lambda name, path: pytest.fail(name), {})
    [one] = with_profiles(gpu, profiles_of(gpu), names).sets[usage]
    demands = {REGISTRY[c.type].name: c.value for c in one.constraints}
    assert demands == {"pitch-alignment": 256, "scanline-alignment": 1}


def test_the_pitch_that_zynqmp_rounds_up_is_asked_for() -> None:
    """A framebuffer of another pitch is taken, and shown skewed."""
    device = display(pair("NV12"), driver="zynqmp-dpsub", iommu=True)
    names = MachineNames(lambda name, path: pytest.fail(name), {}, own_sources(device, [device]))
    said = with_profiles(device, profiles_of(device), names)
    [one] = said.sets[Usage.SCANOUT]
    demands = {REGISTRY[c.type].name: c.value for c in one.constraints}
    assert (demands["pitch-alignment"], demands["offset-alignment"]) == (256, 256)
    assert demands["scaling"] == (1 << 16, 1 << 16)
