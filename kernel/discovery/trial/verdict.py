"""What was learned by asking: which memory a device takes, and how its driver lays out rows."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import FormatModifier

# What says something of the moment, and nothing of the memory.
_OF_THE_MOMENT = frozenset(
    (
        *(errno.EACCES, errno.EPERM, errno.EBUSY, errno.ENOMEM, errno.ENOSPC),
        *(errno.EMFILE, errno.ENFILE, errno.EBADF, errno.EINTR, errno.EIO),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a device takes the memory of a source, by its name.

    `pairs` are the formats and modifiers that it was asked about; empty, the
    answer holds for all. `said` is what was asked and the word of the errno: "PRIME
    import: EINVAL"; empty where it was taken. `plane` is the name of the one that was asked;
    empty, it is the device as a whole.
    """

    source: str
    taken: bool
    pairs: tuple[FormatModifier, ...] = ()
    said: str = ""
    plane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """What asking one device has told.

    `pitches` has for a number of bits of a pixel what its driver makes the pitches
    of its own pictures multiples of, in bytes. `own` says that such a picture can
    be handed on as a dma-buf.
    """

    verdicts: tuple[Verdict, ...] = ()
    pitches: Mapping[int, int] = field(default_factory=dict, hash=False)
    own: bool = False

    def of_plane(self, name: str) -> tuple[Verdict, ...]:
        """What was said of a plane by its name; with an empty one, of the device as a whole."""
        return tuple(verdict for verdict in self.verdicts if verdict.plane == name)


def refusal(asked: str, error: OSError) -> str | None:
    """How a refusal reads; None for an error that is none, such as no memory at the moment."""
    if error.errno is None or error.errno in _OF_THE_MOMENT:
        return None
    return f"{asked}: {errno.errorcode.get(error.errno, str(error.errno))}"
