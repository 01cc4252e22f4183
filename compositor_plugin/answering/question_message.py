"""A question to the solver as bytes, for another process, and the answer as bytes.

Both processes run the same program, so values travel pickled. Sets of a client's are sent
as the requests that made them, because thousands of pairs take long to take apart.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Mapping
from types import MappingProxyType

from heapwire.compositor_plugin.answering.set_records import SetRecords, recorded_set
from heapwire.compositor_plugin.answering.trial import SolverCall
from heapwire.protocol.values import REGISTRY, Answer, ConstraintSet, register


def encode_question(call: SolverCall, records: SetRecords) -> bytes:
    """A question; raises what pickling raises."""
    found: dict[int, tuple[int, bytes]] = {}

    class Pickler(pickle.Pickler):
        """Gives sets that were recorded a number."""

        def persistent_id(self, value: object) -> int | None:
            """The number of a set; None of all else."""
            if not isinstance(value, ConstraintSet):
                return None
            record = records.of(value)
            if record is None:
                return None
            return found.setdefault(id(value), (len(found), record.recording))[0]

    body = io.BytesIO()
    pickler = Pickler(body, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: _mapping}
    # A vendor's rows are registered by whoever imports the vendor's module, here.
    rows = tuple(row for row in REGISTRY.values() if row.vendor)
    pickler.dump((rows, call))
    sets = tuple(recording for _, recording in found.values())
    return pickle.dumps((sets, body.getvalue()), pickle.HIGHEST_PROTOCOL)


def decode_question(message: bytes) -> SolverCall:
    """The question."""
    sets, body = pickle.loads(message)
    made = tuple(map(recorded_set, sets))

    class Unpickler(pickle.Unpickler):
        """Knows sets by their numbers."""

        def persistent_load(self, number: int) -> ConstraintSet:
            """The set of a number."""
            return made[number]

    rows, call = Unpickler(io.BytesIO(body)).load()
    register(*rows)
    assert isinstance(call, SolverCall)
    return call


def encode_answer(answer: Answer | str) -> bytes:
    """An answer, or what went wrong."""
    return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)


def decode_answer(message: bytes) -> Answer | str:
    """The answer, or what went wrong."""
    answer = pickle.loads(message)
    assert isinstance(answer, Answer | str)
    return answer


def _mapping(view: Mapping[object, object]) -> tuple[type[dict[object, object]], tuple[object]]:
    """A view of a mapping travels as the mapping."""
    return dict, (dict(view),)
