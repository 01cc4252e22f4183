"""docs/architecture.md: what it names is there, and its example gives the numbers that it tells."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from source_tree import ROOMS, ROOT, project_files

from heapwire.protocol import (
    MAX_PITCH,
    PITCH_ALIGNMENT,
    Constraint,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    HeapId,
    Participant,
    Problem,
    Source,
    SourceId,
    Usage,
    parse_fourcc,
    solve,
)

TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FILES = {str(path.relative_to(ROOT)) for path in project_files("*")}
FOLDERS = {folder for file in FILES for folder in map(str, (ROOT / file).relative_to(ROOT).parents)}
PATHS = sorted(set(re.findall(r"`([\w./-]+/|(?:[\w-]+/)*[\w-]+\.[a-z]+|(?:\w+/)+\w+)`", TEXT)))
METHODS = re.findall(r"`([A-Z]\w+)\.(\w+)`", TEXT)
FACES = [import_module(f"heapwire.{room}") for room in ROOMS if room != "cli"]


@pytest.mark.parametrize("named", [one for one in PATHS if not one.startswith("heapwire.")])
def test_a_path_that_it_names_is_there(named: str) -> None:
    path = named.rstrip("/")
    places = FOLDERS if named.endswith("/") else FILES | FOLDERS
    assert any(place == path or place.endswith(f"/{path}") for place in places)


@pytest.mark.parametrize(("owner", "method"), METHODS)
def test_a_method_that_it_names_is_there(owner: str, method: str) -> None:
    (shown, *_) = [getattr(face, owner) for face in FACES if owner in face.__all__]
    assert callable(getattr(shown, method))


def participant(name: str, usage: Usage, *constraints: Constraint) -> Participant:
    nv12 = FormatModifier(parse_fourcc("NV12"), 0)
    sets = (ConstraintSet(formats=(nv12,), constraints=constraints),)
    return Participant(name=name, usage=usage, sets=sets)


def answer(*of_the_display: Constraint):
    decoder = participant("decoder", Usage.DECODE, Constraint(type=PITCH_ALIGNMENT.type, value=48))
    display = participant("display", Usage.SCANOUT, *of_the_display)
    return solve(
        Problem(
            participants=(decoder,),
            goals=(Goal(name="scanout", participants=(display,), scanout=True),),
            sources=(Source(id=SourceId.heap(HeapId(254, 0)), name="system"),),
            extents=Extents(coded=Extent(1920, 1080)),
        )
    )


def test_the_pitch_is_the_one_that_it_tells() -> None:
    plan = answer(Constraint(type=PITCH_ALIGNMENT.type, value=64)).plans[0]
    assert plan.layout.planes[0].pitch == 1920 == 10 * 192
    said = [reason.text for reason in plan.reasons if reason.subject == "pitch"]
    (told,) = re.findall(r'"(pitch 1920: [^"]*)"', TEXT.replace("\n  ", ""))
    assert told in said


def test_the_greatest_pitch_is_to_blame_where_it_says_so() -> None:
    refused = answer(
        Constraint(type=PITCH_ALIGNMENT.type, value=64), Constraint(type=MAX_PITCH.type, value=128)
    )
    assert refused.plans == ()
    assert any(
        entry.constraint.type == MAX_PITCH.type for entry in refused.conflict if entry.constraint
    )
