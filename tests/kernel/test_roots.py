"""Stock kernels on real boards: what discovery plans for each, where the drivers say nothing.

The boards are made from the kernel's device trees (`roots/make_boards.py`), and
`roots/plans.toml` has the memory that is expected to be planned on each.
"""

import tomllib

import pytest
from board_root import BOARDS, NV12, RELEASES, ROOTS, XRGB, Board, discovered

from heapwire.kernel.description import DeviceKind
from heapwire.protocol.explain import solve
from heapwire.protocol.solver.layout import class_of
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Usage,
)

PLANS = tomllib.loads((ROOTS / "plans.toml").read_text("utf-8"))


def planned(platform, display, code, *more, modifier=LINEAR):
    """The memory of the best plan for a display, and for whoever else has the buffer.

    There is always some, but for what a display does not list or only a driver lays out: then
    the answer names what each could use instead.
    """
    shown = Participant(
        name="content",
        usage=Usage(0),
        sets=(ConstraintSet(formats=(FormatModifier(code, modifier),)),),
    )
    goal = Goal(
        name="scanout",
        participants=(platform.participant(display.name, Usage.SCANOUT),),
        scanout=True,
    )
    problem = platform.problem(
        participants=(shown, *(platform.participant(one.name, Usage.DECODE) for one in more)),
        goals=(goal,),
        extents=Extents(coded=Extent(1920, 1080)),
    )
    answer = solve(problem)
    if not answer.plans:
        assert answer.conflict
        assert all("can use only" in member.text for member in answer.conflict), answer.message
        return "none"
    best = answer.plans[0]
    return ", ".join(platform.source_name(one.source) for one in best.layout.objects)


def answers(platform):
    """For each display, and each codec with the first, the memory that is planned."""
    displays = [d for d in platform.devices if d.kind is DeviceKind.DISPLAY]
    found = {f"{d.driver} scans out": planned(platform, d, XRGB) for d in displays}
    for codec in platform.devices:
        if codec.kind is DeviceKind.DECODER and displays:
            found[f"{codec.driver} at {codec.place.path[-1]}"] = planned(
                platform, displays[0], NV12, codec
            )
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A board under a release as discovery sees it, and what is planned there.

    Releases that show the same are looked at once.
    """
    known = {}

    def found(board, release):
        key = (board.name, board.kind(release))
        if key not in known:
            root = tmp_path_factory.mktemp("board")
            board.build(root, release)
            platform = discovered(root)
            known[key] = platform, answers(platform)
        return known[key]

    return found


@pytest.mark.parametrize("name", BOARDS)
def test_what_is_planned_on_a_board(name, found):
    platform, planned_there = found(Board(name), (6, 12))
    assert platform.notes == ()
    assert planned_there == PLANS["6.12"][name]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: f"{release[0]}.{release[1]}")
@pytest.mark.parametrize("name", BOARDS)
def test_no_release_names_its_heaps_so_that_less_is_known(name, release, found):
    """Under whatever name: the default area is contiguous, open, and one memory."""
    board = Board(name)
    platform, planned_there = found(board, release)
    assert {source.name for source in platform.sources} == set(board.heaps(release))
    areas = [source for source in platform.sources if source.area == board.default]
    assert areas
    for source in areas:
        assert (source.contiguous, source.cached, source.protected) == (True, True, False)
        assert source.capacity == areas[0].capacity is not None
        assert source.overlaps(areas[0])
    names = {source.name for source in areas}
    for what, memory in PLANS["6.12"][name].items():
        assert planned_there[what] in (names if memory == board.default else {memory})


@pytest.mark.parametrize("name", BOARDS)
def test_whatever_a_display_lists_comes_from_the_same_memory(name, found):
    """Each pair of its driver's source, and none but what only a driver lays out from nowhere."""
    platform, planned_there = found(Board(name), (6, 12))
    for display in (one for one in platform.devices if one.kind is DeviceKind.DISPLAY):
        memory = planned_there[f"{display.driver} scans out"]
        pairs = {pair for one in display.sets[Usage.SCANOUT] for pair in one.formats}
        linear = {pair for pair in pairs if pair.modifier == LINEAR}
        assert len(linear) > 1
        for pair in pairs:
            chosen = planned(platform, display, pair.fourcc, modifier=pair.modifier)
            known = class_of(pair) is not None and not class_of(pair).opaque
            assert set(chosen.split(", ")) == {memory if known else "none"}, pair


@pytest.mark.parametrize(
    ("unmapped", "memory"),
    [
        ((), "system"),
        (("ff8f0000.vop",), "reserved"),
        (("ff900000.vop",), "reserved"),
    ],
)
def test_parts_of_a_display_have_an_iommu_together_or_not_at_all(unmapped, memory, tmp_path):
    """rockchip_drm_platform_of_probe: one VOP without, and no VOP's is used."""
    board = Board("rk3399-rock-pi-4b")
    for device in board.devices:
        device["iommu"] &= device["path"].rpartition("/")[2] not in unmapped
    board.build(tmp_path, (6, 12))
    assert answers(discovered(tmp_path))["rockchip-drm scans out"] == memory


def test_every_board_is_expected_and_no_other():
    assert set(PLANS["6.12"]) == set(BOARDS)
