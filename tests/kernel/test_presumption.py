"""Real names of display drivers on a stock machine, of which nobody knows anything else."""

import pytest
from fake_card import PL111, FakeCard
from test_local_platform import CARD, Display, constraints, opens
from test_trial import asked, planned

from heapwire.kernel.description import ProfileFileError, parse_profile
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.trial import TrialStore
from heapwire.protocol.values import Provenance, SourceId, Usage, fourcc

XRGB = fourcc("XR24")
PROFILE, PRESUMPTION = Provenance.PROFILE, Provenance.PRESUMPTION
# Driver as sysfs has it, its name for DRM, and the bus it is on; then what it takes of all that
# there is on this machine, and who says so. `card0` is what the display allocates itself.
DISPLAYS = [
    ("vc4-drm", "vc4", "platform", "reserved", PROFILE),
    ("rockchip-drm", "rockchip", "platform", "reserved", PROFILE),
    ("exynos-drm", "exynos", "platform", "reserved", PROFILE),
    ("mediatek-drm", "mediatek", "platform", "reserved", PROFILE),
    ("drm", "tegra", "host1x", "reserved", PROFILE),
    ("msm_dpu", "msm", "platform", "card0", PROFILE),  # msm_gem_import: EINVAL
    ("msm_mdp", "msm", "platform", "card0", PROFILE),
    ("sun4i-drm", "sun4i-drm", "platform", "reserved", PROFILE),
    ("imx-drm", "imx-drm", "platform", "reserved", PROFILE),
    ("meson-drm", "meson", "platform", "reserved", PROFILE),
    ("stm32-display", "stm", "platform", "reserved", PROFILE),
    ("tidss", "tidss", "platform", "reserved", PROFILE),
    ("tilcdc", "tilcdc", "platform", "reserved", PROFILE),
    ("mali-dp", "mali-dp", "platform", "reserved", PROFILE),
    ("zynqmp-dpsub", "zynqmp-dpsub", "platform", "reserved", PROFILE),
    ("drm-clcd-pl111", "pl111", "amba", "reserved", PROFILE),
    ("rzg2l-du", "rzg2l-du", "platform", "card0", PROFILE),  # no gem_prime_import_sg_table
    ("loongson", "loongson", "pci", "card0", PROFILE),  # lsdc_bo_pin: EINVAL when it is to be shown
    ("nouveau", "nouveau", "pci", "card0", PROFILE),  # moved to VRAM: a copy
    ("nobody-knows", "nobody", "platform", "reserved", PRESUMPTION),
    ("nobody-knows", "nobody", "host1x", "reserved", PRESUMPTION),
]
# Where the kernel puts the area `reserved`: below the first GiB, as on a Raspberry Pi 4.
ZONES = "Node 0, zone      DMA\n        spanned  262144\n  start_pfn:           0\n"


def machine(tree, driver, drm_name, bus, zones=ZONES, iommu=False, compatible=""):
    tree.heap("reserved", 0)
    tree.heap("system", 1)
    tree.device("virtual/misc/udmabuf", "misc", dev="10:125", node="udmabuf")
    tree.write("sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "0x410fd083\n")
    tree.write("proc/zoneinfo", zones)
    tree.bus(CARD, driver=driver)
    on_bus = tree.root / "sys/devices" / CARD / "subsystem"
    on_bus.unlink()
    (tree.root / "sys/bus" / bus).mkdir(exist_ok=True)
    on_bus.symlink_to(tree.root / "sys/bus" / bus)
    if bus == "pci":
        tree.write(f"sys/devices/{CARD}/modalias", "pci:v0000FFFFd0000FFFFsv00000000\n")
    if compatible:
        tree.write("sys/firmware/devicetree/base/display/compatible", f"{compatible}\0")
        node = tree.root / "sys/firmware/devicetree/base/display"
        (tree.root / "sys/devices" / CARD / "of_node").symlink_to(node)
    tree.device(f"{CARD}/drm/card0", "drm", dev="226:0", node="dri/card0")
    if iommu:
        tree.write("sys/kernel/iommu_groups/0/type", "DMA\n")
        group = tree.root / "sys/kernel/iommu_groups/0"
        (tree.root / "sys/devices" / CARD / "iommu_group").symlink_to(group)
    display = Display(XRGB)
    display.driver = drm_name
    return local_platform(tree.root, drm=opens({"card0": display}), v4l2=opens({}))


@pytest.mark.parametrize(("driver", "drm_name", "bus", "memory", "rung"), DISPLAYS)
def test_without_an_iommu_what_is_planned_is_what_the_driver_takes(
    tree, driver, drm_name, bus, memory, rung
):
    platform = machine(tree, driver, drm_name, bus)
    chosen, _ = planned(platform, XRGB)
    assert chosen == memory
    found = constraints(platform, "card0", Usage.SCANOUT)
    [of_memory] = [found[name] for name in ("contiguous", "permitted-sources") if name in found]
    assert of_memory.provenance is rung
    if rung is PRESUMPTION:
        assert of_memory.source == f"{bus} bus, no IOMMU"
    else:
        assert of_memory.source.startswith("drivers/gpu/drm/")


@pytest.mark.parametrize(("driver", "drm_name", "bus"), [one[:3] for one in DISPLAYS])
def test_an_iommu_makes_scattered_memory_good_for_who_imports_any(tree, driver, drm_name, bus):
    platform = machine(tree, driver, drm_name, bus, iommu=True)
    imports_none = drm_name in ("rzg2l-du", "loongson", "nouveau")
    assert planned(platform, XRGB)[0] == ("card0" if imports_none else "system")


@pytest.mark.parametrize(
    ("compatible", "zones", "memory"),
    [
        ("brcm,bcm2711-vc5", ZONES, "reserved"),
        ("brcm,bcm2835-vc4", "", "reserved"),  # no such machine has more than one
    ],
)
def test_a_display_of_one_gib_is_promised_what_lies_there(tree, compatible, zones, memory):
    platform = machine(tree, "vc4-drm", "vc4", "platform", zones=zones, compatible=compatible)
    assert planned(platform, XRGB)[0] == memory


def test_where_nobody_knows_what_lies_in_reach_the_display_allocates_itself(tree):
    """It reads the lowest GiB of up to eight, and nobody says where the area is."""
    platform = machine(tree, "vc4-drm", "vc4", "platform", zones="", compatible="brcm,bcm2711-vc5")
    chosen, answer = planned(platform, XRGB)
    assert chosen is None
    reach = "card0:scanout needs memory that is at addresses 0x0 to 0x3fffffff"
    assert answer.message == f"{reach}; no source is known to be"
    assert {verdict.name: verdict.text for verdict in answer.verdicts} == {
        "reserved": f"{reach}; nobody knows whether heap reserved is",
        "system": "card0:scanout needs memory that is contiguous; heap system is not",
        "udmabuf": "card0:scanout needs memory that is contiguous; udmabuf is not",
    }
    # Once it is asked, its own memory is a source, and that is where it can read.
    card = FakeCard(PL111)
    platform = asked(platform, TrialStore(None, ""), tree, cards=card.open)
    assert planned(platform, XRGB)[0] == "card0"
    own = platform.source("card0")
    assert own.address_range == (0, 0x3FFFFFFF)
    assert own.provenance["address_range"] is PROFILE


@pytest.mark.parametrize("compatible", ["renesas,du-r8a7795", "renesas,du-r8a779g0"])
def test_who_reads_the_first_run_of_scattered_memory_is_promised_none(tree, compatible):
    """rcar_du_gem_prime_import_sg_table takes it; rcar_du_vsp_plane_setup has one address."""
    platform = machine(tree, "rcar-du", "rcar-du", "platform", compatible=compatible)
    assert planned(platform, XRGB)[0] == "reserved"


@pytest.mark.parametrize("iommu", [False, True])
def test_on_pci_a_display_of_an_unknown_driver_is_promised_what_it_allocates_itself(tree, iommu):
    """Most of the kernel's on PCI show nothing else, whatever they import."""
    platform = machine(tree, "nobody-knows", "nobody", "pci", iommu=iommu)
    assert planned(platform, XRGB)[0] == "card0"
    presumed = constraints(platform, "card0", Usage.SCANOUT)["permitted-sources"]
    assert presumed.provenance is PRESUMPTION
    assert presumed.source == "PCI, and nothing is known of the driver"


def test_what_its_own_gpu_allocates_such_a_display_is_promised_too(tree):
    tree.device(f"{CARD}/drm/renderD128", "drm", dev="226:128", node="dri/renderD128")
    platform = machine(tree, "nobody-knows", "nobody", "pci")
    presumed = constraints(platform, "card0", Usage.SCANOUT)["permitted-sources"]
    own = [platform.device(name).id for name in ("card0", "renderD128")]
    assert presumed.value == tuple(SourceId.device(one) for one in own)


@pytest.mark.parametrize(
    ("driver", "drm_name", "bus"),
    [
        ("ast", "ast", "pci"),
        ("mgag200", "mgag200", "pci"),
        ("cirrus", "cirrus", "pci"),
        ("simple-framebuffer", "simpledrm", "platform"),
        ("of-display", "ofdrm", "platform"),
    ],
)
def test_who_copies_what_it_shows_takes_any_memory(tree, driver, drm_name, bus):
    platform = machine(tree, driver, drm_name, bus)
    assert planned(platform, XRGB)[0] == "system"


@pytest.mark.parametrize("driver", ["amdgpu", "i915", "virtio_gpu", "bochs-drm", "ast", "cirrus"])
def test_of_a_display_that_is_known_nothing_is_presumed(tree, driver):
    platform = machine(tree, driver, driver, "pci")
    found = constraints(platform, "card0", Usage.SCANOUT)
    assert not any(one.provenance is Provenance.PRESUMPTION for one in found.values())


@pytest.mark.parametrize(
    ("said", "usage", "expected"),
    [
        ('takes-any-memory = "acme.c: acme_import"', Usage.SCANOUT, True),
        ('takes-any-memory = "acme.c: acme_import"', Usage.RENDER, False),
        ('constraints = [{ type = "contiguous" }]', Usage.SCANOUT, True),
        ('constraints = [{ type = "pitch-alignment", value = 64 }]', Usage.SCANOUT, False),
        ("", Usage.SCANOUT, False),
    ],
)
def test_a_profile_speaks_of_memory_by_a_word_of_its_own(said, usage, expected):
    """Whatever it is called, and whichever rows it has."""
    text = f'title = "Acme"\n[[use]]\nusage = "scanout"\n{said}\n'
    profile = parse_profile(text, file="acme.toml", name="acme")
    assert profile.speaks_of_memory(usage) is expected


def test_a_profile_does_not_take_any_memory_and_ask_for_some():
    text = (
        'title = "Acme"\n[[use]]\nusage = "scanout"\ntakes-any-memory = "acme.c: acme_import"\n'
        'constraints = [{ type = "contiguous" }]\n'
    )
    with pytest.raises(ProfileFileError, match=r"acme\.toml:5: .*contiguous"):
        parse_profile(text, file="acme.toml", name="acme")
