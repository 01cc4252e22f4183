"""What a player can show: a file, a test pattern, a camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.kernel.description import Platform


class Material(Protocol):
    """Something with pictures, and the ways to have them.

    The ways raise what they meet with: `InputError`, `MachineError`, `NotPossibleError`. What was
    passed over and why is added to `faults`.
    """

    @property
    def title(self) -> str:
        """What the window is called."""

    @property
    def paced(self) -> bool:
        """Whether its pictures have their times; those of a camera are due when they come."""

    def open(self, platform: Platform | None, faults: list[str]) -> PictureStream:
        """The pictures, in the best way there is."""

    def other_way(
        self, pictures: PictureStream, platform: Platform | None, faults: list[str]
    ) -> Callable[[], PictureStream] | None:
        """The next best after `pictures`, which could not be shown and are closed before; if any.

        Not one of its formats is converted for that if the formats were chosen by a person.
        """

    def written(self, pictures: PictureStream | None) -> PictureStream:
        """The pictures as the CPU writes them into any memory: the last way.

        `pictures` are those that could not be shown, if they are open still; they may be given
        back. Raises what `open` raises.
        """
