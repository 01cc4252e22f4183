"""The machine that this runs on: a whole one made of files, and whatever this one is."""

import errno
import os
from contextlib import contextmanager

import pytest

from heapwire.kernel.description import DeviceKind, KmsPlane, LinkKind
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.kms import read_planes
from heapwire.kernel.drm import ModeLimits, PlaneRecord
from heapwire.kernel.video import FrameSizes, PixelFormat
from heapwire.kernel.video.v4l2_device import BufferCapabilities, Queue
from heapwire.protocol import MachineError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    REGISTRY,
    Extent,
    Extents,
    Goal,
    Provenance,
    SourceId,
    Usage,
    fourcc,
)

NV12, XRGB = fourcc("NV12"), fourcc("XR24")
CARD = "platform/soc/display"


class Display:
    driver = "vendor-drm"

    def __init__(self, *formats):
        self.formats = formats

    def limits(self):
        return ModeLimits(min_width=0, max_width=4096, min_height=0, max_height=4096)

    def planes(self):
        if not self.formats:
            return ()
        return (PlaneRecord(id=31, formats=self.formats, possible_crtcs=1, properties={"type": 1}),)

    def blob(self, number):
        return None


class Decoder:
    driver = "vendor-vpu"
    card = "A decoder"
    is_memory_to_memory = True
    capture, output = Queue.CAPTURE, Queue.OUTPUT

    def __init__(self, *, dmabuf=True, userptr=True):
        self.told = BufferCapabilities(dmabuf, userptr)

    def formats(self, queue):
        coded = queue is Queue.OUTPUT
        return (PixelFormat(fourcc("H264") if coded else NV12, coded),)

    def frame_sizes(self, code):
        return (FrameSizes(min_width=16, max_width=1920, min_height=16, max_height=1088),)

    def buffer_capabilities(self, queue):
        return self.told


def opens(devices):
    """Opens the stand-in of a node; an OSError stands for a node that cannot be opened."""

    @contextmanager
    def opened(node):
        device = devices[node.rsplit("/", 1)[1]]
        if isinstance(device, Exception):
            raise device
        yield device

    return opened


@pytest.fixture
def machine(tree):
    """A board: two heaps, a display, a render node, a decoder."""
    tree.heap("reserved", 0)
    tree.heap("system", 1)
    tree.bus("platform/soc")
    tree.bus(CARD, driver="vendor-drm")
    tree.device(f"{CARD}/drm/card0", "drm", dev="226:0", node="dri/card0")
    tree.device(f"{CARD}/drm/card0/card0-HDMI-A-1", "drm")
    tree.device(f"{CARD}/drm/renderD128", "drm", dev="226:128", node="dri/renderD128")
    tree.bus("platform/soc/vpu", driver="vendor-vpu")
    tree.device("platform/soc/vpu/video4linux/video0", "video4linux", dev="81:0", node="video0")
    tree.device("platform/soc/vpu/video4linux/v4l-subdev0", "video4linux", dev="81:1")
    return tree


def look(tree, *, display=None, decoder=None):
    return local_platform(
        tree.root,
        drm=opens({"card0": display or Display(XRGB, NV12)}),
        v4l2=opens({"video0": decoder or Decoder()}),
    )


def link(tree, device, *heaps, self_too=False):
    folder = tree.root / "sys" / "devices" / device
    (folder / "dma_heaps").mkdir()
    targets = [tree.root / "sys/devices/virtual/dma_heap" / heap for heap in heaps]
    for rank, target in enumerate([*targets, *([folder] if self_too else [])]):
        (folder / "dma_heaps" / str(rank)).symlink_to(target)


def constraints(platform, device, usage):
    found = {}
    for one in platform.participant(device, usage).sets:
        for constraint in one.constraints:
            found[REGISTRY[constraint.type].name] = constraint
    return found


def plans(platform):
    return solve(
        platform.problem(
            participants=(platform.participant("video0", Usage.DECODE),),
            goals=(
                Goal(
                    name="scanout",
                    participants=(platform.participant("card0", Usage.SCANOUT),),
                    scanout=True,
                ),
            ),
            extents=Extents(coded=Extent(1280, 720)),
        )
    ).plans


def test_everything_is_there(machine):
    platform = look(machine)
    assert platform.notes == ()
    assert not platform.simulated
    assert [source.name for source in platform.sources] == ["reserved", "system"]
    found = {device.name: (device.kind, str(device.id)) for device in platform.devices}
    assert found == {
        "card0": (DeviceKind.DISPLAY, "226:0"),
        "renderD128": (DeviceKind.GPU, "226:128"),
        "video0": (DeviceKind.DECODER, "81:0"),
        "cpu": (DeviceKind.CPU, "None"),
    }
    card = platform.device("card0")
    assert card.driver == "vendor-drm"
    assert card.node == str(machine.root / "dev/dri/card0")
    assert card.place.path == ("platform", "soc", "display")
    assert card.iommu is False
    told = {pair for plane in read_planes(Display(XRGB, NV12)) for pair in plane.sets[0].formats}
    assert {pair for plane in card.planes for pair in plane.sets[0].formats} == told
    assert isinstance(card.planes[0], KmsPlane)
    assert platform.device("video0").title == "A decoder"
    assert platform.topology.hops(card.id, platform.device("video0").id) == 2
    # What a GPU draws only its user-space driver knows: anything, here.
    assert platform.participant("renderD128", Usage.SAMPLING).sets == ()


def test_links_are_what_the_kernel_says(machine):
    link(machine, CARD, "reserved")
    link(machine, "platform/soc/vpu", "system", "reserved")
    platform = look(machine)
    assert [(one.device, one.source, one.rank, one.kind) for one in platform.links] == [
        ("card0", "reserved", 0, LinkKind.SUPPORTED),
        ("renderD128", "reserved", 0, LinkKind.SUPPORTED),
        ("video0", "system", 0, LinkKind.SUPPORTED),
        ("video0", "reserved", 1, LinkKind.SUPPORTED),
    ]
    permitted = constraints(platform, "card0", Usage.SCANOUT)["permitted-sources"]
    assert permitted.provenance is Provenance.KERNEL
    # Device 1 lists one heap, device 2 both: what they have in common is used.
    (best, *_) = plans(platform)
    assert [platform.source_name(one.source) for one in best.layout.objects] == ["reserved"]


def test_a_device_that_lists_itself_is_a_source(machine):
    link(machine, CARD, "system", self_too=True)
    platform = look(machine)
    card = platform.source("card0")
    assert str(card.id) == "device 226:0"
    assert card.device_local == platform.device("card0").id
    ranks = [(one.source, one.rank) for one in platform.links_of("card0")]
    assert ranks == [("system", 0), ("card0", 1)]
    with pytest.raises(MachineError, match="its own driver only"):
        platform.memory.allocate(card.id, 1)


def test_the_reverse_direction_serves_where_there_is_no_list(machine):
    folder = machine.root / "sys/devices/virtual/dma_heap/reserved/devices"
    folder.mkdir()
    (folder / "platform:vpu").symlink_to(machine.root / "sys/devices/platform/soc/vpu")
    platform = look(machine)
    assert [(one.device, one.source, one.kind) for one in platform.links] == [
        ("video0", "reserved", LinkKind.SUPPORTED)
    ]


def test_the_device_tree_serves_where_the_kernel_has_no_links(machine):
    base = "sys/firmware/devicetree/base"
    machine.write(f"{base}/reserved-memory/reserved/phandle", b"\0\0\0\7")
    machine.write(f"{base}/reserved-memory/reserved/compatible", b"shared-dma-pool\0")
    machine.write(f"{base}/reserved-memory/reserved/reusable", b"")
    machine.write(f"{base}/vpu/memory-region", b"\0\0\0\7")
    machine.write(f"{base}/model", b"A board\0")
    vpu = machine.root / "sys/devices/platform/soc/vpu"
    (vpu / "of_node").symlink_to(machine.root / base / "vpu")
    platform = look(machine)
    assert platform.title == "A board"
    assert [(one.device, one.source, one.kind) for one in platform.links] == [
        ("video0", "reserved", LinkKind.PREFERRED)
    ]


def presumed(platform, device, usage):
    found = constraints(platform, device, usage).get("contiguous")
    if found is None:
        return None
    assert found.provenance is Provenance.PRESUMPTION
    return found.source


def test_of_an_unknown_driver_on_a_bus_without_iommu_contiguous_memory_is_presumed(machine):
    platform = look(machine)
    assert presumed(platform, "card0", Usage.SCANOUT) == "platform bus, no IOMMU"
    assert presumed(platform, "video0", Usage.DECODE) == "platform bus, no IOMMU"
    (best, *_) = plans(platform)
    assert [platform.source_name(one.source) for one in best.layout.objects] == ["reserved"]


def test_where_nobody_says_whether_there_is_an_iommu_it_is_presumed_too(machine):
    group = machine.root / "sys/kernel/iommu_groups/1"
    group.mkdir(parents=True)
    (machine.root / "sys/devices" / CARD / "iommu_group").symlink_to(group)
    platform = look(machine)
    assert platform.device("card0").iommu is None
    said = presumed(platform, "card0", Usage.SCANOUT)
    assert said == "platform bus, an IOMMU is not known of"


@pytest.mark.parametrize("bus", ["pci", "usb", "virtio"])
def test_nothing_is_presumed_on_other_buses(machine, bus):
    for device in (CARD, "platform/soc/vpu"):
        link_to_bus = machine.root / "sys/devices" / device / "subsystem"
        link_to_bus.unlink()
        (machine.root / "sys/bus" / bus).mkdir(exist_ok=True)
        link_to_bus.symlink_to(machine.root / "sys/bus" / bus)
    platform = look(machine)
    assert presumed(platform, "card0", Usage.SCANOUT) is None
    assert presumed(platform, "video0", Usage.DECODE) is None
    hint = presumed(look(machine, decoder=Decoder(userptr=False)), "video0", Usage.DECODE)
    if bus == "usb":
        assert hint is None  # the CPU copies
    else:
        assert hint == f"{bus} bus, no IOMMU, the queue takes no user pointers"


def test_links_overrule_the_hint(machine):
    link(machine, "platform/soc/vpu", "system")
    platform = look(machine, decoder=Decoder(userptr=False))
    assert "contiguous" not in constraints(platform, "video0", Usage.DECODE)


def test_a_single_link_is_a_preference_and_leaves_the_hint(machine):
    system = machine.root / "sys/devices/virtual/dma_heap/system"
    (machine.root / "sys/devices/platform/soc/vpu/dma_heap").symlink_to(system)
    platform = look(machine, decoder=Decoder(userptr=False))
    assert "contiguous" in constraints(platform, "video0", Usage.DECODE)
    (best, *_) = plans(platform)
    assert [platform.source_name(one.source) for one in best.layout.objects] == ["reserved"]


@pytest.fixture
def camera(machine):
    """The video node is that of a USB camera."""
    interface = machine.root / "sys/devices/platform/soc/vpu"
    (interface / "subsystem").unlink()
    (interface / "subsystem").symlink_to(machine.root / "sys/bus/usb")
    (machine.root / "sys/bus/usb").mkdir()
    return interface


def test_a_usb_camera_lists_what_is_best_and_can_write_to_anything(machine, camera):
    link(machine, "platform/soc/vpu", "system")
    platform = look(machine, decoder=Decoder(userptr=False))
    assert [(one.source, one.kind) for one in platform.links] == [("system", LinkKind.PREFERRED)]
    found = constraints(platform, "video0", Usage.DECODE)
    assert "contiguous" not in found  # the CPU copies
    assert found["dirty-lines"].provenance is Provenance.PROFILE


@pytest.mark.parametrize("mark", ["", "dma-coherent"])
def test_a_display_that_does_not_snoop_shows_what_was_cleaned(machine, camera, mark):
    link(machine, "platform/soc/vpu", "system")
    base = "sys/firmware/devicetree/base/display"
    machine.write(f"{base}/compatible", b"vendor,display\0")
    if mark:
        machine.write(f"{base}/{mark}", b"")
    (machine.root / "sys/devices" / CARD / "of_node").symlink_to(machine.root / base)
    group = machine.root / "sys/kernel/iommu_groups/1"
    group.mkdir(parents=True)
    (group / "type").write_text("DMA\n")
    (machine.root / "sys/devices" / CARD / "iommu_group").symlink_to(group)
    platform = look(machine)
    snoops = constraints(platform, "card0", Usage.SCANOUT).get("no-snoop")
    assert (snoops is None) is bool(mark)
    (best, *_) = plans(platform)
    assert [platform.source_name(one.source) for one in best.layout.objects] == ["system"]
    told = [reason.text for reason in best.reasons if "DMA_BUF_IOCTL_SYNC" in reason.text]
    assert bool(told) is not bool(mark)
    if not mark:
        assert snoops.provenance is Provenance.KERNEL
        assert "video0:decode" in told[0]


def test_an_iommu_overrules_the_hint(machine):
    group = machine.root / "sys/kernel/iommu_groups/1"
    group.mkdir(parents=True)
    (group / "type").write_text("DMA\n")
    (machine.root / "sys/devices/platform/soc/vpu/iommu_group").symlink_to(group)
    platform = look(machine, decoder=Decoder(userptr=False))
    assert platform.device("video0").iommu is True
    assert "contiguous" not in constraints(platform, "video0", Usage.DECODE)


def test_a_device_that_imports_nothing_works_in_its_own_memory(machine):
    platform = look(machine, decoder=Decoder(dmabuf=False))
    own = platform.source("video0")
    permitted = constraints(platform, "video0", Usage.DECODE)["permitted-sources"]
    assert permitted.value == (own.id,)


def rebound(machine, driver):
    """The machine with another driver of its display."""
    folder = machine.root / "sys/devices" / CARD
    (folder / "driver").unlink()
    home = machine.root / "sys/bus/any/drivers" / driver
    home.mkdir(parents=True)
    (folder / "driver").symlink_to(home)
    return folder


def test_profiles_serve_for_known_drivers(machine):
    rebound(machine, "vc4-drm")
    found = constraints(look(machine), "card0", Usage.SCANOUT)
    assert found["scaling"].value == (1, 0x7FFFFFFF)
    assert found["scaling"].provenance is Provenance.PROFILE
    assert found["contiguous"].provenance is Provenance.PROFILE
    assert found["max-width"].provenance is Provenance.KERNEL


def test_profiles_are_found_by_the_name_that_drm_tells(machine):
    display = Display(XRGB)
    display.driver = "pl111"
    found = constraints(look(machine, display=display), "card0", Usage.SCANOUT)
    assert found["contiguous"].provenance is Provenance.PROFILE
    platform = look(machine, display=display)
    assert platform.device("card0").driver == "vendor-drm"
    assert platform.device("card0").api_driver == "pl111"


def test_profiles_are_found_by_what_the_device_tree_says(machine):
    base = "sys/firmware/devicetree/base/display"
    machine.write(f"{base}/compatible", b"nvidia,tegra124-dc\0nvidia,tegra114-dc\0")
    (machine.root / "sys/devices" / CARD / "of_node").symlink_to(machine.root / base)
    platform = look(machine)
    assert platform.device("card0").compatibles == ("nvidia,tegra124-dc", "nvidia,tegra114-dc")
    assert constraints(platform, "card0", Usage.SCANOUT)["pitch-alignment"].value == 64
    assert [platform.source_name(one.source) for one in plans(platform)[0].layout.objects] == [
        "reserved"
    ]


def test_profiles_are_found_by_what_v4l2_tells(machine):
    decoder = Decoder()
    decoder.driver = "qcom-venus"
    found = constraints(look(machine, decoder=decoder), "video0", Usage.DECODE)
    assert found["contiguous"].provenance is Provenance.PROFILE
    assert found["size-alignment"].value == 4096


def test_what_a_codec_writes_and_drm_has_no_name_for_is_noted(machine):
    decoder = Decoder()
    others = (PixelFormat(fourcc("MT21"), False),)
    decoder.formats = lambda queue: (
        Decoder.formats(decoder, queue) + (others if queue is not Queue.OUTPUT else ())
    )
    assert "video0 writes MT21, which has no DRM name" in look(machine, decoder=decoder).remarks
    assert look(machine).remarks == ()


def test_a_display_that_imports_nothing_shows_what_it_allocates(machine):
    rebound(machine, "virtio_gpu")
    group = machine.root / "sys/kernel/iommu_groups/1"
    group.mkdir(parents=True)
    (group / "type").write_text("DMA\n")
    (machine.root / "sys/devices/platform/soc/vpu/iommu_group").symlink_to(group)
    platform = look(machine)
    own = platform.source("card0")
    gpu = platform.device("renderD128")
    permitted = constraints(platform, "card0", Usage.SCANOUT)["permitted-sources"]
    # What the render node of the same card allocates it shows as well.
    assert permitted.value == (own.id, SourceId.device(gpu.id))
    assert own.device_local == platform.device("card0").id
    [shown] = plans(platform)
    assert [platform.source_name(one.source) for one in shown.layout.objects] == ["card0"]
    assert [source.name for source in platform.sources] == ["reserved", "system", "card0"]


def test_a_display_that_imports_lists_no_source_of_its_own(machine):
    rebound(machine, "vc4-drm")
    assert [source.name for source in look(machine).sources] == ["reserved", "system"]


def test_narrow_addresses_count_where_the_memory_ends(machine):
    (machine.root / "sys/devices" / CARD / "dma_mask_bits").write_text("32\n")
    blocks = "sys/devices/system/memory"
    machine.write(f"{blocks}/block_size_bytes", "8000000\n")
    for block in (0, 7):
        machine.write(f"{blocks}/memory{block}/online", "1")
    platform = look(machine)
    system = platform.source("system")
    assert system.address_range == (0, 8 * 0x8000000 - 1)
    assert system.provenance["address_range"] is Provenance.KERNEL
    bits = constraints(platform, "card0", Usage.SCANOUT)["dma-width"]
    assert (bits.value, bits.provenance) == (32, Provenance.KERNEL)
    assert plans(platform)  # 1 GiB is within 32 bits
    (machine.root / "sys/devices" / CARD / "dma_mask_bits").write_text("64\n")
    assert "dma-width" not in constraints(look(machine), "card0", Usage.SCANOUT)  # all there is
    (machine.root / "sys/devices" / CARD / "dma_mask_bits").write_text("32\n")
    machine.write(f"{blocks}/memory32/online", "1")
    assert not plans(look(machine))  # and 4 GiB and a block more is not


def test_nodes_that_may_not_be_opened_are_one_note(machine):
    refused = PermissionError(errno.EACCES, "Permission denied")
    platform = look(machine, display=refused, decoder=refused)
    # A card with a connector is a display; what else it is, and what video0 is, nobody can see.
    assert platform.device("card0").kind is DeviceKind.DISPLAY
    assert platform.device("video0").kind is DeviceKind.UNKNOWN
    assert platform.notes == (
        f"{machine.root}/dev/dri/card0, {machine.root}/dev/video0: Permission denied: "
        "what can be done there is not known",
    )
    assert platform.device("card0").sets == {}
    with pytest.raises(MachineError, match="card0 is not for scanout: it is for nothing"):
        platform.participant("card0", Usage.SCANOUT)


def test_a_library_that_is_missing_is_a_note(machine):
    platform = look(machine, display=MachineError("libdrm.so.2 is needed"))
    assert "libdrm.so.2 is needed" in platform.notes[0]


def test_a_card_without_planes_is_no_display(machine):
    card = look(machine, display=Display()).device("card0")
    assert (card.kind, card.sets) == (DeviceKind.GPU, {})


def test_heaps_that_this_user_may_not_open_are_one_note(machine, monkeypatch):
    assert look(machine).notes == ()
    permitted = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "dma_heap" not in str(path) and permitted(path, mode)
    )
    [note] = look(machine).notes
    assert note.startswith("this user may not allocate from reserved, system: a udev rule can")
    assert note.endswith('SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"')


def test_udmabuf_is_granted_by_a_rule_of_its_own(machine, monkeypatch):
    machine.device("virtual/misc/udmabuf", "misc", dev="10:125", node="udmabuf")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    [note] = look(machine).notes
    assert note.startswith("this user may not allocate from reserved, system, udmabuf: udev rules")
    assert note.endswith(' and KERNEL=="udmabuf", GROUP="kvm", MODE="0660"')


def test_the_bitstreams_of_a_decoder_are_known(machine):
    assert look(machine).device("video0").bitstreams == (fourcc("H264"),)


def test_an_empty_machine_has_a_cpu(tree):
    platform = local_platform(tree.root, drm=opens({}), v4l2=opens({}))
    assert platform.sources == ()
    assert [device.name for device in platform.devices] == ["cpu"]
    assert platform.memory.openable == frozenset()


def test_this_machine_can_be_looked_at_whatever_it_is():
    platform = local_platform()
    assert platform.device("cpu").kind is DeviceKind.CPU
    assert platform.memory.openable <= {source.id for source in platform.sources}
