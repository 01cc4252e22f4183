"""A case: a name, a sentence, and a function that raises where the compositor deviates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from heapwire.client_lib.compliance.probe import Probe
from heapwire.protocol.late_dataclasses import dataclass

Run = Callable[[Probe], None]
RunInVersion = Callable[[Probe, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tried, on a connection of its own.

    `name` is `noun/what`, with `/vN` for the version of linux-dmabuf that is bound; `says` is
    what the protocol says of it. `run` raises `DeviationError`, `SkippedCaseError`, or what the
    connection raises.
    """

    name: str
    says: str
    run: Run


class CaseGroup:
    """The cases about one noun, in the order in which they are written."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._cases: list[Case] = []

    @property
    def cases(self) -> tuple[Case, ...]:
        """All of them so far."""
        return tuple(self._cases)

    def case(self, name: str) -> Callable[[Run], Run]:
        """A function of a case; its docstring is what the protocol says."""

        def add(run: Run) -> Run:
            self.add(name, run.__doc__ or "", run)
            return run

        return add

    def case_in(self, name: str, versions: Sequence[int]) -> Callable[[RunInVersion], RunInVersion]:
        """A function of a case for each of some versions of linux-dmabuf."""

        def add(run: RunInVersion) -> RunInVersion:
            for version in versions:
                self.add(
                    f"{name}/v{version}", run.__doc__ or "", partial(_in_version, run, version)
                )
            return run

        return add

    def add(self, name: str, says: str, run: Run) -> None:
        """A case that is made in a table."""
        self._cases.append(Case(f"{self._noun}/{name}", says.strip().partition("\n")[0], run))


def _in_version(run: RunInVersion, version: int, probe: Probe) -> None:
    run(probe, version)
