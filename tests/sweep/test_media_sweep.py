"""The sweep finds what is wrong with files, and goes on where it was interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import media_sweep
import numpy as np
import pytest

SCRIPT = Path(media_sweep.__file__)


def clip(path: Path, kind: str = "yuv420p", count: int = 3) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1" if kind != "yuv420p" else "mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, kind
        pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
        for _ in range(count):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=kind)))
        container.mux(stream.encode())
    return path


def sweep(*arguments) -> tuple[int, list[dict]]:
    """The status, and the outcomes that it wrote."""
    run = subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True
    )
    assert "Traceback" not in run.stderr, run.stderr
    lines = Path(arguments[-1]).read_text().splitlines()
    return run.returncode, [one for line in lines if "verdict" in (one := json.loads(line))]


def test_each_file_has_an_outcome_and_is_played_once(tmp_path):
    folder, file = tmp_path / "media", tmp_path / "out.jsonl"
    folder.mkdir()
    clip(folder / "a.mp4")
    clip(folder / "b.mkv", "yuv420p10le")
    clip(folder / "e.mkv", "yuv444p")
    (folder / "c.webm").write_bytes(b"this is no video" * 100)
    (folder / "d.ts").write_text("export const number: int = 1;")
    file.write_text(json.dumps({"file": "a.mp4", "platform": "raspberry-pi-4"}) + "\n")
    status, outcomes = sweep(folder, "--json", file)
    found = {one["file"]: one for one in outcomes}
    assert {name: one["verdict"] for name, one in found.items()} == {
        "a.mp4": "crash",  # it was begun, and nothing came of it
        "b.mkv": "converted",
        "c.webm": "no picture",
        "e.mkv": "equal",  # as RGB, which loses no chroma
    }
    assert found["b.mkv"]["shown"] == found["b.mkv"]["decoded"] == 3
    assert status == 1
    assert sweep(folder, "--json", file)[1] == outcomes, "nothing is played twice"
    file.unlink()
    status, outcomes = sweep(folder / "a.mp4", "--json", file)
    assert (status, [one["verdict"] for one in outcomes]) == (0, ["equal"])


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"count": 4}, "count"),
        ({"last": None}, "differs"),
    ],
)
def test_what_is_not_what_ffmpeg_has_is_found(tmp_path, monkeypatch, change, verdict):
    path = clip(tmp_path / "a.mp4")
    real = media_sweep.reference

    def other(path, threads="AUTO"):
        found = real(path, threads)
        if "last" in change:
            change["last"] = found.last
            for plane in found.last.planes:
                plane.update(bytes(plane.buffer_size))
        for name, value in change.items():
            setattr(found, name, value)
        return found

    monkeypatch.setattr(media_sweep, "reference", other)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with monkeypatch.context() as hooks:
        for module, name in ((media_sweep.threading, "excepthook"), (sys, "unraisablehook")):
            hooks.setattr(module, name, getattr(module, name))
        hooks.setattr(media_sweep.Window, "describe", media_sweep.Window.describe)
        found = media_sweep.Sweep("raspberry-pi-4", fullscreen=True).outcome(path, "a.mp4")
    assert found.verdict == verdict
