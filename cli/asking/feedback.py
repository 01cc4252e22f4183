"""Show what a compositor offers: its memory, formats, devices and constraints.

That is linux-dmabuf's default feedback with what is added to it.
"""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import add_json, add_timeout
from heapwire.cli.pages import memory_document, memory_lines
from heapwire.cli.terminal import DONE, show
from heapwire.client_lib.buffers import ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.wayland import Connection, DmabufSources
from heapwire.protocol.wire import DmabufFeedback, DmabufTranche, DmabufVersion, TrancheFlags

LINUX_DMABUF = "zwp_linux_dmabuf_v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire feedback`."""
    add_timeout(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`."""
    timeout: float = options.timeout
    with Connection() as connection:
        offered = connection.globals(timeout=timeout)
        sources = DmabufSources.offered(connection)
        if LINUX_DMABUF in offered or sources is None:
            feedback = _feedback(connection, timeout)
        else:
            feedback = DmabufFeedback(
                version=0, tranches=()
            )  # there are sources, and nothing to import with
        if sources is not None:
            connection.wait(lambda: sources.ready, timeout=timeout, what="sources of memory")
        document = memory_document(feedback, {} if sources is None else sources.sources)
    show(document, lambda told: "\n".join(memory_lines(told)), as_json=options.json)
    return DONE


def _feedback(connection: Connection, timeout: float) -> DmabufFeedback:
    dmabuf = LinuxDmabuf(connection, timeout=timeout)
    if dmabuf.version < DmabufVersion.FEEDBACK:
        pairs = tuple(sorted(dmabuf.pairs))
        sampled = DmabufTranche(None, TrancheFlags(0), pairs)
        return DmabufFeedback(version=dmabuf.version, tranches=(sampled,))
    told: list[DmabufFeedback] = []
    feedback = ExtendedFeedback(dmabuf, None, told.append)
    connection.wait(lambda: bool(told), timeout=timeout, what="linux-dmabuf feedback")
    feedback.close()
    return told[-1]
