"""Playing on compositors that have linux-dmabuf and not the extension: plans made by the client."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from patience import PATIENCE

from heapwire.client_lib import (
    ConflictError,
    Connection,
    LinuxDmabuf,
    MissingGlobalError,
    Player,
    PlayOptions,
    local_negotiation,
    writer_participant,
)
from heapwire.client_lib.negotiation.local_goals import local_goals
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    Content,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Usage,
    parse_fourcc,
    parse_modifier,
)
from heapwire.protocol.wire import DmabufFeedback, DmabufTranche, TrancheFlags

FRAMES = 8
XRGB = parse_fourcc("XRGB8888")
NV12 = parse_fourcc("NV12")
# In this format the simulated decoder, which wants contiguous memory too, takes no part.
RGB = PlayOptions(frames=FRAMES, paced=False, timeout=PATIENCE, formats=(XRGB,))
FULLSCREEN = replace(RGB, fullscreen=True)


@pytest.fixture
def pi():
    return Platform.load("raspberry-pi-4")


@contextmanager
def without_extension(platform, **options):
    records = []
    made = Compositor(
        platform,
        extension=False,
        on_frame=lambda record, _image: records.append(record),
        **options,
    )
    with made, made.running():
        yield made, records


def play(compositor, path, platform, options=FULLSCREEN):
    return Player(path, display=compositor.connect(), platform=platform, options=options).play()


def sources(result):
    return {result.source_names[one.source] for one in result.plan.layout.objects}


def origins(plan):
    return [one.text for one in plan.reasons if one.subject == "origin"]


@pytest.mark.parametrize("version", [4, 5, 6])
def test_fullscreen_takes_the_memory_that_the_display_named_by_feedback_needs(
    no_fd_leak, clips, pi, monkeypatch, version
):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", version)
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi)
    assert sources(result) == {"linux,cma"}
    assert result.plan.scanout
    (text,) = origins(result.plan)
    assert f"linux-dmabuf version {version}" in text
    assert "raspberry-pi-4" in text
    assert "profile" in text
    assert len(records) == FRAMES
    assert all(record.scanned_out for record in records)


def test_that_frames_were_scanned_out_is_known_from_their_presentation(no_fd_leak, clips, pi):
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi)
    assert all(record.scanned_out for record in records)
    counts = result.frames
    assert (counts.decoded, counts.shown, counts.scanned_out) == (FRAMES, FRAMES, FRAMES)
    assert result.reasons == {}


def test_what_was_not_presented_without_a_copy_is_unknown_and_not_guessed(no_fd_leak, clips, pi):
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi, RGB)
    assert not any(record.scanned_out for record in records)
    counts = result.frames
    assert (counts.shown, counts.scanned_out, counts.composited) == (FRAMES, 0, 0)
    assert result.reasons == {"unknown": FRAMES}


def test_memory_that_this_process_may_not_open_is_in_no_plan(no_fd_leak, clips, pi, monkeypatch):
    cma = pi.source("linux,cma").id
    openable = pi.memory.openable - {cma}
    monkeypatch.setattr(type(pi.memory), "openable", property(lambda _: openable))
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi)
    assert sources(result) == {"system"}
    assert not result.plan.scanout
    assert len(records) == FRAMES


def test_a_window_needs_nothing_of_the_display(no_fd_leak, clips, pi):
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi, RGB)
    assert sources(result) == {"system"}
    assert not result.plan.scanout
    assert len(records) == FRAMES


def test_before_version_4_the_display_of_the_output_that_is_filled_counts(
    no_fd_leak, clips, pi, monkeypatch
):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 3)
    with without_extension(pi) as (compositor, records):
        result = play(compositor, clips["bikes.mp4"], pi)
    assert sources(result) == {"linux,cma"}
    assert result.plan.scanout
    (text,) = origins(result.plan)
    assert "linux-dmabuf version 3" in text
    assert "displays from the names of outputs" in text
    assert len(records) == FRAMES
    assert all(record.scanned_out for record in records)


def test_before_version_4_a_window_is_sampled_and_the_clients_devices_choose(
    no_fd_leak, clips, pi, monkeypatch
):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 3)
    with without_extension(pi) as (compositor, records):
        rgb = play(compositor, clips["bikes.mp4"], pi, RGB)
        decoded = play(compositor, clips["bikes.mp4"], pi, replace(RGB, formats=()))
    assert sources(rgb) == {"system"}
    assert sources(decoded) == {"linux,cma"}  # the decoder has no IOMMU
    assert not rgb.plan.scanout
    assert len(records) == 2 * FRAMES


@pytest.mark.parametrize("version", [3, 5])
def test_a_window_that_fills_its_output_is_answered_anew(
    no_fd_leak, clips, pi, monkeypatch, version
):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", version)
    plans = []

    def progress(now):
        plans.append(now.plan.scanout)
        if now.counts.shown >= 3:  # it may not be told of each: two can come at once
            player.set_fullscreen(True)
        if plans.count(True) == 8:
            player.stop()  # the compositor has been fast enough by now, however busy it is

    with without_extension(pi) as (compositor, records):
        player = Player(
            clips["bikes.mp4"],
            display=compositor.connect(),
            platform=pi,
            options=replace(RGB, frames=None),
            on_progress=progress,
        )
        result = player.play()
    assert not plans[0]
    assert plans[-1]
    assert sources(result) == {"linux,cma"}
    assert records[-1].scanned_out
    assert result.frames.dropped == 0
    assert pi.memory.live() == 0


def test_without_a_platform_the_missing_protocol_is_named(no_fd_leak, clips, pi):
    with (
        without_extension(pi) as (compositor, _),
        pytest.raises(MissingGlobalError, match="xx_dmabuf_negotiation_manager_v1"),
    ):
        play(compositor, clips["bikes.mp4"], None, replace(FULLSCREEN, require_dmabuf=True))


def test_default_feedback_is_for_sampling(no_fd_leak, pi):
    with without_extension(pi) as (compositor, _), Connection(compositor.connect()) as connection:
        negotiation = local_negotiation(LinuxDmabuf(connection), pi)
        negotiation.set_participant(writer_participant("rgb24", (XRGB,)))
        negotiation.set_extents(Extents(coded=Extent(64, 48)))
        batch = negotiation.negotiate()
        assert [one.flags for one in batch.tranches] == [TrancheFlags.SAMPLING]
        assert batch.offers
        assert "made by this client" in batch.message


def test_a_conflict_with_the_content_says_so(no_fd_leak, pi):
    with without_extension(pi) as (compositor, _), Connection(compositor.connect()) as connection:
        negotiation = local_negotiation(LinuxDmabuf(connection), pi)
        negotiation.set_participant(writer_participant("rgb24", (XRGB,)))
        negotiation.set_extents(Extents(coded=Extent(64, 48)))
        negotiation.set_content(Content(protected=True))
        with pytest.raises(ConflictError) as caught:
            negotiation.negotiate()
    assert "the content" in [entry.participant for entry in caught.value.entries]


# The goals, without a compositor.

LINEAR_XRGB = FormatModifier(XRGB, LINEAR)


def feedback(*tranches, version=5, main=None):
    return DmabufFeedback(version=version, tranches=tranches, main_device=main)


def names(goal):
    return [one.name for one in goal.participants]


def test_a_scanout_tranche_of_a_known_display_is_a_goal_with_its_formats(pi):
    display, gpu = pi.device("hvs").id, pi.device("v3d").id
    scanout, sampling = local_goals(
        feedback(
            DmabufTranche(display, TrancheFlags.SCANOUT, (LINEAR_XRGB,)),
            DmabufTranche(gpu, TrancheFlags(0), (LINEAR_XRGB, FormatModifier(NV12, LINEAR))),
            main=gpu,
        ),
        pi,
    )
    assert names(scanout) == ["hvs:scanout", "v3d:sampling", "linux-dmabuf"]
    assert scanout.scanout
    assert scanout.participants[-1].sets[0].formats == (LINEAR_XRGB,)
    assert names(sampling) == ["v3d:sampling", "linux-dmabuf"]
    assert len(sampling.participants[-1].sets[0].formats) == 2


def test_each_device_that_samples_is_a_goal_with_what_it_can_import():
    """From version 6 on: what one GPU imports says nothing of another."""
    platform = Platform.load("two-gpus")
    first, second = [d for d in platform.devices if Usage.SAMPLING in d.sets][:2]
    nv12 = FormatModifier(NV12, LINEAR)
    said = feedback(
        DmabufTranche(second.id, TrancheFlags.SAMPLING, (LINEAR_XRGB, nv12)),
        DmabufTranche(first.id, TrancheFlags.SAMPLING, (LINEAR_XRGB,)),
        version=6,
    )
    best, other = local_goals(said, platform)
    assert names(best) == [f"{second.name}:sampling", "linux-dmabuf"]
    assert names(other) == [f"{first.name}:sampling", "linux-dmabuf"]
    assert other.participants[-1].sets[0].formats == (LINEAR_XRGB,)
    assert (best.name, other.name) == ("sampling", "sampling 2")
    # A buffer that one of them alone can sample is imported for that one.
    assert said.sampler_of(nv12) == second.id
    assert said.sampler_of(LINEAR_XRGB) is None
    assert replace(said, version=5).sampler_of(nv12) is None


def test_who_lists_a_family_samples_its_members():
    one, other = DeviceId(226, 128), DeviceId(226, 129)

    def columns(height):
        return FormatModifier(NV12, parse_modifier(f"BROADCOM_SAND128({height})"))

    of_any_height = DmabufTranche(one, TrancheFlags.SAMPLING, (columns(0),))
    of_one = DmabufTranche(other, TrancheFlags.SAMPLING, (columns(1620),))
    alone = feedback(of_any_height, version=6)
    assert alone.sampler_of(columns(1632)) == one
    assert alone.sampler_of(FormatModifier(NV12, LINEAR)) is None
    both = feedback(of_any_height, of_one, version=6)
    assert both.sampler_of(columns(1632)) == one
    assert both.sampler_of(columns(1620)) is None  # of two nobody is the only one
    assert both.sampler_of(columns(0)) == one


def test_a_device_that_the_platform_does_not_know_is_no_goal(pi):
    goals = local_goals(
        feedback(
            DmabufTranche(DeviceId(226, 77), TrancheFlags.SCANOUT, (LINEAR_XRGB,)),
            DmabufTranche(DeviceId(226, 78), TrancheFlags(0), (LINEAR_XRGB,)),
        ),
        pi,
    )
    assert [names(goal) for goal in goals] == [["linux-dmabuf"]]
    assert not any(Usage.SCANOUT in one.usage for goal in goals for one in goal.participants)


def test_the_gpu_is_no_display_even_if_a_tranche_says_so(pi):
    gpu = pi.device("v3d").id
    goals = local_goals(feedback(DmabufTranche(gpu, TrancheFlags.SCANOUT, (LINEAR_XRGB,))), pi)
    assert [goal.name for goal in goals] == ["sampling"]


def test_a_format_without_modifier_is_linear_too(pi):
    (goal,) = local_goals(
        feedback(DmabufTranche(None, TrancheFlags(0), (FormatModifier(XRGB, INVALID),))), pi
    )
    assert LINEAR_XRGB in goal.participants[-1].sets[0].formats


def test_before_version_4_every_output_that_is_filled_needs_a_display(pi, monkeypatch):
    """What one of two outputs may refuse is not for scanout."""
    machine, display = replace(pi, simulated=False), pi.device("hvs").id
    cards = {"HDMI-A-1": display, "HDMI-A-2": display}
    monkeypatch.setattr(
        "heapwire.client_lib.negotiation.local_goals.card_of_connector",
        lambda output, _displays: cards.get(output),
    )
    said = feedback(DmabufTranche(None, TrancheFlags(0), (LINEAR_XRGB,)), version=3)

    def goals(*outputs):
        return [goal.name for goal in local_goals(said, machine, outputs)]

    assert goals("HDMI-A-1") == ["scanout", "sampling"]
    assert goals("HDMI-A-1", "HDMI-A-2") == ["scanout", "sampling"]
    assert goals("HDMI-A-1", "DP-1") == ["sampling"]
    assert goals() == ["sampling"]
