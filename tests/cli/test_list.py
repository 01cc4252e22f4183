"""`heapwire list`: a platform, and this machine."""

from __future__ import annotations

from heapwire.kernel.platform import shipped


def test_a_platform_is_listed(heapwire):
    run = heapwire("list", "--platform", "raspberry-pi-4", "--json")
    assert run.status == 0
    assert {"platform", "heaps", "devices", "links"} <= set(run.document)
    assert [heap["name"] for heap in run.document["heaps"]] == ["linux,cma", "system"]
    text = heapwire("list", "--platform", "raspberry-pi-4").out
    assert "linux,cma (heap 254:3217): contiguous, 256 MiB" in text
    assert "hvs -> linux,cma (preferred, profile)" in text


def test_this_machine_is_listed_whatever_it_has(heapwire):
    run = heapwire("list")
    assert run.status == 0
    assert run.out.startswith("local")


def test_the_shipped_platforms_are_named(heapwire):
    assert heapwire("list", "--names").out.split() == list(shipped())
    assert len(shipped()) >= 16


def test_an_unknown_command_is_a_usage_error(heapwire):
    assert heapwire("frobnicate").status == 2
    assert heapwire().status == 2
