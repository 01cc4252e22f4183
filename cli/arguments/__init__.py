"""What several commands read from their command line: options, and the question of them."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.cli.arguments.options import (
        DEFAULT_PLATFORM as DEFAULT_PLATFORM,
        LOCAL as LOCAL,
        MOST_FRAMES as MOST_FRAMES,
        add_json as add_json,
        add_participants as add_participants,
        add_platform as add_platform,
        add_policy as add_policy,
        add_schema as add_schema,
        add_timeout as add_timeout,
        decimal as decimal,
        extent as extent,
        fourcc as fourcc,
        is_local as is_local,
        load_platform as load_platform,
        load_policy as load_policy,
        output_file as output_file,
        position as position,
        untried_platform as untried_platform,
        whole_number as whole_number,
    )
    from heapwire.cli.arguments.question import (
        MOST_ASKED as MOST_ASKED,
        MOST_NEGOTIATED as MOST_NEGOTIATED,
        add_question as add_question,
        asked_problem as asked_problem,
        buffer_counts as buffer_counts,
        default_participants as default_participants,
        nobody_takes_part as nobody_takes_part,
        problem_of as problem_of,
        requested as requested,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "options": (
                "DEFAULT_PLATFORM LOCAL MOST_FRAMES add_json add_participants add_platform "
                "add_policy add_schema add_timeout decimal extent fourcc is_local load_platform "
                "load_policy output_file position untried_platform whole_number"
            ),
            "question": (
                "MOST_ASKED MOST_NEGOTIATED add_question asked_problem buffer_counts "
                "default_participants nobody_takes_part problem_of requested"
            ),
        },
    )
