"""One constraint: a type, the planes it speaks of, a value, and who says so."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from heapwire.protocol.late_dataclasses import dataclass, field

if TYPE_CHECKING:
    from heapwire.protocol.values.device_number import DeviceId
    from heapwire.protocol.values.source import SourceId

MAX_PLANES = 4
"""Planes of a buffer: linux-dmabuf and KMS both stop at four (drm_mode.h, drm_mode_fb_cmd2)."""

ALL_PLANES = (1 << MAX_PLANES) - 1
"""The mask of all of them."""

Value: TypeAlias = (
    "int | tuple[int, int] | tuple[SourceId, ...] | tuple[tuple[DeviceId, int], ...] | bytes"
)
"""What a value may be; which of these it is, the `ValueKind` of its type says."""


class Provenance(IntEnum):
    """The rung that a fact stands on; the values are those of the wire.

    Of two facts about the same thing the one on the higher rung, which is the
    greater number, overrules the other. What is merged of several stands on the
    lowest of their rungs.
    """

    PRESUMPTION = 0
    """Nothing is known of this device; a rule of thumb stands in."""
    UNCHECKED = 1
    """A data file says so, and nobody compared it with its source."""
    PROFILE = 2
    """A data file that ships with the project or the platform."""
    GAUGE = 3
    """It was measured on this machine: what its own driver does when left to itself."""
    TRIAL = 4
    """It was tried on this machine, and taken or refused."""
    KERNEL = 5
    """The kernel states it."""
    USER = 6
    """Somebody configured it for this machine, against all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What one device needs in one respect.

    `type` is the u32 of the registry: vendor in the top 8 bits, code in the
    lower 24. `planes` is a mask of the planes it speaks of; 0 is the buffer as
    a whole (for a per-plane type: each of its planes). A peer that does not
    know a type drops the formats that it covers if `must_understand` is set,
    and carries the constraint on unchanged otherwise. `source` is where it is
    said, for people: a file and symbol of the kernel, what was asked and the
    errno; it is not sent, and two constraints that differ in it alone are the
    same.
    """

    type: int
    value: Value
    planes: int = 0
    must_understand: bool = True
    provenance: Provenance = Provenance.PROFILE
    source: str = field(default="", compare=False)

    @classmethod
    def told(
        cls, type_: int, value: Value, planes: int, must_understand: bool, provenance: Provenance
    ) -> Constraint:
        """One as it came over the wire, which has no source.

        The same as by its name, in two thirds of the time: a compositor makes a hundred in a row.
        """
        made = object.__new__(cls)
        _set_type(made, type_)
        _set_value(made, value)
        _set_planes(made, planes)
        _set_must_understand(made, must_understand)
        _set_provenance(made, provenance)
        _set_source(made, "")
        return made

    @property
    def value_in_order(self) -> str:
        """The value as what constraints of a type are sorted by.

        A kilobyte of a vendor's bytes, spelled out, would take as long as fifty steps.
        """
        value = self.value
        return value.decode("latin-1") if isinstance(value, bytes) else repr(value)


_set_type, _set_value, _set_planes, _set_must_understand, _set_provenance, _set_source = (
    getattr(Constraint, name).__set__ for name in Constraint.__slots__
)
