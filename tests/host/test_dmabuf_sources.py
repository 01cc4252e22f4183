"""What is added to linux-dmabuf's feedback comes with each batch, before it ends."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest
from host_stage import OUTPUT, HostStage

from heapwire.compositor_plugin import ClientRule, Policy, SecurityContext
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.compositor_plugin.sources.feedback_sources import FeedbackSources
from heapwire.kernel import Platform
from heapwire.protocol.values import PERMITTED_SOURCES, SourceId, SourceKind, Usage
from heapwire.protocol.wire import (
    FEEDBACKS,
    MANAGERS,
    DmabufFeedback,
    FeedbackDecoder,
    MemoryDecoder,
    ToldTranche,
)

SCANOUT = 1
FEEDBACK = "zwp_linux_dmabuf_feedback_v1"
EXTENSION = "xx_dmabuf_feedback_sources_v1"
LAST, NEXT = 0, 1
DISPLAY, NO_MEMORY = 1, 2
PROTECTED = 2


class Told:
    """A feedback object and its extension: each batch, with what had been told when it ended."""

    def __init__(self, client, surface=None, *, version=5, extend=True):
        self.client = client
        dmabuf = client.the("zwp_linux_dmabuf_v1", version)
        request = "get_surface_feedback" if surface else "get_default_feedback"
        self.feedback = client.make(dmabuf, request, FEEDBACK, *([surface] if surface else []))
        self.decoder, self.memory = FeedbackDecoder(version), MemoryDecoder()
        self.batches: list[tuple[DmabufFeedback, tuple[ToldTranche, ...] | None]] = []
        self.described: list[int] = []
        self.next: tuple[ToldTranche, ...] | None = None
        self.extension = 0
        if extend:
            self.extend()

    def extend(self):
        sources = self.client.the("xx_dmabuf_sources_v1")
        self.extension = self.client.make(sources, "extend_feedback", EXTENSION, self.feedback)

    def read(self):
        """Handle what came, in the order in which it came."""
        ours = (self.feedback, self.extension)
        events = [event for event in self.client.events if event.object in ours]
        self.client.events = [event for event in self.client.events if event.object not in ours]
        for event in events:
            args = event.args
            if event.name == "format_table":
                args = (os.pread(args[0], args[1], 0),)
            if event.object == self.feedback:
                said = getattr(self.decoder, event.name)(*args)
                if said is not None:
                    self.batches.append((said, self.next))
                    self.next = None
                continue
            told = getattr(self.memory, event.name)(*args)
            if told is not None:
                batch, tranches = told
                self.described.append(batch)
                if batch == NEXT:
                    self.next = tranches
                else:
                    self.batches[-1] = (self.batches[-1][0], tranches)
        return self.batches

    def memories(self, number=-1):
        """What is said of each tranche of a batch."""
        feedback, told = self.read()[number]
        assert told is not None, "nothing was told of this batch before it ended"
        assert len(told) == len(feedback.tranches)
        return [
            one.memory(tranche.formats, feedback.table)
            for one, tranche in zip(told, feedback.tranches, strict=True)
        ]


def be_fullscreen(client, window) -> None:
    client.request(window.toplevel, "set_fullscreen", None)
    window.configured()
    client.shm(window.surface, OUTPUT.width, OUTPUT.height)
    client.settle(window.surface)


def be_a_window(client, window) -> None:
    client.request(window.toplevel, "unset_fullscreen")
    window.configured()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)


def names(stage, memory):
    return [stage.platform.source(source).name for source in memory.sources]


def permitted(stage, memory):
    """The names of the heaps that the sets of a tranche list."""
    platform = stage.compositor.platform
    listed = {
        source
        for entry in memory.sets
        for constraint in entry.set.constraints
        if constraint.type == PERMITTED_SOURCES.type
        for source in constraint.value
        if source.kind is SourceKind.HEAP
    }
    return {source.name for source in platform.sources if source.id in listed}


def test_the_sources_are_announced_with_what_is_known_of_them(stage, client):
    events = client.take(client.the("xx_dmabuf_sources_v1"))
    assert events.pop() == ("done",)
    told = {args[-1]: args for name, *args in events if name == "source"}
    assert told.keys() == {source.name for source in stage.platform.sources}
    cma = stage.platform.source("linux,cma")
    kind, major, minor, properties, known, high, low, _ = told["linux,cma"]
    assert SourceId(SourceKind(kind), major, minor) == cma.id
    assert properties & known & 1  # contiguous
    assert high << 32 | low == (cma.capacity or 0)


@pytest.mark.parametrize(("mappable", "told"), [(True, (0, 2)), (False, (0, 0))])
def test_what_no_cpu_maps_is_not_told_as_what_it_may_read(nothing_left, mappable, told):
    """Nor as protected, for it holds nothing to protect: nothing is put there by these words."""
    platform = Platform.load("raspberry-pi-4")
    sources = tuple(replace(source, mappable=mappable) for source in platform.sources)
    stage = HostStage(replace(platform, sources=sources))
    client = stage.client()
    events = client.take(client.the("xx_dmabuf_sources_v1"))
    (said,) = (args for name, *args in events if name == "source" and args[-1] == "system")
    properties, known = said[3:5]
    stage.close()
    assert (properties & PROTECTED, known & PROTECTED) == told


def test_extensions_are_bounded(client):
    """As the protocol says: a client has so many at a time."""
    sources = client.the("xx_dmabuf_sources_v1")
    dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
    feedback = client.make(dmabuf, "get_default_feedback", FEEDBACK)
    made = [client.make(sources, "extend_feedback", EXTENSION, feedback) for _ in range(FEEDBACKS)]
    client.request(made[0], "destroy")
    client.make(sources, "extend_feedback", EXTENSION, feedback)
    assert client.error is None
    client.make(sources, "extend_feedback", EXTENSION, feedback)
    assert (client.error.object, client.error.code) == (DISPLAY, NO_MEMORY)


def test_globals_are_bounded(client):
    bound = [client.bind("xx_dmabuf_sources_v1") for _ in range(MANAGERS)]
    client.request(bound[0], "destroy")
    client.bind("xx_dmabuf_sources_v1")
    assert client.error is None
    client.bind("xx_dmabuf_sources_v1")
    assert (client.error.object, client.error.code) == (DISPLAY, NO_MEMORY)


def test_an_extension_tells_of_the_batch_that_was_sent(stage, client):
    told = Told(client)
    [memory] = told.memories()
    assert told.described == [LAST]
    assert {"system", "linux,cma"} <= set(names(stage, memory))
    assert [one.device for one in memory.sets] == [0] * len(memory.sets)


def test_of_a_batch_all_is_told_before_it_ends(stage, client):
    """For objects made before and after, through fullscreen and back."""
    window = client.window()
    early = Told(client, window.surface)
    late = Told(client, window.surface, extend=False)
    be_fullscreen(client, window)
    for told, batches in ((early, 2), (late, 2)):
        stage.until(lambda told=told, batches=batches: len(told.read()) == batches)
    scanned_out, sampled = early.memories()
    assert names(stage, scanned_out) == ["linux,cma"]
    assert "system" in names(stage, sampled)
    assert {one.device for one in scanned_out.sets} == {0, 1}  # the display, and the GPU
    assert late.batches[-1][1] is None
    late.extend()
    assert late.memories() == early.memories()
    assert late.described == [LAST]
    be_a_window(client, window)
    for told in (early, late):
        stage.until(lambda told=told: len(told.read()) == 3)
        assert len(told.memories()) == 1
    assert early.described == [LAST, NEXT, NEXT]
    assert late.described == [LAST, NEXT]


def test_two_hundred_feedback_objects_are_told(stage, client):
    window = client.window()
    all_told = [Told(client, window.surface) for _ in range(200)]
    be_fullscreen(client, window)
    for told in all_told:
        stage.until(lambda told=told: len(told.read()) == 2)
        assert told.described == [LAST, NEXT]
        assert [names(stage, one)[0] for one in told.memories()] == ["linux,cma", "system"]


@pytest.mark.parametrize("version", [4, 5, 6])
def test_what_is_told_of_a_tranche_is_what_its_devices_require(stage, client, version):
    window = client.window()
    told = Told(client, window.surface, version=version)
    be_fullscreen(client, window)
    stage.until(lambda: len(told.read()) == 2)
    scanned_out, sampled = told.memories()
    [feedback, _] = told.batches[-1]
    both, one = (Usage.SCANOUT, Usage.SAMPLING), (Usage.SAMPLING,)
    for memory, usages in ((scanned_out, both), (sampled, one)):
        assert {entry.device for entry in memory.sets} == set(range(len(usages)))
        for number, usage in enumerate(usages):
            device = next(one for one in stage.platform.devices if usage in one.sets)
            expected = stage.platform.participant(device.name, usage)
            said = [entry.set for entry in memory.sets if entry.device == number]
            assert [(one.type, one.value, one.planes) for s in said for one in s.constraints] == [
                (one.type, one.value, one.planes) for s in expected.sets for one in s.constraints
            ]
            assert {pair for one in said for pair in one.formats} == set(feedback.table)


def test_a_destroyed_feedback_object_is_extended_no_more(stage, client):
    window = client.window()
    told = Told(client, window.surface)
    assert told.read()
    client.request(told.feedback, "destroy")
    be_fullscreen(client, window)
    stage.refresh()
    assert client.take(told.extension) == []
    client.request(told.extension, "destroy")
    assert client.error is None


def test_a_destroyed_extension_is_told_no_more(stage, client):
    window = client.window()
    told = Told(client, window.surface)
    told.read()
    client.request(told.extension, "destroy")
    be_fullscreen(client, window)
    stage.until(lambda: len(told.read()) == 2)
    assert told.described == [LAST]
    assert client.error is None


def test_several_extensions_of_one_object_are_told_the_same(stage, client):
    told = Told(client)
    first = told.memories()
    told.extend()
    assert told.memories() == first


def test_what_is_no_feedback_object_is_refused(stage, client):
    sources = client.the("xx_dmabuf_sources_v1")
    surface = client.surface()
    id_ = client.new(EXTENSION)
    client.request(sources, "extend_feedback", id_, surface)
    assert client.error is not None


def test_objects_are_bounded(stage, client):
    sources = client.the("xx_dmabuf_sources_v1")
    told = Told(client)
    for _ in range(300):
        client.request(sources, "extend_feedback", client.new(EXTENSION), told.feedback)
        if client.errors:
            break
    assert client.error is not None
    assert client.error.code == 2  # wl_display.error.no_memory


def test_when_the_machine_changes_it_is_told_anew(stage, client):
    told = Told(client)
    before = told.memories()
    fewer = tuple(one for one in stage.platform.sources if one.name != "linux,cma")
    stage.compositor.plugin.platform_changed(replace(stage.platform, sources=fewer))
    stage.until(lambda: told.read() and told.described == [LAST, LAST])
    assert told.memories() != before
    cma = stage.platform.source("linux,cma").id
    gone = ("source_gone", int(cma.kind), cma.major, cma.minor)
    assert gone in client.take(client.the("xx_dmabuf_sources_v1"))
    stage.compositor.plugin.platform_changed(stage.platform)
    stage.until(lambda: told.read() and told.described == [LAST, LAST, LAST])
    assert told.memories() == before


FLATPAK = SecurityContext("org.flatpak", "org.example.Player", "1234")


@pytest.mark.parametrize(
    ("rule", "sandboxed", "expected"),
    [
        (None, False, {"system", "linux,cma"}),
        (None, True, {"system"}),  # what it may be given of: nothing scarce
        (ClientRule(apps=("*Player",), told=True), True, {"system", "linux,cma"}),
        (ClientRule(apps=("*Player",), told=False), True, set()),
        (ClientRule(sandboxed=False, told=False), False, set()),
        (ClientRule(sandboxed=False, told=False), True, {"system"}),
    ],
)
def test_who_is_told_what_is_the_policys(nothing_left, monkeypatch, rule, sandboxed, expected):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = HostStage(policy=Policy(debounce=1, clients=(rule,) if rule else ()))
    context = FLATPAK if sandboxed else None
    monkeypatch.setattr(stage.compositor._desktop, "security_context", lambda _: context)
    client = stage.client()
    window = client.window()
    told = Told(client, window.surface)
    announced = {event[-1] for event in client.take(client.the("xx_dmabuf_sources_v1"))[:-1]}
    assert announced & {"system", "linux,cma"} == expected
    be_fullscreen(client, window)
    stage.until(lambda: len(told.read()) == 2)
    for memory in told.memories():
        assert set(names(stage, memory)) <= announced
        assert bool(memory.sets) == bool(expected)
        assert permitted(stage, memory) <= announced
    stage.close()


def test_who_does_not_read_is_told_when_it_does(stage, client):
    sources = client.the("xx_dmabuf_sources_v1")
    told = Told(client)
    told.read()
    [served] = [one for one in live_resources() if isinstance(one, FeedbackSources)]
    with socket.socket(fileno=os.dup(served.client.fd)) as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    extensions = []
    for _ in range(200):
        extensions.append(client.new(EXTENSION))
        request = ("extend_feedback", extensions[-1], told.feedback)
        client.request(sources, *request, pump=False)
        if len(extensions) % 20 == 0:
            stage.compositor.dispatch(0)
    stage.until(lambda: all(client.of(one) for one in extensions))
    assert not client.closed
    for one in extensions:
        events = client.take(one)
        assert events[-1] == ("done", LAST)
        assert [event[0] for event in events].count("done") == 1
