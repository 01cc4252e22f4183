"""Policy files: what they say, what is wrong with them, and what clients are told then."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from stage import IMPORTABLE, NV12, Allocator, Events, Stage

from heapwire.compositor_plugin import OutputState, Policy, SurfaceState
from heapwire.compositor_plugin.batch_question import BatchQuestion
from heapwire.compositor_plugin.broker import Broker
from heapwire.compositor_plugin.clients.grant import DEFAULT_BUDGET
from heapwire.compositor_plugin.clients.policy import DEBOUNCE, PolicyFileError
from heapwire.compositor_plugin.clients.selection import EVERYTHING, Selection
from heapwire.kernel.description import Platform
from heapwire.protocol import FileError
from heapwire.protocol.explain import explain_document, render_explain, solve
from heapwire.protocol.values import (
    BY_NAME,
    BufferObject,
    ConstraintSet,
    Extent,
    Extents,
    Participant,
    PlaneLayout,
    Usage,
)
from heapwire.protocol.wire import Access, Explanation, Inquiry
from heapwire.protocol.wire.array import encode_objects, encode_planes
from heapwire.protocol.wire.bindings import AllocationReason

LOW = """
[[device]]
driver = "vc4"
[[device.use]]
usage = "scanout"
constraints = [{ type = "address-range", value = ["0x0", "0xfffffff"] }]
"""
HEAPS = '[[memory]]\nname = "{}"\n'


def parse(text: str) -> Policy:
    return Policy.parse(textwrap.dedent(text), file="policy.toml")


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyFileError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def machine(*heaps: str) -> Platform:
    return Platform.parse(
        'name = "machine"\n' + "".join(map(HEAPS.format, heaps)), file="machine.toml"
    )


def names(platform: Platform) -> list[str]:
    return [source.name for source in platform.sources]


@pytest.fixture(scope="module")
def pi() -> Platform:
    return Platform.load("raspberry-pi-4")


# What a file says.


def test_every_key_is_taken() -> None:
    policy = parse(
        """
        [offer]
        only = ["system*", "linux,cma"]
        never = "system-secure"
        [allocation]
        never = ["*"]
        budget = "256 MiB"
        share = 40
        reserve = 0
        [compositor]
        renderer = "v3d"
        debounce = 20
        [[memory]]
        name = "system"
        contiguous = false
        [[device]]
        name = "hvs"
        [[device.use]]
        usage = ["scanout", "sampling"]
        constraints = [{ type = "contiguous" }]
        """
    )
    assert policy.offered == Selection(only=("system*", "linux,cma"), never=("system-secure",))
    assert policy.allocated == Selection(never=("*",))
    assert policy.budget == 256 << 20
    assert (policy.share, policy.reserve) == (40, 0)
    assert (policy.renderer, policy.debounce) == ("v3d", 20)
    assert [(one.name, one.properties.contiguous) for one in policy.memory] == [("system", False)]
    usages = [(one.name, one.usage) for one in policy.devices]
    assert usages == [("hvs", Usage.SCANOUT), ("hvs", Usage.SAMPLING)]


def test_an_empty_file_permits_everything(pi) -> None:
    policy = parse("# nothing yet\n")
    assert replace(policy, file="") == Policy()
    assert (policy.offered, policy.allocated) == (EVERYTHING, EVERYTHING)
    assert (policy.budget, policy.debounce) == (DEFAULT_BUDGET, DEBOUNCE)
    assert policy.apply(pi) == pi


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[offers]", "1: offers: this key is unknown here: did you mean 'offer'?"),
        ('[offer]\nnevr = ["a"]', "2: offer.nevr: this key is unknown here: did you mean 'never'?"),
        ("offer = 3", "1: offer: this is a table: write [offer]"),
        ('[offer]\nnever = ["a",\n7]', "3: offer.never[1]: 7 is not a text in quotes"),
        ("[offer]\nonly = []", "2: offer.only: an empty list permits nothing: "),
        ('[allocation]\nbudget = "1 MB"', "2: allocation.budget: '1 MB' is not a number of bytes "),
        ("[allocation]\nshare = 0", "2: allocation.share: percent, from 1 to 100"),
        ("[allocation]\nreserve = 100", "2: allocation.reserve: percent, from 0 to 99"),
        ("[allocation]\n\nbudget = 0", "3: allocation.budget: a budget of 0 bytes: "),
        ("[allocation]\nallowed = false", "2: allocation.allowed: this key is unknown here: "),
        ("[compositor]\nrenderer = 3", "2: compositor.renderer: 3 is not a text in quotes"),
        ("[compositor]\ndebounce = 0", "2: compositor.debounce: milliseconds, from 1 to 60000"),
        ("[compositor]\ndebounce = 60001", "2: compositor.debounce: milliseconds, from 1 to 60000"),
        ('[compositor]\ndebounce = "5"', "2: compositor.debounce: '5' is not a whole number "),
        ('[[memory]]\nname = "a"\ncached = "no"', "3: memory[0].cached: 'no' is neither true "),
        (
            LOW.replace("range", "rang"),
            "6: device[0].use[0].constraints[0].type: 'address-rang' is not a constraint type: ",
        ),
        (
            LOW.replace('["0x0", "0xfffffff"]', "[2, 1]"),
            "6: device[0].use[0].constraints[0].value: address-range: the range is empty",
        ),
        (
            LOW.replace("scanout", "decode"),
            "5: device[0].use[0].usage: a compositor's devices are for scanout and sampling: ",
        ),
        ("[offer\n", "1: this is not TOML: "),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(text, complaint) -> None:
    (line,) = faults(text)
    assert line.startswith(f"policy.toml:{complaint}")


def test_all_faults_are_told_in_the_order_of_the_file() -> None:
    found = faults(
        """
        [compositor]
        debounce = 0
        [offer]
        never = [1]
        [allocation]
        budget = "much"
        """
    )
    assert [line.split(":")[1] for line in found] == ["3", "5", "7"]


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    with pytest.raises(FileError, match=r"no\.toml: No such file or directory"):
        Policy.load(tmp_path / "no.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(FileError, match=r"bytes\.toml:1: this is not text in UTF-8"):
        Policy.load(tmp_path / "bytes.toml")


def test_a_file_is_called_by_its_path(tmp_path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("[offer]\nnever = [1]\n")
    with pytest.raises(PolicyFileError) as caught:
        Policy.load(file)
    assert str(caught.value).startswith(f"{file}:2: ")


# What it makes of a machine.


@pytest.mark.parametrize(
    ("offer", "left"),
    [
        ("", ["system", "secure", "secure-video", "linux,cma"]),
        ('never = ["secure*"]', ["system", "linux,cma"]),
        ('never = ["secure"]', ["system", "secure-video", "linux,cma"]),
        ('only = ["secure*", "system"]', ["system", "secure", "secure-video"]),
        ('only = ["s*"]\nnever = ["*-video"]', ["system", "secure"]),
        ('only = ["linux,c?a"]', ["linux,cma"]),
        ('only = ["[ls]*"]\nnever = ["SYSTEM"]', ["system", "secure", "secure-video", "linux,cma"]),
        ('never = ["*"]', []),
    ],
)
def test_patterns_choose_what_is_offered(offer, left) -> None:
    heaps = machine("system", "secure", "secure-video", "linux,cma")
    found = parse(f"[offer]\n{offer}\n").apply(heaps)
    assert names(found) == left
    for source in heaps.sources:
        assert found.source_name(source.id) == source.name, "an explanation may still name it"


def test_what_a_device_needs_and_is_not_offered_is_still_needed(pi) -> None:
    """The display's link prefers linux,cma: without it the other memory does not get better."""
    found = parse('[offer]\nnever = ["linux,cma"]').apply(pi)
    display = found.participant("hvs", Usage.SCANOUT)
    linked = display.sets[0].constraints[-1]
    assert linked.type == BY_NAME["permitted-sources"].type
    assert linked.value == (pi.source("linux,cma").id, pi.source("system").id)


def test_a_pattern_that_nothing_matches_is_noted() -> None:
    policy = parse(
        """
        [offer]
        only = ["sys*", "sistem"]
        never = ["secur?"]
        [allocation]
        never = ["*", "camera"]
        """
    )
    assert policy.apply(machine("system", "secure-video")).notes == (
        "policy.toml:3: offer.only[1]: 'sistem' matches no memory here: did you mean 'system'?",
        "policy.toml:4: offer.never[0]: 'secur?' matches no memory here: "
        "there are system, secure-video",
        "policy.toml:6: allocation.never[1]: 'camera' matches no memory here: "
        "there are system, secure-video",
    )


def test_a_heap_that_is_withheld_may_be_named_for_allocation_as_well() -> None:
    policy = parse('[offer]\nnever = ["secure"]\n[allocation]\nnever = ["secure"]\n')
    assert policy.apply(machine("system", "secure")).notes == ()


def test_to_permit_nothing_is_no_mistake_where_there_is_nothing() -> None:
    assert parse('[allocation]\nnever = ["*"]').apply(machine()).notes == ()


def test_what_is_not_on_the_machine_is_noted_with_its_line(pi) -> None:
    found = parse(LOW.replace("vc4", "vc5") + '[[memory]]\nname = "cma"\ncached = true').apply(pi)
    assert found.notes == (
        "policy.toml:7: memory[0]: this machine has no memory 'cma': there are linux,cma, system",
        "policy.toml:2: device[0]: this machine has no device of the driver 'vc5': "
        "there are vc4-drm, v3d, bcm2835-codec",
    )
    assert (found.sources, found.devices) == (pi.sources, pi.devices)


@pytest.mark.parametrize("by", ["name", "driver"])
def test_the_renderer_is_the_one_that_is_named(by) -> None:
    gpu = '[[device]]\nname = "gpu-{0}"\ndriver = "{0}"\nkind = "gpu"\n'
    gpu += '[[device.use]]\nusage = "sampling"\n'
    gpus = Platform.parse(gpu.format("panfrost") + gpu.format("etnaviv"))
    guessed = Broker(gpus).renderer
    (other,) = [d for d in gpus.devices if Usage.SAMPLING in d.sets and d.id != guessed]
    found = parse(f'[compositor]\nrenderer = "{getattr(other, by)}"').apply(gpus)
    assert Broker(found).renderer == other.id
    assert sorted(d.name for d in found.devices) == sorted(d.name for d in gpus.devices)
    assert found.notes == gpus.notes


def test_a_renderer_that_is_not_there_is_noted_and_guessed(pi) -> None:
    found = parse('[compositor]\nrenderer = "hvs"').apply(pi)
    assert Broker(found).renderer == Broker(pi).renderer
    (note,) = found.notes
    assert note == (
        "policy.toml:2: compositor.renderer: this machine has no device 'hvs' that samples: "
        "there are v3d"
    )


# What clients are told.


def announced(client) -> dict[str, int]:
    """The sources that a client knows of, and their properties."""
    events = client.of(client.manager)
    return {event.args[4]: event.args[3] for event in events if event.name == "source"}


def told_of(batch) -> set:
    """Every source that a batch names."""
    plans = {one.source for offer in batch.offers for one in offer.plan.layout.objects}
    return plans | {refusal.source for refusal in batch.refusals}


def test_a_heap_that_is_not_offered_is_never_heard_of() -> None:
    with Stage(policy=parse('[offer]\nnever = ["linux,*"]')) as stage:
        stage.candidate()
        client = stage.client()
        assert set(announced(client)) == {"system"}
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        batches = client.batches(negotiation)
        assert batches[-1].offers, "it is composited"
        withheld = stage.platform.source("linux,cma").id
        for batch in batches:
            assert withheld not in told_of(batch)
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        assert stage.platform.source("linux,cma").id in told_of(client.batches(negotiation)[-1])


def test_a_buffer_of_a_heap_that_is_not_offered_is_in_no_plan() -> None:
    """A client that opened the heap by itself asks what its buffers are good for."""
    with Stage(policy=parse('[offer]\nnever = ["linux,*"]')) as stage:
        stage.candidate()
        withheld = stage.platform.source("linux,cma").id
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        fixed_layout(client, negotiation, withheld)
        batch = client.batches(negotiation)[-1]
        assert batch.offers == ()
        assert batch.reason is not None
        assert client.error is None


def fixed_layout(client, negotiation, source) -> None:
    objects = encode_objects([BufferObject(source, 640 * 480 * 3 // 2)])
    planes = encode_planes([PlaneLayout(0, 0, 640), PlaneLayout(0, 640 * 480, 640)])
    client.request(negotiation, "set_fixed_layout", NV12.fourcc, 0, 0, 640, 480, objects, planes)
    client.request(negotiation, "commit", 1)


def test_a_heap_that_comes_later_is_withheld_all_the_same() -> None:
    policy, events = parse('[offer]\nnever = ["secure*"]'), Events()
    later = machine("system", "secure-video", "other")
    with Stage(policy=policy) as stage:
        stage.plugin.follow(events, lambda: policy.apply(later))
        client = stage.client()
        events.happen()
        stage.until(lambda: "other" in announced(client))
        assert "secure-video" not in announced(client)


def test_heaps_that_the_compositor_does_not_allocate_from_are_not_announced_as_such() -> None:
    with Stage(policy=parse('[allocation]\nonly = ["system"]')) as stage:
        stage.candidate()
        assert stage.client().given_from() == {"system"}
        allocator = Allocator(stage)
        assert allocator.plan.scanout, "whoever can open the heap is told of it"
        assert allocator.batch.offers[0].access == (Access.CLIENT,)
        assert allocator.reason() is AllocationReason.NOT_ALLOCATABLE
        assert stage.platform.memory.live() == 0


def test_who_can_open_nothing_is_offered_what_the_compositor_allocates() -> None:
    with Stage(policy=parse('[allocation]\nnever = ["linux,cma"]')) as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.request(negotiation, "set_openable", b"")
        client.ask(negotiation)
        batch = client.batches(negotiation)[-1]
        accesses = {access for offer in batch.offers for access in offer.access}
        assert accesses == {Access.COMPOSITOR}
        assert told_of(batch) == {stage.platform.source("system").id}


def test_a_client_has_no_more_than_the_budget() -> None:
    with Stage(policy=parse('[allocation]\nbudget = "1 MiB"')) as stage:
        stage.candidate()
        allocator = Allocator(stage)
        (entry,) = allocator.plan.layout.objects
        assert entry.size <= 1 << 20 < 3 * entry.size
        assert allocator.allocate()[1][-1] == ("done",)
        assert allocator.allocate()[1][-1] == ("done",)
        assert allocator.reason() is AllocationReason.OVER_BUDGET


def asked(platform: Platform) -> BatchQuestion:
    """A decoder of NV12 that can write anywhere, for a surface that fills the display if any."""
    decoder = Participant(
        name="decoder", usage=Usage.DECODE, sets=(ConstraintSet(formats=(NV12,)),)
    )
    displays = [one.id for one in platform.devices if Usage.SCANOUT in one.sets]
    outputs = tuple(OutputState("HDMI-A-1", one) for one in displays[:1])
    return BatchQuestion(
        Inquiry(
            participants=((1, decoder),),
            extents=Extents(coded=Extent(640, 480)),
            explanation=Explanation.ALL,
        ),
        SurfaceState(outputs=outputs, size=Extent(640, 480), candidate=bool(outputs)),
        IMPORTABLE,
    )


def test_what_is_stated_of_a_display_is_in_the_way_and_in_the_explanation(pi) -> None:
    assert Broker(pi).batch(asked(pi)).offers[0].plan.scanout
    stated = parse(LOW).apply(pi)
    broker = Broker(stated)
    batch = broker.batch(asked(stated))
    assert not any(offer.plan.scanout for offer in batch.offers)
    why = "hvs:scanout needs memory that is at addresses 0x0 to 0xfffffff"
    assert f"{why}; no source is known to be" in [entry.text for entry in batch.conflicts]


def test_an_explanation_names_the_user_as_who_says_so(pi) -> None:
    gpu = LOW.replace("vc4", "v3d").replace("scanout", "sampling")
    stated = parse(LOW + gpu).apply(pi)
    problem = Broker(stated).problem(asked(stated))
    said = render_explain(explain_document(problem, solve(problem)))
    assert "at addresses 0x0 to 0xfffffff; no source is known to be (user)" in said


def test_what_is_stated_of_a_heap_brings_it_into_plans(pi) -> None:
    policy = parse(
        """
        [offer]
        only = ["system"]
        [[memory]]
        name = "system"
        contiguous = true
        addresses = ["0x0", "0x3fffffff"]
        """
    )
    without = replace(policy, memory=()).apply(pi)
    assert not any(offer.plan.scanout for offer in Broker(without).batch(asked(pi)).offers)
    plan = Broker(policy.apply(pi)).batch(asked(pi)).offers[0].plan
    assert plan.scanout
    assert [entry.source for entry in plan.layout.objects] == [pi.source("system").id]


def test_a_gpu_of_which_no_formats_are_known_is_described_by_pairs_that_there_are() -> None:
    """Such a GPU samples anything, and what is stated holds for anything."""
    gpu = """
    [[memory]]
    name = "system"
    contiguous = false
    [[memory]]
    name = "cma"
    contiguous = true
    [[device]]
    name = "renderD128"
    kind = "gpu"
    driver = "example"
    [[device.use]]
    usage = "sampling"
    """
    platform = Platform.parse(textwrap.dedent(gpu))
    policy = parse(
        """
        [[device]]
        driver = "example"
        [[device.use]]
        usage = "sampling"
        constraints = [{ type = "contiguous" }]
        """
    )
    question = asked(platform)
    batch = Broker(policy.apply(platform)).batch(question)
    assert told_of(batch) >= {platform.source("cma").id}
    assert {entry.source for offer in batch.offers for entry in offer.plan.layout.objects} == {
        platform.source("cma").id
    }
