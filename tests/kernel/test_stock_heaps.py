"""Heaps of stock kernels: what names, areas and the device tree say of their memory."""

import os
import struct

import pytest

from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.heaps.heap_discovery import list_heaps, udmabuf_source
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Content,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Provenance,
    Usage,
    fourcc,
)

BASE = "sys/firmware/devicetree/base/reserved-memory"
PAGE = os.sysconf("SC_PAGE_SIZE")
# As /proc/zoneinfo has it (mm/vmstat.c, zoneinfo_show_print), in part: two nodes, and a zone
# without pages, of which start_pfn is not printed.
ZONES = """\
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 5
  pages free     48310
        spanned  196608
        present  196608
  start_pfn:           0
Node 0, zone    DMA32
        spanned  0
        present  0
Node 1, zone      DMA
  pages free     48310
        spanned  65536
  start_pfn:           196608
Node 1, zone   Normal
        spanned  786432
  start_pfn:           262144
"""


def cells(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


@pytest.fixture
def region(tree):
    """A region of the device tree, with its marks and its addresses."""
    handles = iter(range(1, 100))

    def add(name, *marks, reg=(), compatible="shared-dma-pool", **more):
        tree.write(f"{BASE}/{name}/phandle", cells(next(handles)))
        if compatible:
            tree.write(f"{BASE}/{name}/compatible", f"{compatible}\0")
        for mark in marks:
            tree.write(f"{BASE}/{name}/{mark}", b"")
        if reg:
            tree.write(f"{BASE}/{name}/reg", cells(*reg))
        for key, numbers in more.items():
            tree.write(f"{BASE}/{name}/{key.replace('_', '-')}", cells(*numbers))

    return add


def heaps(tree, *names):
    for minor, name in enumerate(names):
        tree.heap(name, minor)
    return {source.name: source for source, _ in list_heaps(tree.root)}


def area(tree, name, mib):
    tree.write(f"sys/kernel/mm/cma/{name}/total_pages", f"{(mib << 20) // PAGE}\n")


class TestAreas:
    def test_a_reusable_region_is_contiguous_cached_and_anybodys(self, tree, region):
        region("multimedia@60000000", "reusable", reg=(0x60000000, 0x4000000))
        found = heaps(tree, "multimedia@60000000")["multimedia@60000000"]
        assert (found.contiguous, found.cached, found.protected) == (True, True, False)
        assert found.address_range == (0x60000000, 0x63FFFFFF)
        assert found.capacity == 0x4000000
        assert {found.provenance[fact] for fact in ("contiguous", "protected", "capacity")} == {
            Provenance.KERNEL
        }

    def test_the_default_area_under_two_names_is_one_memory(self, tree, region):
        region("linux,cma", "reusable", "linux,cma-default", size=(0x4000000,))
        found = heaps(tree, "default_cma_region", "linux,cma", "system")
        new, old = found["default_cma_region"], found["linux,cma"]
        assert new.area == old.area == "linux,cma"
        assert new.capacity == old.capacity == 0x4000000
        assert new.overlaps(old)
        assert old.lies_within(new)
        assert not new.overlaps(found["system"])

    @pytest.mark.parametrize("old", ["reserved", "linux,cma", "default-pool", "cma-uncached"])
    def test_without_any_word_of_areas_the_old_names_are_the_default_area(self, tree, old):
        found = heaps(tree, "default_cma_region", old)
        assert found["default_cma_region"].overlaps(found[old])

    def test_a_command_line_overrules_the_device_tree(self, tree, region):
        region("linux,cma", "reusable", "linux,cma-default", reg=(0, 0x8000000))
        area(tree, "reserved", 64)
        found = heaps(tree, "default_cma_region", "reserved")
        for source in found.values():
            assert (source.area, source.capacity) == ("reserved", 64 << 20)
            assert source.address_range is None  # that of the tree's region is not used

    @pytest.mark.parametrize("name", ["reserved", "default_cma_region"])
    def test_the_default_area_is_below_the_end_of_the_zone_dma_of_an_arm64(self, tree, name):
        tree.write("proc/zoneinfo", ZONES)
        assert heaps(tree, name)[name].address_range is None  # of what machine is not known
        tree.write("sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "0x410fd083\n")
        [(found, _)] = list_heaps(tree.root)
        assert found.address_range == (0, 0x40000 * PAGE - 1)
        assert found.provenance["address_range"] is Provenance.KERNEL

    @pytest.mark.parametrize(
        "zones", ["", "Node 0, zone   Normal\n        spanned  4096\n  start_pfn:           0\n"]
    )
    def test_without_a_zone_dma_the_default_area_may_be_anywhere(self, tree, zones):
        tree.write("proc/zoneinfo", zones)
        tree.write("sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "0x410fd083\n")
        assert heaps(tree, "reserved")["reserved"].address_range is None

    def test_a_region_of_the_device_tree_is_where_the_tree_says(self, tree, region):
        region("linux,cma", "reusable", "linux,cma-default", size=(0x4000000,))
        tree.write("proc/zoneinfo", ZONES)
        tree.write("sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "0x410fd083\n")
        assert heaps(tree, "linux,cma")["linux,cma"].address_range is None

    def test_each_area_has_its_own_size(self, tree, region):
        region("left@40000000", "reusable", reg=(0x40000000, 0x1000000))
        region("right@41000000", "reusable", size=(0x2000000,), alloc_ranges=(0, 0x50000000))
        tree.write("proc/meminfo", "CmaTotal:  131072 kB\n")
        found = heaps(tree, "default_cma_region", "left@40000000", "right@41000000")
        assert found["left@40000000"].capacity == 16 << 20
        assert found["right@41000000"].capacity == 32 << 20
        assert found["default_cma_region"].capacity == (128 - 48) << 20
        area(tree, "left@40000000", 8)
        assert {s.name: s.capacity for s, _ in list_heaps(tree.root)}["left@40000000"] == 8 << 20

    def test_where_an_area_may_be_is_not_where_it_is(self, tree, region):
        for name in ("a@0", "b@1"):
            region(name, "reusable", size=(0x1000000,), alloc_ranges=(0, 0x40000000))
        found = heaps(tree, "a@0", "b@1")
        assert found["a@0"].address_range == (0, 0x3FFFFFFF)
        assert not found["a@0"].overlaps(found["b@1"])

    def test_a_region_within_another_is_part_of_it(self, tree, region):
        region("whole@40000000", "reusable", reg=(0x40000000, 0x4000000))
        region("part@41000000", "reusable", reg=(0x41000000, 0x1000000))
        found = heaps(tree, "whole@40000000", "part@41000000")
        whole, part = found["whole@40000000"], found["part@41000000"]
        assert part.overlaps(whole)
        assert part.lies_within(whole)
        assert not whole.lies_within(part)

    def test_all_heaps_of_pages_are_one_memory(self, tree):
        tree.device("virtual/misc/udmabuf", "misc", dev="10:126", node="udmabuf")
        found = heaps(tree, "system", "system-uncached", "system-dma32")
        spare = udmabuf_source(tree.root)
        assert spare is not None
        assert all(source.overlaps(found["system"]) for source in (*found.values(), spare[0]))


class TestProtection:
    @pytest.mark.parametrize(
        "name",
        [
            "protected,secure-video", "vframe-secure", "system-secure", "qcom,secure-pixel",
            "system-secure-vframe-secure", "mtk_svp_region-aligned", "mtk_prot_page-uncached",
            "mtk_wfd-uncached", "qcom,display", "tui-secure", "video@42000000-protected", "vpr",
            "secure@80000000",
        ],
    )  # fmt: skip
    def test_a_sign_in_the_name_is_believed(self, tree, name):
        assert heaps(tree, name)[name].protected is True

    def test_a_sign_in_the_name_outweighs_what_the_device_tree_says(self, tree, region):
        region("video-secure@8000000", "reusable", reg=(0x8000000, 0x1000000))
        assert heaps(tree, "video-secure@8000000")["video-secure@8000000"].protected is True

    def test_memory_that_the_kernel_does_not_map_is_protected(self, tree, region):
        region("drm@9e800000", "no-map", compatible="", reg=(0x9E800000, 0x1000000))
        found = heaps(tree, "drm@9e800000")["drm@9e800000"]
        assert (found.protected, found.contiguous) == (True, True)
        assert found.provenance["protected"] is Provenance.KERNEL

    def test_a_coherent_pool_is_open_and_not_cached(self, tree, region):
        region("dsp@9e800000", "no-map", reg=(0x9E800000, 0x1000000))
        found = heaps(tree, "dsp@9e800000")["dsp@9e800000"]
        assert (found.protected, found.cached, found.contiguous) == (False, False, True)

    @pytest.mark.parametrize("name", ["vendor", "qcom,qseecom", "carveout", "gcma_camera"])
    def test_what_nobody_knows_is_unknown_and_not_open(self, tree, name):
        assert heaps(tree, name)[name].protected is None

    def test_a_region_that_is_no_pool_is_unknown(self, tree, region):
        region("fw@9e800000", compatible="", reg=(0x9E800000, 0x1000000))
        assert heaps(tree, "fw@9e800000")["fw@9e800000"].protected is None


def test_the_heaps_of_a_phone(tree):
    """Those of one with protected heaps, by their names alone: nothing protected is ordinary."""
    ordinary = {"system", "system-uncached", "video_system", "video_system-uncached"}
    secure = {f"{name}-secure" for name in ("vframe", "vscaler", "vstream", "tui", "faimg")}
    unknown = {"aaudio_capture_heap", "sensor_direct_heap"}
    found = heaps(tree, *sorted(ordinary | secure | unknown))
    assert {name for name, source in found.items() if source.protected} == secure
    assert {name for name, source in found.items() if source.protected is False} == ordinary
    platform = local_platform(tree.root)
    for protected, expected in ((True, secure), (False, ordinary)):
        problem = platform.problem(
            participants=(
                Participant(
                    name="app",
                    usage=Usage.SAMPLING,
                    sets=(ConstraintSet(formats=(FormatModifier(fourcc("NV12"), LINEAR),)),),
                ),
            ),
            goals=(Goal(name="sampling"),),
            extents=Extents(coded=Extent(640, 480)),
            content=Content(protected=protected),
        )
        plans = solve(problem).plans
        used = {platform.source_name(one.source) for plan in plans for one in plan.layout.objects}
        assert used == expected


@pytest.mark.parametrize(
    ("name", "contiguous", "cached", "top"),
    [
        ("cma", True, True, None),
        ("cma-uncached", True, False, None),
        ("linux,cma-uncached", True, False, None),
        ("system-dma32", False, True, 0xFFFFFFFF),
        ("system-uncached-dma32", False, False, 0xFFFFFFFF),
        ("system_cc_shared", False, True, None),
        ("mtk_mm-uncached", False, False, None),
        ("qcom,system", False, True, None),
        ("video_system", False, True, None),
        ("vidbuf_cached", None, True, None),
        ("multimedia@60000000", True, True, None),
        ("anything-uncached", None, False, None),
    ],
)
def test_names_of_vendors(tree, name, contiguous, cached, top):
    found = heaps(tree, name)[name]
    assert (found.contiguous, found.cached) == (contiguous, cached)
    assert (found.address_range[1] if found.address_range else None) == top
    assert "contiguous" not in found.provenance  # a name is no word of the kernel


class TestBanks:
    FILE = """
    [[memory]]
    name = "one"
    contiguous = true
    capacity = "{capacity}"
    addresses = {{ base = "{base}", size = "16 MiB" }}
    [[memory]]
    name = "two"
    contiguous = true
    capacity = "16 MiB"
    addresses = {{ base = "0x40000000", size = "16 MiB" }}
    {area}
    [[device]]
    name = "codec"
    kind = "decoder"
    [[device.use]]
    usage = "decode"
    constraints = [{{ type = "different-source", planes = [0, 1] }}]
    [[device.use.set]]
    formats = ["NV12"]
    """

    @staticmethod
    def plans(platform):
        members = (platform.participant("codec", Usage.DECODE),)
        return solve(
            platform.problem(
                participants=members,
                goals=(Goal(name="sampling"),),
                extents=Extents(coded=Extent(1280, 720)),
            )
        ).plans

    @pytest.mark.parametrize(
        ("base", "capacity", "planned"),
        [
            ("0x40000000", "16 MiB", False),  # the same
            ("0x40800000", "16 MiB", False),  # half of it
            ("0x41000000", "16 MiB", True),  # beside it
            ("0x40000000", "8 MiB", True),  # somewhere within: nobody says that it is the same
        ],
    )
    def test_memory_that_overlaps_is_one_bank(self, base, capacity, planned):
        text = self.FILE.format(base=base, capacity=capacity, area="")
        assert bool(self.plans(Platform.parse(text))) is planned

    def test_one_area_is_one_bank_wherever_it_is(self):
        text = self.FILE.format(base="0x50000000", capacity="16 MiB", area='area = "cma"')
        assert self.plans(Platform.parse(text))
        text = text.replace('name = "one"', 'name = "one"\narea = "cma"')
        assert not self.plans(Platform.parse(text))

    def test_what_two_names_give_comes_out_of_one_capacity(self):
        """Y and CbCr of 1280x720 are 1350 KiB, four times: 5.3 MiB, of which 3.5 are of Y."""
        text = self.FILE.format(base="0x40000000", capacity="16 MiB", area='area = "cma"')
        text = text.replace('name = "one"', 'name = "one"\narea = "cma"')
        apart = '{ type = "permitted-sources", value = ["one"], planes = [0] }, '
        apart += '{ type = "permitted-sources", value = ["two"], planes = [1] }'
        text = text.replace('{ type = "different-source", planes = [0, 1] }', apart)
        assert self.plans(Platform.parse(text))
        assert not self.plans(Platform.parse(text.replace("16 MiB", "4 MiB")))
        # In two memories of that size there is room for each.
        for_each = text.replace("16 MiB", "4 MiB").replace('area = "cma"', "")
        for_each = for_each.replace("0x40000000", "0x50000000", 1)
        assert self.plans(Platform.parse(for_each))
