"""The limits that the protocol states; each names the request that it bounds."""

from __future__ import annotations

MAX_MESSAGE = 4096
"""Bytes of a message: libwayland's connection buffers (wayland-util.h, WL_MAX_MESSAGE_SIZE)."""

MAX_ARRAY = 3840
"""Bytes of one array that we send; leaves room for the other arguments of its message."""

MAX_TEXT = 1024
"""Bytes of one string that we send, in UTF-8."""

SET_FORMATS = 4096
"""Pairs in a constraint set: constraint_set_creator.add_formats."""

SET_CONSTRAINTS = 256
"""Constraints in a constraint set: constraint_set_creator.add."""

SET_OVERHEAD = 2048
"""Bytes that a constraint set counts for itself: negotiation_manager.create_constraint_set."""

REQUEST_OVERHEAD = 64
"""Bytes that an array counts beside its own: negotiation_manager.create_constraint_set."""

ARRAY_FACTOR = 8
"""Times its length that an array counts: what a pair or a source costs in memory, which is
128 bytes for 16; negotiation_manager.create_constraint_set."""

CLIENT_SET_BYTES = 4 << 20
"""Bytes of all constraint sets of a client: negotiation_manager.create_constraint_set."""

FEEDBACKS = 256
"""Feedback objects that a client has extended at a time: sources.extend_feedback."""

NEGOTIATIONS = 256
"""Negotiations of a client at a time: negotiation_manager.get_default_negotiation."""

MANAGERS = 16
"""Managers of one protocol of a client at a time: negotiation_manager, allocation_manager,
buffer_status_manager."""

CLIENT_OBJECTS = 64
"""Objects that a client may have whatever the others have: negotiation_manager."""

COMMITS = 256
"""Commits of a negotiation that wait for their answer: negotiation.commit."""

STATUSES = 1024
"""Buffer status objects of a client: buffer_status_manager.get_buffer_status."""

ALLOCATIONS = 1024
"""Allocations of a client that it has not destroyed: allocation_manager.allocate."""

VALUE_BYTES = 1024
"""Bytes of a constraint's value: constraint_set_creator.add."""

PARTICIPANTS = 16
"""Participants of a client at a time: negotiation.set_participant."""

PARTICIPANT_NAME = 128
"""Bytes of a participant's name, in UTF-8: negotiation.set_participant."""

MAX_CLIENT_ID = 0x7FFFFFFF
"""The highest id that a client may give a participant: negotiation.set_participant."""

ALTERNATIVES = 16
"""Constraint sets of a participant: negotiation.add_alternative."""

OPENABLE = 256
"""Sources that a client can say it opens: negotiation.set_openable."""

BUFFERS = 64
"""Buffers that a client can ask for, its minimum and queue: negotiation.set_buffer_count."""

EXTENT = 65536
"""Pixels of a width or a height: negotiation.set_extents."""

TABLE_ENTRIES = 65536
"""Pairs in a format table of linux-dmabuf, what a 16-bit index reaches."""

MAX_SERIAL = 0xFFFFFFFF
"""The highest serial, after which they begin anew at 1: negotiation."""

KNOWN_BATCHES = 8
"""Serials that the compositor remembers: negotiation.use_plan."""


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """The text, cut at a character so that it is at most `limit` bytes of UTF-8."""
    if len(text) <= limit and text.isascii() and "\0" not in text:
        return text  # as nearly all are
    # A string of Wayland's ends at the first NUL, whatever its length says.
    encoded = text.encode("utf-8", "replace").replace(b"\0", b" ")
    return encoded[:limit].decode("utf-8", "ignore")
