"""How clients are answered: in slices on the host's loop, and beside it what takes longer."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.answering.answer_schedule import (
        AnswerSchedule as AnswerSchedule,
    )
    from heapwire.compositor_plugin.answering.answer_store import (
        AnswerStore as AnswerStore,
        KeyHashedOnce as KeyHashedOnce,
    )
    from heapwire.compositor_plugin.answering.batch_solver import (
        BatchSolver as BatchSolver,
        Unanswered as Unanswered,
    )
    from heapwire.compositor_plugin.answering.inquiry_key import question_key as question_key
    from heapwire.compositor_plugin.answering.prepared_batch import (
        PreparedBatch as PreparedBatch,
    )
    from heapwire.compositor_plugin.answering.set_records import (
        SetRecording as SetRecording,
        SetRecords as SetRecords,
    )
    from heapwire.compositor_plugin.answering.solver_child import give_way as give_way
    from heapwire.compositor_plugin.answering.solver_queue import SolverQueue as SolverQueue
    from heapwire.compositor_plugin.answering.spent_sources import (
        without_spent as without_spent,
    )
    from heapwire.compositor_plugin.answering.trial import SolverCall as SolverCall, tried as tried
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "answer_schedule": "AnswerSchedule",
            "answer_store": "AnswerStore KeyHashedOnce",
            "batch_solver": "BatchSolver Unanswered",
            "prepared_batch": "PreparedBatch",
            "inquiry_key": "question_key",
            "set_records": "SetRecording SetRecords",
            "solver_child": "give_way",
            "solver_queue": "SolverQueue",
            "spent_sources": "without_spent",
            "trial": "SolverCall tried",
        },
    )
