"""The example of an exporter of one's own, which architecture.md names."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from heapwire.kernel.description import Platform

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "own_exporter.py"


def test_it_tells_what_can_be_used_as_it_is():
    run = subprocess.run(
        [sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=600
    )
    assert run.stdout.splitlines() == [
        "videobuf2_dma_contig: good as it is",
        "videobuf2_vmalloc: vop:scanout needs memory that is contiguous; no source is",
    ]


@pytest.mark.parametrize(
    ("stride", "says"), [(1280, "good as it is"), (1281, "a pitch that is a multiple of")]
)
def test_it_is_judged_by_the_rows_that_the_library_tells(stride, says):
    example = runpy.run_path(str(EXAMPLE))
    height = 720
    frame = example["AcmeFrame"](
        1280, height, stride, stride * height, stride * height * 3 // 2, "videobuf2_dma_contig"
    )
    verdict = example["verdict"](frame, Platform.load("rockchip-rk3288"))
    assert says in verdict
    assert (verdict == "good as it is") == (stride == 1280)
