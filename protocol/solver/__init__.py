"""From a problem to plans, or to the requirements that contradict: values in, values out."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.solver.assignment import TooComplexError as TooComplexError
    from heapwire.protocol.solver.conflict import conflict_of as conflict_of
    from heapwire.protocol.solver.constraint_sentence import (
        Names as Names,
        listed as listed,
        planes_text as planes_text,
        requirement as requirement,
        says as says,
        source_name as source_name,
        source_names as source_names,
    )
    from heapwire.protocol.solver.fixed_layout import changes as changes
    from heapwire.protocol.solver.goal_offer import (
        common_formats as common_formats,
        spelled_out as spelled_out,
        usable_sources as usable_sources,
    )
    from heapwire.protocol.solver.merge import (
        BOTTOM as BOTTOM,
        fault as fault,
        join as join,
        lift as lift,
    )
    from heapwire.protocol.solver.merge_rule import WHOLE as WHOLE, Merged as Merged, T as T
    from heapwire.protocol.solver.prepared_participant import (
        CONTENT as CONTENT,
        PreparedParticipant as PreparedParticipant,
        content_voice as content_voice,
        spread as spread,
        substitutes_of as substitutes_of,
        voice_of as voice_of,
    )
    from heapwire.protocol.solver.ranked_sources import RankedSources as RankedSources
    from heapwire.protocol.solver.search import (
        MAX_PLANS as MAX_PLANS,
        Found as Found,
        Search as Search,
    )
    from heapwire.protocol.solver.set_choice import SetChoice as SetChoice
    from heapwire.protocol.solver.source_check import (
        RULES as RULES,
        needs_clean_memory as needs_clean_memory,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "assignment": "TooComplexError",
            "conflict": "conflict_of",
            "constraint_sentence": (
                "Names listed planes_text requirement says source_name source_names"
            ),
            "fixed_layout": "changes",
            "goal_offer": "common_formats spelled_out usable_sources",
            "merge": "BOTTOM fault join lift",
            "merge_rule": "Merged T WHOLE",
            "prepared_participant": (
                "CONTENT PreparedParticipant content_voice spread substitutes_of voice_of"
            ),
            "ranked_sources": "RankedSources",
            "search": "Found MAX_PLANS Search",
            "set_choice": "SetChoice",
            "source_check": "RULES needs_clean_memory",
        },
    )
