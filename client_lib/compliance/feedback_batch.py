"""A feedback object's events, put into batches, and what the text says of each batch."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Sequence

from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireEvent
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import FormatModifier, fourcc_name
from heapwire.protocol.wire import TABLE_BYTES, DmabufVersion, TrancheFlags

DEV_T_BYTES = struct.calcsize("=Q")  # of a dev_t, with glibc and with musl

_F_SEAL_FUTURE_WRITE = 0x10  # include/uapi/linux/fcntl.h; Python has no name for it yet
_ENTRY = struct.Struct("=IIQ")


@dataclass(slots=True)
class SentTranche:
    """A tranche as it was sent; what was not sent is None."""

    device: bytes | None = None
    flags: int | None = None
    indices: list[int] = field(default_factory=list)
    grouped: bool = False


@dataclass(slots=True)
class SentBatch:
    """What came up to a `done`. The table is the last one sent, of this batch or of one before."""

    main_device: bytes | None = None
    tranches: list[SentTranche] = field(default_factory=list)
    table: tuple[FormatModifier, ...] = ()

    @property
    def pairs(self) -> list[FormatModifier]:
        """All pairs of all tranches, each once, the preferred first."""
        named = [self.table[index] for one in self.tranches for index in one.indices]
        return list(dict.fromkeys(named))

    def parameters(self) -> tuple[object, ...]:
        """What makes two batches the same."""
        return self.main_device, tuple(
            (one.device, one.flags, tuple(self.table[index] for index in one.indices))
            for one in self.tranches
        )


def batches(events: Sequence[WireEvent], version: int) -> list[SentBatch]:
    """The whole batches among the events of one feedback object.

    Raises `DeviationError` for the first thing in them that the text does not permit.
    """
    found: list[SentBatch] = []
    batch, tranche = SentBatch(), SentTranche()
    begun = False  # an event of a tranche has come that is not over
    table: tuple[FormatModifier, ...] | None = None
    for event in events:
        match event.name:
            case "format_table":
                table = read_table(event.number(0), event.number(1))
            case "main_device":
                _check_main_device(event, batch, version)
                batch.main_device = event.raw(0)
            case "tranche_target_device":
                _expect(table is not None, "format_table before the tranches", event.name)
                _expect(tranche.device is None, "one target device in a tranche", "a second one")
                tranche.device, begun = _device(event), True
            case "tranche_flags":
                _expect(tranche.flags is None, "one tranche_flags in a tranche", "a second one")
                tranche.flags, begun = _flags(event, version), True
            case "tranche_formats":
                _expect(table is not None, "format_table before tranche_formats", event.name)
                tranche.indices += _indices(event, len(table or ()))
                tranche.grouped = begun = True
            case "tranche_done":
                _check_tranche(tranche)
                batch.tranches.append(tranche)
                tranche, begun = SentTranche(), False
            case "done":
                _expect(not begun, "tranche_done before done", "done within a tranche")
                batch.table = table or ()
                _check_batch(batch, version)
                found.append(batch)
                batch = SentBatch()
    return found


def check_pairs(batch: SentBatch) -> None:
    """Fail unless each pair is there once among tranches of one device and one set of flags.

    Whoever only looks for a pair to use is not held up by one that comes twice.
    """
    seen: dict[tuple[object, ...], int] = {}
    for place, tranche in enumerate(batch.tranches):
        for index in tranche.indices:
            pair = batch.table[index]
            key = (tranche.device, tranche.flags, pair)
            _expect(
                key not in seen,
                "each pair once among tranches of one device and one set of flags",
                f"{fourcc_name(pair.fourcc)} with the modifier {pair.modifier:#x}"
                f" in tranches {seen.get(key)} and {place}",
            )
            seen[key] = place


def read_table(fd: int, size: int) -> tuple[FormatModifier, ...]:
    """The pairs of a format table; `DeviationError` for what cannot be one."""
    _expect(stat.S_ISREG(os.fstat(fd).st_mode), "a file for the format table", "something else")
    _expect(
        size > 0 and size % _ENTRY.size == 0,
        f"a format table of whole entries of {_ENTRY.size} bytes",
        f"{size} bytes",
    )
    _expect(size <= TABLE_BYTES, "a format table that 16-bit indices reach", f"{size} bytes")
    there = os.fstat(fd).st_size
    _expect(there >= size, f"a file of at least the {size} bytes announced", f"{there} bytes")
    content = os.pread(fd, size, 0)
    _expect(len(content) == size, f"a file with {size} bytes to read", f"{len(content)} bytes")
    return tuple(
        FormatModifier(code, modifier) for code, _, modifier in _ENTRY.iter_unpack(content)
    )


def table_can_be_changed(fd: int) -> bool:
    """Whether a holder of a table's descriptor could write to it or cut it."""
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        return False
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError:
        return True
    wanted = (fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_WRITE | _F_SEAL_FUTURE_WRITE)
    return not all(seals & seal for seal in wanted)


def _check_main_device(event: WireEvent, batch: SentBatch, version: int) -> None:
    _expect(version < DmabufVersion.SAMPLING, "no main_device from version 6 on", event.name)
    _expect(batch.main_device is None, "one main_device in a batch", "a second one")
    _expect(not batch.tranches, "main_device before the tranches", "main_device after one")
    _device(event)


def _device(event: WireEvent) -> bytes:
    raw = event.raw(0)
    _expect(len(raw) == DEV_T_BYTES, f"{event.name} of {DEV_T_BYTES} bytes", f"{len(raw)} bytes")
    return raw


def _flags(event: WireEvent, version: int) -> int:
    flags = event.number(0)
    known = int(TrancheFlags.SCANOUT)
    if version >= DmabufVersion.SAMPLING:
        known |= int(TrancheFlags.SAMPLING)
    _expect(not flags & ~known, f"flags of version {version}, within {known:#x}", f"{flags:#x}")
    return flags


def _indices(event: WireEvent, entries: int) -> list[int]:
    raw = event.raw(0)
    _expect(len(raw) % 2 == 0, "tranche_formats of whole 16-bit indices", f"{len(raw)} bytes")
    indices = [index for (index,) in struct.iter_unpack("=H", raw)]
    beyond = next((index for index in indices if index >= entries), None)
    _expect(
        beyond is None, f"indices into a format table of {entries} entries", f"the index {beyond}"
    )
    return indices


def _check_tranche(tranche: SentTranche) -> None:
    _expect(tranche.device is not None, "a target device in each tranche", "a tranche without")
    _expect(tranche.flags is not None, "tranche_flags in each tranche", "a tranche without")
    _expect(tranche.grouped, "tranche_formats in each tranche", "a tranche without")


def _check_batch(batch: SentBatch, version: int) -> None:
    _expect(batch.tranches != [], "a tranche in each batch", "a batch without")
    sampling = version >= DmabufVersion.SAMPLING
    _expect(sampling or batch.main_device is not None, "main_device in each batch", "none")
    if sampling:
        flagged = all(tranche.flags for tranche in batch.tranches)
        _expect(flagged, "a flag in each tranche from version 6 on", "none")
        told = any((one.flags or 0) & TrancheFlags.SAMPLING for one in batch.tranches)
        _expect(told, "a tranche with the sampling flag", "none")


def _expect(holds: bool, expected: str, seen: str) -> None:
    if not holds:
        raise DeviationError(expected=expected, seen=seen)
