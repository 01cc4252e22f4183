"""What the requirements of a choice of sets say of a plan, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from heapwire.protocol.late_tuples import NamedTuple
from heapwire.protocol.solver import listed
from heapwire.protocol.values import ALL_PLANES, Reason

_TOLD: Final = frozenset(
    [
        "format",
        "pitch",
        "offset",
        "extent",
        "size",
        "source",
        "count",
        "coherency",
        "fence",
        "colour",
    ]
)
"""The reasons that a plan has of itself, with or without somebody's demand."""


class Said(NamedTuple):
    """What one requirement says of its subject: who says it, of which type and planes."""

    name: str
    type: int
    planes: int
    text: str


class ChoiceWords:
    """The sentences of a choice of sets, by the reason of a plan that they are part of.

    No constraint is in them, nor what depends on the picture, so they can be kept.
    """

    def __init__(self, said: Mapping[str, Sequence[Said]]) -> None:
        """`said` has those for each reason, in the order in which they are told."""
        self._said = said
        self._sentences: dict[tuple[str, int], str] = {}
        self._others: dict[int, tuple[Reason, ...]] = {}

    def who(self, explained: str, planes: int = ALL_PLANES) -> str:
        """`a multiple of 64 bytes for display, a multiple of 256 bytes for decoder`.

        Of some planes, a mask; empty where nobody says anything of them.
        """
        sentence = self._sentences.get((explained, planes))
        if sentence is None:
            wanted: dict[str, dict[str, None]] = {}
            for said in self._said.get(explained, ()):
                if (said.planes or ALL_PLANES) & planes:
                    wanted.setdefault(said.text, {})[said.name] = None
            sentence = ", ".join(f"{text} for {listed(names)}" for text, names in wanted.items())
            self._sentences[explained, planes] = sentence
        return sentence

    def others(self, planes: int) -> tuple[Reason, ...]:
        """A reason of its own for each subject that no plan has of itself.

        One for each of so many planes, where somebody asks it of some of them only.
        """
        others = self._others.get(planes)
        if others is None:
            others = self._others[planes] = tuple(
                Reason(explained, f"{explained}: {sentence}", plane)
                for explained, those in self._said.items()
                if explained not in _TOLD
                for plane in ((None,) if all(not said.planes for said in those) else range(planes))
                if (sentence := self.who(explained, ALL_PLANES if plane is None else 1 << plane))
            )
        return others

    def who_asks(self, explained: str, type_: int) -> list[str]:
        """Who has a requirement of a type, in a reason."""
        names = (said.name for said in self._said.get(explained, ()) if said.type == type_)
        return list(dict.fromkeys(names))
