"""Who owns something that has to be given back: a file descriptor, a mapping, a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Owner(ABC):
    """Gives back what it owns with `close`, or at the end of a `with` block, whatever ended it."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Give back what it owns; safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
