"""What buffers for a trial can be taken from."""

from __future__ import annotations

from heapwire.kernel.description import Platform
from heapwire.protocol.values import Source, SourceKind


def trial_sources(platform: Platform) -> tuple[Source, ...]:
    """The sources that this process may allocate from now; a device's own memory is not among them.

    That needs the shape of a picture, and a trial needs any memory at all.
    """
    openable = platform.memory.openable
    return tuple(
        source
        for source in platform.sources
        if source.id in openable and source.id.kind is not SourceKind.DEVICE
    )
