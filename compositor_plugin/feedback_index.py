"""All feedback objects of all clients, and which of them wait for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heapwire.compositor_plugin.heap_feedback import HeapFeedback


class FeedbackIndex:
    """Feedback objects by the surface that they are for and by the buffers that they tagged.

    Surfaces and buffers go by the addresses of their resources. What is returned is a
    copy: telling one object of something may end others.
    """

    def __init__(self) -> None:
        self._all: set[HeapFeedback] = set()
        self._by_surface: dict[int, set[HeapFeedback]] = {}
        self._by_buffer: dict[int, set[HeapFeedback]] = {}

    def all(self) -> tuple[HeapFeedback, ...]:
        """Every feedback object that there is."""
        return tuple(self._all)

    def of_surface(self, surface: int) -> tuple[HeapFeedback, ...]:
        """Those that are for a surface."""
        return tuple(self._by_surface.get(surface, ()))

    def of_buffer(self, buffer: int) -> tuple[HeapFeedback, ...]:
        """Those that want to hear of a buffer."""
        return tuple(self._by_buffer.get(buffer, ()))

    def has_buffer(self, buffer: int) -> bool:
        """Whether any wants to hear of a buffer; cheap, for the repaint path."""
        return buffer in self._by_buffer

    def add(self, feedback: HeapFeedback) -> None:
        """A feedback object was created."""
        self._all.add(feedback)
        if feedback.surface is not None:
            self._by_surface.setdefault(feedback.surface, set()).add(feedback)

    def remove(self, feedback: HeapFeedback) -> None:
        """A feedback object was destroyed; its tags have been removed before."""
        self.leave_surface(feedback)
        self._all.discard(feedback)

    def leave_surface(self, feedback: HeapFeedback) -> None:
        """The surface of a feedback object is no more: its address may name another one soon."""
        if feedback.surface is not None:
            _discard(self._by_surface, feedback.surface, feedback)

    def add_tag(self, buffer: int, feedback: HeapFeedback) -> None:
        """A feedback object wants to hear of a buffer."""
        self._by_buffer.setdefault(buffer, set()).add(feedback)

    def remove_tag(self, buffer: int, feedback: HeapFeedback) -> None:
        """A feedback object has heard enough of a buffer."""
        _discard(self._by_buffer, buffer, feedback)


def _discard(index: dict[int, set[HeapFeedback]], key: int, feedback: HeapFeedback) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.discard(feedback)
        if not entries:
            del index[key]  # or `has_buffer` would be true for a buffer that nobody waits for
