"""A compositor's linux-dmabuf feedback with what is added to it, asked for."""

from __future__ import annotations

from heapwire.cli.pages.memory_feedback import memory_document
from heapwire.client_lib.buffers import ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.wayland import AnyProxy, Connection, DmabufSources
from heapwire.protocol.explain import Document
from heapwire.protocol.wire import DmabufFeedback, DmabufTranche, DmabufVersion, TrancheFlags

_LINUX_DMABUF = "zwp_linux_dmabuf_v1"


def feedback_document(
    connection: Connection, timeout: float, surface: AnyProxy | None = None
) -> Document:
    """What a compositor offers, for programs; it has `timeout` seconds for each answer.

    With a `surface` it is what it offers for that one, else for any.
    """
    offered = connection.globals(timeout=timeout)
    sources = DmabufSources.offered(connection)
    if _LINUX_DMABUF in offered or sources is None:
        feedback = _feedback(connection, timeout, surface)
    else:
        feedback = DmabufFeedback(
            version=0, tranches=()
        )  # there are sources, and nothing to import with
    if sources is not None:
        connection.wait(lambda: sources.ready, timeout=timeout, what="sources of memory")
    return memory_document(feedback, {} if sources is None else sources.sources)


def _feedback(connection: Connection, timeout: float, surface: AnyProxy | None) -> DmabufFeedback:
    dmabuf = LinuxDmabuf(connection, timeout=timeout)
    if dmabuf.version < DmabufVersion.FEEDBACK:
        pairs = tuple(sorted(dmabuf.pairs))
        sampled = DmabufTranche(None, TrancheFlags(0), pairs)
        return DmabufFeedback(version=dmabuf.version, tranches=(sampled,))
    told: list[DmabufFeedback] = []
    feedback = ExtendedFeedback(dmabuf, surface, told.append)
    connection.wait(lambda: bool(told), timeout=timeout, what="linux-dmabuf feedback")
    feedback.close()
    return told[-1]
