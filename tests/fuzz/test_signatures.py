"""What the fuzzer thinks can be sent is what the compositor serves."""

from __future__ import annotations

import pytest
import signatures

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.protocol.wire.bindings import (
    INTERFACES,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
    XX_DMABUF_SOURCES_V1,
)

READ = signatures.read()
SERVED = (*INTERFACES, XX_DMABUF_SOURCES_V1, XX_DMABUF_FEEDBACK_SOURCES_V1)
EXTENSION = {one.name: one for one in SERVED}


@pytest.mark.parametrize("name", READ)
def test_an_interface_is_as_it_is_served(name: str) -> None:
    """As far as it is read: a newer libwayland serves newer versions of the core interfaces."""
    served = EXTENSION.get(name) or interface_table(name)
    read = READ[name]
    assert read.version <= served.version
    for ours, all_theirs in ((read.requests, served.requests), (read.events, served.events)):
        theirs = [message for message in all_theirs if message.since <= read.version]
        assert [(one.name, one.since) for one in ours] == [(one.name, one.since) for one in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert [(a.kind, a.interface) for a in one.arguments] == [
                (a.kind.name.lower(), a.interface) for a in other.arguments
            ]
