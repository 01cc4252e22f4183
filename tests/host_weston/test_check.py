"""`heapwire check` of a stock Weston with the module, headless: without a GPU, without dma-bufs."""

from __future__ import annotations

import pytest
from patience import PATIENCE
from stock_weston import PLATFORM, Weston

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
