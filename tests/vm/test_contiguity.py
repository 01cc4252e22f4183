"""What a queue takes is what the links said, for frames above one megabyte.

The system heap hands out chunks of 1 MiB at most, so a larger buffer of it is never one run of
addresses, and vb2's dma-contig allocator refuses it with EFAULT. A smaller one may pass by luck.
"""

from __future__ import annotations


def test_contiguous_allocator_refuses_a_scattered_frame_and_takes_cma(machine):
    seen = machine["full_hd_imports"]["vivid-000-vid-cap"]
    assert seen["size"] == 1920 * 1080 * 2
    assert seen["system"] == "EFAULT"
    assert seen["reserved"] is None


def test_scattering_allocator_takes_both(machine):
    seen = machine["full_hd_imports"]["vivid-001-vid-cap"]
    assert seen["system"] is None
    assert seen["reserved"] is None


def test_links_foretell_every_answer(machine):
    """A heap is good if it is listed, or stands in for one that is."""
    heaps = machine["heaps"]
    for device in machine["devices"]["video4linux"].values():
        seen = machine["full_hd_imports"].get(device["label"])
        if seen is None:
            continue
        listed = {path.rpartition("/")[2] for path in device["nearest"]["sources"]}
        for name, heap in heaps.items():
            good = name in listed or heap["substitutes_for"] in listed
            assert (seen[name] is None) == good, (device["label"], name)
