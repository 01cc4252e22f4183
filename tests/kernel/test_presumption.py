"""Real names of display drivers on a stock machine, of which nobody knows anything else."""

import pytest
from test_local_platform import CARD, Display, constraints, opens
from test_trial import planned

from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import Provenance, Usage, fourcc

XRGB = fourcc("XR24")
# Driver as sysfs has it, its name for DRM, and the bus it is on.
DISPLAYS = [
    ("vc4-drm", "vc4", "platform"),
    ("rockchip-drm", "rockchip", "platform"),
    ("exynos-drm", "exynos", "platform"),
    ("mediatek-drm", "mediatek", "platform"),
    ("drm", "tegra", "host1x"),
    ("msm_dpu", "msm", "platform"),
    ("msm_mdp", "msm", "platform"),
    ("sun4i-drm", "sun4i-drm", "platform"),
    ("imx-drm", "imx-drm", "platform"),
    ("meson-drm", "meson", "platform"),
    ("stm32-display", "stm", "platform"),
    ("tidss", "tidss", "platform"),
    ("tilcdc", "tilcdc", "platform"),
    ("mali-dp", "mali-dp", "platform"),
    ("zynqmp-dpsub", "zynqmp-dpsub", "platform"),
    ("drm-clcd-pl111", "pl111", "amba"),
]


def machine(tree, driver, drm_name, bus):
    tree.heap("reserved", 0)
    tree.heap("system", 1)
    tree.device("virtual/misc/udmabuf", "misc", dev="10:125", node="udmabuf")
    tree.bus(CARD, driver=driver)
    on_bus = tree.root / "sys/devices" / CARD / "subsystem"
    on_bus.unlink()
    (tree.root / "sys/bus" / bus).mkdir(exist_ok=True)
    on_bus.symlink_to(tree.root / "sys/bus" / bus)
    tree.device(f"{CARD}/drm/card0", "drm", dev="226:0", node="dri/card0")
    display = Display(XRGB)
    display.driver = drm_name
    return local_platform(tree.root, drm=opens({"card0": display}), v4l2=opens({}))


@pytest.mark.parametrize(("driver", "drm_name", "bus"), DISPLAYS)
def test_without_an_iommu_no_display_scans_out_of_scattered_memory(tree, driver, drm_name, bus):
    platform = machine(tree, driver, drm_name, bus)
    found = constraints(platform, "card0", Usage.SCANOUT)
    [of_memory] = [found[name] for name in ("contiguous", "permitted-sources") if name in found]
    assert of_memory.provenance <= Provenance.PROFILE
    assert of_memory.source
    chosen, _ = planned(platform, XRGB)
    assert chosen in (None, "reserved")


@pytest.mark.parametrize("driver", ["amdgpu", "i915", "virtio_gpu", "bochs-drm"])
def test_of_a_display_on_another_bus_nothing_is_presumed(tree, driver):
    platform = machine(tree, driver, driver, "pci")
    found = constraints(platform, "card0", Usage.SCANOUT)
    assert not any(one.provenance is Provenance.PRESUMPTION for one in found.values())


def test_an_unknown_driver_is_presumed_and_says_by_which_signs(tree):
    platform = machine(tree, "nobody-knows", "nobody", "platform")
    contiguous = constraints(platform, "card0", Usage.SCANOUT)["contiguous"]
    assert contiguous.provenance is Provenance.PRESUMPTION
    assert contiguous.source == "platform bus, no IOMMU"
