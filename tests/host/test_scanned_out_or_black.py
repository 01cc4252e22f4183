"""Protected buffers that the GPU cannot read: taken, scanned out, and black where drawn."""

from __future__ import annotations

import pytest
from host_stage import OUTPUT, XRGB, HostStage

from heapwire.compositor_plugin import StatusReason

WIDTH, HEIGHT = OUTPUT.width, OUTPUT.height
SAFE, OPEN, GREY = "vault", "system", (0x40, 0x40, 0x40)
MACHINE = """
[[memory]]
name = "system"
contiguous = false
protected = false
[[memory]]
name = "vault"
contiguous = true
protected = true
[[device]]
name = "plane"
kind = "display"
[[device.use]]
usage = "scanout"
constraints = [SCANS]
[[device.use.set]]
formats = ["XRGB8888"]
[[device]]
name = "shader"
kind = "gpu"
[[device.use]]
usage = "sampling"
constraints = [{ type = "permitted-sources", value = ["system"] }]
[[device.use.set]]
formats = ["XRGB8888"]
"""


@pytest.fixture
def staged(nothing_left, monkeypatch, tmp_path):
    """Makes a stage of a machine whose GPU reads `system` only."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stages = []

    def make(scans: str = '{ type = "contiguous" }') -> HostStage:
        file = tmp_path / "machine.toml"
        file.write_text(MACHINE.replace("SCANS", scans))
        stages.append(HostStage(str(file)))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


def show(stage, client, window, source) -> tuple[bool, StatusReason]:
    client.show(window.surface, client.dmabuf(WIDTH, HEIGHT, source))
    callback = client.frame(window.surface)
    stage.until(lambda: client.take(callback))
    return stage.frames[-1].scanned_out, stage.frames[-1].reason


def test_it_is_scanned_out_and_nobody_reads_it(staged) -> None:
    stage = staged()
    client = stage.client()
    window = client.window(fullscreen=True)
    assert show(stage, client, window, SAFE) == (True, StatusReason.NONE)
    assert stage.frames[-1].sources == (SAFE,)
    # A screenshot is drawn by who cannot read it.
    assert stage.pixel(7, 7) == (0, 0, 0)
    assert not stage.images[-1].any()


def test_where_it_would_be_drawn_it_is_black(staged) -> None:
    stage = staged()
    client = stage.client()
    window = client.window()
    assert show(stage, client, window, SAFE) == (False, StatusReason.NOT_A_CANDIDATE)
    assert stage.pixel(7, 7) == (0, 0, 0)
    # What is not protected is drawn in its place.
    assert show(stage, client, window, OPEN) == (False, StatusReason.NOT_A_CANDIDATE)
    assert stage.pixel(7, 7) == GREY


@pytest.mark.parametrize(
    "scans",
    [
        '{ type = "permitted-sources", value = ["system"] }',
        '{ type = "pitch-alignment", value = 4096 }',
    ],
)
def test_what_nobody_can_show_is_not_taken(staged, scans) -> None:
    stage = staged(scans)
    client = stage.client()
    with pytest.raises(AssertionError, match="cannot be imported"):
        client.dmabuf(WIDTH, HEIGHT, SAFE)


def test_protected_memory_that_the_gpu_reads_is_drawn(nothing_left, monkeypatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = HostStage("optee-protected")
    try:
        client = stage.client()
        window = client.window(fullscreen=True)
        assert show(stage, client, window, "protected,secure-video") == (True, StatusReason.NONE)
        assert stage.frames[-1].fourcc == XRGB
        assert stage.pixel(7, 7) == GREY
    finally:
        stage.close()
