"""Files that nobody wrote: mutants of good ones are read, or end in a person's error.

A mutant comes from a seed, so a number names it for good as long as this file stays. What
failed once is in `found_in_files.json`, as the text itself. HEAPWIRE_FUZZ_MUTANTS says how many
mutants of each kind of file there are to be.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from heapwire.cli.arguments import default_participants, problem_of
from heapwire.cli.list import list_document, render
from heapwire.cli.replay import run as replay
from heapwire.cli.terminal import open_standard_streams
from heapwire.compositor_plugin import Policy
from heapwire.kernel.description import Platform, read_text_file
from heapwire.protocol import FileError, InputError, MachineError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import BY_NAME, Content, Extent
from heapwire.protocol.wire import trace_document

ROOT = Path(__file__).parents[2]
FOUND = Path(__file__).with_name("found_in_files.json")
MUTANTS = int(os.environ.get("HEAPWIRE_FUZZ_MUTANTS", "100"))
MOST_SAID = 150_000  # characters: a hundred faults with their hints


def texts(pattern: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(ROOT.glob(pattern))]


def policies() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (ROOT / "docs/policy.md").read_text("utf-8"), re.DOTALL)


def trace() -> str:
    """Every event that a negotiation has, once and again."""
    said = [
        ("participant", (1 << 31, 8, 226, 0, "display")),
        ("plan", (0, 2, 1, 0, 2, 1, 64, 64, 4)),
        ("plan_source", (1, 226, 1, 1)),
        ("plan", (1, 1, 1, 0, 2, 0, 64, 64, 4)),
        ("plan_object", (0, 254, 1, 3, 0, 4096)),
        ("plan_plane", (0, 0, 64)),
        ("plan_agreement", (7, 0, 1, 1, 1)),
        ("plan_constraint", (6, 1, 1, 1, (64).to_bytes(8, "little"))),
        ("plan_reason", (2, 1, "64")),
        ("refusal", (0, 254, 2, 0, 1, 6, 0, "no")),
        ("done", (1, 1)),
        ("conflict", (1, 0, 1, 1 << 31, 6, 1, (48).to_bytes(8, "little"), "48")),
        ("failed", (1, 2, 0, "nothing")),
    ]
    return json.dumps(trace_document(said))


PLATFORM = Platform.load("raspberry-pi-4")


def use_platform(text: str, folder: Path) -> None:
    platform = Platform.parse(text)
    render(list_document(platform, policy=Policy()))
    members = default_participants(platform)
    if members:
        problem = problem_of(
            platform, members, fourcc=None, size=Extent(64, 48), buffers=4, content=Content()
        )
        solve(problem)


def use_policy(text: str, folder: Path) -> None:
    Policy.parse(text).apply(PLATFORM)


class Options:
    json = True

    def __init__(self, path: Path) -> None:
        self.file = [path]


def use_capture(text: str, folder: Path) -> None:
    open_standard_streams()
    path = folder / "capture.json"
    path.write_text(text, "utf-8", "surrogatepass")
    replay(Options(path))


KINDS: dict[str, tuple[list[str], Callable[[str, Path], None]]] = {
    "platform": (texts("kernel/platforms/*.toml"), use_platform),
    "policy": (policies(), use_policy),
    "capture": (texts("tests/captures/*.json"), use_capture),
    "trace": ([trace()], use_capture),
}

ODD = (
    *("", "0", "-1", "1", "3", "255", "4096", str(1 << 31), str(1 << 32), str(1 << 63)),
    *(str(1 << 64), str(1 << 70), "-9223372036854775808", "9" * 5000, "0x" + "f" * 5000, "0x10"),
    *("1e999", "-1.5", "nan", "inf", "NaN", "true", "false", "null", "1979-05-27T07:32:00Z"),
    *('""', '"\\u0000"', '"a/b"', '"\\ud800"', '"ANY"', '"0x"', '"96 MiB"', '"NV12:0x0"'),
    *('"heap 254:0"', '"226:0"', '"1x1"', '"65537x1"', "'''", '"""', '"é"', '"\\n"', '"XR24"'),
    *("[]", "{}", "[[]]", "[{}]", "[0, 1]", "[1, 0]", '["system"]', "[true, 1]", '{"bytes": "00"}'),
    *("{ base = 0, size = 0 }", '{ gpu = 2 }', "[" * 500, "{" * 500, ".".join("a" * 500), "\0"),
    *("\ufeff", "\r", "#", "=", ",", "]", "}", "[[memory]]", "[[device]]", "[[device.use.set]]"),
)  # fmt: skip
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|-?[0-9][0-9a-zA-Z_.]*|[A-Za-z_-]+|[\[\]{}=:,.]')


def mutant(kind: str, number: int) -> str:
    chance = random.Random(f"{kind} {number}")
    seeds = KINDS[kind][0]
    text = chance.choice(seeds)
    # What is no JSON any more is refused before anything of ours has seen it.
    ways = STRUCTURAL if text.startswith("{") and chance.random() < 0.9 else MUTATIONS
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        text = chance.choice(ways)(text, chance, seeds)
    return text


def cut(text: str, chance: random.Random, seeds: list[str]) -> str:
    return text[: chance.randrange(len(text) + 1)]


def without(text: str, chance: random.Random, seeds: list[str]) -> str:
    start = chance.randrange(len(text) + 1)
    return text[:start] + text[start + chance.choice((1, 2, 10, 100)) :]


def twice(text: str, chance: random.Random, seeds: list[str]) -> str:
    lines = text.splitlines(keepends=True) or [""]
    start = chance.randrange(len(lines))
    end = start + chance.choice((1, 2, 8))
    return "".join((*lines[:end], *lines[start:end], *lines[end:]))


def spliced(text: str, chance: random.Random, seeds: list[str]) -> str:
    other = chance.choice(seeds)
    start = chance.randrange(len(other) + 1)
    at = chance.randrange(len(text) + 1)
    return text[:at] + other[start : start + chance.choice((5, 50, 500))] + text[at:]


def odd(text: str, chance: random.Random, seeds: list[str]) -> str:
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return chance.choice(ODD)
    token = chance.choice(tokens)
    return text[: token.start()] + chance.choice(ODD) + text[token.end() :]


def renamed(text: str, chance: random.Random, seeds: list[str]) -> str:
    """One word in the place of another, of the same file or of another one."""
    words, others = (list(TOKEN.finditer(one)) for one in (text, chance.choice(seeds)))
    if not words or not others:
        return text
    word, other = chance.choice(words), chance.choice(others)
    return text[: word.start()] + other.group() + text[word.end() :]


def grafted(text: str, chance: random.Random, seeds: list[str]) -> str:
    """Of JSON, a part in the place of another: what remains is JSON."""
    try:
        document = json.loads(text)
        other = json.loads(chance.choice(seeds))
    except (ValueError, RecursionError):
        return renamed(text, chance, seeds)
    places, parts = list(places_in(document)), list(places_in(other))
    if not places or not parts:
        return odd(text, chance, seeds)
    holder, key = chance.choice(places)
    giver, taken = chance.choice(parts)
    value = chance.choice((giver[taken], None, [], {}, 0, -1, 1 << 64, "", [[]], True, 1.5, "x"))
    if chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = json.loads(json.dumps(value))
    return json.dumps(document, indent=1)


def given(text: str, chance: random.Random, seeds: list[str]) -> str:
    """Of a capture, an entry that it does not say, or one constraint's value under another type."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return odd(text, chance, seeds)
    if not isinstance(document, dict | list):
        return odd(text, chance, seeds)
    objects = [document, *(holder[key] for holder, key in places_in(document))]
    objects = [one for one in objects if isinstance(one, dict)]
    typed = [one for one in objects if "type" in one and "value" in one]
    if typed and chance.random() < 0.5:
        chance.choice(typed)["type"] = chance.choice(sorted(BY_NAME))
    elif objects:
        beside, name, values = chance.choice(UNSAID)
        owners = [one for one in objects if beside in one]
        chance.choice(owners or objects)[name] = chance.choice(values)
    return json.dumps(document, indent=1)


def places_in(document):
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in entries:
        yield document, key
        if isinstance(value, dict | list):
            yield from places_in(value)


BUFFER = {"kind": "fixed", "extent": "64x64", "objects": [], "planes": []}
OBJECT, PLANE = {"source": "heap 254:1", "size": 4096}, {"object": 0, "offset": 0, "pitch": 64}
# What a problem may say and the captures at hand seldom do; the owner is told by an entry it has.
UNSAID = (
    ("sets", "costs", ([], [1], [-1, 2], [1] * 9)),
    ("formats", "costs", ([], [1], [-1, 2], [1] * 9)),
    ("value", "planes", (1, 3, 15, 16, -1)),
    ("id", "alignment", (0, -1, 4096, 1 << 64)),
    ("id", "capacity", (0, -1, 1, 1 << 70)),
    ("id", "address_range", ([0, 0], [9, 3], [-1, 1 << 64])),
    ("id", "substitutes_for", (["system"], ["nothing"])),
    ("extents", "content", ({"rotation": 45}, {"rotation": -90}, {"protected": True})),
    ("extents", "counts", ({"minimum": -4}, {"queue": 1 << 70}, {"hold": 0})),
    ("extents", "format_costs", ({"NV12:0x0": -1}, {"NV12:0x0": 1 << 70})),
    ("extents", "topology", ({"peer_links": [["226:0"]]}, {"places": {"226:0": {"path": []}}})),
    ("extents", "absent", ({"heap 254:1": "x"}, {"heap 1:1": ""})),
    (
        "extents",
        "fixed",
        tuple(
            {"format": "NV12:0x0", "layout": {**BUFFER, "objects": objects, "planes": planes}}
            for objects in ([], [OBJECT])
            for planes in ([], [PLANE], [PLANE] * 2, [PLANE] * 9, [{**PLANE, "object": -1}])
        ),
    ),
)

MUTATIONS = (cut, without, twice, spliced, odd, odd, odd, renamed, renamed)
STRUCTURAL = (grafted, given)


def check(kind: str, text: str, folder: Path) -> None:
    try:
        KINDS[kind][1](text, folder)
    except (InputError, FileError, MachineError) as error:
        said = str(error)
        assert len(said) < MOST_SAID, f"{len(said)} characters are said"
        assert said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", range(4))
def test_a_mutant_is_read_or_refused_in_words(kind, share, tmp_path, capsys):
    for number in range(share, MUTANTS, 4):
        text = mutant(kind, number)
        try:
            check(kind, text, tmp_path)
        except Exception as error:
            kept = tmp_path / "mutant"
            kept.write_text(text, "utf-8", "surrogatepass")
            pytest.fail(f"{kind} {number}, kept as {kept}: {type(error).__name__}: {error}")
        capsys.readouterr()


@pytest.mark.parametrize(("kind", "text"), json.loads(FOUND.read_text("utf-8")))
def test_what_was_found_stays_mended(kind, text, tmp_path):
    check(kind, text, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seeds_are_good(kind, tmp_path):
    seeds, use = KINDS[kind]
    assert seeds
    for text in seeds:
        use(text, tmp_path)


def test_what_is_read_of_a_file_ends(tmp_path):
    with pytest.raises(FileError, match="the most that is read"):
        read_text_file("/dev/zero")
    with pytest.raises(FileError, match="the most that is read"):
        replay(Options(Path("/dev/zero")))
