"""Whether a compositor keeps to linux-dmabuf, and to what extends it: cases, and running them.

A case goes into a module of `cases/`, into the group of its noun.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.compliance.case import Case as Case
    from heapwire.client_lib.compliance.case_run import (
        cases_named as cases_named,
        run_cases as run_cases,
        socket_path as socket_path,
    )
    from heapwire.client_lib.compliance.report import (
        junit as junit,
        result_document as result_document,
        result_line as result_line,
        total_line as total_line,
        totals as totals,
    )
    from heapwire.client_lib.compliance.verdict import Outcome as Outcome, Result as Result
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "case": "Case",
            "case_run": "cases_named run_cases socket_path",
            "report": "junit result_document result_line total_line totals",
            "verdict": "Outcome Result",
        },
    )
