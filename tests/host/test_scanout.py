"""What is scanned out, what is not and why, and what clients are told of it."""

from __future__ import annotations

import numpy as np
import pytest
from host_stage import NV12, OUTPUT, XRGB, HostStage

from heapwire.compositor_plugin import StatusReason
from heapwire.protocol.values import FailureReason, FormatModifier
from heapwire.protocol.wire import BatchDecoder, TrancheFlags
from heapwire.protocol.wire.array import encode_formats

WIDTH, HEIGHT = OUTPUT.width, OUTPUT.height
SCANOUT, COMPOSITED = 0, 1
R = StatusReason
DECODE = 1


def shown(stage, window) -> None:
    """Wait until what was committed is on the screen."""
    callback = window.client.frame(window.surface)
    stage.until(lambda: window.client.take(callback) or window.client.closed)


def fate(stage) -> tuple[bool, StatusReason]:
    return stage.frames[-1].scanned_out, stage.frames[-1].reason


@pytest.fixture
def window(client):
    return client.window(fullscreen=True)


@pytest.mark.parametrize(
    ("source", "verdict"),
    [("linux,cma", (True, R.NONE)), ("system", (False, R.MEMORY))],
)
def test_the_memory_decides(stage, client, window, source, verdict) -> None:
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT, source))
    shown(stage, window)
    assert fate(stage) == verdict
    [frame] = stage.frames
    assert frame.sources == (source,)
    assert (frame.extent, frame.fourcc, frame.modifier) == (OUTPUT, XRGB, 0)
    assert (stage.images[-1] == 0x40).all(), "the picture is the same, whoever shows it"
    assert stage.pixel(7, 7) == (0x40, 0x40, 0x40)


def test_shared_memory_is_never_scanned_out(stage, client, window) -> None:
    client.shm(window.surface, WIDTH, HEIGHT)
    shown(stage, window)
    assert fate(stage) == (False, R.MEMORY)
    assert stage.frames[-1].modifier is None


def test_a_window_is_no_candidate(stage, client) -> None:
    window = client.window()
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT))
    shown(stage, window)
    assert fate(stage) == (False, R.NOT_A_CANDIDATE)


def test_what_covers_a_surface_ends_its_scanout(stage, client, window) -> None:
    buffers = [client.dmabuf(WIDTH, HEIGHT) for _ in range(2)]
    client.show(window.surface, buffers[0])
    shown(stage, window)
    assert fate(stage) == (True, R.NONE)
    menu = client.window()
    client.shm(menu.surface, 20, 20, (255, 0, 0))
    shown(stage, menu)
    client.show(window.surface, buffers[1])
    shown(stage, window)
    assert fate(stage) == (False, R.NOT_A_CANDIDATE)
    assert stage.pixel(40, 40) == (255, 0, 0), "the menu is on top"
    client.request(menu.toplevel, "destroy")
    client.show(window.surface, buffers[0])
    shown(stage, window)
    assert fate(stage) == (True, R.NONE)


def test_a_subsurface_ends_its_parents_scanout(stage, client, window) -> None:
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT))
    child = client.surface()
    subsurface = client.make(
        client.the("wl_subcompositor"), "get_subsurface", "wl_subsurface", child, window.surface
    )
    client.shm(child, 10, 10, (0, 255, 0))
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT))
    shown(stage, window)
    assert (False, R.NOT_A_CANDIDATE) in [
        (frame.scanned_out, frame.reason) for frame in stage.frames if frame.extent == OUTPUT
    ]
    client.request(subsurface, "destroy")
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT))
    shown(stage, window)
    assert fate(stage) == (True, R.NONE)


@pytest.mark.parametrize("opaque", [False, True])
def test_alpha_without_an_opaque_region_is_blended(stage, client, window, opaque) -> None:
    memory = stage.platform.memory
    params = client.params()
    with memory.allocate(stage.platform.source("linux,cma").id, WIDTH * HEIGHT * 4) as object_:
        client.request(params, "add", object_.fd, 0, 0, WIDTH * 4, 0, 0)
    buffer = client.new("wl_buffer")
    argb = int.from_bytes(b"AR24", "little")
    client.request(params, "create_immed", buffer, WIDTH, HEIGHT, argb, 0)
    if opaque:
        region = client.make(client.the("wl_compositor"), "create_region", "wl_region")
        client.request(region, "add", 0, 0, WIDTH, HEIGHT)
        client.request(window.surface, "set_opaque_region", region)
    client.show(window.surface, buffer)
    shown(stage, window)
    assert fate(stage) == ((True, R.NONE) if opaque else (False, R.NOT_A_CANDIDATE))


@pytest.mark.parametrize("transform", range(1, 8))
def test_planes_that_do_not_turn_say_so(stage, client, window, transform) -> None:
    size = (HEIGHT, WIDTH) if transform & 1 else (WIDTH, HEIGHT)
    client.request(window.surface, "set_buffer_transform", transform)
    client.show(window.surface, client.dmabuf(*size))
    shown(stage, window)
    scanned_out, reason = fate(stage)
    assert not scanned_out
    assert reason is R.TRANSFORM


@pytest.fixture
def gen3():
    """A display that takes RGB only, in pitches that are powers of two; its GPU takes more."""
    stage = HostStage("intel-gen3")
    yield stage
    stage.close()


def test_the_pitch_decides(gen3) -> None:
    client = gen3.client()
    window = client.window(fullscreen=True)
    fates = {}
    for pitch in (1280, 2048):
        source = gen3.platform.sources[0].name
        client.show(window.surface, client.dmabuf(WIDTH, HEIGHT, source, pitch))
        shown(gen3, window)
        fates[pitch] = fate(gen3)
    assert fates == {1280: (False, R.LAYOUT), 2048: (True, R.NONE)}


def test_the_format_decides(gen3) -> None:
    client = gen3.client()
    window = client.window(fullscreen=True)
    params = client.params()
    size = 2048 * HEIGHT
    with gen3.platform.memory.allocate(gen3.platform.sources[0].id, 2 * size) as object_:
        for plane in range(2):
            client.request(params, "add", object_.fd, plane, plane * size, 2048, 0, 0)
    buffer = client.new("wl_buffer")
    client.request(params, "create_immed", buffer, WIDTH, HEIGHT, NV12, 0)
    client.show(window.surface, buffer)
    shown(gen3, window)
    assert fate(gen3) == (False, R.FORMAT)


# What the extension says of it.


class Negotiating:
    """A fullscreen client with a decoder that writes XRGB8888."""

    def __init__(self, stage: HostStage, *, fullscreen: bool = True) -> None:
        self.stage = stage
        self.client = client = stage.client()
        self.window = client.window(fullscreen=fullscreen)
        manager = client.the("xx_dmabuf_negotiation_manager_v1")
        self.negotiation = client.make(
            manager, "get_surface_negotiation", "xx_dmabuf_negotiation_v1", self.window.surface
        )
        creator = client.make(
            manager, "create_constraint_set", "xx_dmabuf_constraint_set_creator_v1"
        )
        pairs = encode_formats([FormatModifier(XRGB, 0), FormatModifier(NV12, 0)])
        client.request(creator, "add_formats", 0, pairs)
        set_ = client.make(creator, "create", "xx_dmabuf_constraint_set_v1")
        client.request(self.negotiation, "set_participant", 1, DECODE, 81, 1, "decoder")
        client.request(self.negotiation, "add_alternative", 1, set_)
        client.request(self.negotiation, "set_extents", WIDTH, HEIGHT, 0, 0, 0, 0)
        self._decoder = BatchDecoder()
        self.watches: dict[int, int] = {}  # tags by the objects that tell of their buffers

    def batches(self):
        found = []
        for name, *arguments in self.client.take(self.negotiation):
            batch = getattr(self._decoder, name)(*arguments)
            if batch is not None:
                found.append(batch)
        return found

    @property
    def statuses(self) -> list[tuple]:
        """What was told of buffers: (tag, result, reason)."""
        return [
            (self.watches[event.object], *event.args)
            for event in self.client.events
            if event.object in self.watches
        ]

    def commit(self, cookie: int):
        self.client.request(self.negotiation, "commit", cookie)
        found = self.batches()
        self.stage.until(
            lambda: found.extend(self.batches()) or any(one.cookie == cookie for one in found)
        )
        return found[-1]

    def show(self, batch, index: int = 0, tag: int = 1) -> int:
        """A buffer by a plan, watched and shown."""
        offer = batch.offers[index]
        client, layout = self.client, offer.plan.layout
        memory = self.stage.platform.memory
        objects = [memory.allocate(entry.source, entry.size) for entry in layout.objects]
        params = client.params()
        for number, plane in enumerate(layout.planes):
            fd = objects[plane.object].fd
            client.request(params, "add", fd, number, plane.offset, plane.pitch, 0, 0)
        for object_ in objects:
            object_.close()
        buffer = client.new("wl_buffer")
        client.request(params, "create_immed", buffer, WIDTH, HEIGHT, offer.plan.fourcc, 0)
        client.request(params, "destroy")
        manager = client.the("xx_dmabuf_buffer_status_manager_v1")
        kind = "xx_dmabuf_buffer_status_v1"
        self.watches[client.make(manager, "get_buffer_status", kind, buffer)] = tag
        client.show(self.window.surface, buffer)
        shown(self.stage, self.window)
        assert client.error is None
        return buffer

    def again(self, buffer: int) -> None:
        self.client.show(self.window.surface, buffer)
        shown(self.stage, self.window)


def scanout_plans(batch) -> int:
    return sum(
        len(tranche.offers) for tranche in batch.tranches if tranche.flags & TrancheFlags.SCANOUT
    )


def test_every_plan_for_scanout_is_scanned_out_and_no_other_promises_it(stage) -> None:
    player = Negotiating(stage)
    batch = player.commit(1)
    assert scanout_plans(batch) > 0
    for index, offer in enumerate(batch.offers):
        player.show(batch, index, tag=index)
        assert stage.frames[-1].scanned_out or not offer.plan.scanout, offer
    player.batches()
    promised = [offer.plan.scanout for offer in batch.offers]
    told = {tag: status == SCANOUT for tag, status, _ in player.statuses}
    assert all(told[tag] for tag, scanout in enumerate(promised) if scanout)


@pytest.mark.parametrize("platform", ["raspberry-pi-4", "rockchip-rk3399", "exynos4-mfc-v5"])
def test_a_plan_before_the_first_buffer_is_for_scanout(platform) -> None:
    """A player that asks for fullscreen negotiates for what it is going to be."""
    stage = HostStage(platform)
    try:
        player = Negotiating(stage)
        batch = player.commit(1)
        assert scanout_plans(batch) > 0
        player.show(batch)
        assert stage.frames[-1].scanned_out, stage.frames[-1]
        player.batches()
        assert player.statuses == [(1, SCANOUT, R.NONE)]
    finally:
        stage.close()


def test_fullscreen_to_windowed_and_back(stage) -> None:
    """A loss is told at once, a gain when it has lasted; nothing is told twice."""
    player = Negotiating(stage)
    client, window = player.client, player.window
    buffer = player.show(player.commit(1))
    assert player.batches() == []

    client.request(window.toplevel, "unset_fullscreen")
    windowed(window)
    player.again(buffer)
    batches = player.batches()
    assert [scanout_plans(batch) for batch in batches] == [0]
    assert batches[0].cookie == 0
    assert player.statuses[-1][1:] == (COMPOSITED, R.NOT_A_CANDIDATE)

    client.request(window.toplevel, "set_fullscreen", None)
    windowed(window)
    player.again(buffer)
    found: list = []
    stage.until(lambda: found.extend(player.batches()) or found)
    assert [scanout_plans(batch) > 0 for batch in found] == [True]
    assert player.statuses[-1][1:] == (SCANOUT, R.NONE)
    for _ in range(5):
        player.again(buffer)
    assert player.batches() == []
    assert len(player.statuses) == 3


def windowed(window) -> None:
    """Acknowledge what came last, whatever it is."""
    events = window.client.take(window.xdg_surface)
    window.client.take(window.toplevel)
    window.client.request(window.xdg_surface, "ack_configure", events[-1][1])


def test_a_conflict_in_a_window_is_an_event(stage) -> None:
    player = Negotiating(stage, fullscreen=False)
    batch = player.commit(1)
    assert (batch.reason, scanout_plans(batch)) == (None, 0)
    client = player.client
    client.request(player.negotiation, "set_content", 1, 0, 2, 0)
    failed = player.commit(2)
    assert failed.reason in (FailureReason.CONFLICT, FailureReason.NO_SOURCE)
    assert client.error is None


def test_frames_in_the_steady_state_ask_the_plugin_nothing(stage, monkeypatch) -> None:
    player = Negotiating(stage)
    batch = player.commit(1)
    buffers = [player.show(batch, tag=tag) for tag in range(3)]
    calls: list[str] = []
    plugin = stage.compositor.plugin
    for name in ("surface_changed", "buffer_shown"):
        monkeypatch.setattr(plugin, name, lambda *a, name=name, **k: calls.append(name))
    for turn in range(12):
        player.again(buffers[turn % 3])
    assert calls == []
    assert player.batches() == []


def test_records_tell_pixels_apart(stage, client, window) -> None:
    sums = []
    for value in (1, 2, 1):
        pixels = np.full((HEIGHT, WIDTH, 4), value, np.uint8)
        client.show(window.surface, client.shm_buffer(pixels))
        shown(stage, window)
        sums.append(stage.frames[-1].crc32)
    assert sums[0] == sums[2] != sums[1]
    sequences = [frame.sequence for frame in stage.frames]
    assert sequences == sorted(set(sequences))
    document = stage.frames[0].document()
    assert document["scanned_out"] is False
    assert document["width"] == WIDTH


def test_states_of_the_window_reach_the_client(stage, client) -> None:
    window = client.window(configure=False)
    client.request(window.toplevel, "set_fullscreen", None)
    client.request(window.surface, "commit")
    width, height, states = window.configured()
    assert (width, height) == (WIDTH, HEIGHT)
    assert 2 in states
