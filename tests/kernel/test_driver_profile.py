"""Profiles: what all boards with a driver agree on, and nothing that is one board's."""

import pytest

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    driver_profile,
    profile_constraints,
)
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    BY_NAME,
    REGISTRY,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
    Usage,
)

DISPLAY, DECODER = DeviceKind.DISPLAY, DeviceKind.DECODER


def profile(driver, kind, usage, iommu):
    found = profile_constraints(driver, kind, usage, iommu=iommu)
    assert all(constraint.provenance is Provenance.PROFILE for constraint in found)
    return {REGISTRY[constraint.type].name: constraint.value for constraint in found}


@pytest.mark.parametrize(
    ("driver", "kind", "usage", "iommu", "expected"),
    [
        ("vc4", DISPLAY, Usage.SCANOUT, False,
         {"contiguous": 1, "address-range": (0, 0x3FFFFFFF)}),
        ("rockchip", DISPLAY, Usage.SCANOUT, False, {"contiguous": 1, "pitch-alignment": 64}),
        ("rockchip", DISPLAY, Usage.SCANOUT, None, {"contiguous": 1, "pitch-alignment": 64}),
        ("rockchip", DISPLAY, Usage.SCANOUT, True, {"pitch-alignment": 64}),
        # The banks are the board's, and so is the padding of version 8 only.
        ("s5p-mfc", DECODER, Usage.DECODE, True,
         {"width-alignment": 16, "scanline-alignment": 32}),
        ("amdgpu", DISPLAY, Usage.SCANOUT, True, {"pitch-alignment": 256}),
        ("i915", DISPLAY, Usage.SCANOUT, True, {}),  # every generation has its own numbers
        ("vc4", DISPLAY, Usage.RENDER, False, {}),
        ("vc4", DECODER, Usage.SCANOUT, False, {}),
        ("nobody", DISPLAY, Usage.SCANOUT, False, {}),
        ("", DISPLAY, Usage.SCANOUT, False, {}),
    ],
)  # fmt: skip
def test_what_is_known_of_a_driver(driver, kind, usage, iommu, expected):
    assert profile(driver, kind, usage, iommu) == expected


def board(*constraints, driver):
    """A display of which all that is known are the constraints of its one set."""
    shown = ConstraintSet(
        formats=(FormatModifier(ANY_FOURCC, ANY_MODIFIER),),
        constraints=tuple(
            Constraint(type=BY_NAME[name].type, value=value, provenance=Provenance.PROFILE)
            for name, value in constraints
        ),
    )
    return Device(id=None, name="d", kind=DISPLAY, driver=driver, sets={Usage.SCANOUT: (shown,)})


def test_conditions_and_what_one_board_lacks_are_left_out(monkeypatch):
    """A condition says when a set holds, which alone says nothing of a machine's sets."""
    both = board(
        ("contiguous", 1), ("pitch-alignment", 64), ("when-width", (1, 9)), driver="test-conditions"
    )
    fewer = board(("contiguous", 1), ("when-width", (1, 9)), driver="test-conditions")
    monkeypatch.setattr(driver_profile, "_known_devices", lambda iommu: (both, fewer, both))
    assert profile("test-conditions", DISPLAY, Usage.SCANOUT, False) == {"contiguous": 1}
