"""Reading sysfs: lineage, links in all their forms, places, IOMMUs, reserved memory."""

import struct

import pytest

from heapwire.kernel.description import LinkKind
from heapwire.kernel.discovery.device_place import dma_bits, iommu_of, place_of
from heapwire.kernel.discovery.heaps.heap_discovery import list_heaps, udmabuf_source
from heapwire.kernel.discovery.heaps.heap_links import HeapLinks, linked_by, links_of
from heapwire.kernel.discovery.heaps.reserved_memory import (
    is_coherent,
    memory_regions,
    reserved_regions,
)
from heapwire.kernel.discovery.sysfs import SysfsDevice, list_devices
from heapwire.protocol.values import Place, Provenance

GPU = "pci0000:00/0000:00:01.0/0000:01:00.0"


def cells(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


def test_devices_are_in_the_natural_order_of_their_names(tree):
    for number in (10, 2, 1):
        tree.device(f"platform/x/video4linux/video{number}", "video4linux", dev=f"81:{number}")
    found = list_devices("video4linux", tree.root)
    assert [one.name for one in found] == ["video1", "video2", "video10"]
    assert [str(one.number) for one in found] == ["81:1", "81:2", "81:10"]
    assert list_devices("drm", tree.root) == ()


def test_a_device_knows_its_node_driver_and_parents(tree):
    tree.bus("platform/vpu", driver="hantro")
    tree.device("platform/vpu/video4linux/video0", "video4linux", dev="81:0", node="video0")
    (video,) = list_devices("video4linux", tree.root)
    assert video.node == tree.root / "dev" / "video0"
    assert video.subsystem == "video4linux"
    assert [one.name for one in video.lineage()] == [
        "video0", "video4linux", "vpu", "platform",
    ]  # fmt: skip
    assert video.physical.name == "vpu"
    assert video.physical.driver == "hantro"
    assert video.physical.bus_path == ("platform", "vpu")
    assert video.attribute("nothing") is None
    assert video.driver == ""


def test_what_carries_a_virtio_device_is_not_its_driver(tree):
    """A card of virtio-gpu's is below the PCI device, beside the virtio device that it drives."""
    carrier = "pci0000:00/0000:00:03.0"
    tree.bus(carrier, driver="virtio-pci")
    tree.device(f"{carrier}/drm/card0", "drm", dev="226:0", node="dri/card0")
    (card,) = list_devices("drm", tree.root)
    assert card.physical.carried_driver == "virtio-pci"
    tree.bus(f"{carrier}/virtio0", driver="virtio_gpu")
    assert (card.physical.driver, card.physical.carried_driver) == ("virtio-pci", "virtio_gpu")


def test_what_is_not_a_number_is_none(tree):
    folder = tree.device("platform/x", dev="many", numa_node="some")
    device = SysfsDevice(folder.resolve(), tree.root)
    assert device.number is None
    assert device.integer("numa_node") is None


class TestHeaps:
    def test_a_stock_kernel_tells_names_only(self, tree):
        tree.heap("system", 0)
        tree.heap("linux,cma", 1)
        tree.heap("memory@42000000-contiguous", 2)
        tree.heap("protected,secure-video", 3)
        tree.heap("vendor-heap", 4)
        tree.heap("system-uncached", 5)
        found = {source.name: source for source, _ in list_heaps(tree.root)}
        assert {name: source.contiguous for name, source in found.items()} == {
            "system": False,
            "linux,cma": True,
            "memory@42000000-contiguous": True,
            "protected,secure-video": True,
            "vendor-heap": None,
            "system-uncached": False,
        }
        assert {name: source.cached for name, source in found.items()} == {
            "system": True,
            "linux,cma": True,
            "memory@42000000-contiguous": True,
            "protected,secure-video": None,
            "vendor-heap": None,
            "system-uncached": False,
        }
        assert {name: source.protected for name, source in found.items()} == {
            "system": False,
            "linux,cma": False,
            "memory@42000000-contiguous": False,
            "protected,secure-video": True,
            "vendor-heap": None,
            "system-uncached": False,
        }
        assert str(found["linux,cma"].id) == "heap 251:1"
        assert found["linux,cma"].provenance == {}

    def test_nodes_are_where_the_uevent_says(self, tree):
        tree.heap("linux,cma", 0)
        ((_, node),) = list_heaps(tree.root)
        assert node == str(tree.root / "dev" / "dma_heap" / "linux,cma")

    def test_a_kernel_that_says_more_is_believed(self, tree):
        tree.heap("system", 0, contiguous=1)
        tree.heap("bank", 1, contiguous=0, numa_node=1, substitutes_for="system")
        tree.heap("other", 2, numa_node=-1)
        tree.heap("first", 3, numa_node=0)
        found = {source.name: source for source, _ in list_heaps(tree.root)}
        assert found["system"].contiguous is True
        bank = found["bank"]
        assert (bank.contiguous, bank.numa_node, bank.substitutes_for) == (False, 1, ("system",))
        assert bank.provenance == {
            "contiguous": Provenance.KERNEL,
            "numa_node": Provenance.KERNEL,
            "substitutes_for": Provenance.KERNEL,
            "protected": Provenance.KERNEL,
        }
        assert found["other"].numa_node is None
        assert found["first"].numa_node == 0
        assert found["first"].provenance["numa_node"] is Provenance.KERNEL

    def test_the_default_area_is_as_large_as_all_of_cma(self, tree):
        tree.write("proc/meminfo", "MemTotal: 10 kB\nCmaTotal:  131072 kB\nCmaFree: 1 kB\n")
        tree.heap("default_cma_region", 0)
        tree.heap("system", 1)
        cma, system = (source for source, _ in list_heaps(tree.root))
        assert cma.capacity == 128 << 20
        assert cma.provenance["capacity"] is Provenance.KERNEL
        assert system.capacity is None

    def test_udmabuf_is_there_or_not(self, tree):
        assert udmabuf_source(tree.root) is None
        tree.device("virtual/misc/kvm", "misc", dev="10:232", node="kvm")
        tree.device("virtual/misc/udmabuf", "misc", dev="10:126", node="udmabuf")
        source, node = udmabuf_source(tree.root)
        assert (str(source.id), source.contiguous) == ("udmabuf 10:126", False)
        assert node == str(tree.root / "dev" / "udmabuf")


class TestLinks:
    @pytest.fixture
    def video(self, tree):
        """A video node below a physical device, with the heaps of the machine."""
        for minor, name in enumerate(("system", "reserved", "bank")):
            tree.heap(name, minor)
        tree.bus("platform/vpu")
        folder = tree.device("platform/vpu/video4linux/video0", "video4linux", dev="81:0")
        return SysfsDevice(folder.resolve(), tree.root)

    def heap(self, tree, name):
        return tree.root / "sys" / "devices" / "virtual" / "dma_heap" / name

    def test_no_list_says_nothing(self, video):
        assert links_of(video) is None

    def test_a_list_is_in_order_of_number_not_of_letters(self, tree, video):
        names = ["system", "reserved", "bank"]
        (video.path / "dma_heaps").mkdir()
        for rank in range(11):
            (video.path / "dma_heaps" / str(rank)).symlink_to(self.heap(tree, names[rank % 3]))
        found = links_of(video)
        assert found.kind is LinkKind.SUPPORTED
        assert found.sources == tuple(names[rank % 3] for rank in range(11))

    def test_a_single_link_is_a_preference(self, tree, video):
        (video.path / "dma_heap").symlink_to(self.heap(tree, "system"))
        assert links_of(video) == HeapLinks(("system",), LinkKind.PREFERRED)

    def test_a_list_counts_before_the_single_link_of_the_same_device(self, tree, video):
        (video.path / "dma_heap").symlink_to(self.heap(tree, "reserved"))
        (video.path / "dma_heaps").mkdir()
        (video.path / "dma_heaps" / "0").symlink_to(self.heap(tree, "reserved"))
        (video.path / "dma_heaps" / "1").symlink_to(self.heap(tree, "system"))
        assert links_of(video) == HeapLinks(("reserved", "system"), LinkKind.SUPPORTED)

    def test_the_nearest_list_counts_and_lists_are_not_merged(self, tree, video):
        parent = video.physical.path
        (parent / "dma_heaps").mkdir()
        (parent / "dma_heaps" / "0").symlink_to(self.heap(tree, "bank"))
        assert links_of(video).sources == ("bank",)
        (video.path / "dma_heap").symlink_to(self.heap(tree, "system"))
        assert links_of(video).sources == ("system",)

    def test_the_device_itself_is_a_source(self, tree, video):
        parent = video.physical.path
        (parent / "dma_heaps").mkdir()
        (parent / "dma_heaps" / "0").symlink_to(self.heap(tree, "system"))
        (parent / "dma_heaps" / "1").symlink_to(parent)
        assert links_of(video).sources == ("system", None)

    def test_what_is_no_heap_and_what_is_gone_is_passed_over(self, tree, video):
        (video.path / "dma_heaps").mkdir()
        (video.path / "dma_heaps" / "0").symlink_to(self.heap(tree, "gone"))
        (video.path / "dma_heaps" / "1").symlink_to(tree.root / "sys" / "devices" / "platform")
        assert links_of(video) is None
        (video.path / "dma_heaps" / "2").symlink_to(self.heap(tree, "bank"))
        assert links_of(video).sources == ("bank",)

    def test_the_reverse_names_the_devices(self, tree, video):
        folder = self.heap(tree, "reserved") / "devices"
        assert linked_by(SysfsDevice(folder.parent.resolve(), tree.root)) == ()
        folder.mkdir()
        (folder / "video4linux:video0").symlink_to(video.path)
        assert linked_by(SysfsDevice(folder.parent.resolve(), tree.root)) == (str(video.path),)


class TestPlace:
    @pytest.fixture
    def card(self, tree):
        tree.bus("pci0000:00/0000:00:01.0", numa_node=0)
        tree.bus(GPU, driver="amdgpu", numa_node=1, dma_mask_bits=44)
        folder = tree.device(f"{GPU}/drm/card0", "drm", dev="226:0", node="dri/card0")
        return SysfsDevice(folder.resolve(), tree.root)

    def test_it_is_that_of_the_device_on_the_bus(self, card):
        assert place_of(card) == Place(tuple(GPU.split("/")), 1)
        assert dma_bits(card) == 44

    def test_the_first_node_is_a_node(self, tree):
        tree.bus("platform/y", numa_node=0)
        folder = tree.device("platform/y/drm/card0", "drm", dev="226:0")
        assert place_of(SysfsDevice(folder.resolve(), tree.root)).numa_node == 0

    def test_no_node_is_minus_one(self, tree):
        tree.bus("platform/x", numa_node=-1)
        folder = tree.device("platform/x/drm/card0", "drm", dev="226:0")
        assert place_of(SysfsDevice(folder.resolve(), tree.root)).numa_node is None

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [("DMA", True), ("DMA-FQ", True), ("identity", False), (None, None)],
    )
    def test_an_iommu_maps_by_the_type_of_its_group(self, tree, card, kind, expected):
        group = tree.root / "sys" / "kernel" / "iommu_groups" / "3"
        group.mkdir(parents=True)
        if kind is not None:
            (group / "type").write_text(f"{kind}\n")
        (card.physical.path / "iommu_group").symlink_to(group)
        assert iommu_of(card) is expected

    def test_no_group_is_no_iommu(self, card):
        assert iommu_of(card) is False

    @pytest.mark.parametrize("path", ["faux/vkms", "platform/vivid.0", "platform/vkms"])
    def test_software_has_no_dma(self, tree, path):
        tree.bus(path)
        folder = tree.device(f"{path}/drm/card0", "drm", dev="226:0")
        assert iommu_of(SysfsDevice(folder.resolve(), tree.root)) is None


class TestDeviceTree:
    BASE = "sys/firmware/devicetree/base/reserved-memory"

    def pool(self, tree, name, handle, *marks, compatible=b"shared-dma-pool\0", reg=b""):
        tree.write(f"{self.BASE}/{name}/phandle", cells(handle))
        tree.write(f"{self.BASE}/{name}/compatible", compatible)
        for mark in marks:
            tree.write(f"{self.BASE}/{name}/{mark}", b"")
        if reg:
            tree.write(f"{self.BASE}/{name}/reg", reg)

    def test_regions_are_in_the_order_of_the_property(self, tree):
        self.pool(tree, "bank-l@1", 1, "reusable")
        self.pool(tree, "bank-r@2", 2, "reusable")
        self.pool(tree, "carveout@3", 3, "no-map")
        self.pool(tree, "other@4", 4, "reusable", compatible=b"vendor,pool\0")
        folder = tree.bus("platform/mfc")
        node = tree.root / "sys" / "firmware" / "devicetree" / "base" / "mfc"
        node.mkdir()
        (folder / "of_node").symlink_to(node)
        tree.write(f"{node.relative_to(tree.root)}/memory-region", cells(2, 3, 9, 4, 1))
        video = tree.device("platform/mfc/video4linux/video0", "video4linux")
        device = SysfsDevice(video.resolve(), tree.root)
        assert memory_regions(device) == ("bank-r@2", "bank-l@1")

    def test_a_device_without_has_none(self, tree):
        folder = tree.bus("platform/mfc")
        assert memory_regions(SysfsDevice(folder.resolve(), tree.root)) == ()

    @pytest.mark.parametrize(
        ("marks", "coherent"),
        [
            ((), False),
            (("soc/vpu/dma-coherent",), True),
            (("soc/dma-coherent",), True),  # a bus speaks for what is on it
            (("soc/dma-coherent", "soc/vpu/dma-noncoherent"), False),
            (("other/dma-coherent",), False),
        ],
    )
    def test_whether_a_device_snoops_stands_in_its_node_or_in_that_of_its_bus(
        self, tree, marks, coherent
    ):
        base = "sys/firmware/devicetree/base"
        tree.write(f"{base}/soc/vpu/compatible", b"vendor,vpu\0")
        for mark in marks:
            tree.write(f"{base}/{mark}", b"")
        (tree.bus("platform/vpu") / "of_node").symlink_to(tree.root / base / "soc" / "vpu")
        video = tree.device("platform/vpu/video4linux/video0", "video4linux")
        assert is_coherent(SysfsDevice(video.resolve(), tree.root)) is coherent

    def test_without_a_device_tree_nobody_says_who_snoops(self, tree):
        assert is_coherent(SysfsDevice(tree.bus("platform/vpu").resolve(), tree.root)) is None

    def test_a_pool_says_where_it_is(self, tree):
        tree.write(f"{self.BASE}/#address-cells", cells(2))
        tree.write(f"{self.BASE}/#size-cells", cells(1))
        self.pool(tree, "video@42000000", 1, "reusable", reg=cells(1, 0x42000000, 0x1000))
        (region,) = reserved_regions(tree.root).values()
        assert (region.addresses, region.size) == ((0x142000000, 0x142000FFF), 0x1000)

    def test_the_default_pool_may_say_where_it_may_be(self, tree):
        self.pool(tree, "cma", 1, "reusable", "linux,cma-default")
        tree.write(f"{self.BASE}/cma/alloc-ranges", cells(0, 0x30000000))
        for name in ("linux,cma", "default_cma_region"):
            tree.heap(name, len(name))
        for source, _ in list_heaps(tree.root):
            assert source.address_range == (0, 0x2FFFFFFF)
            assert source.provenance["address_range"] is Provenance.KERNEL
            assert source.area == "cma"
