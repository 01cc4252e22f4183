"""What participants demand together: how it merges, what contradicts, which sources meet it."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.solver.demand.contradiction import (
        FAMILIES as FAMILIES,
        LAYOUT as LAYOUT,
        PICTURE as PICTURE,
        PITCH as PITCH,
    )
    from heapwire.protocol.solver.demand.demand import (
        PAIRS_OF as PAIRS_OF,
        WHOLE as WHOLE,
        Demand as Demand,
        common_ground as common_ground,
        connected as connected,
        planes_together as planes_together,
    )
    from heapwire.protocol.solver.demand.merge import (
        BOTTOM as BOTTOM,
        Bottom as Bottom,
        Substitutes as Substitutes,
        fault as fault,
        join as join,
        lift as lift,
        spell as spell,
    )
    from heapwire.protocol.solver.demand.merge_rule import (
        MEETS as MEETS,
        UINT_MAX as UINT_MAX,
        MergedValue as MergedValue,
        as_number as as_number,
    )
    from heapwire.protocol.solver.demand.source_check import (
        RULES as RULES,
        MetValues as MetValues,
        SourceCheck as SourceCheck,
        is_clean_enough as is_clean_enough,
        is_known as is_known,
        nearness as nearness,
        needs_clean_memory as needs_clean_memory,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "contradiction": "FAMILIES LAYOUT PICTURE PITCH",
            "demand": "Demand PAIRS_OF WHOLE common_ground connected planes_together",
            "merge": "BOTTOM Bottom Substitutes fault join lift spell",
            "merge_rule": "MEETS MergedValue UINT_MAX as_number",
            "source_check": (
                "MetValues RULES SourceCheck is_clean_enough is_known nearness needs_clean_memory"
            ),
        },
    )
