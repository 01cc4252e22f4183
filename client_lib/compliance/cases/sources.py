"""xx-dmabuf-sources-v1: the sources of memory, and what they have to do with feedback."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.feedback_batch import SentBatch
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.sources_batch import (
    LAST,
    NEXT,
    ToldBatch,
    announced,
    told_batches,
)
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.window import ProbeWindow
from heapwire.client_lib.compliance.wire_connection import WireObject
from heapwire.client_lib.errors import NoAnswerError

GROUP = CaseGroup("sources")
SOURCES = "xx_dmabuf_sources_v1"
EXTENSION = "xx_dmabuf_feedback_sources_v1"
ALL = (4, 5, 6)


def _manager(probe: Probe) -> WireObject:
    return probe.bind(SOURCES, 1)


def _extended(probe: Probe, manager: WireObject, feedback: WireObject) -> WireObject:
    made = probe.connection.new(EXTENSION)
    probe.connection.request(manager, "extend_feedback", made, feedback)
    return made


@GROUP.case("announced")
def announced_sources(probe: Probe) -> None:
    """When the global is bound, a source event for each source is sent, and then done."""
    manager = _manager(probe)
    probe.expect_alive("bind")
    told = probe.connection.of(manager)
    if not told or told[-1].name != "done":
        raise DeviationError(expected="done after the sources", seen="none")
    announced(told)


@GROUP.case_in("extend-at-once", ALL)
def extend_at_once(probe: Probe, version: int) -> None:
    """An object that is made together with the feedback object tells of its first batch."""
    manager = _manager(probe)
    feedback = probe.feedback(version)
    _check(probe, manager, feedback, _extended(probe, manager, feedback))


@GROUP.case_in("extend-later", ALL)
def extend_later(probe: Probe, version: int) -> None:
    """An object that is made later tells at once of the batch that was sent last."""
    manager = _manager(probe)
    feedback = probe.feedback(version)
    probe.batches(feedback)
    told = _check(probe, manager, feedback, _extended(probe, manager, feedback))
    if told[0].batch != LAST:
        raise DeviationError(expected="done with the batch last", seen="next")


@GROUP.case_in("extend-surface", ALL)
def extend_surface(probe: Probe, version: int) -> None:
    """The same for a surface, whose window is then shown."""
    manager = _manager(probe)
    window = ProbeWindow(probe)
    feedback = probe.feedback(version, window.surface)
    extension = _extended(probe, manager, feedback)
    probe.batches(feedback)
    window.present(probe.xrgb(version))
    _check(probe, manager, feedback, extension)


@GROUP.case_in("extend-changes", ALL)
def extend_changes(probe: Probe, version: int) -> None:
    """Each batch that comes later, as a window becomes fullscreen and back, is told of in time."""
    manager = _manager(probe)
    window = ProbeWindow(probe)
    window.be_fullscreen(True)
    window.present(_picture(probe, version, window))
    feedback = probe.feedback(version, window.surface)
    probe.batches(feedback)
    extension = _extended(probe, manager, feedback)
    probe.expect_alive("extend_feedback")
    connection = probe.connection
    for fullscreen in (False, True):
        window.be_fullscreen(fullscreen)
        window.present(_picture(probe, version, window))
    try:
        connection.wait(lambda: len(connection.of(feedback, "done")) > 1, "second batch")
    except NoAnswerError:
        raise SkippedCaseError("no second batch comes when a window is fullscreen or not") from None
    _check(probe, manager, feedback, extension)


def _picture(probe: Probe, version: int, window: ProbeWindow) -> WireObject:
    """A buffer as large as a window is to be: a dma-buf where one is taken."""
    try:
        return probe.xrgb(version, size=window.size)
    except SkippedCaseError:
        return probe.shared(window.size)


@GROUP.case_in("extend-twice", ALL)
def extend_twice(probe: Probe, version: int) -> None:
    """Several objects may be made for one feedback object, and are told the same."""
    manager = _manager(probe)
    feedback = probe.feedback(version)
    extensions = [_extended(probe, manager, feedback) for _ in range(2)]
    first, second = (_check(probe, manager, feedback, one) for one in extensions)
    if first[-1].tranches != second[-1].tranches:
        raise DeviationError(expected="the same for both", seen="something else for the second")


@GROUP.case_in("destroyed-feedback", ALL)
def destroyed_feedback(probe: Probe, version: int) -> None:
    """When the feedback object is destroyed nothing more is sent, and the rest goes on."""
    manager = _manager(probe)
    feedback = probe.feedback(version)
    extension = _extended(probe, manager, feedback)
    probe.batches(feedback)
    probe.connection.request(feedback, "destroy")
    probe.expect_alive("destroy of the feedback object")
    told = len(probe.connection.of(extension))
    probe.expect_alive("destroy of the feedback object")
    if len(probe.connection.of(extension)) > told:
        raise DeviationError(expected="nothing more", seen="events")
    probe.connection.request(extension, "destroy")
    probe.expect_alive("destroy of the extension")


@GROUP.case_in("destroyed-extension", ALL)
def destroyed_extension(probe: Probe, version: int) -> None:
    """The feedback object stays when its extension is destroyed, and so do others."""
    manager = _manager(probe)
    feedback = probe.feedback(version)
    first, second = (_extended(probe, manager, feedback) for _ in range(2))
    probe.connection.request(first, "destroy")
    probe.connection.request(manager, "destroy")
    probe.batches(feedback)
    probe.expect_alive("destroy")
    _check(probe, manager, feedback, second)


def _check(
    probe: Probe, manager: WireObject, feedback: WireObject, extension: WireObject
) -> list[ToldBatch]:
    """Fail unless each batch that was told of is one of the feedback object's, and in its place."""
    sent = probe.batches(feedback)
    probe.expect_alive("extend_feedback")
    connection = probe.connection
    told = told_batches(connection.of(extension))
    if not told:
        raise DeviationError(expected="the batch told of", seen="nothing")
    sources = announced(connection.of(manager))
    over = told_at = 0  # batches of the feedback object that are done; batches told of
    in_time = False  # the batch that is to come has been told of
    for event in connection.events:
        if event.name != "done":
            continue
        if event.object == feedback.id:
            over += 1
            if told_at and not in_time:
                raise DeviationError(
                    expected="each batch told of before its done event, once one was",
                    seen=f"nothing of batch {over}",
                )
            in_time = False
        elif event.object == extension.id:
            batch = told[told_at]
            told_at += 1
            in_time = in_time or batch.batch == NEXT
            place = over - 1 if batch.batch == LAST else over
            if not 0 <= place < len(sent):
                raise DeviationError(
                    expected="a batch before its done event", seen=f"done for batch {place + 1}"
                )
            _compare(batch, sent[place], sources)
    return told


def _compare(told: ToldBatch, sent: SentBatch, sources: dict[tuple[int, int, int], str]) -> None:
    if len(told.tranches) != len(sent.tranches):
        raise DeviationError(
            expected=f"{len(sent.tranches)} tranches, as the batch has",
            seen=f"{len(told.tranches)}",
        )
    for described, tranche in zip(told.tranches, sent.tranches, strict=True):
        strange = next((one for one in described.sources if one not in sources), None)
        if strange is not None:
            raise DeviationError(expected="sources that were announced", seen=f"{strange}")
        named = {index for indices, _ in described.sets for index in indices}
        beyond = sorted(named - set(tranche.indices))
        if beyond:
            raise DeviationError(
                expected="indices of the tranche's own pairs", seen=f"the index {beyond[0]}"
            )
