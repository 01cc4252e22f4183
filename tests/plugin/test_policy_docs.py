"""docs/policy.md: its example does what the text says, its tables have every key."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from heapwire import compositor_plugin, kernel
from heapwire.compositor_plugin import OutputState, Policy, SurfaceState
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.broker import Broker
from heapwire.compositor_plugin.clients.grant import DEFAULT_BUDGET, DEFAULT_SHARE, SCARCE_BYTES
from heapwire.compositor_plugin.clients.identity import ClientIdentity, SecurityContext
from heapwire.compositor_plugin.clients.policy import DEBOUNCE, MOST_DEBOUNCE, PolicyFileError
from heapwire.compositor_plugin.clients.quota import DEFAULT_RESERVE
from heapwire.compositor_plugin.clients.selection import MOST_PATTERNS
from heapwire.kernel.description import Platform, quantity_name
from heapwire.protocol.values import (
    LINEAR,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Participant,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import Explanation, Inquiry

TEXT = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
FILE = "/etc/heapwire/policy.toml"
NV12 = FormatModifier(parse_fourcc("NV12"), LINEAR)

# The box of the example as its kernel tells of it.
BOX = """
[[memory]]
name = "system"
contiguous = false
[[memory]]
name = "linux,cma"
[[memory]]
name = "camera@70000000"
contiguous = true
[[memory]]
name = "secure-video"
contiguous = true
protected = true
[[device]]
name = "card0"
kind = "display"
driver = "example-drm"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["NV12", "XRGB8888"]
[[device]]
name = "renderD128"
kind = "gpu"
driver = "etnaviv"
[[device.use]]
usage = "sampling"
[[device]]
name = "renderD129"
kind = "gpu"
driver = "panfrost"
[[device.use]]
usage = "sampling"
"""

DEVICE = '[[device]]\nname = "d"\n'
# The heading of each table of keys, and a file whose table of that kind has a key too many.
TABLES = {
    "`[offer]`": "[offer]\nqqqqqqqq = 1\n",
    "`[allocation]`": "[allocation]\nqqqqqqqq = 1\n",
    "`[[client]]`": "[[client]]\nqqqqqqqq = 1\n",
    "`[compositor]`": "[compositor]\nqqqqqqqq = 1\n",
    "`[[memory]]`": '[[memory]]\nname = "m"\nqqqqqqqq = 1\n',
    "`[[device]]`": f"{DEVICE}qqqqqqqq = 1\n",
    "`[[device.use]]`": f"{DEVICE}[[device.use]]\nqqqqqqqq = 1\n",
}


def answered(policy: Policy):
    """The box as the policy leaves it, its broker, and the answer to a fullscreen player."""
    box = policy.apply(Platform.parse(BOX, file="box.toml"))
    broker = Broker(box, allocated=policy.allocated)
    decoder = Participant(
        name="decoder", usage=Usage.DECODE, sets=(ConstraintSet(formats=(NV12,)),)
    )
    output = OutputState("HDMI-A-1", box.device("card0").id)
    question = BatchQuestion(
        Inquiry(
            participants=((1, decoder),),
            extents=Extents(coded=Extent(1920, 1080)),
            explanation=Explanation.REASONS,
        ),
        SurfaceState(outputs=(output,), size=Extent(1920, 1080), candidate=True),
        frozenset({NV12}),
    )
    return box, broker, broker.batch(question)


def test_the_example_does_what_the_text_says():
    policy = Policy.parse(EXAMPLE, file=FILE)
    box, broker, batch = answered(policy)
    assert box.notes == ()
    assert [one.name for one in box.sources] == ["system", "linux,cma", "camera@70000000"]
    assert [one.name for one in box.sources if broker.allocates_from(one.id)] == [
        "system",
        "linux,cma",
    ]
    assert f"{quantity_name(policy.budget)} for each user" in TEXT
    assert box.device(broker.renderer).driver == "panfrost"
    plan = batch.offers[0].plan
    assert plan.scanout
    assert [box.source_name(entry.source) for entry in plan.layout.objects] == ["linux,cma"]


def test_the_variation_is_composited_for_the_reason_that_the_text_gives():
    assert "`0x80000000`" in TEXT
    policy = Policy.parse(EXAMPLE.replace('base = "0x10000000"', 'base = "0x80000000"'))
    _, _, batch = answered(policy)
    assert batch.offers
    assert not any(offer.plan.scanout for offer in batch.offers)
    (why,) = re.findall(r"^`(card0:scanout needs .*)`\.$", TEXT, re.MULTILINE)
    assert why in [entry.text for entry in batch.conflicts]


def test_the_fault_that_the_text_shows_is_what_one_sees():
    (shown,) = re.findall(r"^ {4}not available: (.*)$", TEXT, re.MULTILINE)
    with pytest.raises(PolicyFileError) as caught:
        Policy.parse(EXAMPLE.replace("budget =", "budgets =", 1), file=FILE)
    assert str(caught.value) == shown


def test_the_warning_that_the_text_shows_is_what_one_sees():
    (shown,) = re.findall(r"^ {4}warning: (.*)$", TEXT, re.MULTILINE)
    policy = Policy.parse('[offer]\nnever = ["secur*"]\n', file=FILE)
    assert policy.apply(Platform.load("raspberry-pi-4")).notes == (shown,)


@pytest.mark.parametrize(("heading", "text"), TABLES.items())
def test_every_key_is_described_and_no_other(heading, text):
    section = TEXT.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    table = section.split("| key | meaning |\n", 1)[1].split("\n\n", 1)[0]
    described = set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE))
    with pytest.raises(PolicyFileError) as caught:
        Policy.parse(text)
    (known,) = re.findall(r"qqqqqqqq: this key is unknown here: there are (.*)", str(caught.value))
    assert described == set(known.split(", "))


def test_the_examples_players_are_given_what_the_text_says():
    policy = Policy.parse(EXAMPLE, file=FILE)
    box = Platform.parse(BOX, file="box.toml")
    heaps = [one for one in policy.apply(box).sources if one.name in policy.allocated]

    def given(app: str) -> list[str]:
        context = SecurityContext("org.flatpak", app, "1")
        grant = policy.grant(ClientIdentity(1000, 1000, 1, context))
        return [one.name for one in heaps if grant.permits(one)]

    assert given("org.example.Player") == ["system", "linux,cma"]
    assert given("org.example.Game") == ["system"]
    assert policy.grant(ClientIdentity(1000, 1000, 1)).permits(heaps[1])


def test_the_limit_of_patterns_is_the_one_that_the_text_names():
    assert f"at most {MOST_PATTERNS} patterns" in TEXT


def test_every_table_is_described():
    with pytest.raises(PolicyFileError) as caught:
        Policy.parse("qqqqqqqq = 1")
    (known,) = re.findall(r"qqqqqqqq: this key is unknown here: there are (.*)", str(caught.value))
    headings = {heading.strip("`[]") for heading in TABLES}
    assert headings == {*known.split(", "), "device.use"}


def test_the_defaults_are_those_that_the_text_names():
    assert f"; {quantity_name(DEFAULT_BUDGET)} where it is left out" in TEXT
    assert f"from 1 to 100; {DEFAULT_SHARE} where it is left out" in TEXT
    assert f"from 0 to 99; {DEFAULT_RESERVE} where it is left out" in TEXT
    assert f"a user may have {quantity_name(SCARCE_BYTES)}." in TEXT
    assert f"from 1 to {MOST_DEBOUNCE}; {DEBOUNCE} where it is left out" in TEXT


def test_the_lines_of_python_run(tmp_path, monkeypatch):
    """All but the plugin itself, which wants a display."""
    code = textwrap.dedent(TEXT.split("## In Python\n", 1)[1].split("\n`Policy` is", 1)[0])
    file = tmp_path / "policy.toml"
    file.write_text(EXAMPLE)
    made, followed = [], []

    class Plugin:
        def __init__(self, display, platform, host, **options):
            made.append((platform, options))

        def follow(self, hot_plug, discover):
            followed.append(discover())

    # In place of what the lines import from the faces.
    monkeypatch.setattr(compositor_plugin, "HeapPlugin", Plugin)
    monkeypatch.setattr(kernel, "HotPlug", object)
    monkeypatch.setattr(kernel, "local_platform", lambda: Platform.parse(BOX))
    exec(code.replace(FILE, str(file)), {"display_address": 0, "host": None})
    [(platform, options)] = made
    assert "secure-video" not in [one.name for one in platform.sources]
    assert followed[0].sources == platform.sources
    policy = Policy.load(file)
    assert options == {"policy": policy}
