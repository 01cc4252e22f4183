"""The least of a negotiation that a case needs: what is asked, and what was answered."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from heapwire.client_lib.compliance.negotiation_batch import SentAnswer, answers
from heapwire.client_lib.compliance.probe import HEIGHT, WIDTH, XRGB, Probe
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.wire_connection import Value, WireObject
from heapwire.protocol.values import LINEAR, FormatModifier

MANAGER = "xx_dmabuf_negotiation_manager_v1"
NEGOTIATION = "xx_dmabuf_negotiation_v1"
CREATOR = "xx_dmabuf_constraint_set_creator_v1"
SET = "xx_dmabuf_constraint_set_v1"

CPU_WRITE = 128
PLAIN = (FormatModifier(XRGB, LINEAR),)
USER = 6
"""The provenance of what somebody configured."""

Said = tuple[int, int, int, int, bytes]
"""A constraint: type, planes, flags, provenance, value."""


def packed_pairs(pairs: Sequence[FormatModifier], padding: int = 0) -> bytes:
    """Pairs, as add_formats has them."""
    return b"".join(struct.pack("=IIQ", one.fourcc, padding, one.modifier) for one in pairs)


class Question:
    """A negotiation object, for a surface or for none."""

    def __init__(self, probe: Probe, surface: WireObject | None = None) -> None:
        self._probe = probe
        self._connection = probe.connection
        self.manager = probe.bind(MANAGER, 1)
        self.object = self._connection.new(NEGOTIATION)
        if surface is None:
            self._connection.request(self.manager, "get_default_negotiation", self.object)
        else:
            self._connection.request(self.manager, "get_surface_negotiation", self.object, surface)

    def send(self, name: str, *values: Value | WireObject) -> None:
        """A request of the negotiation's."""
        self._connection.request(self.object, name, *values)

    def creator(self) -> WireObject:
        """A creator of a constraint set."""
        made = self._connection.new(CREATOR)
        self._connection.request(self.manager, "create_constraint_set", made)
        return made

    def set(
        self, constraints: Sequence[Said] = (), pairs: Sequence[FormatModifier] = PLAIN
    ) -> WireObject:
        """A constraint set."""
        creator = self.creator()
        self._connection.request(creator, "add_formats", 0, packed_pairs(pairs))
        for constraint in constraints:
            self._connection.request(creator, "add", *constraint)
        made = self._connection.new(SET)
        self._connection.request(creator, "create", made)
        return made

    def participant(self, id_: int, *sets: WireObject) -> None:
        """The CPU, which fills buffers, with some alternatives."""
        self.send("set_participant", id_, CPU_WRITE, 0, 0, "check")
        for one in sets:
            self.send("add_alternative", id_, one)

    def extents(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        """The size of the pictures."""
        self.send("set_extents", width, height, 0, 0, 0, 0)

    def ask_plainly(self, *constraints: Said, cookie: int = 1) -> None:
        """Commit the question for a plain buffer that the CPU fills."""
        self.participant(1, self.set(constraints))
        self.extents()
        self.send("commit", cookie)

    def answers(self) -> list[SentAnswer]:
        """What was answered so far."""
        return answers(self._connection.of(self.object))

    def answer(self, cookie: int = 1) -> SentAnswer:
        """The answer to a commit, once it is there."""
        connection, object_ = self._connection, self.object
        if not connection.wait(
            lambda: any(one.number(0) == cookie for one in connection.of(object_, *_ENDS)),
            "answer to commit",
        ):
            raise DeviationError(expected="an answer to commit", seen=self._probe.ending())
        return next(one for one in self.answers() if one.cookie == cookie)

    def planned(self, cookie: int = 1) -> SentAnswer:
        """The answer to a commit; `SkippedCaseError` where it has no plans."""
        answer = self.answer(cookie)
        if not answer.plans:
            raise SkippedCaseError("the compositor has no plan for such a buffer")
        return answer


_ENDS = ("done", "failed")
