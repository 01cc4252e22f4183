"""What makes pictures of a file: the CPU by PyAV, or a device; and who does."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.player.decoding.cpu_picture_stream import (
        CPU as CPU,
        CpuPictureStream as CpuPictureStream,
    )
    from heapwire.client_lib.player.decoding.decoder_choice import (
        AUTO as AUTO,
    )
    from heapwire.client_lib.player.decoding.stand_ins import StandIns as StandIns
    from heapwire.client_lib.player.decoding.video_material import VideoMaterial as VideoMaterial
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "cpu_picture_stream": "CPU CpuPictureStream",
            "decoder_choice": "AUTO",
            "stand_ins": "StandIns",
            "video_material": "VideoMaterial",
        },
    )
