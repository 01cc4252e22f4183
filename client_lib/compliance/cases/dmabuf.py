"""The global of linux-dmabuf: what it says when it is bound, and what outlives it."""

from __future__ import annotations

from collections import Counter

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import CREATED, FAILED, HEIGHT, PITCH, XRGB, Plane, Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.protocol.wire import DmabufVersion

GROUP = CaseGroup("dmabuf")


def _told(probe: Probe, version: int, name: str) -> list[tuple[object, ...]]:
    dmabuf = probe.dmabuf(version)
    probe.expect_alive("bind")
    told = [event.arguments for event in probe.connection.of(dmabuf, name)]
    twice = [values for values, count in Counter(told).items() if count > 1]
    if twice:
        raise DeviationError(expected=f"each {name} once", seen=f"{twice[0]} twice")
    return [tuple(values) for values in told]


@GROUP.case_in("formats", (1, 2))
def formats(probe: Probe, version: int) -> None:
    """All supported formats are advertised once when the global is bound, and no modifiers."""
    if not _told(probe, version, "format"):
        raise DeviationError(expected="format events", seen="none")
    if _told(probe, version, "modifier"):
        raise DeviationError(expected="no modifier events before version 3", seen="some")


@GROUP.case_in("modifiers", (DmabufVersion.MODIFIERS,))
def modifiers(probe: Probe, version: int) -> None:
    """All supported modifiers are advertised once when the global is bound."""
    if not _told(probe, version, "modifier"):
        raise DeviationError(expected="modifier events", seen="none")


@GROUP.case_in("silent", (4, 5, 6))
def silent(probe: Probe, version: int) -> None:
    """From version 4 on the format and modifier events must not be sent."""
    for name in ("format", "modifier"):
        if _told(probe, version, name):
            raise DeviationError(expected=f"no {name} event", seen=f"{name} events")


@GROUP.case_in("destroyed-global", (3, 4, 5, 6))
def destroyed_global(probe: Probe, version: int) -> None:
    """Objects made with the global stay valid when it is destroyed."""
    modifier = probe.modifier(version, XRGB)
    params = probe.params(version)
    probe.connection.request(probe.dmabuf(version), "destroy")
    probe.add(params, Plane(probe.buffers.anything(PITCH * HEIGHT), modifier=modifier))
    probe.create(params)
    probe.expect(probe.answer(params), (CREATED, FAILED))


@GROUP.case("newer-request/v3")
def newer_request(probe: Probe) -> None:
    """A request that came with a later version is an error on an object of an earlier one."""
    probe.feedback(3)
    probe.expect_error("wl_display", "invalid_method")
