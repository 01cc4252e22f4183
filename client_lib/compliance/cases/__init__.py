"""The cases, by noun."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.compliance.cases.all_cases import ALL_CASES as ALL_CASES
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"all_cases": "ALL_CASES"})
