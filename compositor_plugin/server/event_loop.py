"""The host's event loop, and the sources that we add to it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from _cffi_backend import cast  # of a type that is known, without a detour

from heapwire.compositor_plugin.server.libwayland_server import CData, callback, ffi, library
from heapwire.protocol import HeapwireError, MachineError, UsageError

log = logging.getLogger(__name__)

READABLE = 1
"""The mask of an fd that has something (wayland-server-core.h, WL_EVENT_READABLE)."""
WRITABLE = 2
"""The mask of an fd that takes something (WL_EVENT_WRITABLE)."""

_ANYTHING = ffi.typeof("void *")
_sources: dict[int, EventSource] = {}
_idle_calls: dict[int, IdleCall] = {}  # those that the loop makes
_numbers = itertools.count(1)


def _nothing(_mask: int) -> None:
    """What a source calls that is no more."""


def _nobody() -> None:
    """The same of an idle call."""


class EventSource:
    """Something that the loop calls back for; `remove` ends it."""

    __slots__ = ("_callback", "_loop", "_number", "_pointer", "_timer")

    def __init__(
        self, loop: EventLoop, callback: Callable[[int], None], *, timer: bool = False
    ) -> None:
        self._callback = callback
        self._loop = loop
        self._timer = timer
        self._number = next(_numbers)
        self._pointer: CData = ffi.NULL

    def _added(self, pointer: CData, what: str, error: type[HeapwireError]) -> EventSource:
        if pointer == ffi.NULL:
            raise error(f"{what} cannot be added to the event loop")
        self._pointer = pointer
        _sources[self._number] = self
        self._loop.sources.add(self)
        return self

    def arm(self, milliseconds: int) -> None:
        """Let a timer fire once, so much later; 0 disarms it."""
        if self._timer and self._number in _sources:
            library().wl_event_source_timer_update(self._pointer, milliseconds)

    def remove(self) -> None:
        """End the source; safe to call twice, and from its own callback."""
        if _sources.pop(self._number, None) is not None:
            self._loop.sources.discard(self)
            self._callback = _nothing  # which often refers to whoever has this source
            library().wl_event_source_remove(self._pointer)


class IdleCall:
    """Something that the loop calls when what is being dispatched has been dispatched.

    Only when it is asked to, and once each time; `remove` ends it. An answer asks for one, so
    it is made beforehand.
    """

    __slots__ = ("_callback", "_data", "_loop", "_number", "_pointer", "asked")

    def __init__(self, loop: EventLoop, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = loop
        self._number = next(_numbers)
        self._data = cast(_ANYTHING, self._number)
        self._pointer: CData = ffi.NULL
        self.asked = False
        """Whether a call is to come; always, once it is removed."""

    def ask(self) -> None:
        """Be called soon; nothing happens if that has been asked."""
        if self.asked:
            return
        pointer = library().wl_event_loop_add_idle(self._loop.pointer, _IDLE, self._data)
        if pointer == ffi.NULL:
            raise MachineError("an idle callback cannot be added to the event loop")
        self._pointer, self.asked = pointer, True
        _idle_calls[self._number] = self
        self._loop.sources.add(self)

    def remove(self) -> None:
        """Be called no more; safe to call twice, and from its own callback."""
        if _idle_calls.pop(self._number, None) is not None:
            self._loop.sources.discard(self)
            library().wl_event_source_remove(self._pointer)
        self.asked, self._callback = True, _nobody  # it often refers to whoever has this


class EventLoop:
    """A `wl_event_loop` of somebody's."""

    __slots__ = ("pointer", "sources")

    def __init__(self, pointer: CData) -> None:
        self.pointer = pointer
        self.sources: set[EventSource | IdleCall] = set()

    def clear(self) -> None:
        """Remove all sources that were added through this object."""
        for source in tuple(self.sources):
            source.remove()

    def add_fd(self, fd: int, callback: Callable[[int], None], mask: int = READABLE) -> EventSource:
        """Call back with a mask when the fd is ready; the fd stays the caller's.

        Raises `UsageError` if it is not a file descriptor that can be polled.
        """
        source = EventSource(self, callback)
        pointer = library().wl_event_loop_add_fd(
            self.pointer, fd, mask, _fd_ready, ffi.cast("void *", source._number)
        )
        return source._added(pointer, f"file descriptor {fd}", UsageError)

    def add_timer(self, callback: Callable[[], None]) -> EventSource:
        """Call back when the timer that is returned fires; it is not armed yet."""
        source = EventSource(self, lambda _: callback(), timer=True)
        pointer = library().wl_event_loop_add_timer(
            self.pointer, _timer_fired, ffi.cast("void *", source._number)
        )
        return source._added(pointer, "a timer", MachineError)


def _run(data: CData, mask: int) -> None:
    source = _sources.get(int(ffi.cast("uintptr_t", data)))
    if source is not None:
        try:
            source._callback(mask)
        except Exception:
            log.exception("an event source failed")


@callback("int(int, uint32_t, void *)")
def _fd_ready(_fd: int, mask: int, data: CData) -> int:
    _run(data, mask)
    return 0


@callback("int(void *)")
def _timer_fired(data: CData) -> int:
    _run(data, 0)
    return 0


@callback("void(uintptr_t)")
def _idle(number: int) -> None:
    idle = _idle_calls.pop(number, None)  # libwayland frees an idle source before it calls back
    if idle is not None:
        idle.asked = False
        idle._loop.sources.discard(idle)
        try:
            idle._callback()
        except Exception:
            log.exception("an event source failed")


_IDLE = ffi.cast("void(*)(void *)", _idle)
