"""The reference compositor keeps to it all, and each kind of deviation is found."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace

import pytest
from deviations import LEAKED, Deviation
from patience import PATIENCE
from served_platform import PLATFORM, Serve
from sync_deviations import DEVIATIONS

from heapwire.client_lib.compliance import Case, Outcome, cases_named, run_cases
from heapwire.client_lib.compliance.wire_connection import WireConnection
from heapwire.compositor_plugin.sources.feedback_sources import FeedbackSources

# What a simulated platform without udmabuf cannot show; tests/vm runs these.
LACKING = {
    "params/memfd": "on a simulated platform a memfd is a dma-buf",
    "params/udmabuf": "this machine has no udmabuf that one may open",
}
# What libwayland decides before the compositor hears of it.
UNPLANTED = {"dmabuf/newer-request", "params/version-6-request"}
MISSING = 1.0  # seconds that a planted deviation has to send what it is made not to send


def stem(name: str) -> str:
    """The name of a case without its version."""
    return "/".join(name.split("/")[:2])


def test_the_reference_compositor_does_all_of_it(serve: Serve) -> None:
    results = list(run_cases(cases_named([]), serve(), PLATFORM, timeout=PATIENCE))
    assert [one for one in results if one.outcome is Outcome.FAIL] == []
    skipped = {stem(one.name): one.why for one in results if one.outcome is Outcome.SKIPPED}
    assert skipped == LACKING
    assert len(results) > 400


def in_few_versions(planted: Deviation) -> list[Case]:
    """Of each case that is to find it, those of the first version and of the last."""
    cases = [cases_named([name]) for name in planted.found_by]
    return [case for found in cases for case in dict.fromkeys((found[0], found[-1]))]


@pytest.mark.parametrize("planted", DEVIATIONS, ids=lambda planted: planted.name)
def test_a_deviation_is_found(
    planted: Deviation, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = serve()
    planted.plant(monkeypatch)
    found = defaultdict(list)
    try:
        for result in run_cases(in_few_versions(planted), path, PLATFORM, timeout=MISSING):
            found[stem(result.name)].append(result)
    finally:
        while LEAKED:
            os.close(LEAKED.pop())
    missed = {
        name: results
        for name, results in found.items()
        if all(one.outcome is not Outcome.FAIL for one in results)
    }
    assert missed == {}
    # Whoever deviates is told so, and lives.
    with WireConnection(path, timeout=PATIENCE) as connection:
        assert connection.roundtrip()


@pytest.mark.parametrize("flags", range(4))
def test_all_flags_of_a_constraint_are_let_pass(
    flags: int, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = serve()
    allowed = ("tranche_set", 0, b""), ("tranche_constraint", 1, 0, flags, bytes(7) + b"\1")

    def describe(self: FeedbackSources, batch: int) -> None:
        for event in (*allowed, ("tranche_done",), ("done", int(batch))):
            self.send(*event)

    monkeypatch.setattr(FeedbackSources, "describe", describe)
    results = list(
        run_cases(cases_named(["sources/extend-later"]), path, PLATFORM, timeout=PATIENCE)
    )
    assert [one for one in results if one.outcome is not Outcome.OK] == []


def test_a_memfd_is_no_dma_buf_where_memory_is_not_simulated(serve: Serve) -> None:
    real = replace(PLATFORM, simulated=False)
    results = list(run_cases(cases_named(["params/memfd"]), serve(real), real, timeout=PATIENCE))
    assert {one.outcome for one in results} == {Outcome.OK}


def test_each_case_finds_something() -> None:
    found = {name for planted in DEVIATIONS for name in planted.found_by}
    cases = {stem(case.name) for case in cases_named([])}
    assert cases - found == UNPLANTED | set(LACKING)
    assert found <= cases
