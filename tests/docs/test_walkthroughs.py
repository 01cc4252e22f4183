"""The pages to start with, followed word by word, with the installed wheel, away from the checkout.

All blocks of a page that are shell run as one script, in an empty folder. Whatever is begun in the
background has its socket before the next command: a person who types is as slow.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installed import command_environment
from patience import PATIENCE
from PIL import Image
from source_tree import ROOT

DOCS = ROOT / "docs"
WAIT = """until find "$XDG_RUNTIME_DIR" -maxdepth 1 -type s | grep -q .; do
kill -0 $! || exit 9; sleep 0.05; done
"""
CC = ("cc", "pkg-config")
SERVER = (*CC, "wayland-server.pc")
SCANNER = ("wayland-scanner", "wayland-protocols.pc")


def script_of(page: str) -> str:
    text = (DOCS / page).read_text("utf-8")
    lines = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return re.sub(r"&\n", lambda found: f"{found[0]}{WAIT}", lines)


class Followed:
    """What came of a page."""

    def __init__(self, folder: Path, out: str) -> None:
        self.folder, self.out = folder, out

    def colours(self, name: str = "screen.png") -> set[object]:
        with Image.open(self.folder / name) as picture:
            return {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}


@pytest.fixture
def follow(installed: Path, tmp_path: Path) -> Iterator[object]:
    home = Path(tempfile.mkdtemp(prefix="heapwire-"))  # the name of a socket must be short

    def follow(page: str, then: str = "") -> Followed:
        # A page ends itself what it has begun, and what fails halfway through is ended here.
        end = "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", end + script_of(page) + "wait\n" + then],
            cwd=tmp_path,
            env=command_environment(installed, home),
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,  # compilers, and several commands
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return Followed(tmp_path, done.stdout)

    yield follow
    shutil.rmtree(home)


def offers_contiguous(out: str) -> bool:
    """Whether the answer to the page's question is a plan for the display."""
    return "linux,cma" in out and "scanout" in out


def test_a_player_in_python(follow) -> None:
    followed = follow("start/player-python.md")
    assert "shown from" in followed.out
    assert {(0x40, 0x40, 0x40), (0xFF, 0xFF, 0xFF)} <= followed.colours()


@pytest.mark.system(*SERVER)
def test_a_compositor_in_c(follow) -> None:
    assert offers_contiguous(follow("start/compositor-c.md").out)


@pytest.mark.system(*SERVER, *SCANNER, "wlroots.pc")
def test_a_compositor_on_wlroots(follow) -> None:
    assert offers_contiguous(follow("start/wlroots.md").out)


def test_a_compositor_in_python(follow) -> None:
    assert offers_contiguous(follow("start/compositor-python.md").out)


@pytest.mark.system(*CC, "weston", "libweston-*.pc")
def test_weston(follow) -> None:
    assert offers_contiguous(follow("start/weston.md").out)


def test_a_board(follow) -> None:
    followed = follow("start/board.md")
    assert "manual, 9.1: no IOMMU" in followed.out
    assert "my-board" in (followed.folder / "why.html").read_text("utf-8")


@pytest.mark.system(*SCANNER, "cc", "wayland-client.pc", "gst-inspect-1.0")
@pytest.mark.system("gstreamer-allocators-1.0.pc", "gstreamer-video-1.0.pc", "videotestsrc.gst")
def test_gstreamer(follow) -> None:
    followed = follow("gstreamer.md")
    assert len(followed.colours()) > 8  # bars, and snow beside them


@pytest.mark.system(*SCANNER, *CC, "wayland-client.pc", "egl.pc", "glesv2.pc", "gbm.pc")
@pytest.mark.system("vulkan.pc", "lvp.icd")
def test_rendering_into_a_plan(follow) -> None:
    """With the driver that is there, and with one that lists dma-bufs and then refuses them."""
    refusals = ("properties", "types", "allocated")
    source = Path(__file__).parent / "vulkan_refuses.c"
    refused = "".join(
        "heapwire compositor --platform raspberry-pi-4 --screenshot "
        f"{how}.png -- env LD_PRELOAD=$PWD/refuses.so VULKAN_REFUSES={how} ./draw_vulkan\n"
        for how in refusals
    )
    double = f"cc -Wall -Wextra -Werror -shared -fPIC {source} -o refuses.so"
    followed = follow("gpu.md", f"\n{double}\necho and refused\n{refused}")
    out, refused = followed.out.split("and refused")
    copied = "drawn elsewhere, and copied"
    drawn = f"drawn into the plan's memory|{copied}"  # as Mesa is old or new
    assert len(re.findall(f"^llvmpipe .*\n(?:{drawn})$", out, re.MULTILINE)) == 2
    assert len(re.findall(f"^llvmpipe .*\n{copied}$", refused, re.MULTILINE)) == len(refusals)
    for picture in ("egl", "vulkan", *refusals):
        assert followed.colours(f"{picture}.png") == {(0xFF, 0x80, 0), (0, 0xFF, 0), (0, 0, 0)}


def test_it_is_the_wheel_that_is_followed(installed: Path, tmp_path: Path) -> None:
    program = (
        "import heapwire.cli, heapwire.protocol as p; print(heapwire.cli.__file__, p.__file__)"
    )
    command = ["python", "-c", program]
    environment = command_environment(installed, tmp_path)
    done = subprocess.run(
        ["bash", "-c", 'exec "$@"', "-", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(file).is_relative_to(installed) for file in done.stdout.split()] == [True, True]


# What runs an example that is not followed here: it is not shell, does not end by itself, or has
# pip ask an index for packages.
ELSEWHERE = {
    ("install.md", "sh"): "../.ci/check_wheel.py",
    ("client-c.md", "sh"): "docs/test_client_tutorial.py",
    ("client-c.md", "c"): "docs/test_client_tutorial.py",
    ("platforms.md", "toml"): "kernel/test_platform_docs.py",
    ("platforms.md", "python"): "kernel/test_platform_docs.py",
    ("policy.md", "toml"): "plugin/test_policy_docs.py",
    ("registry.md", "python"): "values/test_vendor_types.py",
}


def test_readers_of_two_pages_do_not_meet() -> None:
    """Each begins its compositor on a socket of its own, uses that, and ends it."""
    seen: dict[str, str] = {}
    for page in sorted(DOCS.rglob("*.md")):
        text = "".join(re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
        begun = re.findall(r"^(.*) &$", text, re.MULTILINE)
        used = re.findall(r"WAYLAND_DISPLAY=(\S+)", text)
        assert len(used) == len(begun) == len(re.findall(r"^kill \$!$", text, re.MULTILINE)), page
        for name, command in zip(used, begun, strict=True):
            assert name in re.split(r"[ =]", command), page
            assert seen.setdefault(name, page.name) == page.name
    assert len(seen) == 5


def test_every_example_is_run() -> None:
    here = Path(__file__).read_text("utf-8")
    for page in sorted(DOCS.rglob("*.md")):
        name = str(page.relative_to(DOCS))
        for language in re.findall(r"^```(\w+)$", page.read_text("utf-8"), re.MULTILINE):
            if (name, language) in ELSEWHERE:
                runner = ROOT / "tests" / ELSEWHERE[name, language]
                assert page.name in runner.read_text("utf-8"), (name, language)
            else:
                assert (language, f'follow("{name}"' in here) == ("sh", True), (name, language)
