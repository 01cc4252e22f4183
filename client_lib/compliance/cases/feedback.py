"""Feedback objects, from version 4 on: what a batch consists of, and when one comes."""

from __future__ import annotations

import os
from itertools import pairwise

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.feedback_batch import check_pairs, table_can_be_changed
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.client_lib.compliance.wire_connection import WireObject
from heapwire.kernel.discovery import same_device
from heapwire.protocol.wire import decode_device

GROUP = CaseGroup("feedback")
ALL = (4, 5, 6)
WITH_MAIN_DEVICE = (4, 5)


def _surface(probe: Probe) -> WireObject:
    compositor = probe.bind("wl_compositor", 1)
    surface = probe.connection.new("wl_surface")
    probe.connection.request(compositor, "create_surface", surface)
    return surface


@GROUP.case_in("default", ALL)
def default(probe: Probe, version: int) -> None:
    """A whole batch is sent when the object is created, as the text describes it."""
    probe.batches(probe.feedback(version))


@GROUP.case_in("surface", ALL)
def surface(probe: Probe, version: int) -> None:
    """The same for a surface."""
    probe.batches(probe.feedback(version, _surface(probe)))


@GROUP.case_in("pairs-once", ALL)
def pairs_once(probe: Probe, version: int) -> None:
    """A pair is not repeated among tranches of one device and one set of flags."""
    for surface in (None, _surface(probe)):
        for batch in probe.batches(probe.feedback(version, surface)):
            check_pairs(batch)


@GROUP.case_in("main-device-tranche", WITH_MAIN_DEVICE)
def main_device_tranche(probe: Probe, version: int) -> None:
    """At least one tranche has a target device that is the main device."""
    batch = probe.batches(probe.feedback(version))[0]
    main = batch.main_device or b""
    if not any(_are_same(one.device or b"", main) for one in batch.tranches):
        devices = ", ".join(_spelled(one.device or b"") for one in batch.tranches)
        raise DeviationError(
            expected=f"a tranche for the main device {_spelled(main)}",
            seen=f"tranches for {devices}",
        )


@GROUP.case_in("table-unchangeable", ALL)
def table_unchangeable(probe: Probe, version: int) -> None:
    """The contents of a table that was sent do not change: no client can do it to another."""
    feedbacks = [probe.feedback(version), probe.feedback(version)]
    for feedback in feedbacks:
        probe.batches(feedback)
    files = [probe.connection.of(one, "format_table")[0].number(0) for one in feedbacks]
    first, second = (os.fstat(file) for file in files)
    shared = (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
    if shared and table_can_be_changed(files[0]):
        raise DeviationError(
            expected="a table that is read-only, sealed, or each object's own",
            seen="one file for all, which each client can write to",
        )


@GROUP.case_in("alike", ALL)
def alike(probe: Probe, version: int) -> None:
    """Two feedback objects that are tied to no surface are sent the same."""
    first, second = (probe.batches(probe.feedback(version))[-1] for _ in range(2))
    if first.parameters() != second.parameters():
        raise DeviationError(expected="the same parameters", seen="others for the second object")


@GROUP.case_in("destroy", ALL)
def destroy(probe: Probe, version: int) -> None:
    """A feedback object may be destroyed at any time, and others stay."""
    first, second = probe.feedback(version), probe.feedback(version)
    probe.connection.request(first, "destroy")
    probe.batches(second)
    probe.expect_alive("destroy")


@GROUP.case_in("destroyed-surface", ALL)
def destroyed_surface(probe: Probe, version: int) -> None:
    """When its surface is destroyed the object becomes inert, and can still be destroyed."""
    tied = _surface(probe)
    feedback = probe.feedback(version, tied)
    probe.batches(feedback)
    probe.connection.request(tied, "destroy")
    probe.expect_alive("wl_surface.destroy")
    told = len(probe.connection.of(feedback))
    probe.expect_alive("wl_surface.destroy")
    if len(probe.connection.of(feedback)) > told:
        raise DeviationError(expected="nothing more for a surface that is gone", seen="events")
    probe.connection.request(feedback, "destroy")
    probe.expect_alive("destroy")


@GROUP.case_in("not-repeated", ALL)
def not_repeated(probe: Probe, version: int) -> None:
    """The exact same parameters are not sent several times in a row."""
    window = ProbeWindow(probe)
    feedback = probe.feedback(version, window.surface)
    probe.batches(feedback)
    for _ in range(2):
        window.present(probe.xrgb(version))
    sent = probe.batches(feedback)
    for one, next_ in pairwise(sent):
        if one.parameters() == next_.parameters():
            raise DeviationError(expected="a batch only when something changes", seen="it repeated")


def _are_same(one: bytes, other: bytes) -> bool:
    """Whether two numbers are of one device; they may be of several nodes of it."""
    if one == other:
        return True
    first, second = decode_device(one), decode_device(other)
    return first is not None and second is not None and same_device(first, second)


def _spelled(raw: bytes) -> str:
    return str(decode_device(raw) or "0:0")
