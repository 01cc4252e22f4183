"""The example compositors of docs/integrating.md, built as it says and asked by a client."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from patience import PATIENCE, until
from pywayland.protocol.wayland import WlCompositor, WlShm
from windows import DECODER, SIZE, offers_scanout

from heapwire.client_lib import BufferStatus
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import AnyProxy, Connection, create
from heapwire.compositor_plugin.hosts.embed import build_library
from heapwire.protocol.values import (
    ColourEncoding,
    ColourRange,
    Content,
    Extent,
    Extents,
    fourcc_name,
)
from heapwire.protocol.wire import Batch
from heapwire.protocol.wire.bindings import BufferStatusReason, BufferStatusResult

PLATFORM = "raspberry-pi-4"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")

pytestmark = [pytest.mark.system("cc", "pkg-config", "wayland-server.pc")]


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """The embedded library, compiled with every warning an error."""
    folder = tmp_path_factory.mktemp("library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", "cc -Werror")
        build_library(folder)
    return folder


def compiled(library: Path, folder: Path, source: Path = EXAMPLES / "compositor.c") -> Path:
    """A compositor in C; a heapwire.h in the folder goes before that of the library."""
    command = ["pkg-config", "--cflags", "--libs", "heapwire", "wayland-server"]
    environment = {**os.environ, "PKG_CONFIG_PATH": str(library)}
    flags = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    program = folder / "compositor"
    subprocess.run(["cc", *STRICT, f"-I{folder}", source, "-o", program, *flags], check=True)
    return program


@pytest.fixture(scope="session")
def c_compositor(library: Path, tmp_path_factory) -> Path:
    """The C example."""
    return compiled(library, tmp_path_factory.mktemp("compositor"))


class Running:
    """An example that runs."""

    def __init__(
        self,
        command: list[str | Path],
        wrapper: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="heapwire-"))
        self.socket = self.folder / "example-0"
        clean = {name: text for name, text in os.environ.items() if not name.startswith("HEAPWIRE")}
        self.process = subprocess.Popen(
            [*wrapper, *command, "example-0", PLATFORM],
            env={**clean, "XDG_RUNTIME_DIR": str(self.folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(self._listens, "the example's socket")

    def _listens(self) -> bool:
        """Whether it can be connected to: under valgrind some time after the file is there."""
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.connect(str(self.socket))
        except OSError:
            return False
        return True

    def connect(self) -> Connection:
        return Connection(str(self.socket))

    def stop(self) -> tuple[int, str]:
        """The exit status, and what it said on standard error."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(params=["c", "python"])
def example(request):
    if request.param == "c":
        running = Running([request.getfixturevalue("c_compositor")])
    else:
        running = Running([sys.executable, EXAMPLES / "compositor.py"])
    yield running
    running.clean_up()


def shm_buffer(shm: AnyProxy) -> AnyProxy:
    fd = os.memfd_create("buffer")
    os.ftruncate(fd, SIZE.width * SIZE.height * 4)
    pool = shm.create_pool(fd, SIZE.width * SIZE.height * 4)
    os.close(fd)
    buffer = pool.create_buffer(0, SIZE.width, SIZE.height, SIZE.width * 4, 1)
    pool.destroy()
    return buffer


class Surface:
    """A surface with a decoder's negotiation, on a compositor that has no shell."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.globals(timeout=PATIENCE)  # Python starts meanwhile, under valgrind slowly
        compositor = connection.bind(WlCompositor, maximum=4)[0]
        self.shm = connection.bind(WlShm, maximum=1)[0]
        self.surface = create(compositor, "create_surface")
        self.manager = NegotiationManager(connection, timeout=PATIENCE)
        self.negotiation = self.manager.surface_negotiation(self.surface)
        self.batches: list[Batch] = []
        self.statuses: list[BufferStatus] = []

    def negotiate(self) -> Batch:
        self.negotiation.set_participant(DECODER)
        self.negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        batch = self.negotiation.negotiate(timeout=PATIENCE)
        self.negotiation.on_batch = self.batches.append
        return batch

    def buffer(self) -> AnyProxy:
        return shm_buffer(self.shm)

    def show(self, buffer: AnyProxy) -> None:
        self.surface.attach(buffer, 0, 0)
        self.surface.commit()

    def wait(self, condition, what: str) -> None:
        self.connection.wait(condition, timeout=PATIENCE, what=what)


def test_a_client_negotiates_for_the_display(example):
    with example.connect() as connection:
        surface = Surface(connection)
        plan = surface.negotiate().offers[0].plan
        names = [surface.manager.source_name(entry.source) for entry in plan.layout.objects]
    assert plan.scanout
    assert names == ["linux,cma"]
    assert example.stop()[0] == 0


def test_a_covered_surface_is_told_and_so_is_an_uncovered_one(example):
    with example.connect() as connection, example.connect() as other:
        below, above = Surface(connection), Surface(other)
        below.show(below.buffer())
        assert offers_scanout(below.negotiate())
        above.show(above.buffer())
        other.roundtrip(timeout=PATIENCE)
        below.wait(lambda: bool(below.batches), "batch for a covered surface")
        assert not offers_scanout(below.batches[-1])
        above.surface.destroy()
        other.roundtrip(timeout=PATIENCE)
        below.wait(lambda: offers_scanout(below.batches[-1]), "batch for the surface on top")
    assert example.stop()[0] == 0


def test_a_watched_buffer_gets_its_status(example):
    with example.connect() as connection:
        surface = Surface(connection)
        surface.negotiate()
        buffer = surface.buffer()
        surface.negotiation.watch(buffer, surface.statuses.append)
        surface.show(buffer)
        surface.wait(lambda: bool(surface.statuses), "status")
    [status] = surface.statuses
    assert status.result is BufferStatusResult.COMPOSITED
    assert status.reason is BufferStatusReason.NO_PLANE
    assert example.stop()[0] == 0


def test_a_buffer_may_go_before_its_commit_and_a_client_at_any_time(example):
    with example.connect() as connection:
        surface = Surface(connection)
        surface.negotiate()
        buffer = surface.buffer()
        surface.negotiation.watch(buffer, surface.statuses.append)
        surface.surface.attach(buffer, 0, 0)
        buffer.destroy()
        callback = surface.surface.frame()
        surface.surface.commit()
        connection.roundtrip(timeout=PATIENCE)
        del callback
        surface.surface.frame()
        connection.flush()
    with example.connect() as connection:
        assert Surface(connection).negotiate().offers
    assert example.stop()[0] == 0


def test_it_ends_while_clients_are_connected(example):
    with example.connect() as connection:
        Surface(connection).negotiate()
        status, said = example.stop()
    assert status == 0
    assert "Traceback" not in said


@pytest.mark.system("valgrind")
def test_valgrind_finds_no_fault_in_the_c_example(c_compositor):
    wrapper = (
        *("valgrind", "--error-exitcode=99", "--quiet", "--leak-check=full"),
        *("--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"),
        f"--suppressions={Path(__file__).parent / 'valgrind.supp'}",
    )
    running = Running([c_compositor], wrapper)
    try:
        with running.connect() as connection:
            surface = Surface(connection)
            surface.negotiate()
            surface.show(surface.buffer())
            connection.roundtrip(timeout=PATIENCE)
            status, said = running.stop()
        assert status == 0, said
    finally:
        running.clean_up()


def test_without_the_package_the_compositor_runs_on(c_compositor, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    process = subprocess.Popen(
        [c_compositor, "example-0", "no-such-platform"], stderr=subprocess.PIPE, text=True
    )
    until((tmp_path / "example-0").exists, "the example's socket")
    with Connection(str(tmp_path / "example-0")) as connection:
        offered = connection.globals(timeout=PATIENCE)
        surface = create(connection.bind(WlCompositor, maximum=1)[0], "create_surface")
        surface.attach(shm_buffer(connection.bind(WlShm, maximum=1)[0]), 0, 0)
        surface.commit()
        surface.destroy()
        connection.roundtrip(timeout=PATIENCE)
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE)
    assert "wl_compositor" in offered
    assert not any(name.startswith("xx_") for name in offered)
    assert process.returncode == 0
    assert said.startswith("heapwire: not available: there is no platform 'no-such-platform'")
    assert said.count("\n") == 1


def announced(command: list[str | Path], **environment: str) -> tuple[set[str], str]:
    """The sources that an example tells of, and what it has logged."""
    running = Running(command, environment=environment)
    try:
        with running.connect() as connection:
            manager = NegotiationManager(connection, timeout=PATIENCE)
            names = {source.name for source in manager.sources.values()}
        status, said = running.stop()
    finally:
        running.clean_up()
    assert status == 0, said
    return names, said


def withholding(tmp_path: Path, heap: str) -> Path:
    file = tmp_path / f"no-{heap}.toml"
    file.write_text(f'[offer]\nnever = ["{heap}"]\n')
    return file


def test_the_policy_of_the_table_is_kept_to_and_that_of_the_environment_before_it(
    library, tmp_path
):
    of_table = withholding(tmp_path, "system")
    text = (EXAMPLES / "compositor.c").read_text("utf-8")
    source = tmp_path / "with_policy.c"
    source.write_text(text.replace(".log =", f'.policy = "{of_table}",\n\t\t.log =', 1))
    program = compiled(library, tmp_path, source)
    names, said = announced([program])
    assert names == {"linux,cma"}
    assert f"by the policy {of_table}" in said
    of_environment = withholding(tmp_path, "linux,cma")
    assert announced([program], HEAPWIRE_POLICY=str(of_environment))[0] == {"system"}


def test_a_compositor_is_asked_to_test_its_planes(library, tmp_path):
    text = (EXAMPLES / "compositor.c").read_text("utf-8")
    told = 'fprintf(stderr, "asked of fd %d, %ux%u\\n", test->fd, test->width, test->height);'
    source = tmp_path / "testing.c"
    source.write_text(text.replace("(void)test;", told, 1))
    program = compiled(library, tmp_path, source)
    running = Running([program], environment={"HEAPWIRE_PLATFORM": "generic-desktop"})
    try:
        assert running.process.stderr is not None
        lines = []
        until(
            lambda: any("asked" in line for line in lines),
            "a test of a plane",
            lambda: lines.append(running.process.stderr.readline()),
        )
        status, said = running.stop()
    finally:
        running.clean_up()
    assert status == 0, said
    [asked, *_] = [line for line in lines if "asked" in line]
    assert re.fullmatch(r"asked of fd \d+, 640x480\n", asked)


REFUSING = """\
struct answer {
	struct compositor *compositor;
	uint32_t number;
	int error;
};

static void
answer(void *data)
{
	struct answer *given = data;

	heapwire_tested(given->compositor->heapwire, given->number, given->error);
	free(given);
}

static int
test_plane(void *data, uint32_t number, const struct heapwire_test *test)
{
	struct answer *given = malloc(sizeof *given);
	struct compositor *compositor = data;

	if (!given)
		return -1;
	given->compositor = compositor;
	given->number = number;
	given->error = test->fourcc == 0x3231564e ? EINVAL : 0; /* NV12 */
	wl_event_loop_add_idle(wl_display_get_event_loop(compositor->display), answer, given);
	return 0;
}
"""


def test_what_a_compositors_planes_refuse_is_offered_to_no_client(library, tmp_path):
    """It answers from its loop, of buffers in whatever memory: no plane shows NV12."""
    text = (EXAMPLES / "compositor.c").read_text("utf-8")
    text, replaced = re.subn(
        r"static int\ntest_plane\(.*?\n}\n", lambda _: REFUSING, text, count=1, flags=re.DOTALL
    )
    assert replaced
    source = tmp_path / "refusing.c"
    source.write_text(
        text.replace("#include <signal.h>", "#include <errno.h>\n#include <signal.h>")
    )
    running = Running([compiled(library, tmp_path, source)])
    try:
        with running.connect() as connection:
            client = Surface(connection)
            client.batches.append(client.negotiate())

            def shown() -> set[str]:
                plans = [offer.plan for offer in client.batches[-1].offers]
                return {fourcc_name(plan.fourcc) for plan in plans if plan.scanout}

            # Before it was asked, and until the last answer has come, NV12 may be among them.
            client.wait(lambda: shown() == {"XRGB8888"}, "plans that the planes do not refuse")
            composited = [one.plan for one in client.batches[-1].offers if not one.plan.scanout]
            assert "NV12" in {fourcc_name(plan.fourcc) for plan in composited}
        status, said = running.stop()
    finally:
        running.clean_up()
    assert status == 0, said


def test_a_compositor_can_ask_which_colours_a_client_negotiates(library, tmp_path):
    """As it would before it sets up a plane: for none, and for those that were said."""
    text = (EXAMPLES / "compositor.c").read_text("utf-8")
    place = "/* Here the pixels would go to a plane or through a renderer. */"
    assert place in text
    surface = "surface->compositor->heapwire, surface->resource"
    asking = (
        "uint32_t encoding = 77, range = 77;"
        f"int told = heapwire_surface_colour({surface}, &encoding, &range);"
        'fprintf(stderr, "colours %d %u %u\\n", told, encoding, range);'
    )
    source = tmp_path / "colours.c"
    source.write_text(text.replace(place, asking, 1))
    running = Running([compiled(library, tmp_path, source)])
    content = Content(encoding=ColourEncoding.BT709, range=ColourRange.FULL)
    try:
        with running.connect() as connection:
            client = Surface(connection)
            client.show(client.buffer())
            client.negotiation.set_content(content)
            client.negotiate()
            client.show(client.buffer())
            connection.roundtrip(timeout=PATIENCE)
        status, said = running.stop()
    finally:
        running.clean_up()
    assert status == 0, said
    asked = [line for line in said.splitlines() if line.startswith("colours")]
    assert asked == ["colours -1 77 77", f"colours 0 {content.encoding:d} {content.range:d}"]


def test_a_compositor_of_an_older_header_goes_on_working(library, tmp_path):
    """Its table ends before the policy; the environment can name one all the same."""
    header = (library / "heapwire.h").read_text("utf-8")
    (field,) = re.findall(r"\n\tconst char \*policy;[^\n]*\n", header)
    (tmp_path / "heapwire.h").write_text(header.replace(field, ""))
    program = compiled(library, tmp_path)
    names, said = announced([program])
    assert names == {"linux,cma", "system"}
    assert "by the policy" not in said
    policy = withholding(tmp_path, "system")
    assert announced([program], HEAPWIRE_POLICY=str(policy))[0] == {"linux,cma"}
