"""What answers a client is run before there is one: what runs first takes several times as long."""

from __future__ import annotations

import math

from heapwire.compositor_plugin.answering import SolverCall, tried
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.broker import Broker
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    BY_NAME,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Plan,
    Problem,
    Source,
    SourceId,
    SourceKind,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Batch, Explanation, Inquiry, batch_events

_NV12 = FormatModifier(parse_fourcc("NV12"), LINEAR)
_GOAL = Goal(name="any", participants=(), scanout=False)
_HEAP = Source(id=SourceId(SourceKind.HEAP, 0, 1), name="system")
_EXTENTS = Extents(coded=Extent(640, 480))
# Two that agree, and three whose pitches have no common multiple that is small enough.
_AGREEING, _CONTRADICTING = (64, 128), (528, 1456, 1360)


def rehearse(platform: Platform) -> None:
    """Have a plan and a conflict found once, in some 10 ms, on nobody's loop yet.

    What a slice would else load and meet for the first time: the modules, what a platform works
    out when it is first looked at, and instructions that Python makes faster once it has seen
    what they are given (PEP 659). Before that a first plan takes 4 to 6 ms on the loop.

    First of a machine that is always the same, so that both are found whatever `platform` is;
    then of that one, as a client is told of it now and when the machine has changed.
    """
    for alignments in (_AGREEING, _CONTRADICTING):
        tried(SolverCall(_problem(alignments), explained=True), None, math.inf)
    broker = Broker(platform)  # of its own: the plugin's keeps what clients ask
    for alignments in (_AGREEING, _CONTRADICTING):
        for explanation in (Explanation.NONE, Explanation.ALL):
            batch = _asked(broker, alignments, explanation)
            if batch is not None and batch.offers:
                _asked(broker, alignments, explanation, batch.offers[0].plan)


def _asked(
    broker: Broker,
    alignments: tuple[int, ...],
    explanation: Explanation,
    keep: Plan | None = None,
) -> Batch | None:
    """What a client would be told; None where no slice would find that out."""
    inquiry = Inquiry(
        participants=tuple(enumerate(_participants(alignments))),
        extents=_EXTENTS,
        explanation=explanation,
    )
    work = broker.answering(BatchQuestion(inquiry, None, frozenset([_NV12])), keep=keep)
    try:
        call = next(work)
        while (answer := tried(call, broker.memory, math.inf)) is not None:
            call = work.send(answer)
    except StopIteration as end:
        batch: Batch = end.value.content
        batch_events(batch, explanation)
        return batch
    return None


def _problem(alignments: tuple[int, ...]) -> Problem:
    return Problem(
        participants=_participants(alignments),
        goals=(_GOAL,),
        sources=(_HEAP,),
        extents=_EXTENTS,
    )


def _participants(alignments: tuple[int, ...]) -> tuple[Participant, ...]:
    return tuple(_participant(number, one) for number, one in enumerate(alignments))


def _participant(number: int, alignment: int) -> Participant:
    said = {
        "pitch-alignment": alignment,
        "max-pitch": 16384,
        "scanline-alignment": 2 << number,
        "size-alignment": 4096,
    }
    constraints = tuple(
        Constraint(type=BY_NAME[name].type, value=value) for name, value in said.items()
    )
    return Participant(
        name=f"device {number}",
        usage=Usage.DECODE,
        sets=(ConstraintSet(formats=(_NV12,), constraints=constraints),),
    )
