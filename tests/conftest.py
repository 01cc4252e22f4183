"""What all tests share: programs that pip does not bring, and skips that CI does not take.

A test marked `@pytest.mark.system("gcc", "wayland-client.pc")` wants these on the
machine; a name that ends in `.pc` is a library that pkg-config knows, or a pattern
for the names of some, one that ends in `.gst` an element of GStreamer's, one that
ends in `.icd` a driver of Vulkan's, and one that ends in `.gpu` a GPU by its nodes. Where one is
missing, the test is skipped and says how to install it. With CI=true a skip is a failure, unless
skips.toml lists the test with its reason.
"""

from __future__ import annotations

import fnmatch
import gc
import os
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from patience import PATIENCE

# The same examples in every run of CI, so that what it says is about the change at hand;
# everybody else's runs look for new ones. No example is held to a clock, nor is the making of
# one: what is slow there is a neighbour on the machine.
UNHURRIED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("everybody", UNHURRIED)
hypothesis.settings.register_profile("ci", UNHURRIED, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "everybody")

# What tests start waits as long as they do, in a guest too, which has the caller's environment.
os.environ.setdefault("HEAPWIRE_TIMEOUT", f"{PATIENCE:.0f}")

# What a shell starts in the background ignores Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent
SKIPS = HERE / "skips.toml"

# The Debian package of each program or library that a test may name.
PACKAGES = {
    "cc": "gcc",
    "chromium": "chromium",
    "drm_info": "drm-info",
    "egl.pc": "libegl-dev",
    "g++": "g++",
    "gcc": "gcc",
    "gbm.pc": "libgbm-dev",
    "glesv2.pc": "libgles-dev",
    "gst-inspect-1.0": "gstreamer1.0-tools",
    "gstreamer-allocators-1.0.pc": "libgstreamer-plugins-base1.0-dev",
    "gstreamer-video-1.0.pc": "libgstreamer-plugins-base1.0-dev",
    "h264parse.gst": "gstreamer1.0-plugins-bad",
    "libcamera.pc": "libcamera-dev",
    "libcamerasrc.gst": "gstreamer1.0-libcamera",
    "libweston-*.pc": "libweston-N-dev, N being Weston's major version",
    "lvp.icd": "mesa-vulkan-drivers",
    "patch": "patch",
    "pkg-config": "pkg-config",
    "qemu-system-x86_64": "qemu-system-x86",
    "seatd": "seatd",
    "sway": "sway",
    "udevadm": "udev",
    "v4l2-ctl": "v4l-utils",
    "valgrind": "valgrind",
    "vulkan.pc": "libvulkan-dev",
    "wayland-client.pc": "libwayland-dev",
    "wayland-info": "wayland-utils",
    "wayland-scanner": "libwayland-bin",
    "wayland-protocols.pc": "wayland-protocols",
    "wayland-server.pc": "libwayland-dev",
    "v4l2src.gst": "gstreamer1.0-plugins-good",
    "videotestsrc.gst": "gstreamer1.0-plugins-base",
    "vp8dec.gst": "gstreamer1.0-plugins-good",
    "weston": "weston",
    "weston-debug": "weston",
    "weston-presentation-shm": "weston",
    "weston-simple-damage": "weston",
    "wlroots.pc": "libwlroots-dev",
    "weston-simple-shm": "weston",
    "weston-subsurfaces": "weston",
}

# What no package brings.
HARDWARE = {"nvidia.gpu": "an NVIDIA GPU with its own driver (/dev/nvidia0)"}


def _is_there(name: str) -> bool:
    if name in HARDWARE:
        return any(Path("/dev").glob(f"{name.removesuffix('.gpu')}[0-9]*"))
    if name.endswith(".gst"):
        inspect = shutil.which("gst-inspect-1.0")
        # Not with --exists, which wants a plugin to be as new as GStreamer: libcamera's is 0.0.3.
        asked = (str(inspect), name.removesuffix(".gst"))
        if inspect is None:
            return False
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    if name.endswith(".icd"):
        drivers = Path("/usr/share/vulkan/icd.d")
        return any(drivers.glob(f"{name.removesuffix('.icd')}_icd*.json"))
    if not name.endswith(".pc"):
        return shutil.which(name) is not None
    if shutil.which("pkg-config") is None:
        return False
    command = ["pkg-config", "--list-all"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    return bool(fnmatch.filter(names, name.removesuffix(".pc")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    found: dict[str, bool] = {}
    for item in items:
        for marker in item.iter_markers("system"):
            for name in marker.args:
                if name not in PACKAGES.keys() | HARDWARE.keys():
                    raise pytest.UsageError(f"{item.nodeid}: tests/conftest.py knows no {name!r}")
                if not found.setdefault(name, _is_there(name)):
                    package = f"{name}: apt-get install {PACKAGES.get(name)}"
                    reason = f"wants {HARDWARE.get(name, package)}"
                    item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    # Many tests collect garbage before and after, to see what is left. What pytest and the
    # test modules hold stays until the end, so none of those collections need walk through it.
    gc.collect()
    gc.freeze()


def allowed_skips() -> dict[str, str]:
    """Node ids, or the beginnings of some, and why CI may skip these tests."""
    entries = tomllib.loads(SKIPS.read_text("utf-8")).get("skip", [])
    return {entry["test"]: entry["reason"] for entry in entries}


def is_allowed(node: str, allowed: dict[str, str]) -> bool:
    return any(node == test or node.startswith((f"{test}::", f"{test}[")) for test in allowed)


def _refuse_skip(report: Any) -> None:
    if os.environ.get("CI") != "true" or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    if not is_allowed(report.nodeid, allowed_skips()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCI skips only what tests/skips.toml lists."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report
