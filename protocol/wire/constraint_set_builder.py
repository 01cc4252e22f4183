"""A constraint set as it comes over the wire, checked as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from heapwire.protocol.errors import NotPossibleError, PeerError, UsageError
from heapwire.protocol.values import (
    ALL_PLANES,
    Constraint,
    ConstraintSet,
    FormatModifier,
    Provenance,
)
from heapwire.protocol.wire.array import decode_formats, format_chunks
from heapwire.protocol.wire.bindings import (
    ConstraintSetCreatorConstraintFlag,
    ConstraintSetCreatorError as Error,
)
from heapwire.protocol.wire.constraint_value import decode_value, encode_value
from heapwire.protocol.wire.limits import SET_CONSTRAINTS, SET_FORMATS, VALUE_BYTES
from heapwire.protocol.wire.misuse import LimitError, MisuseError

Request = tuple[str, tuple[int | str | bytes, ...]]
"""A request by its name, with its arguments but the objects and fds among them."""

# Plain numbers: a client's requests come a hundred at a time, and an enum takes its time.
_MUST_UNDERSTAND = int(ConstraintSetCreatorConstraintFlag.MUST_UNDERSTAND)
_NO_FLAGS = ~_MUST_UNDERSTAND
_NO_PLANES = ~ALL_PLANES
_PROVENANCES = {int(rung): rung for rung in Provenance}


class ConstraintSetBuilder:
    """The state of an `xx_dmabuf_constraint_set_creator_v1`.

    Its methods are the requests; they raise `MisuseError` with the error that the
    protocol names.
    """

    __slots__ = ("_constraints", "_formats", "_preferring")

    def __init__(self) -> None:
        self._formats: dict[FormatModifier, int] = {}
        self._constraints: dict[tuple[int, int], Constraint] = {}
        self._preferring = False  # whether any cost is not 0

    def add_formats(self, cost: int, formats: bytes) -> None:
        """Add pairs that share a cost."""
        try:
            pairs = decode_formats(formats)
        except PeerError as error:
            raise MisuseError(Error.INVALID_ARRAY, str(error)) from None
        if not pairs:
            raise MisuseError(Error.INVALID_ARRAY, "formats is empty")
        known = self._formats
        if len(known) + len(pairs) > SET_FORMATS:
            raise LimitError(Error.TOO_MANY, f"more than {SET_FORMATS} pairs in a set")
        # A dict as a whole: pairs come by the thousand, and each has to be looked up.
        added = dict.fromkeys(pairs, cost)
        if len(added) < len(pairs) or not known.keys().isdisjoint(added):
            raise _added_twice(known, pairs)
        known.update(added)
        if cost:
            self._preferring = True

    def add(self, type_: int, planes: int, flags: int, provenance: int, value: bytes) -> None:
        """Add a constraint."""
        key = (type_, planes)
        rung = _PROVENANCES.get(provenance)
        if planes & _NO_PLANES or flags & _NO_FLAGS or rung is None or len(value) > VALUE_BYTES:
            raise _misuse(planes, flags, provenance, value)
        if key in self._constraints:
            raise MisuseError(
                Error.ALREADY_SET,
                f"type {type_:#010x} for planes {planes:#x} twice",
            )
        if len(self._constraints) >= SET_CONSTRAINTS:
            raise LimitError(
                Error.TOO_MANY,
                f"more than {SET_CONSTRAINTS} constraints in a set",
            )
        try:
            decoded = decode_value(type_, value)
        except PeerError as fault:
            raise MisuseError(Error.INVALID_VALUE, str(fault)) from None
        self._constraints[key] = Constraint.told(
            type_, decoded, planes, flags == _MUST_UNDERSTAND, rung
        )

    def create(self) -> ConstraintSet:
        """The finished set."""
        if not self._formats:
            raise MisuseError(Error.INCOMPLETE_SET, "a set without formats")
        return ConstraintSet(
            formats=tuple(self._formats),
            constraints=tuple(self._constraints.values()),
            # All 0 is no preference, and as a value the same as none: who compares sets, and
            # who remembers answers, need not know.
            costs=tuple(self._formats.values()) if self._preferring else (),
        )


def _added_twice(known: Collection[FormatModifier], pairs: Iterable[FormatModifier]) -> MisuseError:
    """Which pair was added again, where one of `pairs` was."""
    times = Counter(pairs)
    pair = next(one for one, count in times.items() if count > 1 or one in known)
    text = f"format {pair.fourcc:#010x} modifier {pair.modifier:#x} was added before"
    return MisuseError(Error.ALREADY_SET, text)


def _misuse(planes: int, flags: int, provenance: int, value: bytes) -> MisuseError:
    """What is wrong with one of the numbers of a constraint, or with its length."""
    if planes & _NO_PLANES:
        text = f"plane mask {planes:#x} has bits above bit 3"
        return MisuseError(Error.INVALID_PLANES, text)
    if flags & _NO_FLAGS:
        return MisuseError(Error.INVALID_FLAGS, f"flags {flags:#x} has unknown bits")
    if provenance not in _PROVENANCES:
        return MisuseError(Error.INVALID_PROVENANCE, f"{provenance} is no provenance")
    return MisuseError(Error.INVALID_VALUE, f"a value of {len(value)} bytes")


def constraint_arguments(constraint: Constraint) -> tuple[int, int, int, int, bytes]:
    """The arguments (type, planes, flags, provenance, value) of a constraint."""
    return (
        constraint.type,
        constraint.planes,
        _MUST_UNDERSTAND if constraint.must_understand else 0,
        constraint.provenance,
        encode_value(constraint.type, constraint.value),
    )


def set_requests(constraint_set: ConstraintSet) -> tuple[Request, ...]:
    """The requests that build a set with a creator, all but `create`.

    Raises `NotPossibleError` if it is more than the protocol can carry, and `UsageError` if
    it is not what the protocol calls a set.
    """
    costs = constraint_set.costs or (0,) * len(constraint_set.formats)
    # One request for each cost, in the order in which the costs first come: the pairs of a
    # set have no order of their own.
    by_cost: dict[int, list[FormatModifier]] = {}
    for pair, cost in zip(constraint_set.formats, costs, strict=True):
        by_cost.setdefault(cost, []).append(pair)
    requests: list[Request] = []
    for cost, pairs in by_cost.items():
        requests += [("add_formats", (cost, chunk)) for chunk in format_chunks(pairs)]
    for constraint in constraint_set.constraints:
        requests.append(("add", constraint_arguments(constraint)))
    rehearse(ConstraintSetBuilder(), [*requests, ("create", ())])
    return tuple(requests)


def rehearse(peer: object, requests: Iterable[Request]) -> None:
    """Make requests of this side's own copy of the peer's state.

    What the peer would take for misuse, and end the connection for, is this side's error
    instead: `NotPossibleError` beyond a limit, which a machine's or a file's devices can
    reach, and `UsageError` for all that no data make right.
    """
    try:
        for name, arguments in requests:
            getattr(peer, name)(*arguments)
    except LimitError as error:
        raise NotPossibleError(error.message) from None
    except MisuseError as error:
        raise UsageError(error.message) from None
