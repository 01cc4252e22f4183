"""The memory of the machine that this runs on: its heaps, udmabuf, what displays allocate."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping

from heapwire.kernel.memory import dma_heap, dumb_buffer, udmabuf
from heapwire.kernel.memory.buffer_info import BufferInfo
from heapwire.kernel.memory.dma_buf import DmaBuf
from heapwire.kernel.memory.ledger import Ledger
from heapwire.kernel.memory.memory import OutOfMemoryError
from heapwire.kernel.memory.picture_shape import PictureShape
from heapwire.protocol import HeapwireError, MachineError
from heapwire.protocol.values import Source, SourceId, SourceKind

LARGEST = 512 << 20  # bytes of one buffer; 7680x4320 at 8 bytes a pixel is 253 MiB
DEFAULT_BUDGET = 2 << 30  # bytes that a process may hold at a time

_RULES = {
    SourceKind.HEAP: 'SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"',
    # As systemd has it (rules.d/50-udev-default.rules.in).
    SourceKind.UDMABUF: 'KERNEL=="udmabuf", GROUP="kvm", MODE="0660"',
}
_UDMABUF = "udmabuf"  # the exporter's name (drivers/dma-buf/udmabuf.c, KBUILD_MODNAME)


def grant(kinds: Iterable[SourceKind]) -> str:
    """What a person can do who may not open memory of these kinds, as the end of a sentence."""
    wanted = set(kinds)
    rules = [rule for kind, rule in _RULES.items() if kind in wanted]
    if not rules:
        return "nobody but its owner may"
    granting = "a udev rule can grant it" if len(rules) == 1 else "udev rules can grant it"
    return f"{granting}, such as {' and '.join(rules)}"


class LocalMemory:
    """Allocates from the heaps and the udmabuf of this machine.

    `nodes` has the path of the device node of each source that can be opened by
    path. Of a source of the kind DEVICE that is the node of a card, which allocates
    dumb buffers; any other has an interface of its own, and is not allocated from
    here. `largest` and `budget` bound what the kernel does not.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        nodes: Mapping[SourceId, str],
        *,
        largest: int = LARGEST,
        budget: int = DEFAULT_BUDGET,
    ) -> None:
        self._sources = {source.id: source for source in sources}
        self._nodes = dict(nodes)
        self._heaps = {
            source.name: source.id
            for source in self._sources.values()
            if source.id.kind is SourceKind.HEAP
        }
        self._udmabuf = next(
            (source for source in self._sources if source.kind is SourceKind.UDMABUF), None
        )
        self._ledger = Ledger(budget=budget, largest=largest)

    def __reduce__(
        self,
    ) -> tuple[type[LocalMemory], tuple[tuple[Source, ...], dict[SourceId, str]]]:
        """Sent to another process it is the same memory, of which nothing is held there."""
        return LocalMemory, (tuple(self._sources.values()), self._nodes)

    @property
    def openable(self) -> frozenset[SourceId]:
        """See `Memory.openable`: what the modes of the nodes permit now."""
        return frozenset(
            source
            for source, node in self._nodes.items()
            if source in self._sources and os.access(node, _needed(source))
        )

    def with_cards(self, cards: Mapping[Source, str]) -> LocalMemory:
        """The same with the memory of some displays, by the nodes of their cards; one budget."""
        more = LocalMemory(
            (*self._sources.values(), *cards),
            {**self._nodes, **{source.id: node for source, node in cards.items()}},
        )
        more._ledger = self._ledger
        return more

    def allocate(
        self, source: SourceId, size: int, *, name: str = "", shape: PictureShape | None = None
    ) -> DmaBuf:
        """See `Memory.allocate`."""
        properties = self._sources.get(source)
        if properties is None:
            raise MachineError(f"there is no {source} on this machine")
        node = self._nodes.get(source)
        if node is None:
            raise MachineError(f"{properties.name} allocates through its own driver only")
        if source.kind is SourceKind.DEVICE and shape is None:
            raise MachineError(f"{properties.name} allocates pictures, and not {size} bytes")
        # Before the kernel is asked: it would kill this process for a size beyond all memory.
        rounded, released = self._ledger.charge(properties, size)
        try:
            if source.kind is SourceKind.UDMABUF:
                fd = udmabuf.create(node, rounded)
            elif shape is not None and source.kind is SourceKind.DEVICE:
                fd = _dumb(properties, node, size, shape)
            else:
                fd = dma_heap.allocate(node, rounded, name=name)
        except (OSError, MachineError) as error:
            released()
            if isinstance(error, MachineError):
                raise
            raise _refused(properties, node, rounded, error) from error
        return DmaBuf(
            fd, size=rounded, source=source, name=name or properties.name, released=released
        )

    def identify(self, fd: int) -> SourceId | None:
        """See `Memory.identify`: by the exporter's name, which for a heap is the heap's."""
        info = BufferInfo.of(fd)
        if info is None:
            return None
        return self._udmabuf if info.exporter == _UDMABUF else self._heaps.get(info.exporter)

    def live(self, source: SourceId | None = None) -> int:
        """Bytes in buffers that are neither closed nor detached: of one source or of all."""
        return self._ledger.live(source)


def _needed(source: SourceId) -> int:
    """A heap allocates for whoever may read its node; others want it writable."""
    return os.R_OK if source.kind is SourceKind.HEAP else os.R_OK | os.W_OK


def _dumb(source: Source, node: str, size: int, shape: PictureShape) -> int:
    """A dumb buffer whose rows are as long as was planned."""
    fd, made = dumb_buffer.allocate(node, shape)
    if made.pitch == shape.pitch and made.size >= size:
        return fd
    os.close(fd)
    raise MachineError(
        f"{source.name}: its driver makes {made.size} bytes with rows of {made.pitch}, "
        f"not {size} with rows of {shape.pitch}"
    )


def _refused(source: Source, node: str, size: int, error: OSError) -> HeapwireError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return MachineError(
            f"{source.name}: this user may not open {node}: {grant([source.id.kind])}"
        )
    if error.errno == errno.ENOMEM:
        return OutOfMemoryError(f"{source.name}: the kernel has no {size} bytes left there")
    return MachineError(f"{source.name}: {node}: {size} bytes: {error.strerror}")
