"""What EGL says of one GPU, as it travels from the process that asked."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.values import FormatModifier


class EglPair(NamedTuple):
    """A (fourcc, modifier) pair that can be made an EGLImage.

    `external_only` says that it can be sampled through GL_TEXTURE_EXTERNAL_OES alone, and
    so never be rendered to (EGL_EXT_image_dma_buf_import_modifiers).
    """

    pair: FormatModifier
    external_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EglDevice:
    """A device of EGL's and what it imports.

    `nodes` are the paths of its DRM nodes, none where it has none. `pairs` is what it lists;
    a list is not a promise. `refusal` is EGL's error for a small linear XRGB8888 buffer of
    system memory that was really imported, 0 where it was taken, None where no such buffer
    could be had.
    """

    nodes: tuple[str, ...]
    vendor: str
    pairs: tuple[EglPair, ...]
    refusal: int | None = None
