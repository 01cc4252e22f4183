"""The client library in C: what it is built of, and its smallest program on the screen."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI
from patience import PATIENCE, until

from heapwire.cli.main import main
from heapwire.client_lib import Connection, ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.c import build_client_library
from heapwire.compositor_plugin import Policy
from heapwire.compositor_plugin.clients import NOTHING
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
    ZwpLinuxBufferParamsV1,
)
from heapwire.compositor_plugin.server.libwayland_server import address, ffi, library as server
from heapwire.kernel.description import Platform
from heapwire.protocol import FileError, MachineError
from heapwire.protocol.values import LINEAR, ROWS, Extent, FormatModifier, parse_fourcc
from heapwire.protocol.wire import DmabufFeedback

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/show_one_buffer.c"
PLAYER = ROOT / "docs/examples/player.c"
TABLE = ROOT / "docs/examples/sources_table.c"
CODE = ROOT / "client_lib/c/heapwire-client.c"
GREY = 0xA0  # of the example
XRGB8888 = FormatModifier(parse_fourcc("XRGB8888"), LINEAR)

SCANNED_OUT = "shown 1 0"

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


@contextmanager
def running(program: Path, compositor: Compositor, **environment: str):
    """A client of a compositor that runs in this process; its standard error can be read."""
    socket = compositor.connect()
    environment = {"WAYLAND_SOCKET": str(socket), **environment}
    with subprocess.Popen(
        [program], env=environment, pass_fds=[socket], stderr=subprocess.PIPE, text=True
    ) as client:
        try:
            yield client
        finally:
            client.kill()


def test_the_folder_has_all_that_a_program_needs(library: Path) -> None:
    assert {path.name for path in library.iterdir()} >= {
        *("heapwire-client.h", "heapwire-client.c", "heapwire-client.pc"),
        *("libheapwire-client.so", "libheapwire-client.a"),
        *("linux-dmabuf-v1.xml", "linux-dmabuf-v1-client-protocol.h", "linux-dmabuf-v1-protocol.c"),
        *("xx-dmabuf-sources-v1.xml", "xx-dmabuf-sources-v1-client-protocol.h"),
    }
    assert not list(library.glob("*.o"))


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_says_how_to_link_it(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["client", "build", "--output", str(tmp_path), *["--json"] * as_json]) == 0
    said = capsys.readouterr().out
    if as_json:
        told = json.loads(said)
        assert told["folder"] == str(tmp_path)
        assert {Path(name) for name in told["files"]} == set(tmp_path.iterdir())
    else:
        question = f"PKG_CONFIG_PATH={tmp_path} pkg-config --cflags --libs heapwire-client"
        assert said.splitlines()[-1] == f"the compiler's arguments for it: {question}"


@pytest.mark.system("g++")
@pytest.mark.parametrize("compiler", [["cc", "-std=c99"], ["g++", "-xc++"]])
@pytest.mark.parametrize("code", [CODE, EXAMPLE, PLAYER], ids=lambda code: code.name)
def test_it_is_c99_and_c_plus_plus_without_a_warning(
    code: Path,
    compiler: list[str],
    library: Path,
    program: Callable[..., Path],
    tmp_path: Path,
) -> None:
    program(EXAMPLE, shell=True)  # makes xdg-shell's header too
    strict = ["-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{library}"]
    command = [*compiler, *strict, "-c", str(code), "-o", str(tmp_path / "client.o")]
    subprocess.run(command, check=True)


def test_nothing_but_its_own_names_is_seen(library: Path) -> None:
    command = ["nm", "-D", "--defined-only", str(library / "libheapwire-client.so")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in listed.splitlines()}
    assert "heapwire_feedback_create" in names
    assert {name for name in names if not name.startswith("heapwire_")} == set()


def test_two_copied_files_do(library: Path, tmp_path: Path) -> None:
    for name in ("heapwire-client.h", "heapwire-client.c"):
        (tmp_path / name).write_bytes((ROOT / "client_lib/c" / name).read_bytes())
    for name in (path.stem for path in library.glob("*.xml")):
        for mode, made in (("client-header", "client-protocol.h"), ("private-code", "protocol.c")):
            command = ["wayland-scanner", mode, library / f"{name}.xml", f"{name}-{made}"]
            subprocess.run(command, cwd=tmp_path, check=True)
    codes = ["heapwire-client.c", *(path.name for path in tmp_path.glob("*-protocol.c"))]
    command = ["cc", "-shared", "-fPIC", "-Wl,-z,defs", "-o", "copied.so", *codes]
    subprocess.run([*command, "-lwayland-client"], cwd=tmp_path, check=True)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(MachineError, match="there is no C compiler no-such-cc"):
        build_client_library(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MachineError, match="pkg-config is not there: install it"):
        build_client_library(tmp_path)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError):
        build_client_library(tmp_path / "file")


def test_the_examples_are_short() -> None:
    lines = [len(path.read_text("utf-8").splitlines()) for path in (EXAMPLE, TABLE)]
    assert lines[0] <= 60
    assert sum(lines) < 200


def test_one_buffer_is_shown(program: Callable[..., Path]) -> None:
    shown = program(EXAMPLE, shell=True)
    platform = Platform.load("raspberry-pi-4")
    with Compositor(platform, record=True) as compositor, compositor.running():
        with running(shown, compositor, HEAPWIRE_SIMULATED="1") as client:
            until(lambda: compositor.frames or client.poll() is not None, "a frame")
            assert client.poll() is None, client.stderr and client.stderr.read()
        frame = compositor.frames[0]
    assert frame.extent == Extent(640, 360)
    assert frame.sources == ("system",)  # the tranche's best
    assert frame.crc32 == zlib.crc32(bytes([GREY]) * 640 * 360 * 3)


def server_file() -> str:
    """The copy of libwayland-server that compositors of this process use; others may be mapped."""
    inside = address(ffi.addressof(server(), "wl_display_create"))
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        first, end = (int(number, 16) for number in line.split()[0].split("-"))
        if first <= inside < end:
            return line.split()[-1]
    raise AssertionError("it is in no file")


@pytest.fixture
def table(library: Path, tmp_path: Path) -> ctypes.CDLL:
    """The example compositor's table, for the libwayland-server of this process."""
    for name, modes in (
        ("xx-dmabuf-sources-v1", ("server-header", "private-code")),
        ("linux-dmabuf-v1", ("private-code",)),
    ):
        for mode in modes:
            made = tmp_path / f"{name}.{mode}"
            subprocess.run(["wayland-scanner", mode, library / f"{name}.xml", made], check=True)
    flags = ["-shared", "-fPIC", f"-I{tmp_path}", "-xc", tmp_path / "linux-dmabuf-v1.private-code"]
    made = tmp_path / "table.so"
    subprocess.run(["cc", *flags, TABLE, "-xnone", server_file(), "-o", made], check=True)
    return ctypes.CDLL(str(made), mode=os.RTLD_DEEPBIND)  # that copy goes before any other


def test_the_two_examples_show_a_buffer_from_the_heap_that_the_table_names(
    program: Callable[..., Path], table: ctypes.CDLL, tmp_path: Path
) -> None:
    """In a compositor that has linux-dmabuf and windows, and nothing of heapwire."""
    heap = tmp_path / "linux,cma"
    heap.symlink_to("/dev/null")
    node = os.fsencode(heap)  # the table keeps the pointer
    shown = program(EXAMPLE, shell=True)
    with Compositor(Platform.load("raspberry-pi-4"), extension=False, record=True) as compositor:
        display = ctypes.c_void_p(compositor._display.address)
        assert table.sources_table_create(display, node) == 0
        with compositor.running(), running(shown, compositor, HEAPWIRE_SIMULATED="1") as client:
            until(lambda: compositor.frames or client.poll() is not None, "a frame")
            assert client.poll() is None, client.stderr and client.stderr.read()
        frame = compositor.frames[0]
    assert frame.sources == ("linux,cma",)
    assert frame.crc32 == zlib.crc32(bytes([GREY]) * 640 * 360 * 3)


def test_the_device_that_is_to_sample_a_buffer_is_named(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[bytes] = []
    take = ZwpLinuxBufferParamsV1.set_sampling_device

    def listen(params: ZwpLinuxBufferParamsV1, device: bytes) -> None:
        named.append(device)
        take(params, device)

    monkeypatch.setattr(ZwpLinuxBufferParamsV1, "set_sampling_device", listen)
    shown = program(EXAMPLE, shell=True)
    with Compositor(Platform.load("raspberry-pi-4")) as compositor, compositor.running():
        with running(shown, compositor, HEAPWIRE_SIMULATED="1") as client:
            until(lambda: named or client.poll() is not None, "a sampling device")
        with Connection(compositor.connect()) as connection:
            told: list[DmabufFeedback] = []
            ExtendedFeedback(LinuxDmabuf(connection), None, told.append, pytest.fail)
            connection.wait(lambda: bool(told), timeout=PATIENCE, what="feedback")
    assert told[0].main_device is None
    (device,) = {one.device for one in told[0].sampled if XRGB8888 in one.formats}
    assert device is not None
    assert named == [device.dev_t.to_bytes(8, sys.byteorder)]


def sampler(client: tuple[FFI, Any], *tranches: tuple[int, int, int]) -> int:
    """Who samples XRGB8888, of tranches as their device, their flags and their fourcc."""
    ffi, lib = client
    pairs = [ffi.new("struct heapwire_pair *", [fourcc, 0, 0]) for _, _, fourcc in tranches]
    entries = ffi.new(
        "struct heapwire_tranche[]",
        [
            {"device": device, "flags": flags, "n_pairs": 1, "pairs": pair}
            for (device, flags, _), pair in zip(tranches, pairs, strict=True)
        ],
    )
    batch = ffi.new("struct heapwire_batch *", [0, 0, len(tranches), entries])
    return int(lib.heapwire_batch_sampler(batch, XRGB8888.fourcc, 0))


def test_the_sampler_is_the_only_one_of_a_pair(client: tuple[FFI, Any]) -> None:
    wanted, other = XRGB8888.fourcc, XRGB8888.fourcc + 1
    assert sampler(client) == 0
    assert sampler(client, (5, 1, wanted)) == 0  # scanned out, and by whom sampled is not said
    assert sampler(client, (5, 1, wanted), (7, 2, wanted), (9, 2, other)) == 7
    assert sampler(client, (7, 2, wanted), (7, 3, wanted)) == 7
    assert sampler(client, (7, 2, wanted), (9, 3, wanted)) == 0


def test_a_heap_that_cannot_be_opened_is_said(program: Callable[..., Path]) -> None:
    shown = program(EXAMPLE, shell=True)
    platform = Platform.load("raspberry-pi-4")
    with (
        Compositor(platform) as compositor,
        compositor.running(),
        running(shown, compositor) as client,
    ):
        assert client.wait(PATIENCE) == 1
        assert client.stderr is not None
        assert "cannot be opened: No such file or directory" in client.stderr.read()


@pytest.mark.system("valgrind")
def test_the_compositor_allocates_and_tells_what_becomes_of_it(
    program: Callable[..., Path],
) -> None:
    asked = program(Path(__file__).parent / "asked.c", shell=True)
    wrapper = ["valgrind", "-q", "--leak-check=full", "--error-exitcode=9"]
    with Compositor(Platform.load("raspberry-pi-4"), record=True) as compositor:
        with compositor.running():
            socket = compositor.connect()
            done = subprocess.run(
                [*wrapper, asked],
                env={"WAYLAND_SOCKET": str(socket), "PATH": os.environ["PATH"]},
                pass_fds=[socket],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            os.close(socket)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == ["allocated 1", SCANNED_OUT]
        assert compositor.frames[0].sources == ("linux,cma",)


def test_what_cannot_be_allocated_is_said(program: Callable[..., Path]) -> None:
    asked = program(Path(__file__).parent / "asked.c", shell=True)
    with (
        Compositor(Platform.load("raspberry-pi-4"), policy=Policy(allocated=NOTHING)) as compositor,
        compositor.running(),
    ):
        socket = compositor.connect()
        done = subprocess.run(
            [asked],
            env={"WAYLAND_SOCKET": str(socket)},
            pass_fds=[socket],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        os.close(socket)
    assert done.stdout.startswith("error 4: the compositor does not allocate that: ")


def test_each_type_of_constraint_is_known_to_it() -> None:
    code = CODE.read_text("utf-8")
    rows = [row.name.replace("-", "_").upper() for row in ROWS if not row.vendor]
    names = [f"XX_DMABUF_SOURCES_V1_TYPE_{name}" for name in rows]
    assert [name for name in names if f"case {name}:" not in code] == []
