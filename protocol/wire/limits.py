"""The limits that the protocol states; each names the request that it bounds."""

from __future__ import annotations

MAX_MESSAGE = 4096  # bytes; libwayland's connection buffers (wayland-util.h, WL_MAX_MESSAGE_SIZE)
MAX_ARRAY = 3840  # bytes of one array; leaves room for the other arguments of its message
MAX_TEXT = 1024  # bytes of one string that we send

SET_FORMATS = 4096  # constraint_set_creator.add_formats, pairs
SET_CONSTRAINTS = 256  # constraint_set_creator.add
VALUE_BYTES = 1024  # constraint_set_creator.add
PARTICIPANTS = 16  # heap_feedback.set_participant
PARTICIPANT_NAME = 128  # heap_feedback.set_participant, bytes
MAX_CLIENT_ID = 0x7FFFFFFF  # heap_feedback.set_participant
ALTERNATIVES = 16  # heap_feedback.add_alternative
OPENABLE = 256  # heap_feedback.set_openable
BUFFERS = 64  # heap_feedback.set_buffer_count
EXTENT = 65536  # heap_feedback.set_extents, pixels
TABLE_ENTRIES = 65536  # heap_feedback.format_table: what a 16-bit index reaches
KNOWN_BATCHES = 8  # heap_feedback.tag_buffer: serials that the compositor remembers


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """The text, cut at a character so that it is at most `limit` bytes of UTF-8."""
    encoded = text.encode("utf-8", "replace").replace(b"\0", b" ")
    return encoded[:limit].decode("utf-8", "ignore")
