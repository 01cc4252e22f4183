"""docs/platforms.md: its example runs, its answer is true, its tables have every key."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from heapwire.kernel.description import Platform, ProfileFileError, parse_profile
from heapwire.kernel.description.platform_file import PlatformFileError
from heapwire.protocol.explain import solve
from heapwire.protocol.values import BY_NAME, Extent, Extents, Goal, Usage

TEXT = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
(PROGRAM,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

DEVICE = '[[device]]\nname = "d"\nkind = "display"\n'
USE = DEVICE + '[[device.use]]\nusage = "scanout"\n'
SET = USE + '[[device.use.set]]\nformats = ["NV12"]\n'

# The heading of each table of keys, and a file whose table of that kind has a key too many.
TABLES = {
    "The file": "qqqqqqqq = 1\n",
    "`[[memory]]`": '[[memory]]\nname = "m"\nqqqqqqqq = 1\n',
    "`[[device]]`": DEVICE + "qqqqqqqq = 1\n",
    "`[[device.use]]`": USE + "qqqqqqqq = 1\n",
    "`[[device.use.set]]`": SET + "qqqqqqqq = 1\n",
    "A constraint": SET + 'constraints = [{ type = "contiguous", qqqqqqqq = 1 }]\n',
    "`[[link]]`": DEVICE + '[[link]]\ndevice = "d"\nmemory = "m"\nqqqqqqqq = 1\n',
    "`[[peer-link]]`": "[[peer-link]]\nqqqqqqqq = 1\n",
    "`[[format-cost]]`": '[[format-cost]]\nformats = ["NV12"]\ncost = 1\nqqqqqqqq = 1\n',
}


def shown(platform):
    return solve(
        platform.problem(
            participants=(platform.participant("codec", Usage.DECODE),),
            goals=(
                Goal(
                    name="scanout",
                    participants=(
                        platform.participant("display", Usage.SCANOUT),
                        platform.participant("gpu", Usage.SAMPLING),
                    ),
                    scanout=True,
                ),
            ),
            extents=Extents(coded=Extent(1920, 1080)),
        )
    ).plans[0]


def test_the_example_gives_the_answer_that_the_text_gives():
    platform = Platform.parse(EXAMPLE, file="my-board.toml")
    assert platform.notes == ()
    plan = shown(platform)
    (one,) = plan.layout.objects
    assert platform.source_name(one.source) == "video@10000000"
    assert one.size == 3_133_440
    assert [(plane.offset, plane.pitch) for plane in plan.layout.planes] == [
        (0, 1920),
        (2_088_960, 1920),
    ]


def test_the_variation_gives_the_answer_that_the_text_gives():
    changed = EXAMPLE.replace("value = 32,", "value = 112,")
    plan = shown(Platform.parse(changed))
    assert {plane.pitch for plane in plan.layout.planes} == {2688}


def test_the_fault_that_the_text_shows_is_what_one_sees():
    (told,) = re.findall(r"^ {4}my-board\.toml:\d+: (.*)$", TEXT, re.MULTILINE)
    with pytest.raises(PlatformFileError) as caught:
        Platform.parse(EXAMPLE.replace('"contiguous", without', '"pitch-alignmnt", without', 1))
    assert told in str(caught.value)


@pytest.mark.parametrize(("heading", "text"), TABLES.items())
def test_every_key_is_described_and_no_other(heading, text):
    section = TEXT.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    table = section.split("| key | meaning |\n", 1)[1].split("\n\n", 1)[0]
    described = set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))
    with pytest.raises(PlatformFileError) as caught:
        Platform.parse(text)
    (known,) = re.findall(r"qqqqqqqq: this key is unknown here: there are (.*)", str(caught.value))
    assert described == set(known.split(", "))


def test_every_type_that_the_text_names_exists():
    last = TEXT.split("## From a datasheet to a file", 1)[1]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", last, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([a-z-]+)`", row)}
    assert len(named) > 10
    assert named <= set(BY_NAME)


def test_a_vendors_type_is_written_met_and_explained_from_the_faces_alone():
    """In a process of its own: a type is registered for the whole program."""
    faces = re.findall(r"^from (heapwire\S*) import", PROGRAM, re.MULTILINE)
    assert faces == ["heapwire.kernel", "heapwire.protocol"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2] / "docs" / "examples",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert "burst: burst: a multiple of 16 beats for display:scanout" in done.stdout.splitlines()


def test_every_key_of_a_profile_is_described_and_no_other():
    section = TEXT.split("\n## Profiles\n", 1)[1].split("\n## ", 1)[0]
    described = set(re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE))
    with pytest.raises(ProfileFileError) as caught:
        parse_profile('title = "t"\nqqqqqqqq = 1\n', file="p.toml", name="p")
    (known,) = re.findall(r"qqqqqqqq: this key is unknown here: there are (.*)", str(caught.value))
    assert described == set(known.split(", "))
