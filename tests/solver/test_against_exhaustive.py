"""Random problems: the solver's answer is that of a solver which tries everything."""

from __future__ import annotations

from dataclasses import replace

from exhaustive import Heeded, Way, every_answer
from hypothesis import event, given, settings, strategies as st
from problem_building import NV12, XRGB, YUV420, ask, heap_id, need, of, pair, part

from heapwire.protocol.explain import solve
from heapwire.protocol.solver import CONTENT, MAX_PLANS
from heapwire.protocol.solver.prepared_participant import STREAM
from heapwire.protocol.values import (
    Answer,
    BufferCount,
    ConflictMember,
    Constraint,
    Content,
    DeviceId,
    Extent,
    Extents,
    FailureReason,
    Goal,
    Place,
    Plan,
    Problem,
    Source,
    SourceId,
    Topology,
    Usage,
)

# Heights that are not in three parts: the oracle lays out no columns, and no superblocks.
COLUMNS = [pair("NV12", f"BROADCOM_SAND128({height})") for height in (0, 95, 1631)]
COMPRESSED = [
    pair("XRGB8888", "INTEL_Y_TILED_GEN12_RC_CCS"),
    pair("NV12", "INTEL_Y_TILED_GEN12_MC_CCS"),
]
PAIRS = [
    *(NV12, XRGB, YUV420, pair("XRGB8888", "ARM_AFBC(64x4)"), pair("QQ4P")),
    *(*COLUMNS, *COMPRESSED),
]
# The last two are drivers', which may know layouts of their own.
SOURCES = [heap_id(n) for n in range(4)] + [SourceId.device(DeviceId(226, n)) for n in (4, 5)]
KIB = 1 << 10
GPU, PEER = DeviceId(226, 4), DeviceId(226, 5)
TOPOLOGIES = [
    Topology(),
    Topology(
        places={GPU: Place(("root", "a"), 0), PEER: Place(("root", "b", "c"), 1)},
        peer_links=frozenset({frozenset({GPU, PEER})}),
    ),
    Topology(places={GPU: Place(("root", "a"), 0), PEER: Place(("root", "a", "b"), 0)}),
]

masks = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 8])
alignments = st.sampled_from([1, 2, 3, 16, 48, 64])


@st.composite
def constraints(draw: st.DrawFn) -> Constraint:
    name = draw(
        st.sampled_from(
            [
                "pitch-alignment", "offset-alignment", "size-alignment", "scanline-alignment",
                "min-pitch", "max-pitch", "min-width", "max-width", "width-alignment", "padding",
                "least-width", "least-height", "scaling",
                "near", "near", "allocation-flags",
                "min-size", "max-size", "contiguous", "address-range", "permitted-sources",
                "permitted-sources", "address-alignment", "dma-width", "max-segments",
                "same-buffer", "same-source", "different-source", "different-source", "protected",
                "pixel-boundary-pitch", "power-of-two-pitch", "exact-pitch",
                "no-snoop", "dirty-lines",
                "no-snoop", "dirty-lines", "no-sync", "tied-pitch", "adjacent-planes",
            ]
        )
    )  # fmt: skip
    planes = [plane for plane in range(4) if draw(masks) >> plane & 1]
    value: object = 1
    if name.endswith("alignment"):
        value = draw(alignments)
    elif name == "min-pitch":
        value = draw(st.integers(1, 300))
    elif name == "max-pitch":
        value = draw(st.integers(40, 2000))
    elif name in ("least-width", "least-height"):
        value = draw(st.integers(1, 25))
    elif name in ("min-width", "max-width"):
        value = draw(st.integers(1, 60))
    elif name == "near":
        value = tuple((one, 1) for one in draw(st.sampled_from([[GPU], [PEER], [GPU, PEER]])))
        planes = []
    elif name == "allocation-flags":
        value, planes = draw(st.integers(1, 3)), []
    elif name == "scaling":
        value = draw(st.sampled_from([(1 << 16, 1 << 16), (1 << 15, 1 << 17), (1, 1 << 16)]))
    elif name == "padding":
        value = draw(st.integers(0, 70))
    elif name == "min-size":
        value = draw(st.integers(1, 9000))
    elif name == "max-size":
        value = draw(st.integers(500, 20000))
    elif name == "address-range":
        value = draw(st.sampled_from([(0, 0xFFFF), (0, 0x1FFFF), (0x8000, 0x1FFFF)]))
    elif name == "dma-width":
        value = draw(st.sampled_from([16, 17, 64]))
        if value == 64:
            value = 32
    elif name == "max-segments":
        value = draw(st.integers(1, 3))
    elif name == "protected":
        value = draw(st.sampled_from([0, 0, 0, 1]))
    elif name == "permitted-sources":
        value = tuple(
            draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=len(SOURCES), unique=True))
        )
    if name in ("same-buffer", "same-source", "different-source"):
        planes = draw(st.sampled_from([[], [0, 1], [0, 1], [1, 2], [0, 2], [2, 3]]))
    return need(name, value, *planes)


@st.composite
def sets(draw: st.DrawFn) -> object:
    formats = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3, unique=True))
    costs = tuple(draw(st.integers(0, 2)) for _ in formats) if draw(st.integers(0, 4)) == 0 else ()
    return of(formats, *draw(st.lists(constraints(), max_size=3)), costs=costs)


@st.composite
def sources(draw: st.DrawFn, minor: int) -> object:
    return Source(
        id=SOURCES[minor],
        name=f"source{minor}",
        rows_only=minor == 4 and draw(st.booleans()),
        contiguous=draw(st.sampled_from([True, False, None])),
        cached=draw(st.sampled_from([True, False, None])),
        protected=draw(st.sampled_from([False, False, False, True])),
        capacity=draw(st.sampled_from([None, None, 32 * KIB, 64 * KIB])),
        alignment=draw(st.sampled_from([4096, 4096, 1 << 14])),
        area=draw(st.sampled_from(["", "", "cma", "pages"])),
        numa_node=draw(st.sampled_from([None, 0, 1])),
        address_range=draw(
            st.sampled_from([None, (0, 0xFFFF), (0x8000, 0xFFFF), (0x10000, 0x1FFFF)])
        ),
    )


@st.composite
def extents(draw: st.DrawFn) -> Extents:
    """A size, and sometimes what it is shown as, which is often the same."""
    size = Extent(draw(st.integers(1, 50)), draw(st.integers(1, 20)))
    other = Extent(draw(st.integers(1, 50)), size.height * draw(st.sampled_from([1, 2])))
    return Extents(coded=size, shown=draw(st.sampled_from([None, size, other])))


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    names = ["ann", "bob", "cat", "dan"][: draw(st.integers(1, 4))]
    everyone = [
        part(name, *draw(st.lists(sets(), min_size=1, max_size=2)), usage=Usage.DECODE)
        for name in names
    ]
    shown = draw(st.integers(0, len(everyone)))
    return ask(
        *everyone[shown:],
        goals=(
            Goal(name="first", participants=tuple(everyone[:shown]), scanout=True),
            *([Goal(name="second")] if shown and shown < len(everyone) else []),
        ),
        sources=tuple(draw(sources(minor)) for minor in range(draw(st.integers(1, len(SOURCES))))),
        extents=draw(extents()),
        topology=draw(st.sampled_from(TOPOLOGIES)),
        content=Content(protected=draw(st.integers(0, 5)) == 0),
        counts=BufferCount(minimum=1, queue=draw(st.integers(0, 2)), hold=1),
    )


def way_of(problem: Problem, plan: Plan) -> Way:
    by_id = {source.id: source for source in problem.sources}
    return Way(
        (plan.fourcc, plan.modifier),
        tuple(by_id[one.source] for one in plan.layout.objects),
        tuple(one.size for one in plan.layout.objects),
        tuple((plane.object, plane.offset, plane.pitch) for plane in plan.layout.planes),
        (plan.layout.extent.width, plan.layout.extent.height),
        plan.layout.constraints,
    )


def ways_of(problem: Problem, answer: Answer) -> dict[str, list[Way]]:
    found: dict[str, list[Way]] = {goal.name: [] for goal in problem.goals}
    for plan in answer.plans:
        found[plan.goal].append(way_of(problem, plan))
    return found


@settings(max_examples=200, deadline=None)
@given(problems())
def test_the_plans_are_those_of_trying_everything_in_the_same_order(problem: Problem) -> None:
    expected = every_answer(problem)
    seen: set[Way] = set()
    best: dict[str, list[Way]] = {}
    for name, ways in expected.items():
        best[name] = [way for way in ways[:MAX_PLANS] if way not in seen]
        seen |= set(best[name])
    answer = solve(problem)
    event(f"plans: {bool(answer.plans)}")
    assert ways_of(problem, answer) == best


@settings(max_examples=100, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_the_answer(problem: Problem, random: object) -> None:
    def shuffled(entries: tuple[object, ...]) -> tuple[object, ...]:
        mixed = list(entries)
        random.shuffle(mixed)
        return tuple(mixed)

    def mixed_participant(one: object) -> object:
        return replace(
            one,
            sets=tuple(
                replace(s, constraints=shuffled(s.constraints))
                if s.costs
                else replace(s, formats=shuffled(s.formats), constraints=shuffled(s.constraints))
                for s in one.sets
            ),
        )

    mixed = replace(
        problem,
        participants=shuffled(tuple(mixed_participant(one) for one in problem.participants)),
        sources=shuffled(problem.sources),
        goals=tuple(
            replace(goal, participants=shuffled(tuple(map(mixed_participant, goal.participants))))
            for goal in problem.goals
        ),
    )
    assert solve(mixed) == solve(problem)


def without(problem: Problem, participant: str, dropped: Constraint) -> Problem:
    def quiet(everyone: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(
            replace(
                one,
                sets=tuple(
                    replace(s, constraints=tuple(c for c in s.constraints if c != dropped))
                    for s in one.sets
                ),
            )
            if one.name == participant
            else one
            for one in everyone
        )

    return replace(
        problem,
        participants=quiet(problem.participants),
        goals=tuple(replace(goal, participants=quiet(goal.participants)) for goal in problem.goals),
    )


def restricted(problem: Problem, kept: set[tuple[str, Constraint | None]]) -> Problem:
    """The last goal, with nothing asked for but what is kept."""
    bare = replace(problem, goals=problem.goals[-1:])
    for one in [*bare.participants, *bare.goals[0].participants]:
        for dropped in {c for s in one.sets for c in s.constraints}:
            if (one.name, dropped) not in kept:
                bare = without(bare, one.name, dropped)
    return bare


def can_be_met(problem: Problem, members: tuple[ConflictMember, ...]) -> bool:
    """Whether trying everything finds a way to meet these requirements and no others."""
    kept = {(member.participant, member.constraint) for member in members}
    names = {name for name, _ in kept}
    heeded = Heeded(content=CONTENT in names, stream=STREAM in names)
    bare = restricted(problem, kept)
    return any(every_answer(bare, heeded)[bare.goals[0].name])


@settings(max_examples=200, deadline=None)
@given(problems())
def test_a_conflict_cannot_be_met_and_without_any_member_it_can(problem: Problem) -> None:
    answer = solve(problem)
    if answer.reason is not FailureReason.CONFLICT:
        return
    event(f"conflict of {len(answer.conflict)}")
    assert not can_be_met(problem, answer.conflict)
    for dropped in answer.conflict:
        rest = tuple(member for member in answer.conflict if member is not dropped)
        assert can_be_met(problem, rest), dropped.text


def test_the_exhaustive_solver_finds_what_is_plain() -> None:
    ways = every_answer(ask(part("ann", of(XRGB)), size=(16, 16)))["scanout"]
    assert [(way.sources[0].name, way.planes) for way in ways] == [
        ("system", ((0, 0, 64),)),
        ("cma", ((0, 0, 64),)),
    ]
