"""Pictures of PyAV's: their colours, and how they are written into the planes of a buffer."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.client_lib.player.pictures.frame_reader import read_picture as read_picture
    from heapwire.client_lib.player.pictures.frame_writer import (
        picture_format as picture_format,
        stored_as_they_are as stored_as_they_are,
        with_all_formats as with_all_formats,
        writer_participant as writer_participant,
    )
    from heapwire.client_lib.player.pictures.stream_colours import (
        buffer_colour as buffer_colour,
        picture_colour as picture_colour,
        picture_light as picture_light,
        untold_light_text as untold_light_text,
    )
    from heapwire.client_lib.player.pictures.written_picture import WrittenPicture as WrittenPicture
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "frame_reader": "read_picture",
            "frame_writer": "picture_format stored_as_they_are with_all_formats writer_participant",
            "stream_colours": "buffer_colour picture_colour picture_light untold_light_text",
            "written_picture": "WrittenPicture",
        },
    )
