"""xx-dmabuf-buffer-status-v1: what a client is told of its buffers, and what it may not be."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.client_lib.compliance.wire_connection import WireObject

GROUP = CaseGroup("status")
MANAGER = "xx_dmabuf_buffer_status_manager_v1"
STATUS = "xx_dmabuf_buffer_status_v1"

VERSION = 3  # of linux-dmabuf, which all compositors have
_MANAGERS, _STATUSES = 16, 1024
_SCANOUT, _COMPOSITED = 0, 1
_NONE, _UNKNOWN = 0, 9  # reasons


def _expect(holds: object, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)


def _asked(probe: Probe, manager: WireObject, buffer: WireObject) -> WireObject:
    made = probe.connection.new(STATUS)
    probe.connection.request(manager, "get_buffer_status", made, buffer)
    return made


def _told(probe: Probe, status: WireObject) -> list[tuple[int, int]]:
    """What an object was told, in order; `DeviationError` for what may not be told."""
    told: list[tuple[int, int]] = []
    for event in probe.connection.of(status):
        result, reason = event.number(0), event.number(1)
        _expect(result in (_SCANOUT, _COMPOSITED), "a result of the enum", f"{result}")
        _expect(reason <= _UNKNOWN, "a reason of the enum", f"{reason}")
        _expect(
            (result == _SCANOUT) == (reason == _NONE),
            "a reason where it is not scanned out, and else none",
            f"result {result}, reason {reason}",
        )
        _expect(told[-1:] != [(result, reason)], "only what has changed", "the same again")
        told.append((result, reason))
    return told


def _shown(probe: Probe, window: ProbeWindow, buffer: WireObject) -> None:
    """Show a buffer in two frames: what became of it in the first is told by the second."""
    for _ in range(2):
        window.present(buffer)


@GROUP.case("shown")
def shown(probe: Probe) -> None:
    """What becomes of a buffer is told when it is shown, and then when that changes."""
    manager = probe.bind(MANAGER, 1)
    window, buffer = ProbeWindow(probe), probe.xrgb(VERSION)
    status = _asked(probe, manager, buffer)
    probe.expect_alive("get_buffer_status")
    _expect(not _told(probe, status), "nothing before the buffer is shown", "shown")
    _shown(probe, window, buffer)
    probe.expect_alive("a frame")
    _told(probe, status)


@GROUP.case("second")
def second(probe: Probe) -> None:
    """If what becomes of the buffer was told through another object, one is told at once."""
    manager = probe.bind(MANAGER, 1)
    window, buffer = ProbeWindow(probe), probe.xrgb(VERSION)
    first = _asked(probe, manager, buffer)
    _shown(probe, window, buffer)
    probe.expect_alive("a frame")
    known = _told(probe, first)
    if not known:
        raise SkippedCaseError("the compositor does not tell what became of the buffer")
    later = _asked(probe, manager, buffer)
    probe.expect_alive("get_buffer_status")
    both = _told(probe, first)[-1:], _told(probe, later)[-1:]
    _expect(both[1], "shown, at once", "nothing")
    _expect(both[0] == both[1], "the same for both", f"{both[0]} and {both[1]}")


@GROUP.case("destroyed-buffer")
def destroyed_buffer(probe: Probe) -> None:
    """If the buffer is destroyed before the object, nothing more is sent."""
    manager = probe.bind(MANAGER, 1)
    window, buffers = ProbeWindow(probe), [probe.xrgb(VERSION) for _ in range(2)]
    status = _asked(probe, manager, buffers[0])
    window.present(buffers[0])
    probe.connection.request(buffers[0], "destroy")
    probe.expect_alive("wl_buffer.destroy")
    told = len(_told(probe, status))
    _shown(probe, window, buffers[1])
    _expect(len(_told(probe, status)) == told, "nothing more", "shown")
    probe.connection.request(status, "destroy")
    probe.expect_alive("destroy")


@GROUP.case("destroyed-status")
def destroyed_status(probe: Probe) -> None:
    """The buffer is not affected when an object is destroyed, nor is another object."""
    manager = probe.bind(MANAGER, 1)
    window, buffer = ProbeWindow(probe), probe.xrgb(VERSION)
    gone, kept = (_asked(probe, manager, buffer) for _ in range(2))
    probe.connection.request(gone, "destroy")
    probe.connection.request(manager, "destroy")
    _shown(probe, window, buffer)
    probe.expect_alive("a frame")
    _expect(not _told(probe, gone), "nothing for an object that is destroyed", "shown")
    _told(probe, kept)


@GROUP.case("managers-17")
def managers_17(probe: Probe) -> None:
    """A client that has 16 managers and binds another ends with wl_display.no_memory."""
    probe.bind_many(MANAGER, _MANAGERS)


@GROUP.case("statuses-1025")
def statuses_1025(probe: Probe) -> None:
    """A client that would have more than 1024 objects ends with too_many."""
    manager, buffer = probe.bind(MANAGER, 1), probe.xrgb(VERSION)
    probe.make_many(MANAGER, lambda: _asked(probe, manager, buffer), _STATUSES)
