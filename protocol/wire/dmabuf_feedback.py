"""What a `zwp_linux_dmabuf_feedback_v1` says, put together from its events.

Versions 4 and 5 name a main device, which samples all that is imported, and
mark the tranches that are for scanout. From version 6 on each tranche says
what it is for, and there is no main device. Device numbers come as a C
library's `dev_t`, of 4 or 8 bytes.
"""

from __future__ import annotations

import struct

from heapwire.protocol.errors import PeerError
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import DeviceId, FormatModifier, family_of
from heapwire.protocol.wire.array import decode_formats
from heapwire.protocol.wire.batch import TrancheFlags
from heapwire.protocol.wire.limits import TABLE_ENTRIES
from heapwire.protocol.wire.linux_dmabuf import DmabufVersion, decode_device
from heapwire.protocol.wire.tranche_memory import TrancheMemory


@dataclass(frozen=True, slots=True)
class DmabufTranche:
    """Formats for one device; `device` is None where the compositor does not name one.

    `memory` is what `xx_dmabuf_feedback_sources_v1` adds, None where nothing was added.
    """

    device: DeviceId | None
    flags: TrancheFlags
    formats: tuple[FormatModifier, ...]
    memory: TrancheMemory | None = None

    @property
    def scanout(self) -> bool:
        """Whether buffers of these formats may be scanned out by the device."""
        return bool(self.flags & TrancheFlags.SCANOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DmabufFeedback:
    """All parameters, tranches in the compositor's order of preference.

    `table` has the pairs that indices count; two that say the same of other tables are equal.
    """

    version: int
    tranches: tuple[DmabufTranche, ...]
    main_device: DeviceId | None = None
    table: tuple[FormatModifier, ...] = field(default=(), compare=False)

    @property
    def sampled(self) -> tuple[DmabufTranche, ...]:
        """The tranches whose buffers are sampled.

        Before version 6 these are the ones that are not for scanout; if there
        are none, all, since what is scanned out must be importable as well.
        """
        if self.version >= DmabufVersion.SAMPLING:
            return tuple(
                tranche for tranche in self.tranches if tranche.flags & TrancheFlags.SAMPLING
            )
        return tuple(tranche for tranche in self.tranches if not tranche.scanout) or self.tranches

    def sampler_of(self, pair: FormatModifier) -> DeviceId | None:
        """The device that samples a pair, where just one does and the compositor says which.

        Who lists the family of its modifier samples it, as who lists the pair itself does.
        """
        if self.version < DmabufVersion.SAMPLING:
            return None
        family = family_of(pair.modifier)
        listed = {pair} if family is None else {pair, FormatModifier(pair.fourcc, family)}
        devices = {one.device for one in self.sampled if not listed.isdisjoint(one.formats)}
        return devices.pop() if len(devices) == 1 else None

    @property
    def formats(self) -> frozenset[FormatModifier]:
        """All pairs that can be imported."""
        return frozenset(pair for tranche in self.tranches for pair in tranche.formats)


class FeedbackDecoder:
    """Takes events; `done` gives what they amount to.

    Every method but the constructor is an event and raises `PeerError` for
    what linux-dmabuf does not allow. Nothing takes effect before `done`.
    """

    def __init__(self, version: int) -> None:
        self._version = version
        self._table: tuple[FormatModifier, ...] = ()
        self._main: DeviceId | None = None
        self._tranches: list[DmabufTranche] = []
        self._device: DeviceId | None = None
        self._targeted = False
        self._flags = TrancheFlags(0)
        self._flagged = False
        self._formats: dict[FormatModifier, None] = {}

    def format_table(self, content: bytes) -> None:
        """The content of the table's file; it stays until another comes."""
        if not content:
            raise PeerError("a format table without an entry")
        self.use_table(decode_formats(content))

    def use_table(self, table: tuple[FormatModifier, ...]) -> None:
        """The pairs of a table that somebody has read already."""
        if len(table) > TABLE_ENTRIES:
            raise PeerError(f"a format table of {len(table)} entries, more than it can have")
        self._table = table

    def main_device(self, raw: bytes) -> None:
        """The device that samples, before version 6."""
        self._main = _device(raw)

    def tranche_target_device(self, raw: bytes) -> None:
        """The device of the tranche that is being described."""
        self._device = _device(raw)
        self._targeted = True

    def tranche_flags(self, flags: int) -> None:
        """What the tranche is for; flags of later versions are left out."""
        self._flags = TrancheFlags(flags & (TrancheFlags.SCANOUT | TrancheFlags.SAMPLING))
        self._flagged = True

    def tranche_formats(self, raw: bytes) -> None:
        """Indices into the table, two bytes each."""
        if not self._table:
            raise PeerError("the formats of a tranche before any format table")
        if len(raw) % 2:
            raise PeerError(f"the formats of a tranche in {len(raw)} bytes, an odd number")
        for (index,) in struct.iter_unpack("=H", raw):
            if index >= len(self._table):
                raise PeerError(f"format {index} of a format table with {len(self._table)} entries")
            self._formats[self._table[index]] = None

    def tranche_done(self) -> None:
        """The tranche is complete."""
        if not self._targeted:
            raise PeerError("a tranche without a target device")
        if self._version >= DmabufVersion.SAMPLING and not self._flags:
            raise PeerError("a tranche that is for nothing: it has no flags")
        self._tranches.append(DmabufTranche(self._device, self._flags, tuple(self._formats)))
        self._begin()

    def done(self) -> DmabufFeedback:
        """All parameters have been sent."""
        if self._targeted or self._flagged or self._formats:
            raise PeerError("done in the middle of a tranche")
        if not self._tranches:
            raise PeerError("feedback without a tranche")
        feedback = DmabufFeedback(
            version=self._version,
            tranches=tuple(self._tranches),
            main_device=self._main,
            table=self._table,
        )
        if not feedback.sampled:
            raise PeerError("feedback without a tranche for sampling")
        self.reset()
        return feedback

    def reset(self) -> None:
        """Forget what was said of a batch that did not end."""
        self._tranches.clear()
        self._main = None
        self._begin()

    def _begin(self) -> None:
        self._device = None
        self._targeted = False
        self._flags = TrancheFlags(0)
        self._flagged = False
        self._formats = {}


def _device(raw: bytes) -> DeviceId | None:
    try:
        return decode_device(raw)
    except ValueError as error:
        raise PeerError(str(error)) from None
