"""All cases, in the order in which they are run."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import Case
from heapwire.client_lib.compliance.cases import (
    allocation,
    buffer_status,
    constraint_set,
    descriptors,
    dmabuf,
    explicit_sync,
    feedback,
    negotiation,
    negotiation_rows,
    negotiation_state,
    params_rows,
    params_use,
    presentation,
    sources,
    surface,
)

ALL_CASES: tuple[Case, ...] = tuple(
    case
    for module in (
        *(dmabuf, params_rows, params_use, descriptors, feedback, surface),
        *(sources, constraint_set, negotiation_rows, negotiation, negotiation_state),
        *(allocation, buffer_status, explicit_sync, presentation),
    )
    for case in module.GROUP.cases
)
"""A case goes into the group of its noun, and is here then."""
