"""What a player says of its pictures when it has ended, for the JSON that a guest prints."""

from __future__ import annotations


def played(result):
    """The counts, what was copied, and what went wrong."""
    return {
        "shown": result.frames.shown,
        "scanned_out": result.frames.scanned_out,
        "copied": result.bytes_copied_per_frame,
        "damaged": result.damaged,
        "faults": list(result.faults),
    }
