"""Test patterns: pictures without a file, of which every pixel is known."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.player.pattern.drawing import PATTERNS as PATTERNS
    from heapwire.client_lib.player.pattern.pattern_stream import PatternMaterial as PatternMaterial
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__, {"drawing": "PATTERNS", "pattern_stream": "PatternMaterial"}
    )
