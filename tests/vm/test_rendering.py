"""docs/gpu.md with GBM: OpenGL ES draws into a plan's dma-buf, on a node that is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
COLOURS = """
from PIL import Image
with Image.open("gbm.png") as picture:
    print(sorted(picture.convert("RGB").getcolors()))
"""
SCREEN, PICTURE = 1280 * 720, 640 * 360

pytestmark = [
    pytest.mark.system("cc", "pkg-config", "wayland-scanner", "wayland-protocols.pc"),
    pytest.mark.system("wayland-client.pc", "egl.pc", "glesv2.pc", "gbm.pc", "vulkan.pc"),
]


def built(folder: Path) -> dict[str, str]:
    """What the page builds, in a folder; the environment that knows its command."""
    blocks = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    lines = [line for line in blocks.splitlines() if not line.startswith("heapwire compositor")]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
    subprocess.run(script, cwd=folder, env=environment, check=True)
    return environment


def test_opengl_draws_into_a_plan_s_memory_by_gbm(run_guest, tmp_path: Path) -> None:
    environment = built(tmp_path)
    (command,) = re.findall(r"^    DRM_NODE=/dev/dri/card0 (.*)$", PAGE.read_text("utf-8"), re.M)
    script = f"""
        card=$(grep -l vkms /sys/class/drm/card?/device/uevent | grep -o "card[0-9]")
        export XDG_RUNTIME_DIR=/run/user/0
        DRM_NODE=/dev/dri/$card {command} && {sys.executable} -c '{COLOURS}'
    """
    done = run_guest(["bash", "-c", script], cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    _, renderer, drawn, colours = done.stdout.splitlines()
    assert renderer.startswith("llvmpipe")
    assert drawn == "drawn into the plan's memory"
    green, orange = PICTURE // 4, PICTURE - PICTURE // 4
    black = SCREEN - PICTURE
    assert colours == str([(green, (0, 255, 0)), (orange, (255, 128, 0)), (black, (0, 0, 0))])
