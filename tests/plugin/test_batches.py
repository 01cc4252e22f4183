"""Which batches come, when, and which never do."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from stage import IMPORTABLE, NV12, SIZE, TILES, XRGB, Stage

from heapwire.compositor_plugin.answering import SolverCall
from heapwire.kernel.description import Platform
from heapwire.protocol.values import FailureReason, FormatModifier
from heapwire.protocol.wire import Explanation, TrancheFlags

SCANOUT, SAMPLING = TrancheFlags.SCANOUT, TrancheFlags.SAMPLING
FIXED_NV12 = (
    *(NV12.fourcc, 0, 0, SIZE.width, SIZE.height),
    struct.pack("=IIIIQ", 0, 250, 1, 0, 1 << 20),
    struct.pack("=IIIIII", 0, 0, SIZE.width, 0, SIZE.width * SIZE.height, SIZE.width),
)
STRANGE = FormatModifier(0x31305453, 0)


def flags(batch):
    return [tranche.flags for tranche in batch.tranches]


def plan_flags(batch):
    return [tranche.flags for tranche in batch.tranches if tranche.offers]


def test_the_manager_announces_every_source_and_type_once() -> None:
    with Stage() as stage:
        client = stage.client()
        events = client.take(client.manager)
        names = [event[0] for event in events]
        assert names[-1] == "done"
        assert names.count("done") == 1
        sources = {event[1:4]: event[5] for event in events if event[0] == "source"}
        assert sources == {
            (source.id.kind, source.id.major, source.id.minor): source.name
            for source in stage.platform.sources
        }
        types = [event[1] for event in events if event[0] == "supported_type"]
        assert len(types) == len(set(types)) > 10


def test_nothing_is_told_before_something_is_asked() -> None:
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        stage.plugin.platform_changed(stage.platform)
        stage.settle()
        client.pump()
        assert client.batches(negotiation) == []
        client.request(negotiation, "commit", 1)
        [batch] = client.batches(negotiation)
        assert (batch.cookie, batch.reason, batch.offers) == (1, None, ())


@pytest.mark.parametrize("level", Explanation)
def test_as_much_is_explained_as_was_asked_for(level) -> None:
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        client.take(negotiation)
        client.request(negotiation, "set_explanation", level)
        client.request(negotiation, "commit", 2)
        names = [event[0] for event in client.take(negotiation)]
        told = {name for name in names if not name.startswith("plan") or name == "plan_reason"}
        assert told == {"done"} | (
            {"participant", "refusal", "plan_reason"} if level is Explanation.ALL else set()
        )


def test_one_plan_is_few_events_where_nothing_is_explained() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation)
        client.take(negotiation)
        client.request(negotiation, "set_explanation", Explanation.NONE)
        client.request(negotiation, "commit", 2)
        names = [event[0] for event in client.take(negotiation)]
        plans = names.count("plan")
        assert plans > 0
        assert len(names) <= 1 + 7 * plans, "eight with the end of the batch"


def test_why_there_is_no_plan_is_told_to_who_wants_reasons() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        for cookie, level in enumerate(Explanation, 1):
            client.ask(negotiation, cookie, STRANGE)
            client.take(negotiation)
            client.request(negotiation, "set_explanation", level)
            client.request(negotiation, "commit", cookie + 10)
            *events, failed = client.take(negotiation)
            assert failed[0] == "failed"
            names = {event[0] for event in events}
            assert ("conflict" in names) is (level is not Explanation.NONE)
            if level is Explanation.REASONS:
                spoken = {event[4] for event in events if event[0] == "conflict"}
                introduced = {event[1] for event in events if event[0] == "participant"}
                assert introduced == {id_ for id_ in spoken if id_ >= 0x80000000}


def test_new_buffers_are_of_the_size_of_the_layout_that_was_unset() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.request(negotiation, "set_fixed_layout", *FIXED_NV12)
        client.request(negotiation, "unset_fixed_layout")
        client.request(negotiation, "set_participant", 1, 1, 81, 3, "decoder")
        client.request(negotiation, "commit", 7)
        assert client.error is None
        batch = client.batches(negotiation)[-1]
        assert (batch.cookie, batch.reason) == (7, None)
        assert {offer.plan.layout.extent for offer in batch.offers} == {SIZE}


def test_default_negotiation_is_for_sampling() -> None:
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation)
        [batch] = client.batches(negotiation)
        assert plan_flags(batch) == [SAMPLING]


def test_every_commit_is_answered_once_and_in_order() -> None:
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.batches(negotiation)
        client.ask(negotiation, 11)
        [batch] = client.batches(negotiation)
        assert (batch.cookie, batch.reason) == (11, None)
        assert plan_flags(batch) == [SCANOUT, SAMPLING]
        for cookie in (5, 4, 3):
            client.request(negotiation, "commit", cookie, pump=False)
        client.pump()
        batches = client.batches(negotiation)
        assert [batch.cookie for batch in batches] == [5, 4, 3]
        reasons = [batch.reason for batch in batches]
        assert reasons == [FailureReason.SUPERSEDED, FailureReason.SUPERSEDED, None]
        serials = [batch.serial for batch in batches]
        assert serials == sorted(set(serials))


def test_a_conflict_names_who_is_in_the_way() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation, 1, STRANGE)
        [batch] = client.batches(negotiation)
        assert batch.reason is FailureReason.NO_FORMAT
        assert batch.message
        assert {1} <= {entry.participant for entry in batch.conflicts}


def test_plans_hold_only_what_linux_dmabuf_takes() -> None:
    with Stage() as stage:
        stage.candidate()
        stage.host.importable = frozenset({XRGB})
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation, 1, NV12, XRGB)
        batch = client.batches(negotiation)[-1]
        assert {(offer.plan.fourcc, offer.plan.modifier) for offer in batch.offers} == {XRGB}


def test_an_upgrade_is_sent_when_it_lasts_and_a_loss_at_once() -> None:
    with Stage(debounce=60_000) as stage:
        stage.candidate(False)
        client = stage.client()
        surface = client.thing("surface")
        address = client.served(surface).address
        negotiation = client.negotiation(surface)
        client.ask(negotiation)
        client.batches(negotiation)

        stage.candidate(True)
        stage.plugin.surface_changed(address)
        client.pump()
        assert client.batches(negotiation) == [], "an upgrade waits"
        stage.plugin._state.answers._debouncer.arm(1)  # it has lasted
        stage.settle()
        [batch] = client.batches(negotiation)
        assert (batch.cookie, plan_flags(batch)) == (0, [SCANOUT, SAMPLING])

        stage.candidate(False)
        stage.plugin.surface_changed(address)
        client.pump()
        [batch] = client.batches(negotiation)
        assert (batch.cookie, plan_flags(batch)) == (0, [SAMPLING])


def test_an_upgrade_that_does_not_last_is_not_sent() -> None:
    with Stage(debounce=10) as stage:
        stage.candidate(False)
        client = stage.client()
        surface = client.thing("surface")
        address = client.served(surface).address
        negotiation = client.negotiation(surface)
        client.ask(negotiation)
        client.batches(negotiation)
        for yes in (True, False):
            stage.candidate(yes)
            stage.plugin.surface_changed(address)
        stage.settle()
        client.pump()
        assert client.batches(negotiation) == []


def test_an_equal_answer_is_never_sent_unasked() -> None:
    with Stage() as stage:
        state = stage.candidate()
        client = stage.client()
        surface = client.thing("surface")
        negotiation = client.negotiation(surface)
        client.ask(negotiation)
        client.batches(negotiation)
        for _ in range(5):
            stage.host.state = replace(state, size=SIZE)
            stage.plugin.surface_changed(client.served(surface).address)
            stage.plugin.platform_changed(stage.platform)
            stage.settle()
        assert client.batches(negotiation) == []
        assert client.take(client.manager)[-1][0] == "done"
        assert len(client.take(client.manager)) == 0


def test_a_commit_is_answered_even_if_the_answer_is_the_same() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation, 1)
        client.request(negotiation, "commit", 2)
        first, second = client.batches(negotiation)
        assert first.says_the_same_as(second)
        assert second.cookie == 2


def test_another_surface_is_not_disturbed() -> None:
    with Stage() as stage:
        stage.candidate(False)
        client = stage.client()
        surfaces = [client.thing("surface") for _ in range(2)]
        negotiations = [client.negotiation(surface) for surface in surfaces]
        for negotiation in negotiations:
            client.ask(negotiation)
            client.batches(negotiation)
        stage.candidate(True)
        stage.plugin.surface_changed(client.served(surfaces[0]).address)
        stage.settle()
        assert len(client.batches(negotiations[0])) == 1
        assert client.batches(negotiations[1]) == []


def test_two_negotiation_objects_of_a_surface_are_both_told() -> None:
    with Stage() as stage:
        stage.candidate(False)
        client = stage.client()
        surface = client.thing("surface")
        negotiations = [client.negotiation(surface) for _ in range(2)]
        for negotiation in negotiations:
            client.ask(negotiation)
            client.batches(negotiation)
        stage.candidate(True)
        stage.plugin.surface_changed(client.served(surface).address)
        stage.settle()
        assert [len(client.batches(negotiation)) for negotiation in negotiations] == [1, 1]


def test_a_destroyed_surface_leaves_the_negotiation_inert() -> None:
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        surface = client.thing("surface")
        negotiation = client.negotiation(surface)
        client.ask(negotiation)
        client.batches(negotiation)
        client.request(negotiation, "commit", 2, pump=False)
        client.request(surface, "destroy", pump=False)
        client.pump()
        client.request(negotiation, "commit", 3)
        answers = [(batch.cookie, batch.reason) for batch in client.batches(negotiation)]
        assert answers[-1] == (3, FailureReason.NO_SURFACE)
        assert [cookie for cookie, _ in answers] == [2, 3]
        stage.plugin.platform_changed(Platform.load("rockchip-rk3399"))
        stage.settle()
        assert client.batches(negotiation) == []
        client.request(negotiation, "destroy")
        assert client.error is None


def test_sources_that_go_are_announced_and_replanned() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.ask(negotiation)
        client.batches(negotiation)
        client.take(client.manager)
        gone = stage.platform.sources[0]
        rest = replace(stage.platform, sources=stage.platform.sources[1:])
        stage.plugin.platform_changed(rest)
        stage.settle()
        numbers = (gone.id.kind, gone.id.major, gone.id.minor)
        assert client.take(client.manager) == [("source_gone", *numbers), ("done",)]
        for batch in client.batches(negotiation):
            used = {one.source for offer in batch.offers for one in offer.plan.layout.objects}
            assert gone.id not in used


def test_a_host_that_raises_is_one_that_does_not_know(caplog) -> None:
    with Stage() as stage:
        stage.host.surface_state = lambda surface: 1 / 0
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        assert plan_flags(client.batches(negotiation)[-1]) == [SAMPLING]
        assert "ZeroDivisionError" in caplog.text


def test_a_solver_that_raises_fails_that_answer_only(monkeypatch, caplog) -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.batches(negotiation)
        with monkeypatch.context() as broken:
            broken.setattr(SolverCall, "solve", lambda *a, **k: 1 / 0)
            client.ask(negotiation, 1)
        client.request(negotiation, "commit", 2)
        first, second = client.batches(negotiation)
        assert (first.cookie, first.reason) == (1, FailureReason.INTERNAL)
        assert (second.cookie, second.reason) == (2, None)
        assert client.error is None


def test_nothing_is_asked_of_the_host_without_a_reason() -> None:
    """Frames that change nothing cost the plugin nothing."""
    with Stage() as stage:
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        before = stage.host.questions
        for _ in range(20):
            stage.display.dispatch(0)
            assert not stage.plugin.wants(12345)
        assert stage.host.questions == before


@pytest.mark.parametrize("platform", ["raspberry-pi-4", "rockchip-rk3399", "exynos4-mfc-v5"])
def test_every_shipped_platform_plans_for_its_display(platform: str) -> None:
    with Stage(platform) as stage:
        stage.host.importable = IMPORTABLE | {TILES}
        stage.candidate()
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation, 1, decoder=stage.decoder())
        batch = client.batches(negotiation)[-1]
        assert SCANOUT in plan_flags(batch), batch.message
        sources = {source.id for source in stage.platform.sources}
        for offer in batch.offers:
            assert {one.source for one in offer.plan.layout.objects} <= sources
            assert offer.plan.buffer_count >= 3


def test_a_closed_plugin_leaves_clients_alone() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.ask(negotiation)
        client.batches(negotiation)
        stage.plugin.close()
        client.pump()
        assert "xx_dmabuf_negotiation_manager_v1" not in client.registry()
        client.ask(negotiation, 9)
        client.request(client.manager, "destroy")
        client.request(negotiation, "destroy")
        assert client.error is None


def test_the_content_speaks_under_its_own_name() -> None:
    with Stage() as stage:
        client = stage.client()
        negotiation = client.negotiation()
        client.request(negotiation, "set_content", 1, 0, 2, 0)  # protected; no heap of the Pi's is
        client.ask(negotiation)
        batch = client.batches(negotiation)[-1]
        names = {one.id: one.name for one in batch.participants}
        assert batch.reason is FailureReason.CONFLICT
        assert "the content" in {names.get(entry.participant) for entry in batch.conflicts}


def test_a_device_keeps_its_id_when_the_machine_changes() -> None:
    with Stage() as stage:
        stage.candidate(False)
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.batches(negotiation)  # the GPU is the first to get an id
        stage.candidate()
        client.ask(negotiation)
        before = {one.name: one.id for one in client.batches(negotiation)[-1].participants}
        assert len(before) == 3
        [cma] = [one for one in stage.platform.sources if one.contiguous]
        stage.plugin.platform_changed(replace(stage.platform, sources=(cma,)))
        client.pump()
        client.ask(negotiation, 2)
        after = {one.name: one.id for one in client.batches(negotiation)[-1].participants}
        assert before == after
