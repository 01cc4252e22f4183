"""Simulated decoders, in whose place the CPU decodes: which of them could decode a stream.

They take part in the negotiation as if they decoded, so that the buffers are those that they
would have. One that could not decode these pictures would only stand in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heapwire.client_lib.player.picture_stream import BufferNeeds
from heapwire.client_lib.player.pictures import stored_as_they_are
from heapwire.kernel.description import Device, Platform
from heapwire.protocol.explain import solve
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.solver import RULES
from heapwire.protocol.values import (
    DIFFERENT_SOURCE,
    DIRTY_LINES,
    MAX_SEGMENTS,
    NO_SNOOP,
    NO_SYNC,
    ConstraintSet,
    Extents,
    Goal,
    HeapId,
    Participant,
    Problem,
    Source,
    SourceId,
    Usage,
)

_STREAM = "the stream"  # the participant that offers what its pictures are
_ANY_MEMORY = Source(id=SourceId.heap(HeapId(0, 0)), name="any memory")
_OF_MEMORY = RULES.keys() | {
    one.type for one in (DIFFERENT_SOURCE, MAX_SEGMENTS, NO_SNOOP, DIRTY_LINES, NO_SYNC)
}


class StandIns:
    """The decoders of a simulated platform.

    `formats` are the only fourccs that are wanted, if any are named. `coded` is V4L2's fourcc
    of the stream, None for a codec that it has no name for. `notes` says of decoders why they
    take no part. A device with a node is none of them: it decodes itself, or was asked and cannot.
    """

    def __init__(self, platform: Platform, *, formats: Sequence[int], coded: int | None) -> None:
        self.notes: list[str] = []
        self._platform = platform
        self._formats = frozenset(formats)
        self._coded = coded
        self._present: set[str] = set()

    def change(self, needs: BufferNeeds) -> Iterator[tuple[str, Participant | None]]:
        """Who takes part for pictures such as these, by name; None: not any more."""
        before, self._present = self._present, set()
        for device in self._platform.devices:
            if Usage.DECODE not in device.sets or device.node is not None:
                continue
            decoder = self._platform.participant(device.name, Usage.DECODE)
            codes = {pair.fourcc for alternative in decoder.sets for pair in alternative.formats}
            # What is converted to another format afterwards does not share its buffers.
            if self._formats and codes and not self._formats & codes:
                continue
            fault = self._fault(device, decoder, needs)
            if fault is None:
                self._present.add(decoder.name)
                yield decoder.name, decoder
            else:
                self._note(f"{device.name} would not decode this: {fault}")
        for name in sorted(before - self._present):
            yield name, None

    def leave_out(self, why: str) -> tuple[str, ...]:
        """Do without those that take part, until the pictures change; their names."""
        names, self._present = tuple(sorted(self._present)), set()
        if names:
            self._note(f"done without {' and '.join(names)}: {why}")
        return names

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _fault(self, device: Device, decoder: Participant, needs: BufferNeeds) -> str | None:
        """Why a decoder could not decode such pictures; None if it could."""
        if device.bitstreams and self._coded not in device.bitstreams:
            return "it does not know the codec"
        pictures = stored_as_they_are(needs.producer)
        if not pictures.sets:
            return "its pictures are in no format that buffers have"
        answer = solve(
            Problem(
                participants=(
                    replace(decoder, sets=tuple(map(_wherever, decoder.sets))),
                    replace(pictures, name=_STREAM, usage=Usage.DECODE),
                ),
                goals=(Goal(name="decoding"),),
                sources=(_ANY_MEMORY,),
                extents=Extents(coded=needs.coded, visible=needs.extent),
                content=needs.content,
            )
        )
        return None if answer.plans else answer.message


def _wherever(one: ConstraintSet) -> ConstraintSet:
    """A set without what it demands of memory: that the stream has nothing to do with."""
    kept = tuple(each for each in one.constraints if each.type not in _OF_MEMORY)
    return replace(one, constraints=kept)
