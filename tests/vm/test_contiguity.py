"""What a queue takes is what the links said, for frames above one megabyte.

The system heap hands out chunks of 1 MiB at most, so a larger buffer of it is never one run of
addresses, and vb2's dma-contig allocator refuses it with EFAULT. A smaller one may pass by luck.
"""

from __future__ import annotations

import pytest

from heapwire.client_lib.exporters import ExportedFrame, ExportedObject, Exporter, frame_problem
from heapwire.protocol.explain import solve
from heapwire.protocol.values import (
    CONTIGUOUS,
    LINEAR,
    Constraint,
    ConstraintSet,
    DeviceId,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    PlaneLayout,
    Problem,
    Usage,
    fourcc,
)


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


@pytest.mark.parametrize(
    ("label", "exporter", "good"),
    [
        ("vivid-000-vid-cap", "videobuf2_dma_contig", True),
        ("vivid-001-vid-cap", "videobuf2_vmalloc", False),
    ],
)
def test_a_camera_s_own_buffers_are_judged_by_what_the_kernel_calls_them(
    machine, label, exporter, good
):
    """Those of dma-contig are as good as a heap's; a display that wants one run refuses pages."""
    seen = machine["own_buffers"][label]
    assert seen["exporter"] == exporter
    assert seen["size"] == 3112960  # whole pages for 1920 * 1080 * 3 / 2 bytes
    camera = Exporter(name=label, device=DeviceId(81, 0), iommu=False)
    frame = ExportedFrame(
        exporter=label,
        format=FormatModifier(fourcc("NV12"), LINEAR),
        extent=Extent(1920, 1080),
        objects=(ExportedObject(camera.memory(seen["exporter"]), seen["size"]),),
        planes=tuple(PlaneLayout(0, offset, pitch) for offset, pitch in seen["planes"]),
    )
    assert frame.planes == (PlaneLayout(0, 0, 1920), PlaneLayout(0, 2073600, 1920))
    needs = Constraint(type=CONTIGUOUS.type, value=1)
    pairs = ConstraintSet(formats=(frame.format,), constraints=(needs,))
    display = Participant(name="display", usage=Usage.SCANOUT, sets=(pairs,))
    problem = Problem(
        participants=(),
        goals=(Goal(name="scanout", participants=(display,), scanout=True),),
        sources=(),
        extents=Extents(coded=frame.extent),
    )
    answer = solve(frame_problem(problem, frame))
    assert bool(answer.plans) is good
    assert good or "contiguous" in answer.message
