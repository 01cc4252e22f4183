"""The shipped platforms: their numbers have sources, and the answers are the known ones."""

import re
import tomllib
from dataclasses import replace

import pytest

from heapwire.kernel.description import DeviceKind, Platform, shipped, usage_name
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    BY_NAME,
    CoherencyDomain,
    Content,
    Extent,
    Extents,
    FailureReason,
    Goal,
    Usage,
    fourcc_name,
    modifier_name,
    parse_fourcc,
    parse_modifier,
)

CPU = Usage.CPU_WRITE
WITHOUT_DECODER = ("tegra-k1",)
WITHOUT_YUV_PLANES = ("exynos5-mfc-v6", "exynos5-mfc-v8-iommu", "intel-gen3", "intel-skylake")
FULL_HD = Extent(1920, 1080)


@pytest.fixture(scope="module")
def platforms():
    return {name: Platform.load(name) for name in shipped()}


def only(participant, formats, modifier=None):
    """A participant that uses some of its formats (and one modifier) and no other."""
    codes = {parse_fourcc(name) for name in formats}
    keep = None if modifier is None else parse_modifier(modifier)
    sets = []
    for one in participant.sets:
        kept = [
            position
            for position, pair in enumerate(one.formats)
            if pair.fourcc in codes and keep in (None, pair.modifier)
        ]
        if kept:
            sets.append(
                replace(
                    one,
                    formats=tuple(one.formats[position] for position in kept),
                    costs=tuple(one.costs[position] for position in kept) if one.costs else (),
                )
            )
    return replace(participant, sets=tuple(sets))


def answer(platform, *participants, extent=FULL_HD, content=None, display=None):
    """What is negotiated for a fullscreen surface: scanned out, else drawn by the GPU."""
    gpu = next(device for device in platform.devices if Usage.SAMPLING in device.sets)
    screen = platform.device(display) if display else next(
        device for device in platform.devices if Usage.SCANOUT in device.sets
    )  # fmt: skip
    sampling = platform.participant(gpu.name, Usage.SAMPLING)
    return solve(
        platform.problem(
            participants=participants,
            goals=(
                Goal(
                    name="scanout",
                    participants=(platform.participant(screen.name, Usage.SCANOUT), sampling),
                    scanout=True,
                ),
                Goal(name="sampling", participants=(sampling,)),
            ),
            extents=Extents(coded=extent),
            content=content or Content(),
        )
    )


def decoded(platform, *, formats=("NV12",), extent=FULL_HD, content=None, modifier=None):
    decoder = next(device for device in platform.devices if Usage.DECODE in device.sets)
    return answer(
        platform,
        only(platform.participant(decoder.name, Usage.DECODE), formats, modifier),
        extent=extent,
        content=content,
    )


def drawn_by_cpu(platform, *, formats=("XRGB8888",), extent=FULL_HD, modifier=None):
    cpu = only(platform.participant("cpu", CPU), formats, modifier)
    return answer(platform, cpu, extent=extent)


def objects(platform, plan):
    return [(platform.source_name(one.source), one.size) for one in plan.layout.objects]


def planes(plan):
    return [(plane.object, plane.offset, plane.pitch) for plane in plan.layout.planes]


def rows(data):
    """Every table of a platform file that carries numbers, with what it is."""
    for kind in ("memory", "device", "link", "peer-link", "format-cost"):
        yield from ((kind, row) for row in data.get(kind, ()))
    for device in data["device"]:
        for use in device.get("use", ()):
            yield from (("constraint", row) for row in use.get("constraints", ()))
            for one in use.get("set", ()):
                yield "set", one
                yield from (("constraint", row) for row in one.get("constraints", ()))


def test_there_are_enough_of_them():
    assert len(shipped()) >= 16


@pytest.mark.parametrize("name", shipped())
class TestEvery:
    def test_row_has_its_source(self, name, platform_text):
        for kind, row in rows(tomllib.loads(platform_text(name))):
            assert row.get("source"), f"{kind}: {row}"

    def test_name_is_that_of_its_file(self, name, platforms):
        assert platforms[name].name == name
        assert platforms[name].title

    def test_name_of_memory_is_known(self, name, platforms):
        assert platforms[name].notes == ()

    def test_kind_of_device_is_there(self, name, platforms):
        kinds = {device.kind for device in platforms[name].devices}
        needed = {DeviceKind.DISPLAY, DeviceKind.GPU, DeviceKind.CPU}
        if name not in WITHOUT_DECODER:
            needed.add(DeviceKind.DECODER)
        assert needed <= kinds

    def test_set_demands_a_thing_once(self, name, platforms):
        """What a set says twice of the same planes cannot be sent."""
        for device in platforms[name].devices:
            for one in {one for sets in device.sets.values() for one in sets}:
                said = [(c.type, c.planes) for c in one.constraints]
                assert len(set(said)) == len(said), device.name

    def test_display_says_what_its_planes_take(self, name, platforms):
        for device in platforms[name].devices:
            if device.kind is DeviceKind.DISPLAY:
                assert device.planes
                of_planes = {one for plane in device.planes for one in plane.sets}
                assert of_planes == set(device.sets[Usage.SCANOUT])

    def test_device_can_take_part_in_what_it_is_for(self, name, platforms):
        platform = platforms[name]
        for device in platform.devices:
            assert device.sets, device.name
            for usage in device.sets:
                alone = solve(
                    platform.problem(
                        participants=(platform.participant(device.name, usage),),
                        goals=(Goal(name="any"),),
                        extents=Extents(coded=FULL_HD),
                    )
                )
                assert alone.plans, f"{device.name} {usage_name(usage)}: {alone.message}"

    def test_software_player_is_scanned_out(self, name, platforms):
        plan = drawn_by_cpu(platforms[name]).plans[0]
        assert plan.scanout
        assert fourcc_name(plan.fourcc) == "XRGB8888"

    def test_decoder_is_shown(self, name, platforms):
        if name in WITHOUT_DECODER:
            return
        answered = decoded(platforms[name])
        if name == "mediatek-mt8183":  # tiles that only a converter reads
            assert answered.plans == ()
            assert "vcodec:decode can use only NV12 MTK_16L_32S_TILE" in answered.message
            return
        plan = answered.plans[0]
        assert fourcc_name(plan.fourcc) == "NV12"
        assert plan.scanout == (name not in WITHOUT_YUV_PLANES)

    def test_plan_can_be_allocated(self, name, platforms):
        """A buffer of each object really is there, and says where it is from."""
        platform = platforms[name]
        video = () if name in WITHOUT_DECODER else decoded(platform).plans[:1]
        for plan in (*video, drawn_by_cpu(platform).plans[0]):
            for one in plan.layout.objects:
                with platform.memory.allocate(one.source, max(one.size, 1)) as buffer:
                    assert buffer.size >= one.size
                    assert platform.memory.identify(buffer.fd) == one.source


# Fullscreen 1920x1080 NV12 from the decoder: objects (source, bytes), planes (object,
# offset, pitch). Sizes as docs and drivers have them; the sums are beside them.
NV12_1080P = {
    # 1088 rows; contiguous and below 1 GiB.
    "raspberry-pi-4": ([("linux,cma", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    # 1088 rows and 120 x 68 macroblocks of 128 bytes.
    "rockchip-rk3399": ([("system", 4_177_920)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    "rockchip-rk3399-no-iommu": (
        [("default_cma_region", 4_177_920)], [(0, 0, 1920), (0, 2_088_960, 1920)],
    ),
    # 64 bytes a macroblock, and 32 more.
    "rockchip-rk3288": ([("default_cma_region", 3_655_712)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    # Tiles; Y from one bank and CbCr from the other, each a multiple of 8 KiB.
    "exynos4-mfc-v5": (
        [("mfc-right", 2_088_960), ("mfc-left", 1_048_576)], [(0, 0, 1920), (1, 0, 1920)],
    ),
    # One bank.
    "exynos5-mfc-v6": ([("mfc-left", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    # 64 bytes behind either plane: 2 089 024 and 1 044 544.
    "exynos5-mfc-v8-iommu": ([("system", 3_133_568)], [(0, 0, 1920), (0, 2_089_024, 1920)]),
    # Y 2 088 960 and C 1 044 480, a multiple of 4096.
    "qualcomm-venus": ([("system", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    # Tiles of 32 x 32: Y 2 088 960 and C 1 044 480.
    "allwinner-a20": ([("default-pool", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    "allwinner-h3": ([("default-pool", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
    # A pitch of 2048 and, from the decoder, 1088 rows; the display's own memory.
    "amd-desktop": ([("vram", 3_342_336)], [(0, 0, 2048), (0, 2_228_224, 2048)]),
    # 1920x1088.
    "hantro-vpu981": ([("system", 3_133_440)], [(0, 0, 1920), (0, 2_088_960, 1920)]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), NV12_1080P.items())
def test_the_worked_layouts_come_out_to_the_byte(name, expected, platforms):
    plan = decoded(platforms[name]).plans[0]
    assert plan.scanout == (name not in WITHOUT_YUV_PLANES)
    assert (objects(platforms[name], plan), planes(plan)) == expected


@pytest.mark.parametrize(
    ("name", "modifier", "pitch"),
    [
        ("rockchip-rk3399", "LINEAR", 5504),
        ("amd-desktop", "LINEAR", 5632),
        ("intel-skylake", "LINEAR", 5504),
        ("intel-skylake", "INTEL_X_TILED", 5632),
    ],
)
def test_pitches_of_1366_pixels(name, modifier, pitch, platforms):
    platform = platforms[name]
    gpu = only(platform.participant("gpu", Usage.RENDER), ["XRGB8888"], modifier)
    plan = answer(platform, gpu, extent=Extent(1366, 768)).plans[0]
    assert (plan.scanout, modifier_name(plan.modifier)) == (True, modifier)
    assert plan.layout.planes[0].pitch == pitch


@pytest.mark.parametrize("bank", ["mfc-left", "mfc-right"])
def test_without_a_bank_the_conflict_names_the_plane(bank, platform_text):
    text = platform_text("exynos4-mfc-v5")
    without = re.sub(rf'\[\[memory\]\]\nname = "{bank}"\n(?:.+\n)+', "", text)
    assert without != text
    platform = Platform.parse(without)
    assert f"no memory '{bank}'" in "\n".join(platform.notes)
    refused = decoded(platform)
    assert refused.plans == ()
    assert refused.reason is FailureReason.CONFLICT
    (member,) = refused.conflict
    assert member.participant == "mfc:decode"
    assert member.constraint.type == BY_NAME["permitted-sources"].type
    assert member.planes == 1 << (0 if bank == "mfc-right" else 1)


def test_the_gpu_samples_from_both_banks(platforms):
    """The fallback of the hard case draws what the codec has put into two banks."""
    sampled = [plan for plan in decoded(platforms["exynos4-mfc-v5"]).plans if not plan.scanout]
    shown = decoded(platforms["exynos4-mfc-v5"]).plans
    for plan in [*sampled, *shown]:
        assert [source for source, _ in objects(platforms["exynos4-mfc-v5"], plan)] == [
            "mfc-right",
            "mfc-left",
        ]


def test_afbc_stops_where_the_display_stops(platforms):
    platform = platforms["rockchip-rk3399"]
    gpu = only(platform.participant("gpu", Usage.RENDER), ["XRGB8888"])
    for width, expected in ((2560, "ARM_AFBC(16x16,YTR,SPARSE)"), (2561, "LINEAR")):
        plan = answer(platform, gpu, extent=Extent(width, 1080)).plans[0]
        assert (plan.scanout, modifier_name(plan.modifier)) == (True, expected)


def test_the_a20_has_a_pool_in_reach_and_nothing_else(platform_text):
    text = platform_text("allwinner-a20")
    moved = text.replace('addresses = { base = "0x40000000"', 'addresses = { base = "0x50000000"')
    assert moved != text
    refused = decoded(Platform.parse(moved))
    types = {member.constraint.type for member in refused.conflict}
    assert BY_NAME["address-range"].type in types


def test_protected_content_goes_to_its_heap_and_nothing_else_does(platforms):
    platform = platforms["optee-protected"]
    plan = decoded(platform, content=Content(protected=True)).plans[0]
    assert plan.scanout
    assert objects(platform, plan) == [("protected,secure-video", 3_110_400)]
    assert objects(platform, decoded(platform).plans[0]) == [("default_cma_region", 3_110_400)]
    cpu = platform.participant("cpu", CPU)
    assert answer(platform, cpu, content=Content(protected=True)).plans == ()


@pytest.mark.parametrize(
    ("name", "code", "modifier"),
    [
        ("rockchip-rk3399", "NV15", "LINEAR"),  # a Mali of the fifth architecture
        ("rockchip-rk3288", "NV15", "LINEAR"),
        ("tegra-k1", "XRGB8888", "NVIDIA(0x14)"),  # the display's name for such tiles
    ],
)
def test_a_gpu_samples_nothing_that_the_display_alone_takes(platforms, name, code, modifier):
    platform = platforms[name]
    [gpu] = [one for one in platform.devices if one.kind is DeviceKind.GPU]
    pairs = {(p.fourcc, p.modifier) for one in gpu.sets[Usage.SAMPLING] for p in one.formats}
    assert (parse_fourcc("XRGB8888"), parse_modifier("LINEAR")) in pairs
    assert (parse_fourcc(code), parse_modifier(modifier)) not in pairs


def test_the_second_card_decodes_into_the_first(platforms, platform_text):
    platform = platforms["two-gpus"]
    plan = decoded(platform).plans[0]
    assert plan.scanout
    assert [name for name, _ in objects(platform, plan)] == ["vram0"]
    text = platform_text("two-gpus")
    apart = Platform.parse(re.sub(r"\[\[peer-link\]\]\n(?:.+\n?)+", "", text))
    assert apart.topology.peer_links == frozenset()
    plan = decoded(apart).plans[0]
    assert not plan.scanout
    assert [name for name, _ in objects(apart, plan)] == ["vram1"]


def test_the_capture_card_writes_no_further_than_it_may(platforms):
    platform = platforms["two-gpus"]
    plans = answer(platform, platform.participant("capture", Usage.CAMERA)).plans
    used = {name for plan in plans for name, _ in objects(platform, plan)}
    assert used == {"vram0", "system"}  # vram1 is four hops away
    assert plans[0].scanout


def test_the_memory_is_on_the_node_of_the_display(platforms):
    platform = platforms["numa-two-nodes"]
    plan = decoded(platform).plans[0]
    assert plan.scanout
    assert [name for name, _ in objects(platform, plan)] == ["memory-node1-contiguous"]


def test_the_lines_that_a_camera_leaves_dirty_are_cleaned_by_who_passes_its_buffers(platforms):
    platform = platforms["uvc-camera"]
    camera = platform.participant("camera", Usage.CAMERA)
    shown = answer(platform, camera)
    assert shown.plans[0].scanout
    assert [name for name, _ in objects(platform, shown.plans[0])] == ["system"]  # its link
    assert shown.plans[0].domain is CoherencyDomain.RAM
    (told,) = [one.text for one in shown.plans[0].reasons if one.subject == "coherency"]
    assert "whoever passes a buffer to camera:camera and back brackets that" in told
    unlinked = replace(platform, links=())
    shown_at_best = answer(unlinked, unlinked.participant("camera", Usage.CAMERA))
    assert [name for name, _ in objects(unlinked, shown_at_best.plans[0])] == ["system-uncached"]


@pytest.mark.parametrize(
    ("format_", "extent", "column", "bytes_"),
    [
        # Columns of 128 bytes: 128 pixels of NV12, 96 of P030.
        ("NV12", FULL_HD, 1632, 15 * 128 * 1632),
        ("P030", FULL_HD, 1632, 20 * 128 * 1632),
        ("NV12", Extent(1280, 720), 1080, 10 * 128 * 1080),
        ("P030", Extent(1280, 718), 1080, 14 * 128 * 1080),
        ("P030", Extent(3840, 2160), 3240, 40 * 128 * 3240),
        ("NV12", Extent(1280, 800), 1200, 10 * 128 * 1200),
        ("NV12", Extent(640, 100), 168, 5 * 128 * 168),
        ("P030", Extent(100, 17), 48, 2 * 128 * 48),
        ("NV12", Extent(4096, 4095), 6144, 32 * 128 * 6144),
    ],
)
def test_the_hevc_decoder_of_the_pi_writes_columns(format_, extent, column, bytes_, platforms):
    platform = platforms["raspberry-pi-sand"]
    plan = decoded(platform, formats=(format_,), extent=extent).plans[0]
    assert plan.scanout
    assert modifier_name(plan.modifier) == f"BROADCOM_SAND128({column})"
    assert objects(platform, plan) == [("linux,cma", bytes_)]


@pytest.mark.parametrize(
    ("extent", "pitch", "size"),
    [
        (FULL_HD, 1920, 3_133_440),
        (Extent(1366, 768), 1376, 1_585_152),
        (Extent(1296, 972), 1312, 1_920_768),
        (Extent(640, 200), 640, 199_680),
    ],
)
def test_the_codec_of_the_pi_pads_pictures_to_32_by_16(extent, pitch, size, platforms):
    """Buffers that were smaller it refused: "invalid dmabuf length"."""
    platform = platforms["raspberry-pi-4"]
    plan = decoded(platform, extent=extent).plans[0]
    assert objects(platform, plan) == [("linux,cma", size)]
    assert planes(plan) == [(0, 0, pitch), (0, size * 2 // 3, pitch)]


def test_an_amd_card_draws_from_any_memory_and_shows_its_own(platforms):
    platform = platforms["amd-desktop"]
    for plan in decoded(platform).plans:
        assert plan.scanout == (objects(platform, plan)[0][0] == "vram")
    drawn = [plan for plan in decoded(platform).plans if not plan.scanout]
    assert drawn


def test_the_oldest_intel_has_pitches_that_are_powers_of_two(platforms):
    platform = platforms["intel-gen3"]
    plan = drawn_by_cpu(platform, extent=Extent(1366, 768)).plans[0]
    assert plan.layout.planes[0].pitch == 8192
    wide = drawn_by_cpu(platform, extent=Extent(2049, 768))
    assert not any(plan.scanout for plan in wide.plans)


@pytest.mark.parametrize(
    ("name", "formats", "width", "scanout"),
    [
        ("intel-skylake", ["XRGB8888"], 5120, True),
        ("intel-skylake", ["XRGB8888"], 5121, False),
        ("intel-alder-lake-p", ["XRGB8888"], 5120, True),
        ("intel-alder-lake-p", ["XRGB8888"], 5121, False),
        ("intel-ice-lake", ["XRGB8888"], 5120, True),
        ("intel-ice-lake", ["XRGB8888"], 5121, False),
        ("intel-ice-lake", ["NV12"], 4096, True),
        ("intel-ice-lake", ["NV12"], 4097, False),
        ("intel-skylake", ["NV12"], 64, False),
    ],
)
def test_how_wide_an_intel_plane_is(name, formats, width, scanout, platforms):
    plans = drawn_by_cpu(platforms[name], formats=formats, extent=Extent(width, 64)).plans
    assert any(plan.scanout for plan in plans) == scanout
