"""Boots of the guest (kernel/vm), each shared by the tests that look at what it said.

The tests run under `make test-vm`, which builds the kernel and sets HEAPWIRE_VM; without it
they are skipped, since a boot takes seconds of all processors. What runs in the guest is in
guest/, in this machine's Python.

Two guests run beside each other (pytest-xdist, a file in one worker): much of what one does is
waiting for a picture's turn.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from patience import PACE, PATIENCE

from heapwire.client_lib.c import build_client_library
from heapwire.client_lib.gstreamer import build_gstreamer_plugin
from heapwire.compositor_plugin.hosts.weston import MODULE, build_module, find_libweston

HERE = Path(__file__).resolve().parent
RUN = HERE.parents[1] / "kernel" / "vm" / "run"
PLAY = HERE.parent / "gstreamer" / "play.c"
OBSERVE = HERE / "guest" / "observe.py"
# Far beyond what a guest takes even on a busy machine, so that only one that hangs meets it.
SECONDS = round(900 * PACE)

Observation = dict[str, Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="boots a guest: run `make test-vm`")
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        # The runner's limit comes first: it shows the console. A test with a longer limit of
        # its own keeps it, since the marker that is nearest to a test counts.
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SECONDS + 60))
        if not os.environ.get("HEAPWIRE_VM"):
            item.add_marker(skip)
    if os.environ.get("HEAPWIRE_VM"):
        # What may take longest is begun first, so that no worker is left with it in the end.
        items.sort(key=_limit, reverse=True)


def _limit(item: pytest.Item) -> float:
    """How many seconds a test may take at most."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None else 0.0


@pytest.fixture(scope="session")
def guest_seconds() -> float:
    """How long a guest may take for its boot and its command together."""
    return SECONDS


@pytest.fixture(scope="session")
def run_guest() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command in a guest of its own, with options of kernel/vm/run before it."""

    def run(
        command: Sequence[str], *options: str, **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        # With whoever runs the tests, it ends too, and takes its guest and its folder along.
        argv = ["setpriv", "--pdeathsig", "TERM", str(RUN), f"--timeout={SECONDS}"]
        # Two guests have this machine's processors, and one is emulated for far less than two.
        argv += ["--processors=1", *options, "--", *command]
        given = settings.pop("input", None)
        with subprocess.Popen(
            argv,
            stdin=None if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **settings,
        ) as process:
            try:
                out, err = process.communicate(given)
            except BaseException:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)
                raise
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def weston_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module for this machine's Weston, which the guest sees too; built once."""
    module = tmp_path_factory.mktemp("module") / MODULE
    build_module(module, find_libweston())
    return module


@pytest.fixture(scope="session")
def egl_device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded into a compositor whose EGL names no device; built once."""
    made = tmp_path_factory.mktemp("egl-device") / "egl_device.so"
    source = HERE / "guest" / "egl_device.c"
    flags = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, source, "-o", made, "-ldl"], check=True)
    return made


@pytest.fixture(scope="session")
def gstreamer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with heapwiresink and `play`, a program that plays with it; built once."""
    folder = tmp_path_factory.mktemp("gstreamer")
    build_gstreamer_plugin(folder)
    asked = ["pkg-config", "--cflags", "--libs", "gstreamer-1.0"]
    flags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", PLAY, *flags, "-o", folder / "play"], check=True)
    return folder


@pytest.fixture(scope="session")
def c_client(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Compiles a program against the client library in C, as docs/client-c.md says."""
    folder = tmp_path_factory.mktemp("c-client")
    build_client_library(folder)

    def told(*command: str | Path) -> list[str]:
        environment = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()

    (home,) = told("pkg-config", "--variable=pkgdatadir", "wayland-protocols")
    xml = f"{home}/stable/xdg-shell/xdg-shell.xml"
    for mode, made in (("client-header", "client-protocol.h"), ("private-code", "protocol.c")):
        told("wayland-scanner", mode, xml, folder / f"xdg-shell-{made}")
    flags = told("pkg-config", "--cflags", "--libs", "heapwire-client")

    def compiled(source: Path) -> Path:
        codes = [source, folder / "xdg-shell-protocol.c"]
        told("cc", f"-I{folder}", *codes, *flags, "-o", folder / source.stem)
        return folder / source.stem

    return compiled


@pytest.fixture(scope="session")
def visl_tells() -> Sequence[str]:
    """What the kernel is booted with so that visl prints what it is told of a frame.

    So many from the first on (drivers/media/test-drivers/visl/visl-core.c).
    """
    return "visl.visl_debug=1", "visl.visl_dprintk_frame_start=0", "visl.visl_dprintk_nframes=64"


@pytest.fixture(scope="session")
def arm_environment() -> dict[str, str]:
    """The environment in which the ARM guest's own Python finds heapwire."""
    return os.environ | {"PYTHONPATH": str(HERE.parents[1] / "src")}


@pytest.fixture(scope="session")
def observe(run_guest: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Any]:
    """Boot a guest, let it look at some things, and return what it saw."""

    def look(things: Sequence[str], *options: str) -> Observation:
        # What the patches do is looked at with two processors at it.
        command = [sys.executable, str(OBSERVE), *things]
        done = run_guest(command, "--processors=2", *options)
        if done.returncode:
            pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    return look


@pytest.fixture(scope="session")
def machine(observe: Callable[..., Observation]) -> Observation:
    """Two vivid cameras, the first with the dma-contig allocator, the second with vmalloc."""
    return observe(
        [
            "heaps",
            "devices",
            "openable",
            "full_hd_imports",
            "own_buffers",
            "rebound_vivid",
            "rebound_vicodec",
            "complaints",
        ],
        "--append=vivid.n_devs=2",
        "--append=vivid.allocators=1,0",
        "--append=vivid.node_types=0x1,0x1",
    )


@pytest.fixture(scope="session")
def banks(observe: Callable[..., Observation]) -> Observation:
    """Two NUMA nodes with a CMA area each; vivid needs luma in the first, chroma in the second."""
    return observe(
        ["heaps", "devices", "bank_imports", "complaints"],
        "--banks=32M",
        "--append=vivid.allocators=1",
        "--append=vivid.multiplanar=2",
        "--append=vivid.node_types=0x1",
        "--append=vivid.bank_nodes=0,1",
    )


@pytest.fixture(scope="session")
def no_cma(observe: Callable[..., Observation]) -> Observation:
    """No CMA area, so no contiguous heap, a device that wants one, and one with timelines."""
    return observe(
        ["heaps", "devices", "compliance", "complaints"],
        "--cma=0",
        "--qemu=-device",
        "--qemu=virtio-gpu-pci",
        "--append=vivid.allocators=1",
        "--append=vivid.node_types=0x1",
    )


@pytest.fixture(scope="session")
def kernel_tests(observe: Callable[..., Observation]) -> Observation:
    """The tests that the patches bring along, run at boot and once more from user space."""
    return observe(
        ["late_heap", "complaints"],
        "--append=kunit.enable=1",
        "--append=kunit.filter_glob=dma_heap*",
    )


RECORDS = pytest.StashKey[dict[str, list[str]]]()


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Callable[[str, list[str]], None]:
    """Print some lines under a heading when all tests have ended, whatever became of them."""
    return pytestconfig.stash.setdefault(RECORDS, {}).__setitem__


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker's records are printed by whom it works for."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["records"] = session.config.stash.get(RECORDS, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("records", {})
    node.config.stash.setdefault(RECORDS, {}).update(told)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for heading, lines in config.stash.get(RECORDS, {}).items():
        terminalreporter.section(heading)
        for line in lines:
            terminalreporter.write_line(line)
