"""A vendor's types from outside the package: sent, merged, explained, captured, read from files."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from problem_building import NV12, SYSTEM, XRGB, ask, display, of, pair, part

from heapwire.kernel.description import Platform, TomlTable, read_device_facts, with_facts
from heapwire.kernel.description.platform_file import PlatformFileError
from heapwire.protocol import (
    BY_NAME,
    REGISTRY,
    Batch,
    Constraint,
    DeviceId,
    FlagType,
    MergeRule,
    Provenance,
    RangeType,
    Source,
    SourceId,
    Subject,
    Tranche,
    TrancheFlags,
    UintType,
    Unit,
    Usage,
    UsageError,
    capture_document,
    differences,
    explain_document,
    parse_capture,
    register,
    render_explain,
    solve,
)
from heapwire.protocol.solver import BOTTOM, join, lift
from heapwire.protocol.values import BufferObject, Extent, Layout, LayoutKind, Plan, registry
from heapwire.protocol.values.constraint_type import ConstraintType
from heapwire.protocol.wire import (
    Access,
    BatchDecoder,
    ConstraintSetBuilder,
    Offer,
    batch_events,
    set_requests,
)

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "vendor_types.py"
RED, GREEN, BLUE = 0b001, 0b010, 0b100


@pytest.fixture
def unregistered() -> Iterator[None]:
    """The registry is the program's; what a test adds to it goes with the test."""
    before = dict(registry._by_type), dict(registry._by_name)
    yield
    for table, rows in zip((registry._by_type, registry._by_name), before, strict=True):
        table.clear()
        table.update(rows)


@pytest.fixture
def acme(unregistered: None) -> ModuleType:
    """The module of the documentation, imported as a program imports it."""
    spec = spec_from_file_location("vendor_types", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bank(acme: ModuleType, colours: int, **more: object) -> Constraint:
    return Constraint(type=acme.ACME_BANK_COLOUR.type, value=colours, **more)


def burst(acme: ModuleType, beats: int, **more: object) -> Constraint:
    return Constraint(type=acme.ACME_BURST.type, value=beats, **more)


def test_the_documentation_shows_the_example() -> None:
    assert f"```python\n{EXAMPLE.read_text()}```" in (DOCS / "registry.md").read_text()


def test_it_is_sent_to_the_compositor_and_back(acme: ModuleType) -> None:
    sent = of(NV12, bank(acme, RED | BLUE), burst(acme, 16, provenance=Provenance.KERNEL))
    builder = ConstraintSetBuilder()
    for name, arguments in set_requests(sent):
        getattr(builder, name)(*arguments)
    assert builder.create() == sent
    layout = Layout(
        kind=LayoutKind.ALLOCATOR,
        extent=Extent(64, 64),
        objects=(BufferObject(SYSTEM.id, 0),),
        planes=(),
        constraints=sent.constraints,
    )
    plan = Plan(
        fourcc=NV12.fourcc,
        modifier=NV12.modifier,
        goal="scanout",
        scanout=True,
        layout=layout,
        buffer_count=1,
    )
    tranche = Tranche(flags=TrancheFlags.SCANOUT, offers=(Offer(0, plan, (Access.CLIENT,)),))
    decoder = BatchDecoder()
    for name, arguments in batch_events(Batch(tranches=(tranche,))):
        batch = getattr(decoder, name)(*arguments)
    assert batch.tranches == (tranche,)


def test_it_merges_by_its_rule(acme: ModuleType) -> None:
    mine = lift((bank(acme, RED | BLUE), burst(acme, 6)))
    yours = lift((bank(acme, BLUE | GREEN), burst(acme, 4)))
    both = join((mine, yours))
    assert both is not BOTTOM
    assert both.mask(acme.ACME_BANK_COLOUR) == BLUE
    assert both.uint(acme.ACME_BURST, 1) == 12
    assert join((lift((bank(acme, RED),)), lift((bank(acme, GREEN),)))) is BOTTOM


def test_a_plan_says_who_demanded_it(acme: ModuleType) -> None:
    decoder = part("decoder", of(XRGB, bank(acme, RED | BLUE), burst(acme, 1)))
    screen = display(of(XRGB, burst(acme, 16)))
    reasons = solve(ask(decoder, shown=(screen,), sources=(SYSTEM,))).plans[0].reasons
    told = {reason.subject: reason.text for reason in reasons}
    assert told["source"] == "heap system: red or blue for decoder"
    assert told["burst"] == (
        "burst: a multiple of 1 beat for decoder, a multiple of 16 beats for display"
    )


def test_a_plan_says_of_which_plane_it_is_demanded(acme: ModuleType) -> None:
    decoder = part("decoder", of(NV12, burst(acme, 4, planes=0b10)))
    reasons = solve(ask(decoder, sources=(SYSTEM,))).plans[0].reasons
    told = [(one.text, one.plane) for one in reasons if one.subject == "burst"]
    assert told == [("burst: a multiple of 4 beats for decoder", 1)]


def test_a_demand_that_is_told_with_the_format_is_told_once(acme: ModuleType) -> None:
    swizzle = replace(
        acme.ACME_BURST,
        code=0x0B,
        name="acme-swizzle",
        subject=Subject(name="swizzle", needs="a swizzle that is", explains=("format",)),
    )
    register(swizzle)
    decoder = part("decoder", of(XRGB, Constraint(type=swizzle.type, value=2)))
    reasons = solve(ask(decoder, sources=(SYSTEM,))).plans[0].reasons
    (told,) = [one.text for one in reasons if one.subject == "format"]
    assert told.endswith("known to decoder; a multiple of 2 beats for decoder")


def test_an_allocator_is_handed_it(acme: ModuleType) -> None:
    tiled = pair("NV12", "ARM_AFBC(16x16)")
    driver = Source(id=SourceId.device(DeviceId(226, 0)), name="driver")
    plan = solve(ask(part("a", of(tiled, burst(acme, 8))), sources=(driver,))).plans[0]
    assert burst(acme, 8) in plan.layout.constraints


def test_a_conflict_names_it(acme: ModuleType) -> None:
    decoder = part("decoder", of(NV12, bank(acme, RED | GREEN)))
    screen = display(of(NV12, bank(acme, BLUE), burst(acme, 1)))
    problem = ask(decoder, shown=(screen,))
    answer = solve(problem)
    assert [member.text for member in answer.conflict] == [
        "decoder needs banks that are red or green",
        "display needs banks that are blue",
    ]
    document = explain_document(problem, answer)
    assert json.dumps(document).count('"acme-bank-colour"') >= 2
    assert "display needs banks that are blue (profile)" in render_explain(document)


def test_a_capture_names_it_and_is_read_again(acme: ModuleType) -> None:
    problem = ask(part("decoder", of(NV12, bank(acme, RED), burst(acme, 2))))
    text = json.dumps(capture_document([(problem, solve(problem))]))
    assert '"acme-burst"' in text
    (captured,) = parse_capture(json.loads(text))
    assert captured.problem == problem
    assert differences(captured) is None


BOARD = """
[[memory]]
name = "banked"
[[device]]
name = "engine"
kind = "display"
[[device.use]]
usage = "scanout"
constraints = [
  {{ type = "acme-bank-colour", value = ["Red", "blue"] }},
  {{ type = "acme-burst", value = {beats} }},
]
[[device.use.set]]
formats = ["NV12"]
"""


def test_a_platform_file_has_it(acme: ModuleType) -> None:
    platform = Platform.parse(BOARD.format(beats=16), file="board.toml")
    (needs,) = platform.device("engine").sets[Usage.SCANOUT]
    assert set(needs.constraints) >= {bank(acme, RED | BLUE), burst(acme, 16)}


def test_a_platform_file_with_a_wrong_value_is_told_so_in_its_unit(acme: ModuleType) -> None:
    with pytest.raises(PlatformFileError, match=r"acme-burst: 1\.5 is not a number of beats"):
        Platform.parse(BOARD.format(beats=1.5), file="board.toml")


def test_without_the_row_a_platform_file_cannot_name_it() -> None:
    with pytest.raises(PlatformFileError, match="'acme-burst' is not a constraint type"):
        Platform.parse(BOARD.format(beats=16), file="board.toml")


def test_a_fact_about_a_device_has_it(acme: ModuleType) -> None:
    platform = Platform.parse(BOARD.format(beats=16), file="board.toml")
    fact = """
[[device]]
name = "engine"
[[device.use]]
usage = "scanout"
constraints = [{ type = "acme-burst", value = 32 }]
"""
    top = TomlTable(tomllib.loads(fact), (), [])
    stated = with_facts(platform, devices=read_device_facts(top), tell=str)
    (needs,) = stated.device("engine").sets[Usage.SCANOUT]
    assert burst(acme, 32, provenance=Provenance.USER) in needs.constraints


class TestRegistering:
    def test_the_same_rows_again_are_no_fault(self, acme: ModuleType) -> None:
        register(acme.ACME_BURST, replace(acme.ACME_BANK_COLOUR))
        assert REGISTRY[acme.ACME_BURST.type] == BY_NAME["acme-burst"] == acme.ACME_BURST

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"vendor": 0, "name": "burst", "code": 0x70}, "no vendor"),
            ({"name": "acme-other"}, "is taken by 'acme-burst'"),
            ({"code": 0x09}, "is taken by 'acme-burst'"),
            ({"code": 0x09, "name": "pitch-alignment"}, "is taken by 'pitch-alignment'"),
            ({"code": 0x09, "name": "acme-when", "condition": True}, "is a condition"),
        ],
    )
    def test_what_cannot_be_registered(
        self, acme: ModuleType, changed: dict[str, object], said: str
    ) -> None:
        before = dict(REGISTRY), dict(BY_NAME)
        fine = replace(acme.ACME_BURST, code=0x0A, name="acme-fine")
        with pytest.raises(UsageError, match=said):
            register(fine, replace(acme.ACME_BURST, **changed))
        assert (dict(REGISTRY), dict(BY_NAME)) == before


SUBJECT = Subject(name="burst", needs="a burst that is", explains=())
ROW = {
    "vendor": 0x7F,
    "code": 1,
    "name": "acme-row",
    "merge": MergeRule.MAX,
    "unit": Unit("beats", "beat"),
    "subject": SUBJECT,
    "says": "{value}",
    "meaning": "m",
    "source": "s",
}


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        (UintType, {"merge": MergeRule.NEAREST}, "NEAREST is no rule for a UintType"),
        (FlagType, {"merge": MergeRule.UNION}, "UNION is no rule for a FlagType"),
        (UintType, {"code": 0}, "no vendor and code"),
        (UintType, {"code": 1 << 24}, "no vendor and code"),
        (UintType, {"vendor": 1 << 8}, "no vendor and code"),
        (UintType, {"unit": None}, "no unit"),
        (RangeType, {"unit": None, "merge": MergeRule.INTERSECTION}, "no unit"),
        (UintType, {"bits": {0: "red"}}, "a mask names its bits"),
        (UintType, {"says": "{number}"}, "more to fill in"),
        (UintType, {"says": "{value"}, "more to fill in"),
        (UintType, {"says": "{}"}, "more to fill in"),
    ],
)
def test_a_row_that_cannot_be_used_is_not_made(
    kind: type[UintType], changed: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=f"'acme-row': .*{said}"):
        kind(**{**ROW, **changed})


def test_the_last_code_and_vendor_are_good() -> None:
    assert UintType(**{**ROW, "vendor": 0xFF, "code": 0xFF_FFFF}).type == 0xFFFF_FFFF


def test_the_page_names_the_merge_rules_of_each_class() -> None:
    page = (DOCS / "registry.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+Type)` \|.*\| (.*) \|$", page, re.MULTILINE))
    classes = (*ConstraintType.__subclasses__(), *FlagType.__subclasses__())
    rules = {one.__name__: {rule.name for rule in one.rules} for one in classes}
    assert {name: set(re.findall(r"`(\w+)`", text)) for name, text in told.items()} == rules
