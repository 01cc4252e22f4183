"""On no shipped platform, and for no size, is a heap's layout left to whoever allocates."""

import itertools
from dataclasses import replace

import pytest

from heapwire.kernel.description import Platform, shipped
from heapwire.protocol.solver import SolverMemory, StepBudget, solve_plans_within
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    LayoutKind,
    Participant,
    SourceKind,
    Usage,
)

# Odd ones, those that displays have, and those at the edges of tiles, columns and limits.
SIZES = [
    *((1, 1), (2, 2), (16, 16), (17, 33), (64, 64), (127, 129), (176, 144), (320, 241)),
    *((640, 480), (720, 576), (854, 480), (1280, 720), (1280, 800), (1366, 768), (1600, 1068)),
    *((1919, 1079), (1920, 1080), (2048, 1088), (2560, 1440), (3840, 2160), (4096, 4096)),
]
WRITERS = (Usage.DECODE, Usage.CAMERA, Usage.RENDER, Usage.CPU_WRITE)


def formats(*participants):
    """The fourccs that all of them name; who takes any of them names none."""
    named = [{pair.fourcc for each in one.sets for pair in each.formats} for one in participants]
    return sorted(set.intersection(*(one for one in named if one and ANY_FOURCC not in one)))


def questions(platform):
    """Who writes, or nobody in particular, and who shows what is written: each with each."""

    def using(*usages):
        return [
            platform.participant(device.name, usage)
            for device in platform.devices
            for usage in usages
            if usage in device.sets
        ]

    writers = [(), *((one,) for one in using(*WRITERS))]
    for writer, reader in itertools.product(writers, using(Usage.SCANOUT, Usage.SAMPLING)):
        scanout = Usage.SCANOUT in reader.usage
        yield writer, Goal(name="shown", participants=(reader,), scanout=scanout)


@pytest.mark.parametrize("name", shipped())
def test_what_is_in_a_heap_is_laid_out_to_the_byte(name):
    platform = Platform.load(name)
    kinds = {source.id: source.id.kind for source in platform.sources}
    memory, planned = SolverMemory(), 0
    for writer, goal in questions(platform):
        for fourcc in formats(*writer, *goal.participants):
            content = Participant(
                name="content",
                usage=Usage(0),
                sets=(ConstraintSet(formats=(FormatModifier(fourcc, ANY_MODIFIER),)),),
            )
            asked = platform.problem(
                participants=(content, *writer),
                goals=(goal,),
                extents=Extents(coded=Extent(64, 64)),
            )
            for size in SIZES:
                problem = replace(asked, extents=Extents(coded=Extent(*size)))
                for plan in solve_plans_within(problem, StepBudget(), memory).plans:
                    planned += 1
                    layout = plan.layout
                    if any(kinds[one.source] is not SourceKind.DEVICE for one in layout.objects):
                        assert layout.kind is LayoutKind.EXACT, (plan, size)
                        assert all(one.size for one in layout.objects)
                        assert all(plane.pitch for plane in layout.planes)
    assert planned
