"""What tells questions apart, without a look at each pair of their sets."""

from __future__ import annotations

from collections.abc import Hashable

from heapwire.compositor_plugin.answering.set_records import SetRecords
from heapwire.protocol.values import ConstraintSet
from heapwire.protocol.wire import Explanation, Inquiry


class _Itself:
    """A set that no client has made: equal to nothing but itself."""

    __slots__ = ("_set",)

    def __init__(self, constraint_set: ConstraintSet) -> None:
        self._set = constraint_set

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._set is self._set

    def __hash__(self) -> int:
        return id(self._set)


def question_key(inquiry: Inquiry, records: SetRecords) -> Hashable:
    """A key that equal inquiries share, whoever asks."""

    def set_key(constraint_set: ConstraintSet) -> Hashable:
        record = records.of(constraint_set)
        return _Itself(constraint_set) if record is None else record.digest

    return (
        tuple(
            (id_, one.name, one.usage, one.device, tuple(map(set_key, one.sets)))
            for id_, one in inquiry.participants
        ),
        *(inquiry.extents, inquiry.content, inquiry.minimum, inquiry.queue, inquiry.fixed),
        inquiry.explanation is Explanation.NONE,  # what nobody asks for is not worked out
    )
