"""What stands behind linux-dmabuf: which buffers the compositor takes, and how they are taken."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heapwire.compositor_plugin import StatusReason
from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_attributes import BufferAttributes
from heapwire.compositor_plugin.hosts.reference.dmabuf.buffer_check import BufferCheck, pairs_within
from heapwire.compositor_plugin.hosts.reference.dmabuf.client_descriptors import ClientDescriptors
from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_content import DmabufContent
from heapwire.compositor_plugin.hosts.reference.dmabuf.feedback_batches import FeedbackBatches
from heapwire.compositor_plugin.hosts.reference.dmabuf.frame_trials import FrameTrials
from heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory import ObjectMemory, is_dma_buf
from heapwire.compositor_plugin.hosts.reference.scene import READERS, TILED
from heapwire.compositor_plugin.server import EventLoop
from heapwire.kernel.description import Device, Platform
from heapwire.protocol.values import FORMATS, LINEAR, Extent, FormatModifier, PlaneLayout, Usage

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
        AddedPlane,
    )

log = logging.getLogger(__name__)

MAX_PIXELS = 1 << 26
"""The largest picture that is taken, 8192x8192: what is drawn goes through the CPU."""


class DmabufImporter:
    """Imports dma-bufs as the platform's GPU would.

    `descriptors` counts what clients keep open here. `formats` are the pairs that it takes: those
    that the first device that samples can sample, as far as the CPU, which draws in its place,
    can read them. A platform without such a device takes all that the CPU can read. Protected
    buffers that the GPU cannot read are taken too, if the display scans them out. Memory that its
    exporter maps for nobody is refused at once, and not when it would have to be drawn. Memory
    that is no source of the platform is taken and drawn. With a `loop`, the display's driver is
    asked off it whether it takes that buffer, and `changed` is called when it does.
    """

    def __init__(
        self,
        platform: Platform,
        loop: EventLoop | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.descriptors = ClientDescriptors()
        self._memory = platform.memory
        self._memfds = platform.simulated
        self._renderer = BufferCheck(platform, Usage.SAMPLING)
        self._display = BufferCheck(platform, Usage.SCANOUT)
        readable = {FormatModifier(code, LINEAR) for code in READERS}
        sampling = self.renderer.sets[Usage.SAMPLING] if self.renderer is not None else ()
        # Tiles are taken where the device is said to sample them, not where nothing is said.
        tiles = TILED.intersection(pair for one in sampling for pair in one.formats)
        self.formats = frozenset(pairs_within(sampling, readable)) | tiles
        self.scanout_formats: frozenset[FormatModifier] = frozenset()
        self.batches = FeedbackBatches(self)
        """What its feedback objects are told."""
        self._trials: FrameTrials | None = None
        if self.display is not None:
            scanout = self.display.sets[Usage.SCANOUT]
            self.scanout_formats = frozenset(pairs_within(scanout, self.formats))
            if loop is not None and self.display.node is not None:
                self._trials = FrameTrials(loop, self.display.node, changed)

    def close(self) -> None:
        """Ask the display nothing more."""
        if self._trials is not None:
            self._trials.close()

    @property
    def display(self) -> Device | None:
        """The device that scans out."""
        return self._display.device

    @property
    def renderer(self) -> Device | None:
        """The device that samples."""
        return self._renderer.device

    def import_planes(
        self, planes: Sequence[AddedPlane], pair: FormatModifier, width: int, height: int
    ) -> DmabufContent | None:
        """The buffer that planes make; None if it cannot be used.

        The fds stay the caller's. Planes that are in one object share it,
        whether they came with one fd or several.
        """
        shapes = FORMATS[pair.fourcc].planes
        if width * height > MAX_PIXELS or any(
            plane.pitch < shape.row_bytes(width)
            for plane, shape in zip(planes, shapes, strict=True)
        ):
            return None
        objects: list[ObjectMemory] = []
        positions: dict[tuple[int, int], int] = {}  # in `objects`, by device and inode
        layouts: list[PlaneLayout] = []
        for plane in planes:
            identity = os.fstat(plane.fd.fileno())
            key = (identity.st_dev, identity.st_ino)
            if key not in positions:
                memory = self._object(plane)
                if memory is None:
                    return None
                positions[key] = len(objects)
                objects.append(memory)
            layouts.append(PlaneLayout(positions[key], plane.offset, plane.pitch))
        attributes = BufferAttributes(
            extent=Extent(width, height),
            format=pair,
            planes=tuple(layouts),
            sources=tuple(memory.source for memory in objects),
        )
        readable = True
        if None not in attributes.sources:
            sizes = tuple(memory.size for memory in objects)
            readable = self._renderer.reason(attributes, sizes) is StatusReason.NONE
            if not readable and not self._only_shown(attributes, sizes):
                return None
        if readable and not all(memory.can_be_read for memory in objects):
            log.info("a buffer is refused: the CPU, which draws here, cannot map its memory")
            return None
        content = DmabufContent(attributes, objects, readable=readable)
        if None in attributes.sources and self._trials is not None:
            self._trials.ask(content)
        return content

    def _only_shown(self, attributes: BufferAttributes, sizes: tuple[int, ...]) -> bool:
        """Whether a buffer that cannot be drawn is protected, and the display takes it."""
        return (
            self.display is not None
            and self._display.protected(attributes)
            and self._display.reason(attributes, sizes) is StatusReason.NONE
        )

    def _object(self, plane: AddedPlane) -> ObjectMemory | None:
        """An object of its own for a plane; None for what is no memory that can be read.

        None too for one more than its client may have. A file is a dma-buf where memory is
        simulated, and there alone.
        """
        fd = plane.fd.fileno()
        readable = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE in (os.O_RDONLY, os.O_RDWR)
        simulated = self._memfds and stat.S_ISREG(os.fstat(fd).st_mode)
        if not readable or not (simulated or is_dma_buf(fd)):
            return None
        try:
            size = os.lseek(fd, 0, os.SEEK_END)
        except OSError:
            return None
        if size == 0:
            return None
        kept = plane.kept.another()
        if kept is None:
            return None
        source = self._memory.identify(fd)
        own = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 0)
        return ObjectMemory(own, size=size, source=source, kept=kept)
