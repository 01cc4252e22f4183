"""xx-dmabuf-allocation-v1: dma-bufs that the compositor allocates, all of a buffer or none."""

from __future__ import annotations

import os
from functools import partial

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.layout_rows import (
    ROWS,
    SIZE,
    LayoutRow,
    packed_object,
    packed_plane,
)
from heapwire.client_lib.compliance.probe import XRGB, Probe
from heapwire.client_lib.compliance.sources_batch import Numbers, announced_numbers
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.wire_connection import WireEvent, WireObject
from heapwire.protocol.wire import whole

GROUP = CaseGroup("allocation")
MANAGER = "xx_dmabuf_allocation_manager_v1"
ALLOCATION = "xx_dmabuf_allocation_v1"

_MANAGERS, _ALLOCATIONS = 16, 1024
_NOWHERE = (0, 99, 99)  # a heap that nobody has announced
_REASONS = 4


def _expect(holds: object, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)


def _asked(probe: Probe, manager: WireObject, row: LayoutRow) -> WireObject:
    made = probe.connection.new(ALLOCATION)
    probe.connection.request(manager, "allocate", made, *row.arguments)
    return made


def _row(*sources: Numbers) -> LayoutRow:
    """A buffer of an object from each source."""
    return LayoutRow(
        name="",
        says="",
        fourcc=XRGB,
        objects=b"".join(packed_object(source) for source in sources),
        planes=b"".join(packed_plane(index) for index in range(len(sources))),
    )


def _sources(probe: Probe, manager: WireObject) -> list[Numbers]:
    probe.expect_alive("bind")
    return sorted(announced_numbers(probe.connection.of(manager)))


def _answer(probe: Probe, allocation: WireObject) -> list[WireEvent]:
    """All that an allocation was told, once it was told the end of it."""
    connection = probe.connection
    if not connection.wait(
        lambda: connection.of(allocation, "done", "failed"), "answer to allocate"
    ):
        raise DeviationError(expected="done or failed", seen=probe.ending())
    probe.expect_alive("allocate")
    told = connection.of(allocation)
    end = next(place for place, event in enumerate(told) if event.name != "object")
    _expect(end == len(told) - 1, "nothing after done or failed", told[-1].name)
    if told[end].name == "failed":
        _expect(end == 0, "all objects or none", f"{end} and then failed")
        reason = told[end].number(0)
        _expect(reason < _REASONS, "a reason of the enum", f"{reason}")
    return told


def _check_objects(told: list[WireEvent], sizes: list[int]) -> None:
    objects = told[:-1]
    _expect(len(objects) == len(sizes), f"{len(sizes)} objects", f"{len(objects)}")
    for event, least in zip(objects, sizes, strict=True):
        size = whole(event.number(1), event.number(2))
        _expect(size >= least, f"{least} bytes at the least", f"{size}")
        there = os.lseek(event.number(0), 0, os.SEEK_END)
        _expect(there >= size, f"memory of {size} bytes", f"{there} bytes")


@GROUP.case("announced")
def announced(probe: Probe) -> None:
    """After the bind come a source event for each source, and then done."""
    manager = probe.bind(MANAGER, 1)
    _sources(probe, manager)
    told = probe.connection.of(manager)
    _expect(told and told[-1].name == "done", "done after the sources", "none")


@GROUP.case("managers-17")
def managers_17(probe: Probe) -> None:
    """A client that has 16 managers and binds another ends with wl_display.no_memory."""
    probe.bind_many(MANAGER, _MANAGERS)


def _run(row: LayoutRow, probe: Probe) -> None:
    manager = probe.bind(MANAGER, 1)
    allocation = _asked(probe, manager, row)
    if row.error:
        probe.expect_error(MANAGER, row.error)
    else:
        _answer(probe, allocation)


for _layout in ROWS:
    GROUP.add(f"layout-{_layout.name}", _layout.says, partial(_run, _layout))


@GROUP.case("each-source")
def each_source(probe: Probe) -> None:
    """From a source that was announced come the objects and done, or failed."""
    manager = probe.bind(MANAGER, 1)
    for source in _some_sources(probe, manager):
        told = _answer(probe, _asked(probe, manager, _row(source)))
        if told[-1].name == "done":
            _check_objects(told, [SIZE])


@GROUP.case("two-objects")
def two_objects(probe: Probe) -> None:
    """The objects come in the order of the request, each as large as was asked for."""
    manager = probe.bind(MANAGER, 1)
    source = _some_sources(probe, manager)[0]
    row = LayoutRow(
        name="",
        says="",
        objects=packed_object(source, 4 * SIZE) + packed_object(source),
        planes=packed_plane() + packed_plane(1),
    )
    told = _answer(probe, _asked(probe, manager, row))
    if told[-1].name == "failed":
        raise SkippedCaseError("the compositor does not allocate such a buffer")
    _check_objects(told, [4 * SIZE, SIZE])
    first, second = (os.fstat(event.number(0)).st_ino for event in told[:-1])
    _expect(first != second, "an object of its own for each", "the same one twice")


@GROUP.case("all-or-none")
def all_or_none(probe: Probe) -> None:
    """All objects of a buffer are allocated, or none."""
    manager = probe.bind(MANAGER, 1)
    source = _some_sources(probe, manager)[0]
    told = _answer(probe, _asked(probe, manager, _row(source, _NOWHERE)))
    _expect(told[-1].name == "failed", "failed: a source is not there", told[-1].name)


@GROUP.case("cancelled")
def cancelled(probe: Probe) -> None:
    """An allocation that has not been answered is cancelled when it is destroyed."""
    manager = probe.bind(MANAGER, 1)
    source = _some_sources(probe, manager)[0]
    for _ in range(8):
        allocation = _asked(probe, manager, _row(source))
        probe.connection.request(allocation, "destroy")
    _answer(probe, _asked(probe, manager, _row(source)))


@GROUP.case("destroyed-manager")
def destroyed_manager(probe: Probe) -> None:
    """Allocations are not affected when the manager is destroyed."""
    manager = probe.bind(MANAGER, 1)
    source = _some_sources(probe, manager)[0]
    with probe.connection.at_once():
        allocation = _asked(probe, manager, _row(source))
        probe.connection.request(manager, "destroy")
    _answer(probe, allocation)


@GROUP.case("kept")
def kept(probe: Probe) -> None:
    """dma-bufs that were sent stay the client's when the object is destroyed."""
    manager = probe.bind(MANAGER, 1)
    source = _some_sources(probe, manager)[0]
    allocation = _asked(probe, manager, _row(source))
    told = _answer(probe, allocation)
    probe.connection.request(allocation, "destroy")
    probe.expect_alive("destroy")
    if told[-1].name == "done":
        _check_objects(told, [SIZE])


@GROUP.case("allocations-1025")
def allocations_1025(probe: Probe) -> None:
    """More than 1024 allocations that were not destroyed raise too_many, whatever came of them."""
    manager = probe.bind(MANAGER, 1)
    row = _row(_NOWHERE)
    probe.make_many(MANAGER, lambda: _asked(probe, manager, row), _ALLOCATIONS)


def _some_sources(probe: Probe, manager: WireObject) -> list[Numbers]:
    sources = _sources(probe, manager)
    if not sources:
        raise SkippedCaseError("the compositor announces no source to allocate from")
    return sources
