"""What the compositor has allocated, and for whom.

A dma-buf lives until the last process lets go of it, and the kernel counts the
memory of most heaps against whoever allocated it: the compositor. So each
allocation is charged to its holder until the client's protocol object is gone and
nobody but the compositor has the memory, whether the client is still connected or
not: the compositor keeps a reference of its own, and looks. Where a kernel does not
tell (`DmaBuf.shared`), a charge ends with the protocol object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from itertools import chain, islice

from heapwire.compositor_plugin.clients.grant import Grant
from heapwire.compositor_plugin.clients.holdings import HeapHolding, HolderHolding
from heapwire.compositor_plugin.clients.quota import (
    Allowance,
    Bound,
    Holder,
    Quota,
    charged_sizes,
)
from heapwire.compositor_plugin.server import EventLoop
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.make_room import make_room
from heapwire.protocol.values import BufferObject, Source, SourceId

SETTLE_INTERVAL = 250  # milliseconds between looks at memory that clients may have freed
MOST_TOLD = 64  # holders whose allowances are kept as they were told last
LOOKED_AT_ONCE = 16  # charges in a turn: about 0.2 ms, at 13 us for each object
SETTLE_AT_ONCE = 64  # charges in one look of the timer, or of one who asks for more


@dataclass(slots=True, eq=False)
class Charge:
    """One allocation: `sizes` in bytes for each source, and so many `descriptors`.

    `wanted` is true as long as the client has the protocol object, `pending` until the
    memory has been allocated, or could not be. `buffers` are the compositor's own references.
    """

    holder: Holder
    sizes: Counter[SourceId]
    descriptors: int
    wanted: bool = True
    pending: bool = True
    buffers: tuple[DmaBuf, ...] = ()

    @property
    def in_use(self) -> bool:
        """Whether the client has the memory, or may get at it."""
        return self.wanted or self.pending or any(buffer.shared() for buffer in self.buffers)


@dataclass(slots=True)
class _Use:
    """What one holder, or all, have: bytes of each source, descriptors, and charges.

    `grant` is what the holder may be given, as of the last charge.
    """

    grant: Grant = Grant()
    sizes: Counter[SourceId] = field(default_factory=Counter)
    descriptors: int = 0
    charges: int = 0

    def add(self, charge: Charge) -> None:
        self.sizes.update(charge.sizes)
        self.descriptors += charge.descriptors
        self.charges += 1

    def remove(self, charge: Charge) -> None:
        self.sizes.subtract(charge.sizes)
        self.descriptors -= charge.descriptors
        self.charges -= 1


class Accounts:
    """Who has been given how much of what the `quota` permits.

    `soon` has something done, under a key, when the host's loop has time for it.
    """

    def __init__(
        self,
        loop: EventLoop,
        quota: Quota,
        soon: Callable[[Hashable, Callable[[], None]], None],
    ) -> None:
        self.quota = quota
        self._together = _Use()
        self._uses: dict[Holder, _Use] = {}
        self._charges: set[Charge] = set()
        # Those whose client has let go, by when they are to be looked at: soon, or by the timer.
        self._due: dict[Charge, None] = {}
        self._left: dict[Charge, None] = {}
        self._soon = soon
        # What may be given, until anybody is given something or gives something back.
        self._told: dict[Holder, tuple[tuple[Source, ...], Grant, Allowance]] = {}
        self._looked = False  # whether somebody's asking made us look since the timer did
        self._settler = loop.add_timer(self._settle)

    def allowance(self, holder: Holder, sources: Iterable[Source], grant: Grant) -> Allowance:
        """What a holder may be given of some sources now, of what it may be given at all.

        While nothing changes it is the same object: every question of a client's asks for it.
        """
        sources = tuple(sources)
        known = self._told.get(holder)
        if known is not None and known[0] is sources and (known[1] is grant or known[1] == grant):
            return known[2]
        make_room(self._told, MOST_TOLD)
        told = self._allowance(holder, sources, grant)
        self._told[holder] = (sources, grant, told)
        return told

    def _allowance(self, holder: Holder, sources: tuple[Source, ...], grant: Grant) -> Allowance:
        quota = self.quota
        own, together, names, parts, forbidden = {}, {}, {}, {}, {}
        bounding = self._bounding(holder, grant)
        for source in sources:
            names[source.id] = source.name
            # What other names of the same memory have given is gone from this one.
            part = tuple(other.id for other in sources if other.lies_within(source))
            parts[source.id] = part
            if not grant.permits(source):
                forbidden[source.id] = f"none of {source.name} is allocated for this client"
            bounds = [
                Bound(limit, sum(use.sizes[each] for each in part), one.kind)
                for one, use, given in bounding
                if (limit := given.limit(source)) is not None
            ]
            if bounds:
                own[source.id] = _tightest(bounds)
            if (limit := quota.common_limit(source)) is not None:
                used = sum(self._together.sizes[each] for each in part)
                together[source.id] = Bound(limit, used, "all users")
        return Allowance(
            budget=_tightest(
                Bound(given.budget, use.sizes.total(), one.kind) for one, use, given in bounding
            ),
            own=own,
            together=together,
            descriptors=_tightest(
                Bound(self._descriptors(one), use.descriptors, one.kind) for one, use, _ in bounding
            ),
            all_descriptors=Bound(
                quota.all_descriptors, self._together.descriptors, "all users together"
            ),
            names=names,
            parts=parts,
            forbidden=forbidden,
        )

    def _bounding(self, holder: Holder, grant: Grant) -> list[tuple[Holder, _Use, Grant]]:
        """Whose use bounds a holder, and to what: its own, and for an app its user's.

        An app to which a policy gives more than to users makes room for that.
        """
        bounding = [(holder, self._uses.get(holder, _Use()), grant)]
        if holder.app:
            users = self.quota.user
            most = replace(
                users,
                budget=max(users.budget, grant.budget),
                share=max(users.share, grant.share),
            )
            bounding.append((holder.user, self._uses.get(holder.user, _Use()), most))
        return bounding

    def _descriptors(self, holder: Holder) -> int:
        """Those that a holder may have: of its user's, an app half."""
        return self.quota.descriptors // 2 if holder.app else self.quota.descriptors

    def charge(self, holder: Holder, objects: Iterable[BufferObject], grant: Grant) -> Charge:
        """Charge what is going to be allocated by what may be given."""
        objects = tuple(objects)
        charge = Charge(holder, charged_sizes(objects), len(objects))
        self._charges.add(charge)
        self._told.clear()
        for one in {holder, holder.user}:
            use = self._uses.setdefault(one, _Use(self.quota.user))
            if one == holder:
                use.grant = grant
            use.add(charge)
        self._together.add(charge)
        return charge

    def allocated(self, charge: Charge, buffers: tuple[DmaBuf, ...]) -> None:
        """The memory is there; the buffers are this object's. Without any, the charge ends."""
        charge.pending, charge.buffers = False, buffers
        if not buffers:
            charge.wanted = False
        self._review(charge)

    def leave(self, charge: Charge) -> None:
        """The client has the protocol object no more; the charge ends when the memory is free.

        Who hangs up leaves hundreds at once, so that they are looked at a few at a time.
        """
        charge.wanted = False
        if charge not in self._charges:
            return
        if self._due:  # `_look_soon`, for one of hundreds
            self._due[charge] = None
        else:
            self._look_soon(charge)

    def heaps_held(self, sources: Iterable[Source]) -> tuple[HeapHolding, ...]:
        """What all holders have of some sources."""
        return tuple(
            HeapHolding(
                name=source.name,
                used=self._together.sizes[source.id],
                limit=self.quota.common_limit(source),
                capacity=source.capacity,
            )
            for source in sources
        )

    def held(self, sources: Iterable[Source]) -> tuple[HolderHolding, ...]:
        """What each holder has of some sources, and in all; who has most comes first."""
        sources = tuple(sources)
        uses = sorted(self._uses.items(), key=lambda entry: -entry[1].sizes.total())
        return tuple(
            HolderHolding(
                holder=holder,
                buffers=use.charges,
                budget=Bound(use.grant.budget, use.sizes.total(), holder.kind),
                descriptors=Bound(self._descriptors(holder), use.descriptors, holder.kind),
                heaps={
                    source.name: (use.sizes[source.id], use.grant.limit(source))
                    for source in sources
                    if use.sizes[source.id]
                },
            )
            for holder, use in uses
        )

    def look_again(self) -> bool:
        """Look now whether memory was freed, for one who asks for more; False if that was done.

        At what nobody has looked at yet, and once between two looks of the timer at the rest:
        looking costs more than asking.
        """
        rest = () if self._looked else self._left
        if not self._due and not rest:
            return False
        self._looked = True
        for charge in tuple(islice(chain(self._due, rest), SETTLE_AT_ONCE)):
            self._review(charge)
        return True

    def close(self) -> None:
        """Let go of all memory."""
        self._settler.remove()
        for charge in tuple(self._charges):
            self._end(charge)

    def _review(self, charge: Charge) -> None:
        self._forget(charge)
        if charge not in self._charges or charge.wanted:
            return
        if not charge.in_use:
            self._end(charge)
            return
        if not self._left:
            self._settler.arm(SETTLE_INTERVAL)
        self._left[charge] = None

    def _look_soon(self, charge: Charge) -> None:
        if not self._due:
            self._soon(self, self._look)
        self._due[charge] = None

    def _look(self) -> None:
        for charge in tuple(islice(self._due, LOOKED_AT_ONCE)):
            self._review(charge)
        if self._due:
            self._soon(self, self._look)

    def _settle(self) -> None:
        """Nobody tells when the last process lets go of a dma-buf, so it is looked at."""
        self._looked = False
        for charge in tuple(islice(self._left, SETTLE_AT_ONCE)):
            del self._left[charge]
            self._look_soon(charge)
        if self._left:
            self._settler.arm(SETTLE_INTERVAL)

    def _forget(self, charge: Charge) -> None:
        self._due.pop(charge, None)
        self._left.pop(charge, None)

    def _end(self, charge: Charge) -> None:
        self._charges.discard(charge)
        self._forget(charge)
        self._told.clear()
        for one in {charge.holder, charge.holder.user}:
            use = self._uses[one]
            use.remove(charge)
            if not use.charges:
                del self._uses[one]
        self._together.remove(charge)
        for buffer in charge.buffers:
            buffer.close()
        charge.buffers = ()


def _tightest(bounds: Iterable[Bound]) -> Bound:
    """Of what bounds the same thing, what leaves least."""
    return min(bounds, key=lambda bound: bound.left)
