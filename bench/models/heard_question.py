"""A question as it comes off the wire, heard and not answered: what solving is compared with.

Whoever answers has to hear first: arrays become pairs and values, each is checked, and what a
client said is kept as its sets and its inquiry. That is what the plugin does with the requests of a
question once libwayland has read them, and nothing of what it does with the inquiry then.
"""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.protocol.values import Problem
from heapwire.protocol.wire import (
    ConstraintSetBuilder,
    Inquiry,
    NegotiationState,
    inquiry_requests,
    set_requests,
)

Requests = Sequence[tuple[str, tuple[int | str | bytes, ...]]]
Question = tuple[Requests, Sequence[tuple[int, Sequence[Requests]]]]
"""The requests of a negotiation, and of each participant's sets with its number."""


def question_of(problem: Problem) -> Question:
    """What a client says to ask it: the goals' own participants are the compositor's."""
    inquiry = Inquiry(
        participants=tuple(enumerate(problem.participants, 1)), extents=problem.extents
    )
    sets = [
        (number, [set_requests(one) for one in participant.sets])
        for number, participant in inquiry.participants
    ]
    return inquiry_requests(inquiry), sets


def heard(question: Question) -> Inquiry:
    """The inquiry that it is."""
    requests, participants = question
    state = NegotiationState()
    for name, arguments in requests:
        getattr(state, name)(*arguments)
    for number, sets in participants:
        for made_by in sets:
            builder = ConstraintSetBuilder()
            for name, arguments in made_by:
                getattr(builder, name)(*arguments)
            state.add_alternative(number, builder.create())
    return state.commit(1)
