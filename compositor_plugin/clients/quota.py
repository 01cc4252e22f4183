"""How much memory the compositor gives to whom: a budget, shares of what is scarce, a reserve.

Memory is charged to a user and not to a connection: who connects anew, or twice, is
the same user still. What a sandboxed app has is charged to the app and to its user, so
that one app does not have all that is its user's, and many do not have more.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from heapwire.compositor_plugin.clients.grant import Grant
from heapwire.kernel.description import quantity_name
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import PAGE_SIZE, BufferObject, Source, SourceId

DEFAULT_RESERVE = 25
"""Percent of a heap of known size that all users together leave: for the compositor's own
buffers, cameras, and whoever comes next."""

_MOST_DESCRIPTORS = 1024  # for all users, where the process may have more than anybody needs


@dataclass(frozen=True, slots=True)
class Holder:
    """To whom memory is charged: a user, by number, or one sandboxed app of the user's."""

    uid: int
    app: str = ""

    @property
    def user(self) -> Holder:
        """The user, whether this is an app or not."""
        return Holder(self.uid)

    @property
    def kind(self) -> str:
        """What it is, for a sentence."""
        return "a sandboxed app" if self.app else "a user"


@dataclass(frozen=True, slots=True)
class Bound:
    """So much of something may be had by somebody, and so much is."""

    limit: int
    used: int
    whose: str = "a user"

    @property
    def left(self) -> int:
        """What may be had still."""
        return max(0, self.limit - self.used)


_LEFT: Callable[[Bound], int] = attrgetter("left")
_LIMIT: Callable[[Bound], int] = attrgetter("limit")


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a buffer is not given: `own` if the asker has its part, else all have together.

    `forbidden` if the asker has no part at all.
    """

    text: str
    own: bool
    forbidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one holder may be given at a moment, in bytes and in file descriptors.

    `own` and `together` have what bounds the memory of a source, for one and for all,
    `forbidden` the sources of which there is none for this one, and why.
    The compositor keeps a descriptor of each object that it gave. `parts` has for a
    source those whose memory is its own: itself, and its other names.
    """

    budget: Bound
    own: Mapping[SourceId, Bound]
    together: Mapping[SourceId, Bound]
    descriptors: Bound
    all_descriptors: Bound
    names: Mapping[SourceId, str] = field(repr=False)
    parts: Mapping[SourceId, tuple[SourceId, ...]] = field(repr=False)
    forbidden: Mapping[SourceId, str] = field(default_factory=dict)
    _rooms: dict[SourceId, tuple[int, int, int, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def obstacle(self, objects: Sequence[BufferObject], count: int) -> Shortage | None:
        """Why not one buffer of these objects is given now, or so many never; None if they are."""
        first = objects[0].source
        size, number = 0, len(objects)
        for entry in objects:
            if entry.source is not first:
                break
            size += charged_size(entry)
        else:  # as a rule; and then four comparisons do
            room = self._rooms.get(first)
            if room is None:
                room = self._rooms[first] = self._room(first)
            now, ever, kept_now, kept_ever = room
            fits = size <= now and size * count <= ever
            if fits and number <= kept_now and number * count <= kept_ever:
                return None
        return self.shortage(objects) or self.overreach(objects, count)

    def _room(self, source: SourceId) -> tuple[int, int, int, int]:
        """Bytes of a source that may be had now, and at all; and descriptors, the same."""
        bounds = [self.budget]
        bounds += [one for of in (self.own, self.together) if (one := of.get(source)) is not None]
        counts = (self.descriptors, self.all_descriptors)
        if source in self.forbidden:
            return -1, -1, -1, -1
        return (
            *(min(map(_LEFT, bounds)), min(map(_LIMIT, bounds))),
            *(min(map(_LEFT, counts)), min(map(_LIMIT, counts))),
        )

    def shortage(self, objects: Iterable[BufferObject]) -> Shortage | None:
        """Why a buffer of these objects is more than may be given; None if it is not."""
        return self._shortage(_sizes(objects), _LEFT)

    def overreach(self, objects: Iterable[BufferObject], count: int) -> Shortage | None:
        """Why so many buffers of these objects could never be had together; None if they could.

        What is in use does not count: a client that asks anew gives back what it has.
        """
        return self._shortage(_sizes(objects), _LIMIT, count)

    def _shortage(
        self, sizes: list[tuple[SourceId, int]], room: Callable[[Bound], int], count: int = 1
    ) -> Shortage | None:
        charged: dict[SourceId, int] = {}  # a counter takes longer than all the rest
        total, descriptors = 0, count * len(sizes)
        for source, size in sizes:
            total += count * size
            charged[source] = charged.get(source, 0) + count * size
        if self.forbidden:
            for source in charged:
                if source in self.forbidden:
                    return Shortage(self.forbidden[source], own=True, forbidden=True)
        if total > room(self.budget):
            return Shortage(_words(total, self.budget, "that {} may have"), own=True)
        for source, size in charged.items():
            parts = self.parts.get(source, (source,))
            if len(parts) > 1:
                size = sum([charged.get(part, 0) for part in parts])
            own, together = self.own.get(source), self.together.get(source)
            what = "of {} that {{}} may have"
            if own is not None and size > room(own):
                what = what.format(self.names.get(source, source))
                return Shortage(_words(size, own, what), own=True)
            if together is not None and size > room(together):
                what = what.format(self.names.get(source, source))
                return Shortage(_words(size, together, f"{what} together"), own=False)
        if descriptors > room(self.descriptors):
            return Shortage(_too_many(self.descriptors), own=True)
        if descriptors > room(self.all_descriptors):
            return Shortage(_too_many(self.all_descriptors), own=False)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What each user may have, and all of them together.

    `reserve` is percent of a heap's size, for nobody. `descriptors` and `all_descriptors`
    count objects, of which the compositor keeps a file descriptor each, for one and for all.
    """

    user: Grant = Grant()
    reserve: int = DEFAULT_RESERVE
    descriptors: int = _MOST_DESCRIPTORS // 2
    all_descriptors: int = _MOST_DESCRIPTORS

    @classmethod
    def of_process(cls, *, user: Grant, reserve: int) -> Quota:
        """With a part of the descriptors that this process may open now (RLIMIT_NOFILE).

        For each object there is the one that is kept, one that may be under way, and one
        of the client's wl_buffer: at a quarter for all users, a last quarter is for what
        else the compositor does.
        """
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        together = _MOST_DESCRIPTORS
        if limit != resource.RLIM_INFINITY:
            together = min(together, limit // 4)
        return cls(user=user, reserve=reserve, descriptors=together // 2, all_descriptors=together)

    def common_limit(self, source: Source) -> int | None:
        """Bytes of a source that all holders may have together; None if that is not known."""
        if source.capacity is None:
            return None
        return source.capacity * (100 - self.reserve) // 100


def charged_sizes(objects: Iterable[BufferObject]) -> Counter[SourceId]:
    """What objects take of each source, in bytes: whole pages."""
    sizes: Counter[SourceId] = Counter()
    for entry in objects:
        sizes[entry.source] += charged_size(entry)
    return sizes


def _sizes(objects: Iterable[BufferObject]) -> list[tuple[SourceId, int]]:
    return [(entry.source, charged_size(entry)) for entry in objects]


def charged_size(entry: BufferObject) -> int:
    """What an object takes, in bytes: whole pages."""
    return -(-entry.size // PAGE_SIZE) * PAGE_SIZE


def _words(size: int, bound: Bound, what: str) -> str:
    sizes = (quantity_name(size), quantity_name(bound.limit), quantity_name(bound.used))
    whose = what.format(bound.whose)
    return "{} more do not fit the {} {}: {} are in use".format(*sizes[:2], whose, sizes[2])


def _too_many(bound: Bound) -> str:
    return f"{bound.used} of the {bound.limit} dma-bufs that {bound.whose} may have are in use"
