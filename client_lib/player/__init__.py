"""A video player on top of it all."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.player.capture.camera_material import CameraMaterial as CameraMaterial
    from heapwire.client_lib.player.decoding.decoder_choice import AUTO as AUTO
    from heapwire.client_lib.player.material import Material as Material
    from heapwire.client_lib.player.pattern.drawing import PATTERNS as PATTERNS
    from heapwire.client_lib.player.pattern.pattern_stream import PatternMaterial as PatternMaterial
    from heapwire.client_lib.player.play_result import (
        FrameCounts as FrameCounts,
        FrameFate as FrameFate,
        PlayResult as PlayResult,
    )
    from heapwire.client_lib.player.playback import PlayOptions as PlayOptions, Progress as Progress
    from heapwire.client_lib.player.player import Player as Player
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "decoding.decoder_choice": "AUTO",
            "capture.camera_material": "CameraMaterial",
            "material": "Material",
            "pattern.drawing": "PATTERNS",
            "pattern.pattern_stream": "PatternMaterial",
            "play_result": "FrameCounts FrameFate PlayResult",
            "playback": "PlayOptions Progress",
            "player": "Player",
        },
    )
