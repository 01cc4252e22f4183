"""A V4L2 device from what `v4l2-ctl --list-formats-ext` printed.

With `--list-formats-out-ext` besides for what a codec takes, and `--info` for its
names: `v4l2-ctl -d /dev/video0 --info --list-formats-ext --list-formats-out-ext`.
"""

from __future__ import annotations

import re

from heapwire.kernel.video import BufferCapabilities, FrameSizes, PixelFormat, Queue
from heapwire.protocol import FileError, shown
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import fourcc

_TYPES = {
    "Video Capture": Queue.CAPTURE,
    "Video Output": Queue.OUTPUT,
    "Video Capture Multiplanar": Queue.CAPTURE_MPLANE,
    "Video Output Multiplanar": Queue.OUTPUT_MPLANE,
}
_INFO = re.compile(r"\s*(Driver name|Card type|Bus info)\s*:\s*(.*?)\s*")
_TYPE = re.compile(r"\s*Type\s*:\s*(.*?)\s*")
_FORMAT = re.compile(r"\s*\[\d{1,4}\]\s*:\s*'([ -~]{4})(-BE)?'\s*(?:\((.*)\))?\s*")
_DISCRETE = re.compile(r"\s*Size: Discrete (\d{1,6})x(\d{1,6})\s*")
_RANGE = re.compile(
    r"\s*Size: (?:Stepwise|Continuous) (\d{1,6})x(\d{1,6}) - (\d{1,6})x(\d{1,6})"
    r"(?: with step (\d{1,6})/(\d{1,6}))?\s*"
)
_BIG_ENDIAN = 1 << 31  # include/uapi/linux/videodev2.h, v4l2_fourcc_be
_MARK = "VIDIOC_ENUM_FMT"
_MOST_FORMATS = 1024


@dataclass
class V4l2Listing:
    """What a listing says; it answers as `V4l2Device` does.

    It does not say whether dma-bufs are taken: nearly every driver of videobuf2 does.
    """

    driver: str = ""
    card: str = ""
    bus: str = ""
    queues: dict[Queue, list[PixelFormat]] = field(default_factory=dict)
    sizes: dict[int, list[FrameSizes]] = field(default_factory=dict)

    @property
    def is_memory_to_memory(self) -> bool:
        """Whether something goes in and something comes out."""
        return self.capture is not None and self.output is not None

    @property
    def capture(self) -> Queue | None:
        """See `V4l2Device.capture`."""
        return next((q for q in (Queue.CAPTURE_MPLANE, Queue.CAPTURE) if self.queues.get(q)), None)

    @property
    def output(self) -> Queue | None:
        """See `V4l2Device.output`."""
        return next((q for q in (Queue.OUTPUT_MPLANE, Queue.OUTPUT) if self.queues.get(q)), None)

    def formats(self, queue: Queue) -> tuple[PixelFormat, ...]:
        """See `V4l2Device.formats`."""
        return tuple(self.queues.get(queue, ()))

    def frame_sizes(self, fourcc: int) -> tuple[FrameSizes, ...]:
        """See `V4l2Device.frame_sizes`."""
        return tuple(self.sizes.get(fourcc, ()))

    def buffer_capabilities(self, queue: Queue) -> BufferCapabilities | None:
        """See `V4l2Device.buffer_capabilities`."""
        return BufferCapabilities(dmabuf=True, userptr=True)


def is_v4l2_listing(text: str) -> bool:
    """Whether a text is such a listing."""
    return _MARK in text


def read_v4l2_listing(text: str, *, file: str) -> V4l2Listing:
    """The device of a listing; `FileError`, with its line, for what is not one.

    Lines of other kinds, of which v4l2-ctl prints many, are passed over.
    """
    listing = V4l2Listing()
    queue: Queue | None = None
    code: int | None = None
    listed = False
    for number, line in enumerate(text.splitlines(), 1):
        if _MARK in line:
            listed, queue, code = True, None, None
        elif (info := _INFO.fullmatch(line)) is not None:
            _take_info(listing, info[1], info[2])
        elif not listed:
            continue
        elif (kind := _TYPE.fullmatch(line)) is not None:
            queue, code = _TYPES.get(kind[1]), None
            if queue is None and kind[1].startswith("Video"):
                raise FileError(file, f"{shown(kind[1])} is no type of a queue", line=number)
        elif queue is not None and (entry := _FORMAT.fullmatch(line)) is not None:
            code = fourcc(entry[1]) | (_BIG_ENDIAN if entry[2] else 0)
            formats = listing.queues.setdefault(queue, [])
            formats.append(PixelFormat(code, "compressed" in (entry[3] or "")))
            if len(formats) > _MOST_FORMATS:
                raise FileError(file, f"more than {_MOST_FORMATS} formats", line=number)
        elif line.lstrip().startswith("Size:"):
            size = _size(line)
            if size is None or code is None:
                raise FileError(file, f"{shown(line.strip())} is no size of a format", line=number)
            listing.sizes.setdefault(code, []).append(size)
    if listing.capture is None and listing.output is None:
        raise FileError(file, "it lists no format of a video queue")
    return listing


def _take_info(listing: V4l2Listing, key: str, value: str) -> None:
    match key:
        case "Driver name":
            listing.driver = listing.driver or value
        case "Card type":
            listing.card = listing.card or value
        case _:
            listing.bus = listing.bus or value


def _size(line: str) -> FrameSizes | None:
    if (one := _DISCRETE.fullmatch(line)) is not None:
        width, height = int(one[1]), int(one[2])
        return FrameSizes(min_width=width, max_width=width, min_height=height, max_height=height)
    if (span := _RANGE.fullmatch(line)) is not None:
        return FrameSizes(
            min_width=int(span[1]),
            max_width=int(span[3]),
            step_width=max(int(span[5] or 1), 1),
            min_height=int(span[2]),
            max_height=int(span[4]),
            step_height=max(int(span[6] or 1), 1),
        )
    return None
