"""Running cases: each on a connection of its own, whatever the compositor does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from heapwire.client_lib.compliance.case import Case
from heapwire.client_lib.compliance.cases import ALL_CASES
from heapwire.client_lib.compliance.own_buffers import OwnBuffers
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import (
    DeviationError,
    Outcome,
    Result,
    SkippedCaseError,
)
from heapwire.client_lib.compliance.wire_connection import MalformedError, WireConnection
from heapwire.client_lib.errors import NoAnswerError, NoCompositorError
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError, MachineError, shown

LOOK = 15.0  # seconds after which who does not answer a new client either is taken for hung
_ANSWER = "an answer"


def socket_path(display: str | None = None) -> str:
    """The path of a compositor's socket: of that name, else of `$WAYLAND_DISPLAY`.

    Raises `NoCompositorError` where there is no telling.
    """
    name = display or os.environ.get("WAYLAND_DISPLAY") or "wayland-0"
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if name.startswith("/"):
        return name
    if not folder:
        raise NoCompositorError(
            f"no compositor at $XDG_RUNTIME_DIR/{name} (XDG_RUNTIME_DIR is not set)"
        )
    return f"{folder}/{name}"


def cases_named(patterns: Iterable[str]) -> tuple[Case, ...]:
    """The cases whose name fits one of some patterns of the shell's; all without a pattern.

    A noun alone means all of its cases, and a case's name without a version all versions.
    Raises `InputError` for a pattern that fits none.
    """
    wanted: dict[str, Case] = {}
    patterns = list(patterns)
    for pattern in patterns:
        fitting = [case for case in ALL_CASES if _fits(case.name, pattern)]
        if not fitting:
            from difflib import get_close_matches  # for a word that is wrong

            meant = get_close_matches(pattern, [case.name for case in ALL_CASES], 1)
            hint = f"did you mean {meant[0]!r}? " if meant else ""
            raise InputError(
                f"no case is named {shown(pattern)}: {hint}`heapwire check --list` names them"
            )
        wanted |= {case.name: case for case in fitting}
    if not patterns:
        return ALL_CASES
    return tuple(case for case in ALL_CASES if case.name in wanted)


def run_cases(
    cases: Iterable[Case], path: str, platform: Platform, *, timeout: float
) -> Iterator[Result]:
    """The result of each case, as it comes; `timeout` is what one wait may take, in seconds.

    When nobody is there any more, or nobody answers, what is left is skipped and says so.
    Raises `NoCompositorError` if there is no compositor to begin with.
    """
    WireConnection(path, timeout=timeout).close()
    gone = ""
    for case in cases:
        if gone:
            yield Result(case.name, Outcome.SKIPPED, why=gone)
            continue
        result = _run(case, path, platform, timeout)
        if result.outcome is Outcome.FAIL:
            gone = _silence(path, max(timeout, LOOK))
        yield result


def _run(case: Case, path: str, platform: Platform, timeout: float) -> Result:
    began = time.monotonic()
    outcome, expected, seen, why = Outcome.OK, "", "", ""
    try:
        with (
            OwnBuffers(platform) as buffers,
            WireConnection(path, timeout=timeout) as connection,
        ):
            case.run(Probe(connection, buffers))
    except SkippedCaseError as error:
        outcome, why = Outcome.SKIPPED, str(error)
    except DeviationError as error:
        outcome, expected, seen = Outcome.FAIL, error.expected, error.seen
    except NoAnswerError as error:
        outcome, expected, seen = Outcome.FAIL, _ANSWER, str(error)
    except MalformedError as error:
        outcome, expected, seen = Outcome.FAIL, "messages that can be read", str(error)
    except NoCompositorError as error:
        outcome, expected, seen = Outcome.FAIL, "a compositor", str(error)
    except (MachineError, OSError) as error:
        outcome, why = Outcome.SKIPPED, f"this machine: {error}"
    seconds = time.monotonic() - began
    return Result(case.name, outcome, expected=expected, seen=seen, why=why, seconds=seconds)


def _silence(path: str, timeout: float) -> str:
    """Why nothing more can be tried; empty while a new client is answered."""
    try:
        with WireConnection(path, timeout=timeout) as connection:
            if connection.roundtrip():
                return ""
            return "the compositor turns clients away"
    except NoCompositorError:
        return "the compositor is gone"
    except (NoAnswerError, MalformedError):
        return "the compositor does not answer any more"


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}/*")
