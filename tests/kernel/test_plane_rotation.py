"""What a plane's property rotation comes to: pictures upside down, and none on their side."""

import json
from dataclasses import replace

import pytest
from test_kms import INTEL_X_TILED, NV12, XRGB, Display, in_formats, plane
from test_reports import dump, machine, plane as dumped_plane

from heapwire.kernel.description import (
    Device,
    DeviceKind,
    MachineNames,
    profiles_of,
    scanout_sets,
    with_profiles,
)
from heapwire.kernel.discovery.kms import read_planes
from heapwire.kernel.discovery.plane_rotation import rotations
from heapwire.protocol import solve_plans
from heapwire.protocol.values import (
    LINEAR,
    WHEN_ROTATION,
    ConstraintSet,
    Content,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Problem,
    Provenance,
    Source,
    SourceId,
    Usage,
    fourcc,
    parse_modifier,
)

YUYV, RGB, RGB565 = fourcc("YUYV"), fourcc("RG24"), fourcc("RG16")
UPSIDE_DOWN = ("rotate-0", "rotate-180", "reflect-x")
ALL = ("rotate-0", "rotate-90", "rotate-180", "rotate-270")
SKYLAKE = "pci:v00008086d00001912sv0"
INTEL_Y_TILED = parse_modifier("INTEL_Y_TILED")
MEMORY = Source(id=SourceId.heap(HeapId(251, 0)), name="cma", contiguous=True)


@pytest.mark.parametrize(
    ("names", "degrees"),
    [
        (UPSIDE_DOWN, [0, 180]),
        (ALL, [0, 180]),  # of which formats the others are, nobody says
        (("rotate-0", "rotate-90"), [0]),
        (("rotate-0", "reflect-x", "reflect-y"), None),
        ((), None),
    ],
)
def test_what_the_property_says(names, degrees):
    found = rotations({"rotation": names} if names else {})
    masks = [WHEN_ROTATION.of(one) for one in found]
    allowed = [turn for turn in (0, 90, 180, 270) if all(mask >> turn // 90 & 1 for mask in masks)]
    assert (allowed if masks else None) == degrees
    assert len(masks) < 2 or found[1].provenance is Provenance.PRESUMPTION


def display(*names, driver="", formats=(XRGB, YUYV, NV12), modifiers=(LINEAR,)):
    """A display with a plane that can be turned so, and what its driver's profile says."""
    record = replace(
        plane(31, 1, formats, IN_FORMATS=7), choices={"rotation": names} if names else {}
    )
    planes = read_planes(Display(record, blobs={7: in_formats(formats, modifiers)}))
    device = Device(
        id=DeviceId(226, 0),
        name="card0",
        kind=DeviceKind.DISPLAY,
        planes=planes,
        sets={Usage.SCANOUT: scanout_sets(planes)},
        iommu=True,
        driver=driver,
        compatibles=(driver,),
    )
    names_of = MachineNames(lambda name, path: pytest.fail(name), {})
    return with_profiles(device, profiles_of(device), names_of)


def shown(device, code, rotation, modifier=LINEAR):
    """Whether a plan scans out a picture that is turned so."""
    content = Participant(
        name="content",
        usage=Usage(0),
        sets=(ConstraintSet(formats=(FormatModifier(code, modifier),)),),
    )
    screen = Participant(name="card0", usage=Usage.SCANOUT, sets=device.sets[Usage.SCANOUT])
    problem = Problem(
        participants=(content,),
        goals=(Goal(name="scanout", participants=(screen,), scanout=True),),
        sources=(MEMORY,),
        extents=Extents(coded=Extent(640, 480)),
        content=Content(rotation=rotation),
    )
    return bool(solve_plans(problem).plans)


@pytest.mark.parametrize(
    ("names", "degrees"), [(UPSIDE_DOWN, {0, 180}), (ALL, {0, 180}), (ALL[:2], {0}), ((), {0})]
)
def test_what_is_scanned_out_is_turned_as_the_plane_can(names, degrees):
    device = display(*names)
    for code in (XRGB, YUYV, NV12):
        assert {one for one in (0, 90, 180, 270) if shown(device, code, one)} == degrees


def test_a_dump_of_drm_info_tells_it_too(tmp_path):
    spec = [{"name": name, "value": bit} for bit, name in enumerate(ALL)]
    turning = dumped_plane(31, 1)
    turning["properties"]["rotation"] = {"id": 11, "raw_value": 1, "value": 1, "spec": spec}
    file = tmp_path / "drm.json"
    file.write_text(json.dumps(dump(turning)))
    [device] = [one for one in machine(str(file)).devices if one.planes]
    assert shown(device, XRGB, 180)
    assert not shown(device, XRGB, 90)


@pytest.mark.parametrize(
    ("driver", "code"),
    [
        ("mediatek,mt8183-mmsys", YUYV),  # mtk_ovl_layer_check: EINVAL for YCbCr that is turned
        ("mediatek,mt8195-vdosys0", YUYV),
        ("mediatek,mt8365-mmsys", YUYV),
        ("arm,mali-dp500", RGB),  # malidp_de_plane_check: EINVAL for 24 bits a pixel
        ("arm,mali-dp650", RGB),
    ],
)
def test_a_format_that_the_driver_does_not_turn_is_composited(driver, code):
    device = display(*UPSIDE_DOWN, driver=driver, formats=(XRGB, code))
    assert shown(device, XRGB, 180)
    assert shown(device, code, 0)
    assert not shown(device, code, 180)


@pytest.mark.parametrize(
    ("driver", "code", "modifier", "degrees"),
    [
        ("vkms", NV12, LINEAR, {0, 90, 180, 270}),
        (SKYLAKE, XRGB, INTEL_Y_TILED, {0, 90, 180, 270}),
        (SKYLAKE, YUYV, INTEL_Y_TILED, {0, 90, 180, 270}),
        (SKYLAKE, RGB565, INTEL_Y_TILED, {0, 180}),  # from Ice Lake on
        (SKYLAKE, XRGB, INTEL_X_TILED, {0, 180}),
        (SKYLAKE, XRGB, LINEAR, {0, 180}),
    ],
)
def test_by_a_quarter_is_turned_what_the_drivers_source_says(driver, code, modifier, degrees):
    device = display(*ALL, driver=driver, formats=(code,), modifiers=(modifier,))
    assert {one for one in (0, 90, 180, 270) if shown(device, code, one, modifier)} == degrees
    upright = display(*UPSIDE_DOWN, driver=driver, formats=(code,), modifiers=(modifier,))
    assert not shown(upright, code, 90, modifier)  # the plane has no such rotation


def test_what_the_profile_knows_overrules_what_was_presumed():
    device = display(*ALL, driver=SKYLAKE, formats=(XRGB,), modifiers=(INTEL_Y_TILED,))
    [lost] = [one for one in device.overruled if one.constraint.type == WHEN_ROTATION.type]
    assert lost.constraint.provenance is Provenance.PRESUMPTION
    assert lost.by.provenance is Provenance.PROFILE
