"""Memory that is near is liked; memory that is far will do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problem_building import XRGB, ask, device_source, display, heap, need, of, pair, part

from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    DeviceId,
    LayoutKind,
    Place,
    Source,
    Topology,
)

GPU, PEER, OTHER = DeviceId(226, 0), DeviceId(226, 1), DeviceId(226, 2)
NODES = (heap("node0", 0, numa_node=0), heap("node1", 1, numa_node=1))
VRAM = tuple(
    heap(f"vram{number}", 4 + number, device_local=device)
    for number, device in enumerate((GPU, PEER, OTHER))
)
TOPOLOGY = Topology(
    places={
        GPU: Place(("root", "bridge", "slot"), 1),
        PEER: Place(("root", "far", "bridge", "slot"), 0),
        OTHER: Place(("root", "bridge", "port"), 1),
    },
    peer_links=frozenset({frozenset({GPU, PEER})}),
)
NEAR_GPU = need("near", ((GPU, 1),))


def chosen(*sources: Source, needs=(NEAR_GPU,)) -> list[str]:
    """The names of the sources that are planned for, best first."""
    asked = ask(part("gpu", of(XRGB, *needs)), sources=sources, topology=TOPOLOGY)
    names = {source.id: source.name for source in sources}
    return [names[plan.layout.objects[0].source] for plan in solve(asked).plans]


def test_its_own_comes_first_then_that_of_a_linked_peer_then_by_hops_and_node() -> None:
    everything = (*NODES, *VRAM)
    # A peer over the link is nearer than a neighbour on the bus, and that than the root.
    expected = ["vram0", "vram1", "vram2", "node1", "node0"]
    assert chosen(*everything) == expected
    assert chosen(*reversed(everything)) == expected
    assert chosen(*everything, needs=()) != expected


def test_what_is_near_is_no_requirement() -> None:
    assert chosen(NODES[0]) == ["node0"]
    nowhere = need("near", ((DeviceId(9, 9), 1),))
    assert set(chosen(*NODES, needs=(nowhere,))) == {"node0", "node1"}


def test_what_is_required_goes_before_what_is_near() -> None:
    far = need("permitted-sources", (NODES[0].id,))
    assert chosen(*NODES, *VRAM, needs=(NEAR_GPU, far)) == ["node0"]


def test_what_is_near_to_two_is_between_them() -> None:
    both = (NEAR_GPU, need("near", ((OTHER, 1),)))
    assert chosen(*NODES, *VRAM, needs=both)[0] in ("vram0", "vram2")
    assert chosen(NODES[1], VRAM[1], needs=(need("near", ((OTHER, 1),)),)) == ["node1", "vram1"]


def test_it_is_told_who_likes_what_is_near() -> None:
    asked = ask(part("gpu", of(XRGB, NEAR_GPU)), sources=NODES, topology=TOPOLOGY)
    (plan,) = (plan for plan in solve(asked).plans if plan.layout.objects[0].source == NODES[1].id)
    told = [reason.text for reason in plan.reasons if reason.subject == "source"]
    assert any("near" in text for text in told), told


class TestAllocationFlags:
    """A device that allocates is told what for; heaps are not."""

    DEVICE = device_source("gpu", GPU, contiguous=True)
    SCANOUT, PROTECTED = 1, 2
    TILES = pair("XRGB8888", "INTEL_Y_TILED_GEN12_RC_CCS")

    def told(self, what, source: Source, *masks: int):
        shown = display(of(what, *(need("allocation-flags", mask) for mask in masks)))
        asked = ask(part("gpu", of(what)), shown=(shown,), sources=(source,))
        (plan,) = solve(asked).plans
        flags = need("allocation-flags").type
        told = [one.value for one in plan.layout.constraints if one.type == flags]
        return plan.layout.kind, told

    @pytest.mark.parametrize(
        ("what", "kind"), [(TILES, LayoutKind.ALLOCATOR), (XRGB, LayoutKind.EXACT)]
    )
    def test_all_that_anyone_asks_for_is_told(self, what, kind) -> None:
        told = self.told(what, self.DEVICE, self.SCANOUT, self.PROTECTED)
        assert told == (kind, [self.SCANOUT | self.PROTECTED])
        assert self.told(what, self.DEVICE)[1] == []

    def test_a_heap_is_not_told(self) -> None:
        assert self.told(XRGB, NODES[0], self.SCANOUT) == (LayoutKind.EXACT, [])

    def test_a_display_that_allocates_rows_does_it_for_scanout_alone(self) -> None:
        dumb = replace(self.DEVICE, rows_only=True)
        assert self.told(XRGB, dumb, self.SCANOUT)[0] is LayoutKind.EXACT
        asked = ask(
            part("gpu", of(XRGB, need("allocation-flags", self.PROTECTED))), sources=(dumb,)
        )
        answer = solve(asked)
        assert not answer.plans
        assert [member.text for member in answer.conflict] == [
            "gpu needs memory that is allocated for protected; no source is"
        ]
