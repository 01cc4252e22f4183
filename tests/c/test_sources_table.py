"""The core protocol from a table in C, beside somebody's linux-dmabuf, as a C client sees it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE

from heapwire.client_lib.compliance import Outcome, cases_named, run_cases
from heapwire.kernel.description import Platform
from heapwire.protocol.values import MAX_WIDTH, PITCH_ALIGNMENT
from heapwire.protocol.wire.generate import SOURCES, protocol_xml

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "docs" / "examples" / "sources_table.c"
DMABUF = "unstable/linux-dmabuf/linux-dmabuf-unstable-v1.xml"
STRICT = ["-std=c99", "-D_GNU_SOURCE", "-pedantic", "-Wall", "-Wextra", "-Werror"]

pytestmark = pytest.mark.system(
    *("wayland-scanner", "gcc", "pkg-config", "wayland-protocols.pc"),
    *("wayland-client.pc", "wayland-server.pc"),
)


def told(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs `host` and `client`."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / f"{SOURCES}.xml").write_text(protocol_xml(SOURCES), encoding="utf-8")
    (home,) = told("pkg-config", "--variable=pkgdatadir", "wayland-protocols")
    for xml in (folder / f"{SOURCES}.xml", Path(home) / DMABUF):
        for mode in ("client-header", "server-header", "private-code"):
            made = folder / f"{xml.stem}.{mode}"
            subprocess.run(["wayland-scanner", mode, xml, made], check=True)
    for program, side, files in (
        ("host", "wayland-server", [HERE / "dmabuf_host.c", EXAMPLE]),
        ("client", "wayland-client", [HERE / "sources_client.c"]),
    ):
        flags = told("pkg-config", "--cflags", "--libs", side)
        command = ["gcc", *STRICT, f"-I{folder}", *files, "-o", folder / program, *flags]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture
def display(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[str]]:
    """The compositor, with /dev/null for a heap: what is told of it are its numbers."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "test-0")
    command = [str(built / "host"), "test-0", "/dev/null"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
        yield host
        assert host.poll() is None
        host.terminate()


@pytest.mark.usefixtures("display")
def test_a_client_is_told_of_the_batch_that_it_has(built: Path) -> None:
    done = subprocess.run(
        [built / "client"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    number = Path("/dev/null").stat().st_rdev
    heap = f"{os.major(number)}:{os.minor(number)}"
    described = [
        f"tranche_source 0 {heap}",
        "tranche_set 0 0",
        f"tranche_constraint {PITCH_ALIGNMENT.type} 0 1 64",
        f"tranche_constraint {MAX_WIDTH.type} 0 1 4096",
        "sources tranche_done",
        "described 0",
    ]
    assert done.stdout.splitlines() == [
        f"source 0 {heap} 1/1 0 null",
        "sources done",
        "feedback tranche_done",
        "feedback done",
        *described,
        *described,
    ]


@pytest.mark.usefixtures("display")
def test_it_keeps_to_the_protocol_as_the_check_has_it(tmp_path: Path) -> None:
    cases = cases_named(["dmabuf/silent/v4", "feedback/default/v4", "sources"])
    platform = Platform.load("raspberry-pi-4")
    path = str(tmp_path / "test-0")
    results = list(run_cases(cases, path, platform, timeout=PATIENCE))
    assert [one for one in results if one.outcome is Outcome.FAIL] == []
    skipped = {one.why for one in results if one.outcome is Outcome.SKIPPED}
    assert skipped == {
        "the compositor does not offer wl_compositor",
        "the compositor offers zwp_linux_dmabuf_v1 in version 4",
    }
    assert sum(one.outcome is Outcome.OK for one in results) == 8


def test_the_example_is_about_a_hundred_lines() -> None:
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= 100


def test_a_node_that_is_not_there_is_said(built: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    missing = str(tmp_path / "no-heap")
    assert subprocess.run([built / "host", "a", missing], env=environment).returncode == 1
