"""What the display's driver says of buffers in memory that nobody knows, asked off the loop."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeAlias

from heapwire.compositor_plugin.machine import Worker
from heapwire.compositor_plugin.server import EventLoop
from heapwire.kernel.discovery import takes_frame
from heapwire.kernel.drm import Card, Framebuffer, open_card

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heapwire.compositor_plugin.hosts.reference.dmabuf.dmabuf_content import DmabufContent

log = logging.getLogger(__name__)

MOST_WAITING = 64
"""Buffers, of all clients: who imports more at a time has the rest composited."""

OpenCard: TypeAlias = "Callable[[str], AbstractContextManager[Card]]"


@contextmanager
def _opened(node: str) -> Iterator[Card]:
    with open_card(node) as fd:
        yield Card(fd)


class FrameTrials:
    """Asks the display at `node` whether it takes a buffer just as it is.

    What it takes can be scanned out from the next refresh on, which `taken` is to bring about: it
    is called on the loop's thread.
    """

    def __init__(
        self,
        loop: EventLoop,
        node: str,
        taken: Callable[[], None],
        cards: OpenCard | None = None,
    ) -> None:
        self._node = node
        self._taken = taken
        self._cards = cards or _opened
        self._waiting = 0
        self._worker = Worker("heapwire-frames")
        self._source = loop.add_fd(self._worker.fd, self._answers_came)

    def ask(self, content: DmabufContent) -> None:
        """Begin; the answer is in the content's `taken_by_display` once there is one."""
        if self._waiting >= MOST_WAITING:
            return
        self._waiting += 1
        attributes, memories, card = content.attributes, content.objects, self._cards
        frame = Framebuffer(
            width=attributes.extent.width,
            height=attributes.extent.height,
            fourcc=attributes.format.fourcc,
            modifier=attributes.format.modifier,
            planes=tuple((plane.offset, plane.pitch) for plane in attributes.planes),
        )
        objects = [plane.object for plane in attributes.planes]
        asked_for = weakref.ref(content)

        def work() -> bool | None:
            # The memory is kept by this, should its client go meanwhile.
            with card(self._node) as opened:
                return takes_frame(opened, [memory.fd for memory in memories], frame, objects)

        def done(outcome: bool | Exception | None) -> None:
            self._waiting -= 1
            still_there = asked_for()
            if isinstance(outcome, Exception):
                log.debug("%s cannot be asked: %s", self._node, outcome)
            elif outcome and still_there is not None:
                still_there.taken_by_display = True
                still_there.verdicts.clear()
                self._taken()

        self._worker.submit(work, done)

    def _answers_came(self, _mask: int) -> None:
        """All of them in one pass: each is a flag and a picture to come, and they are few."""
        self._worker.acknowledge()
        while self._worker.hand_on():
            pass

    def close(self) -> None:
        """Ask nothing more."""
        self._source.remove()
        self._worker.close()
