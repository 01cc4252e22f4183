"""Two CMA areas as two memory banks, and a device that needs luma and chroma apart."""

from __future__ import annotations


def test_areas_beyond_the_default_are_heaps_with_their_node(banks):
    heaps = banks["heaps"]
    assert set(heaps) == {"system", "reserved", "numa0", "numa1"}
    for name, node in (("numa0", "0"), ("numa1", "1")):
        assert heaps[name]["numa_node"] == node
        assert heaps[name]["contiguous"] == "1"
        assert heaps[name]["substitutes_for"] == "system"


def test_several_heaps_are_listed_with_the_default_first(banks):
    (nearest,) = [
        device["nearest"]
        for device in banks["devices"]["video4linux"].values()
        if device["label"] == "vivid-000-vid-cap"
    ]
    names = [path.rpartition("/")[2] for path in nearest["sources"]]
    assert names[:3] == ["reserved", "numa0", "numa1"]
    assert nearest["sources"][3] == nearest["device"]
    assert nearest["ranks"] == ["0", "1", "2", "3"]
    assert nearest["preferred"] == nearest["sources"][0]


def test_luma_and_chroma_in_their_banks_are_taken(banks):
    assert banks["bank_imports"]["sizes"] == [1280 * 720, 1280 * 720 // 2]
    assert banks["bank_imports"]["answers"]["numa0+numa1"] is None


def test_swapped_banks_are_refused(banks):
    answers = banks["bank_imports"]["answers"]
    assert answers["numa1+numa0"] == "EFAULT"


def test_both_planes_in_one_bank_are_refused(banks):
    answers = banks["bank_imports"]["answers"]
    assert answers["numa0+numa0"] == "EFAULT"
    assert answers["numa1+numa1"] == "EFAULT"


def test_bank_is_where_memory_is_and_not_its_name(banks):
    """The default area lies on a node as well, and is as good as the bank there."""
    node = banks["heaps"]["reserved"]["numa_node"]
    answers = banks["bank_imports"]["answers"]
    assert node in ("0", "1")
    assert (answers["reserved+numa1"] is None) == (node == "0")
    assert (answers["numa0+reserved"] is None) == (node == "1")


def test_kernel_has_no_complaints(banks):
    assert banks["complaints"] == []
