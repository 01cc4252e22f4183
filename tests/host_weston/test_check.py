"""`heapwire check` of a stock Weston with the module, headless: without a GPU, without dma-bufs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from patience import PATIENCE
from stock_weston import DMABUF_DEVICES, PLATFORM, Weston

from heapwire.client_lib.compliance import Outcome, cases_named, run_cases
from heapwire.kernel.description import Platform

pytestmark = pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config")


def test_what_is_not_on_offer_is_skipped_and_nothing_fails(weston: Weston) -> None:
    cases = cases_named(["dmabuf", "params/plane-4", "feedback/default", "sources"])
    platform = Platform.load(PLATFORM)
    results = list(run_cases(cases, str(weston.socket), platform, timeout=PATIENCE))
    assert [one for one in results if one.outcome is Outcome.FAIL] == []
    done = {one.name for one in results if one.outcome is Outcome.OK}
    assert done == {"sources/announced"}
    why = {one.why for one in results if one.outcome is Outcome.SKIPPED}
    assert why == {"the compositor does not offer zwp_linux_dmabuf_v1"}


@pytest.mark.system("wayland-scanner", "wayland-protocols.pc")
def test_each_batch_of_a_feedback_that_is_not_its_own_is_told_of_in_time(
    start: Callable[..., Weston], module: Path, dmabuf_module: Path
) -> None:
    modules = Path(f"{module},{dmabuf_module}")
    weston = start(module=modules, environment={"HEAPWIRE_PLATFORM": PLATFORM, **DMABUF_DEVICES})
    cases = cases_named(["sources/*/v4"])
    platform = Platform.load(PLATFORM)
    results = list(run_cases(cases, str(weston.socket), platform, timeout=PATIENCE))
    assert [one for one in results if one.outcome is Outcome.FAIL] == []
    skipped = {one.name for one in results if one.outcome is Outcome.SKIPPED}
    assert skipped == {"sources/extend-surface/v4"}  # no buffer of its own is taken there
