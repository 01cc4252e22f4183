"""The GPUs that tests of NVDEC run on: the stand-in, and a real one where this machine has one."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fake_gpu import ALONE, FakeGpu
from open_files import open_fds

from heapwire.kernel.description import Platform


@dataclass(frozen=True)
class Gpu:
    """`exporter` is what the kernel says of its dma-bufs, None of memory that is no dma-buf.

    The CPU does not reach the real one's memory, so that nobody can look at its pictures there.
    """

    exporter: str | None


REAL = pytest.param("real", marks=pytest.mark.system("nvidia.gpu"))


@pytest.fixture(params=["fake", REAL])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpu]:
    """A GPU that the player finds."""
    if request.param == "real":
        yield Gpu("nv_dmabuf")
        # CUDA has files of its own open until the process ends.
        gc.collect()
        assert not [fd for fd in open_fds() if "/dmabuf" in fd]
        return
    request.getfixturevalue("no_fd_leak")
    fake = FakeGpu(Platform.parse(ALONE))
    fake.plug_in(monkeypatch)
    yield Gpu(None)
    assert fake.held == 0
    fake.close()
