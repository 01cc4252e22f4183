"""Pictures that NVDEC decodes, shown in the memory that it has decoded them into.

FFmpeg gives each picture memory of its own (libavutil/hwcontext_cuda.c, cuda_pool_alloc), and the
same again once nobody has the picture: its pool grows by as many as are held, without an end. So a
picture is held for as long as the compositor may read it, and no more of them than the plan has
buffers. Each piece of memory is exported and imported once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from heapwire.client_lib.buffers import Buffer, Light
from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.exporters import (
    CudaFrame,
    CudaMemory,
    CudaPlane,
    Exporter,
    export_cuda_frame,
)
from heapwire.client_lib.player.decoding.decoder import DecodedFrame, Decoder
from heapwire.client_lib.player.decoding.decoder_stream import DecoderStream
from heapwire.client_lib.player.picture_stream import BufferNeeds, Free
from heapwire.protocol import InputError, NotPossibleError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    ConstraintSet,
    Content,
    Extent,
    Participant,
    Plan,
    Source,
    Usage,
    fourcc_name,
    parse_fourcc,
)

NVDEC_FOURCCS: Mapping[str, int] = MappingProxyType(
    {
        name: parse_fourcc(code)
        for name, code in {
            "nv12": "NV12",
            "nv16": "NV16",
            "p010le": "P010",
            "p012le": "P012",
            "p016le": "P016",
            "p210le": "P210",
            "yuv444p": "YUV444",
            "yuv444p10msble": "Q410",
        }.items()
    }
)
"""By what FFmpeg calls NVDEC's pictures (libavcodec/nvdec.c, ff_nvdec_frame_params)."""


class CudaPictures(CudaMemory, Protocol):
    """What knows of pictures in device memory: a `CudaLibrary`."""

    def allocation_number(self, pointer: int) -> int:
        """What tells an allocation from all others of this process."""

    def finish(self, pointer: int) -> None:
        """Wait until what was begun in the context of some memory is done."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What pictures have in common that can be shown in buffers of one plan."""

    extent: Extent
    content: Content
    light: Light | None
    format: str
    places: tuple[tuple[int, int, int], ...]  # of each plane: memory's size, offset, pitch


class NvdecPicture:
    """A picture that is where it was decoded; see `DuePicture`."""

    def __init__(
        self, frame: DecodedFrame, into: Callable[[DecodedFrame, Free], Buffer | None]
    ) -> None:
        self.time = frame.time
        self._frame = frame
        self._into = into

    def into(self, free: Free) -> Buffer | None:
        """The buffer of its memory; None while too many are shown."""
        return self._into(self._frame, free)

    def drop(self) -> None:
        """Its memory goes back with it."""


class NvdecPictureStream(DecoderStream):
    """The pictures of a file; see `PictureStream`.

    `decoder` leaves its pictures on the `gpu`, and is the stream's from now on, `formats` are the
    only fourccs to show, where given. Raises what `Decoder` raises, `NotPossibleError` and
    `InputError` if pictures such as the first one cannot be exported.
    """

    wakes: tuple[int, ...] = ()
    copied = 0

    def __init__(
        self, decoder: Decoder, cuda: CudaPictures, gpu: Exporter, formats: Sequence[int] = ()
    ) -> None:
        super().__init__(decoder)
        self.decoder = gpu.name
        self._cuda = cuda
        self._gpu = gpu
        self._formats = frozenset(formats)
        self._kind: _Kind | None = None
        self._made: dict[tuple[int, ...], Buffer] = {}  # by the allocations of its planes
        self._held: list[tuple[Buffer, DecodedFrame]] = []
        self._most_held = 1
        self._unmade: DecodedFrame | None = None  # whose memory may have no buffer yet
        self._latest: DecodedFrame | None = None
        try:
            self._ahead = next(self._frames, None)
            if self._ahead is None:
                raise NotPossibleError("nothing in it is decoded by this GPU")
            self._describe(self._ahead)
        except BaseException:
            decoder.close()
            raise

    @property
    def own_memory(self) -> Source:
        """What the first picture is in."""
        return self._memory

    def next(self) -> NvdecPicture | None:
        """Decode the next picture; None at the end. Raises what the constructor raises."""
        self._let_go()
        self._unmade = self._latest = None
        frame, self._ahead = self._ahead, None
        if frame is None:
            frame = self._decoded()
        if frame is None:
            return None
        self.position = frame.position
        self._describe(frame)
        self._unmade = self._latest = frame
        return NvdecPicture(frame, self._into)

    def seek(self, seconds: float) -> bool:
        """Go on at a position of the file."""
        if not super().seek(seconds):
            return False
        self._ahead = None
        return True

    def check(self, plan: Plan) -> None:
        """What exists is as any plan for it says: the picture that is next is tried with it."""
        self._unmade = self._latest

    @property
    def make_buffer(self) -> Callable[[Plan], Buffer]:
        """A buffer of the memory that the next picture is in."""
        return self._make

    def use(self, plan: Plan, free: Free) -> None:
        """Each picture has its buffer, or gets it when it is shown."""
        self._most_held = plan.buffer_count
        self._made = {key: made for key, made in self._made.items() if made.plan == plan}

    def close(self) -> None:
        """Close the file, and let go of all pictures."""
        self._held.clear()
        self._made.clear()
        self._unmade = self._latest = self._ahead = None
        self._decoder.close()

    def _describe(self, frame: DecodedFrame) -> None:
        """Say what the buffers of such pictures are like, where it is not what it was."""
        kind = _Kind(
            frame.extent, frame.content, frame.light, _stored_format(frame), self._places(frame)
        )
        if kind == self._kind:
            return
        with self._exported(frame) as made:
            exported = made.frame
        (self._memory,) = exported.sources
        self._kind = kind
        self._made.clear()
        pairs = ConstraintSet(formats=(exported.format,))
        self.needs = BufferNeeds(
            extent=frame.extent,
            coded=exported.extent,
            content=frame.content,
            light=frame.light,
            producer=Participant(
                name=self._gpu.name, usage=Usage.DECODE, device=self._gpu.device, sets=(pairs,)
            ),
            held=1,
            fixed=exported.fixed,
        )

    def _exported(self, frame: DecodedFrame) -> CudaFrame:
        name = _stored_format(frame)
        code = NVDEC_FOURCCS.get(name)
        if code is None:
            raise NotPossibleError(f"its pictures are {name}, a format that buffers do not have")
        if self._formats and code not in self._formats:
            raise NotPossibleError(f"its pictures are {fourcc_name(code)}, which is not wanted")
        return export_cuda_frame(self._cuda, self._gpu, code, frame.extent, _planes(frame))

    def _places(self, frame: DecodedFrame) -> tuple[tuple[int, int, int], ...]:
        places = []
        for plane in _planes(frame):
            base, size = self._cuda.allocation(plane.pointer)
            places.append((size, plane.pointer - base, plane.pitch))
        return tuple(places)

    def _key(self, frame: DecodedFrame) -> tuple[int, ...]:
        return tuple(self._cuda.allocation_number(plane.pointer) for plane in _planes(frame))

    def _make(self, plan: Plan) -> Buffer:
        frame, self._unmade = self._unmade, None
        if frame is None:
            raise AllocationError(f"{self.decoder} has decoded no other picture yet")
        try:
            made = self._exported(frame)
        except (InputError, NotPossibleError) as error:
            raise AllocationError(str(error)) from error
        buffer = Buffer(plan, made.objects)
        self._made[self._key(frame)] = buffer
        return buffer

    def _into(self, frame: DecodedFrame, free: Free) -> Buffer | None:
        self._let_go()
        if len(self._held) >= self._most_held:
            return None
        buffer = self._made.get(self._key(frame))
        if buffer is None:
            buffer = free()
        else:
            self._cuda.finish(_planes(frame)[0].pointer)
        if buffer is not None:
            buffer.busy = True
            self._held.append((buffer, frame))
        return buffer

    def _let_go(self) -> None:
        """Pictures that the compositor is done with may be decoded into again."""
        self._held = [(buffer, frame) for buffer, frame in self._held if buffer.busy]


def _planes(frame: DecodedFrame) -> list[CudaPlane]:
    return [CudaPlane(plane.buffer_ptr, plane.line_size) for plane in frame.picture.planes]


def _stored_format(frame: DecodedFrame) -> str:
    """FFmpeg's name of the format that a picture on the GPU has in memory."""
    stored = frame.picture.sw_format
    if stored is None:
        raise NotPossibleError("its pictures are not on the GPU")
    return str(stored.name)
