"""Playing through wl_shm, where there is no linux-dmabuf or no memory to negotiate about."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from fake_compositor import CMA
from patience import PATIENCE
from playing_compositor import PlayingCompositor

from heapwire.client_lib import (
    ConflictError,
    ImportRefusedError,
    MissingGlobalError,
    Player,
    PlayOptions,
)
from heapwire.client_lib.negotiation import NegotiationError
from heapwire.client_lib.player import PATTERNS, PatternMaterial
from heapwire.compositor_plugin import Policy
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol.values import (
    CONTIGUOUS,
    LINEAR,
    Constraint,
    ConstraintSet,
    Extent,
    FormatModifier,
    Participant,
    Source,
    Usage,
    parse_fourcc,
)

SIZE = Extent(320, 200)
FAST = PlayOptions(paced=False, timeout=PATIENCE)
PATTERN = PatternMaterial("full", SIZE, Fraction(30))


@pytest.fixture
def nothing():
    """A machine without a heap, and without udmabuf."""
    return Platform(name="bare", sources=(), devices=(), memory=MemfdMemory(()))


def play(compositor_platform, platform, *, material=PATTERN, fates=None, extension=True, **options):
    """The pictures on the screen, and the player's result."""
    pictures = []
    compositor = Compositor(
        compositor_platform,
        size=SIZE,
        extension=extension,
        on_frame=lambda record, pixels: pictures.append(pixels().copy()),
    )
    with compositor, compositor.running():
        player = Player(
            material,
            display=compositor.connect(),
            platform=platform,
            options=replace(FAST, frames=4, **options),
            on_fate=None if fates is None else fates.append,
        )
        result = player.play()
    return pictures, result


@pytest.fixture
def pi():
    return Platform.load("raspberry-pi-4")


@pytest.fixture
def without_dmabuf(monkeypatch):
    """linux-dmabuf of a compositor that is too old for it."""
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 2)


def note_of(result):
    (note,) = [one for one in result.faults if "wl_shm" in one]
    return note


def test_without_linux_dmabuf_the_pictures_are_the_same_and_it_is_said(
    no_fd_leak, pi, without_dmabuf
):
    fates = []
    pictures, result = play(pi, pi, fates=fates)
    assert len(pictures) == 4
    bars = [tuple(map(int, pixel)) for pixel in pictures[0][10, 20::40, :3]]
    assert bars == list(PATTERNS["full"])
    assert result.shared
    assert result.bytes_copied_per_frame >= 320 * 200 * 4
    assert result.frames.shown == 4
    assert "zwp_linux_dmabuf_v1" in note_of(result)
    assert {one.sources for one in fates} == {("wl_shm",)}
    assert all(one.copied >= 320 * 200 * 4 for one in fates)


def test_a_machine_without_memory_plays_on_a_compositor_that_makes_no_plans(
    no_fd_leak, pi, nothing
):
    """What is missing is memory: with the protocol there would be as little to plan."""
    pictures, result = play(pi, nothing, extension=False)
    assert len(pictures) == 4
    assert result.shared
    assert "there is no source of memory" in note_of(result)


def test_a_file_plays_too(no_fd_leak, pi, without_dmabuf, clips):
    pictures, result = play(pi, pi, material=clips["bikes.mp4"])
    assert len(pictures) == 4
    assert result.shared
    assert result.decoder == "cpu"


def test_a_compositor_without_sources_is_no_obstacle(no_fd_leak, nothing):
    pictures, result = play(nothing, nothing)
    assert len(pictures) == 4
    assert "no source of memory" in note_of(result)


@pytest.mark.parametrize("extension", [True, False])
def test_whoever_requires_dmabuf_gets_an_error_instead(no_fd_leak, pi, nothing, extension):
    with pytest.raises((MissingGlobalError, NegotiationError)):
        play(nothing if extension else pi, nothing, extension=extension, require_dmabuf=True)


def test_a_format_that_wl_shm_does_not_have_ends_it(no_fd_leak, pi, without_dmabuf):
    nv12 = parse_fourcc("NV12")
    with pytest.raises(MissingGlobalError):
        play(pi, pi, formats=(nv12,))


@pytest.mark.parametrize("require_dmabuf", [True, False])
def test_a_budget_that_is_too_small_is_said(no_fd_leak, pi, tmp_path, require_dmabuf):
    """There is memory, and the reason is not that there were none."""
    file = tmp_path / "policy.toml"
    file.write_text('[allocation]\nbudget = "100 KiB"\n')
    compositor = Compositor(pi, size=SIZE, policy=Policy.load(file))
    options = replace(FAST, frames=4, require_dmabuf=require_dmabuf)
    told = "252 KiB more do not fit the 100 KiB that a user may have"
    with compositor, compositor.running():
        player = Player(PATTERN, display=compositor.connect(), options=options)
        if require_dmabuf:
            with pytest.raises(NegotiationError, match=told):
                player.play()
        else:
            assert told in note_of(player.play())


def test_a_contradiction_is_none_of_its_business(no_fd_leak, pi):
    """What a person demanded cannot be had: another way would hide that."""
    whole = Constraint(type=CONTIGUOUS.type, value=1)
    other = FormatModifier(parse_fourcc("AVUY8888"), LINEAR)
    stubborn = Participant(
        name="stubborn",
        usage=Usage.DECODE,
        sets=(ConstraintSet(formats=(other,), constraints=(whole,)),),
    )
    compositor = Compositor(pi, size=SIZE)
    with compositor, compositor.running(), pytest.raises(ConflictError):
        Player(
            PATTERN,
            display=compositor.connect(),
            platform=pi,
            participants=(stubborn,),
            options=replace(FAST, frames=4),
        ).play()


class Refusing(PlayingCompositor):
    """Takes no buffer, and has no wl_shm either."""

    def on_zwp_linux_buffer_params_v1_create(self, id_, *_):
        self._params.pop(id_)
        self.event(id_, "failed")


def test_without_wl_shm_it_is_the_first_error_that_is_told():
    fake = Refusing()
    sources = (Source(id=CMA, name="linux,cma", contiguous=True),)
    platform = Platform(
        name="fake", sources=sources, devices=(), memory=MemfdMemory(sources), simulated=True
    )
    try:
        with pytest.raises(ImportRefusedError):
            Player(PATTERN, display=fake.socket.detach(), platform=platform, options=FAST).play()
    finally:
        fake.close()
