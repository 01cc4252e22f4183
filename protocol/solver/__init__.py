"""From a problem to plans, or to the requirements that contradict: values in, values out."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.solver.conflict import Conflict as Conflict
    from heapwire.protocol.solver.constraint_sentence import (
        Names as Names,
        listed as listed,
        planes_text as planes_text,
        requirement as requirement,
        says as says,
        source_name as source_name,
        source_names as source_names,
    )
    from heapwire.protocol.solver.demand import (
        BOTTOM as BOTTOM,
        RULES as RULES,
        Demand as Demand,
        fault as fault,
        is_clean_enough as is_clean_enough,
        is_known as is_known,
        join as join,
        lift as lift,
        needs_clean_memory as needs_clean_memory,
    )
    from heapwire.protocol.solver.goal_offer import (
        common_formats as common_formats,
        spelled_out as spelled_out,
        usable_sources as usable_sources,
    )
    from heapwire.protocol.solver.layout import (
        class_of as class_of,
        least_layout as least_layout,
    )
    from heapwire.protocol.solver.prepared_goal import (
        PreparedGoal as PreparedGoal,
        SolverMemory as SolverMemory,
    )
    from heapwire.protocol.solver.prepared_participant import (
        CONTENT as CONTENT,
        STREAM as STREAM,
        PreparedParticipant as PreparedParticipant,
        substitutes_of as substitutes_of,
    )
    from heapwire.protocol.solver.search import (
        MAX_PLANS as MAX_PLANS,
        FoundPlan as FoundPlan,
        Search as Search,
    )
    from heapwire.protocol.solver.set_choice import SetChoice as SetChoice
    from heapwire.protocol.solver.solution import (
        GoalPlans as GoalPlans,
        conflict_of_last as conflict_of_last,
        failure as failure,
        failure_by as failure_by,
        plans_of_goals as plans_of_goals,
        solve_plans as solve_plans,
        solve_plans_within as solve_plans_within,
        too_complex as too_complex,
        without_repetition as without_repetition,
    )
    from heapwire.protocol.solver.step_budget import (
        DEFAULT_STEPS as DEFAULT_STEPS,
        StepBudget as StepBudget,
        TooComplexError as TooComplexError,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "conflict": "Conflict",
            "constraint_sentence": (
                "Names listed planes_text requirement says source_name source_names"
            ),
            "demand": (
                "BOTTOM Demand RULES fault is_clean_enough is_known join lift needs_clean_memory"
            ),
            "goal_offer": "common_formats spelled_out usable_sources",
            "layout": "class_of least_layout",
            "prepared_goal": "PreparedGoal SolverMemory",
            "prepared_participant": "CONTENT PreparedParticipant STREAM substitutes_of",
            "search": "FoundPlan MAX_PLANS Search",
            "set_choice": "SetChoice",
            "solution": (
                "GoalPlans conflict_of_last failure failure_by plans_of_goals solve_plans "
                "solve_plans_within too_complex without_repetition"
            ),
            "step_budget": "DEFAULT_STEPS StepBudget TooComplexError",
        },
    )
