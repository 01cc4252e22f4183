"""A question to the solver as bytes, for another process, and the answer as bytes.

Both processes run the same program, so values travel pickled. Sets of a client's are sent
as the requests that made them, because thousands of pairs take long to take apart.
"""

from __future__ import annotations

import copyreg
import io
from _pickle import Pickler, dumps, load, loads  # `pickle` has them too, beside a second pickler
from collections.abc import Callable, Mapping
from types import MappingProxyType

from heapwire.compositor_plugin.answering.set_records import SetRecords, recorded_set
from heapwire.compositor_plugin.answering.trial import SolverCall
from heapwire.protocol.values import (
    REGISTRY,
    Answer,
    Constraint,
    ConstraintSet,
    FormatModifier,
    register,
)

_NEWEST = -1  # protocol of pickle's


def encode_question(call: SolverCall, records: SetRecords) -> bytes:
    """A question; raises what pickling raises."""

    def reduced(one: ConstraintSet) -> tuple[Callable[..., ConstraintSet], tuple[object, ...]]:
        record = records.of(one)
        if record is None:
            return _set, (one.formats, one.constraints, one.costs)
        return recorded_set, (record.recording,)

    body = io.BytesIO()
    pickler = Pickler(body, _NEWEST)
    pickler.dispatch_table = {
        **copyreg.dispatch_table,
        MappingProxyType: _mapping,
        ConstraintSet: reduced,
    }
    # A vendor's rows are registered by whoever imports the vendor's module, here.
    pickler.dump(tuple(row for row in REGISTRY.values() if row.vendor))
    pickler.clear_memo()  # each is read by itself
    pickler.dump(call)
    return body.getvalue()


def decode_question(message: bytes) -> SolverCall:
    """The question."""
    body = io.BytesIO(message)
    register(*load(body))  # first: what the sets' bytes mean depends on them
    call = load(body)
    assert isinstance(call, SolverCall)
    return call


def encode_answer(answer: Answer | str) -> bytes:
    """An answer, or what went wrong."""
    return dumps(answer, _NEWEST)


def decode_answer(message: bytes) -> Answer | str:
    """The answer, or what went wrong."""
    answer = loads(message)
    assert isinstance(answer, Answer | str)
    return answer


def _set(
    formats: tuple[FormatModifier, ...],
    constraints: tuple[Constraint, ...],
    costs: tuple[int, ...],
) -> ConstraintSet:
    """A set of the compositor's own."""
    return ConstraintSet(formats=formats, constraints=constraints, costs=costs)


def _mapping(view: Mapping[object, object]) -> tuple[type[dict[object, object]], tuple[object]]:
    """A view of a mapping travels as the mapping."""
    return dict, (dict(view),)
