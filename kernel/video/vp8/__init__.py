"""VP8 for drivers that parse nothing: its frame headers (RFC 6386), told in controls."""

from heapwire.kernel.video.vp8.parser import Vp8Parser

__all__ = ["Vp8Parser"]
