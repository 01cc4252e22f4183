"""The exit status of the command, and which error means which."""

from __future__ import annotations

from heapwire.client_lib import DisconnectedError, MissingGlobalError, NoCompositorError

DONE = 0
"""What was asked for was done."""
FAILED = 1
"""No source satisfies everyone, something is missing or differs, or what was asked for failed."""
USAGE = 2
"""The arguments are wrong."""
NO_COMPOSITOR = 3
"""There is no compositor, or one without the protocol."""


def status_of(error: Exception) -> int:
    """The exit status for an error."""
    if isinstance(error, NoCompositorError | MissingGlobalError | DisconnectedError):
        return NO_COMPOSITOR
    return FAILED
