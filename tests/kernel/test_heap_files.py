"""Heaps that say in files of their own what their memory is like (kernel/patches/7.2)."""

import pytest

from heapwire.kernel.discovery.heaps.heap_discovery import list_heaps
from heapwire.protocol.values import Provenance

MIB = 1 << 20


def describe(tree, name, *, contiguous=0, cached=1, protected=0, cc_shared=0, **more):
    minor = sum(1 for _ in (tree.root / "sys/devices").glob("virtual/dma_heap/*"))
    flags = {"contiguous": contiguous, "cached": cached, "protected": protected}
    tree.heap(name, minor, **flags, cc_shared=cc_shared, **more)


def found(tree):
    return {source.name: source for source, _ in list_heaps(tree.root)}


@pytest.fixture
def pages(tree):
    describe(tree, "system")
    return tree


def test_what_a_heap_says_overrules_its_name(pages):
    describe(pages, "vendor-secure", contiguous=1, cached=0, region="left", size=8 * MIB)
    heap = found(pages)["vendor-secure"]
    assert (heap.contiguous, heap.cached, heap.protected) == (True, False, False)
    assert (heap.area, heap.capacity) == ("left", 8 * MIB)
    said = ("contiguous", "cached", "protected", "area", "capacity")
    assert {heap.provenance[fact] for fact in said} == {Provenance.KERNEL}


def test_a_protected_heap_is_protected_whatever_it_is_called(pages):
    describe(pages, "reserved", contiguous=1, cached=0, protected=1, region="guarded")
    heap = found(pages)["reserved"]
    assert heap.protected is True
    assert heap.substitutes_for == ()


def test_heaps_of_one_region_are_one_memory(pages):
    for name in ("default_cma_region", "pictures"):
        describe(pages, name, contiguous=1, region="pictures", size=64 * MIB)
    describe(pages, "sound", contiguous=1, region="sound", size=MIB)
    heaps = found(pages)
    assert heaps["default_cma_region"].overlaps(heaps["pictures"])
    assert not heaps["sound"].overlaps(heaps["pictures"])


def test_a_region_serves_whoever_can_use_pages_from_anywhere(pages):
    describe(pages, "plain", contiguous=1, region="plain")
    describe(pages, "other", contiguous=1, region="other")
    describe(pages, "uncached", contiguous=1, cached=0, region="uncached")
    describe(pages, "decrypted", cc_shared=1)
    heaps = found(pages)
    assert heaps["plain"].substitutes_for == heaps["other"].substitutes_for == ("system",)
    for name in ("system", "uncached", "decrypted"):
        assert heaps[name].substitutes_for == ()


def test_nothing_follows_from_a_heap_that_says_half(tree):
    tree.heap("system", 0)
    tree.heap("half", 1, contiguous=1, region="half")
    assert found(tree)["half"].substitutes_for == ()
