"""A test pattern as something to show: it has no end, and goes to any place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from heapwire.client_lib.player.pattern.drawing import PATTERNS, Drawing
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free, PictureStream
from heapwire.client_lib.player.pictures import WrittenPicture, picture_colour, writer_participant
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError, MachineError
from heapwire.protocol.values import Content, Extent, Plan

_DRAWN = "rgb24"  # FFmpeg's name of what is drawn


class PatternStream:
    """See `PictureStream`: the CPU draws each picture and writes it into a buffer.

    Raises `MachineError` if PyAV or numpy is missing.
    """

    decoder = "cpu"
    make_buffer = None
    own_memory = None
    ended = False
    wakes: tuple[int, ...] = ()
    notes: Sequence[str] = ()
    damaged = 0
    count = 0
    pixel_aspect = Fraction(1)

    def __init__(
        self, pattern: str, extent: Extent, rate: Fraction, formats: Sequence[int] = ()
    ) -> None:
        try:
            self._drawing = Drawing(pattern, extent)
            self._producer = writer_participant(_DRAWN, formats)
        except ImportError as error:
            raise MachineError(
                f"{error.name} is missing: install heapwire with its extra, [play]"
            ) from None
        self.rate = rate
        self.copied = 0
        self.position = 0.0
        self.needs: BufferNeeds | None = None
        self._extent = extent
        self._shown = 0
        self._number = 0

    def next(self) -> WrittenPicture:
        """Draw the next picture."""
        import av

        picture = av.VideoFrame.from_ndarray(self._drawing.picture(self._number), format=_DRAWN)
        if self.needs is None:
            encoding, range_ = picture_colour(picture)
            self.needs = BufferNeeds(
                extent=self._extent,
                coded=self._extent,
                content=Content(encoding=encoding, range=range_),
                producer=self._producer,
                held=1,
            )
        self.position = float(self._number / self.rate)
        time = float(self._shown / self.rate)
        self._shown += 1
        self._number += 1
        return WrittenPicture(picture, time, self._copy)

    def _copy(self, count: int) -> None:
        self.copied += count

    def seek(self, seconds: float) -> bool:
        """Go on with the number of a time."""
        self._number = max(0, round(seconds * self.rate))
        return True

    def check(self, plan: Plan) -> None:
        """The CPU writes any plan of a format that it said it would write."""

    def use(self, plan: Plan, free: Free) -> None:
        """Each picture takes its buffer when it has been drawn."""

    def close(self) -> None:
        """Nothing is open for it."""


class PatternMaterial:
    """See `Material`. Raises `InputError` for a pattern that there is not."""

    paced = True

    def __init__(
        self, pattern: str, extent: Extent, rate: Fraction, *, formats: Sequence[int] = ()
    ) -> None:
        if pattern not in PATTERNS:
            raise InputError(f"there is no pattern {pattern!r}; there are {', '.join(PATTERNS)}")
        self.title = f"test pattern: {pattern}"
        self._pattern, self._extent, self._rate = pattern, extent, rate
        self._formats = tuple(formats)

    def open(self, platform: Platform | None, faults: list[str]) -> PictureStream:
        """The pictures, drawn by the CPU."""
        return PatternStream(self._pattern, self._extent, self._rate, self._formats)

    def other_way(
        self, pictures: PictureStream, platform: Platform | None, faults: list[str]
    ) -> Callable[[], PictureStream] | None:
        """There is one way to draw them."""
        return None

    def written(self, pictures: PictureStream | None) -> PictureStream:
        """The same, from the first on."""
        return PatternStream(self._pattern, self._extent, self._rate, self._formats)
