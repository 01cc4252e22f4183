"""presentation-time: by its flag a player knows where nothing else tells that it is scanned out."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.client_lib.compliance.wire_connection import WireEvent, WireObject

GROUP = CaseGroup("presentation")

VERSION = 3  # of linux-dmabuf, whose buffers have to be supported in any version
_REFRESH = 3  # the argument of `presented` that the versions tell differently


def _asked(probe: Probe, window: ProbeWindow, version: int) -> WireObject:
    """What is to become of the next frame, in the words of a version."""
    presentation = probe.bind("wp_presentation", version)
    made = probe.connection.new("wp_presentation_feedback")
    probe.connection.request(presentation, "feedback", window.surface, made)
    return made


def _told(probe: Probe, feedback: WireObject) -> WireEvent:
    connection = probe.connection
    if not connection.wait(
        lambda: connection.of(feedback, "presented", "discarded"), "wp_presentation_feedback"
    ):
        raise DeviationError(expected="presented", seen=probe.ending())
    return connection.of(feedback, "presented", "discarded")[0]


@GROUP.case("versions")
def versions(probe: Probe) -> None:
    """Version 1 tells of a frame what version 2 does, but 0 where the refresh is not constant."""
    window = ProbeWindow(probe)
    asked = [_asked(probe, window, version) for version in (2, 1)]
    window.show(probe.xrgb(VERSION))
    newer, older = (_told(probe, feedback) for feedback in asked)
    wanted = newer.arguments
    if older.name == "presented" and older.number(_REFRESH) == 0:
        wanted = (*wanted[:_REFRESH], 0, *wanted[_REFRESH + 1 :])
    if (older.name, older.arguments) != (newer.name, wanted):
        raise DeviationError(
            expected=f"{newer.name} {wanted}, as version 2 tells",
            seen=f"{older.name} {older.arguments} in version 1",
        )
