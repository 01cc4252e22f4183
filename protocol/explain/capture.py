"""Captures: negotiations as files, to be solved again anywhere.

A capture holds problems and what was answered to each. Solving needs nothing
else, so a report from a user's machine becomes a test: `differences` is empty
for as long as the answers stay the same to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from heapwire.protocol.errors import InputError
from heapwire.protocol.explain.answer_document import Document, Json, explain_document
from heapwire.protocol.explain.explained_answer import solve
from heapwire.protocol.explain.problem_document import parse_problem, problem_document
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Answer, Problem

SCHEMA_VERSION = 1
KIND = "heapwire capture"


@dataclass(frozen=True, slots=True)
class CapturedProblem:
    """One problem and the document of its answer."""

    problem: Problem
    answer: Document


def capture_document(solved: Iterable[tuple[Problem, Answer]]) -> Document:
    """The content of a capture file."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "negotiations": [
            {"problem": problem_document(problem), "answer": explain_document(problem, answer)}
            for problem, answer in solved
        ],
    }


def parse_capture(document: Json) -> tuple[CapturedProblem, ...]:
    """The negotiations of a capture file; `InputError` says what is wrong with it."""
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise InputError(f"this is not a {KIND}")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"its schema_version is not {SCHEMA_VERSION}, which is known here")
    return tuple(_negotiations(document.get("negotiations")))


def differences(captured: CapturedProblem) -> tuple[str, str] | None:
    """The recorded answer and today's, as text; None if they are the same to the byte."""
    today = explain_document(captured.problem, solve(captured.problem))
    recorded, now = canonical(captured.answer), canonical(today)
    return None if recorded == now else (recorded, now)


def canonical(document: Json) -> str:
    """A document as the one text that stands for it: what says the same is the same text."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)


def _negotiations(entries: Json) -> Iterator[CapturedProblem]:
    if not isinstance(entries, list):
        raise InputError("it has no list of negotiations")
    for number, entry in enumerate(entries):
        match entry:
            case {"problem": problem, "answer": dict(answer)}:
                try:
                    yield CapturedProblem(parse_problem(problem), answer)
                except InputError as error:
                    raise InputError(f"negotiations[{number}].{error}") from None
            case _:
                raise InputError(f"negotiations[{number}] has no problem and answer")
