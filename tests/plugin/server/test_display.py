"""Displays, globals, event loops, and which libwayland is used."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from patience import until
from probe import PROBE, Probe, serve
from wire_client import WireClient

from heapwire.compositor_plugin.server import (
    Display,
    Global,
    IdleCall,
    OwnDisplay,
    core_interface,
)
from heapwire.compositor_plugin.server.libwayland_server import (
    callback,
    mapped_copies,
    raise_kept,
)
from heapwire.protocol import MachineError, UsageError
from heapwire.protocol.wire import ArgumentKind

INVALID_OBJECT = 0
IMPLEMENTATION = 3


def test_a_socket_below_the_runtime_directory(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with OwnDisplay() as display, OwnDisplay() as other:
        assert display.add_socket("heapwire-test") == "heapwire-test"
        assert (tmp_path / "heapwire-test").is_socket()
        with pytest.raises(MachineError, match="heapwire-test"):
            other.add_socket("heapwire-test")
        assert (tmp_path / other.add_socket()).is_socket()
    assert list(tmp_path.glob("*")) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "leave it out for a free one"), ("no/such", "cannot be made in {}"), ("n" * 200, "{}")],
)
def test_a_name_that_no_socket_can_have(tmp_path, monkeypatch, name, said) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with OwnDisplay() as display, pytest.raises(MachineError) as caught:
        display.add_socket(name)
    assert said.format(tmp_path) in str(caught.value)
    assert list(tmp_path.glob("*")) == []


def test_names_that_others_have_are_passed_over_in_silence(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "wayland-1.lock").touch()  # left behind: nobody holds it
    with OwnDisplay() as first, OwnDisplay() as second, OwnDisplay() as third:
        names = [one.add_socket() for one in (first, second, third)]
    assert names == ["wayland-0", "wayland-1", "wayland-2"]
    assert capfd.readouterr().err == ""


def test_no_runtime_directory(monkeypatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with OwnDisplay() as display, pytest.raises(MachineError, match="XDG_RUNTIME_DIR"):
        display.add_socket()


def test_a_borrowed_display_is_not_destroyed(display) -> None:
    borrowed = Display(display.address)
    assert borrowed.address == display.address
    del borrowed
    serve(display, [])
    client = WireClient(display, PROBE)
    assert "heapwire_probe" in client.registry()
    client.close()


def test_serials_grow(display) -> None:
    assert display.next_serial() < display.next_serial()


def test_a_global_that_is_removed_can_still_be_bound_and_then_not(display) -> None:
    log: list = []
    entry = serve(display, log)
    client = WireClient(display, PROBE)
    number, version = client.registry()["heapwire_probe"]
    entry.remove()
    client.pump()
    assert "heapwire_probe" not in client.registry()
    client.bind_number(number, "heapwire_probe", version)
    assert log == [("made", 2)]
    entry.destroy()
    entry.destroy()
    client.bind_number(number, "heapwire_probe", version)
    assert client.error is not None
    assert client.error.code == INVALID_OBJECT
    client.close()


def test_a_global_of_a_version_that_is_not_there(display) -> None:
    with pytest.raises(UsageError, match="heapwire_probe"):
        Global(display, PROBE, lambda new_id: Probe(new_id, []), version=3)


@pytest.mark.parametrize("bind", [lambda _: None, lambda _: 1 / 0])
def test_a_bind_that_fails_ends_the_client(display, bind, caplog) -> None:
    Global(display, PROBE, bind)
    client = WireClient(display, PROBE)
    client.bind("heapwire_probe")
    assert client.error is not None
    assert client.error.code == IMPLEMENTATION
    client.close()


def test_file_descriptors_timers_and_idle_callbacks(display) -> None:
    called = []
    read, write = os.pipe()
    loop = display.loop
    source = loop.add_fd(read, lambda mask: called.append(("fd", mask, os.read(read, 1))))
    idle, never = (IdleCall(loop, partial(called.append, name)) for name in ("idle", "never"))
    idle.ask()
    idle.ask()
    never.ask()
    never.remove()
    never.remove()
    never.ask()
    timer = loop.add_timer(lambda: called.append("timer"))
    display.dispatch(0)
    assert called == ["idle"]
    os.write(write, b"x")
    display.dispatch(0)
    assert called[1:] == [("fd", 1, b"x")]
    source.remove()
    source.remove()
    os.write(write, b"y")
    timer.arm(1)
    until(lambda: called[-1] == "timer", "the timer", lambda: display.dispatch(1000))
    assert called == ["idle", ("fd", 1, b"x"), "timer"]
    timer.remove()
    timer.arm(1)
    os.close(read)
    os.close(write)


def test_what_is_removed_is_not_touched_again(display, monkeypatch) -> None:
    """Libwayland has freed the source: a late `arm` must not reach it."""
    timer = display.loop.add_timer(lambda: None)
    timer.remove()
    monkeypatch.setattr("heapwire.compositor_plugin.server.event_loop.library", lambda: 1 / 0)
    timer.arm(1)
    timer.remove()


def test_what_ended_the_program_is_raised_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted()
    raise_kept()


def _interrupted() -> None:
    @callback("void(void)")
    def interrupt() -> None:
        raise KeyboardInterrupt

    interrupt()
    raise_kept()


def test_a_source_may_remove_itself_in_its_callback(display) -> None:
    read, write = os.pipe()
    called = []

    def ready(_mask: int) -> None:
        called.append(1)
        source.remove()

    source = display.loop.add_fd(read, ready)
    os.write(write, b"x")
    for _ in range(3):
        display.dispatch(0)
    assert called == [1]
    os.close(read)
    os.close(write)


def test_an_idle_call_comes_as_often_as_it_is_asked_for(display) -> None:
    called = []

    def call() -> None:
        called.append(idle.asked)
        if len(called) == 2:
            idle.ask()  # from its own callback: in the same pass

    idle = IdleCall(display.loop, call)
    display.dispatch(0)
    assert called == []
    for expected in (1, 3):
        idle.ask()
        assert idle.asked
        display.dispatch(0)
        assert called == [False] * expected
    assert not display.loop.sources


def test_an_idle_call_that_ends_itself_or_whose_display_ends_is_gone(display) -> None:
    called = []

    def end() -> None:
        called.append(1)
        idle.remove()
        idle.ask()

    idle = IdleCall(display.loop, end)
    idle.ask()
    for _ in range(2):
        display.dispatch(0)
    assert called == [1]
    with OwnDisplay() as other:
        left = IdleCall(other.loop, end)
        left.ask()
    left.ask()
    left.remove()
    assert called == [1]


def test_a_failing_callback_is_logged_and_the_loop_goes_on(display, caplog) -> None:
    called = []
    IdleCall(display.loop, lambda: 1 / 0).ask()  # type: ignore[arg-type, return-value]
    IdleCall(display.loop, lambda: called.append(1)).ask()
    display.dispatch(0)
    assert called == [1]
    assert "ZeroDivisionError" in caplog.text


def test_what_cannot_be_polled(display) -> None:
    with pytest.raises(UsageError, match="999999"):
        display.loop.add_fd(999_999, lambda _: None)


def test_the_tables_of_the_core_protocol() -> None:
    surface = core_interface("wl_surface")
    attach = surface.requests[1]
    assert attach.name == "attach"
    kinds = [(one.kind, one.interface, one.nullable) for one in attach.arguments]
    assert kinds[0] == (ArgumentKind.OBJECT, "wl_buffer", True)
    assert kinds[1:] == [(ArgumentKind.INT, None, False)] * 2
    assert [one.name for one in surface.requests if one.destructor] == ["destroy"]
    damage_buffer = next(one for one in surface.requests if one.name == "damage_buffer")
    assert (damage_buffer.since, damage_buffer.signature) == (4, "4iiii")
    with pytest.raises(UsageError, match="wl_nonsense"):
        core_interface("wl_nonsense")


MAPS = """\
7f00-7f01 r--p 00000000 08:01 11 /usr/lib/libwayland-server.so.0.21.0
7f01-7f02 r-xp 00001000 08:01 11 /usr/lib/libwayland-server.so.0.21.0
7f03-7f04 r--p 00000000 08:01 12 /usr/lib/libwayland-client.so.0.21.0
7f05-7f06 rw-p 00000000 00:00 0
"""
WHEEL = "7f07-7f08 r--p 0 08:01 13 /opt/pywayland.libs/libwayland-server-2d5f7739.so.0.26.0\n"


def test_the_mapped_copies_are_found() -> None:
    assert mapped_copies(MAPS) == ["/usr/lib/libwayland-server.so.0.21.0"]
    assert len(mapped_copies(MAPS + WHEEL)) == 2
    assert mapped_copies("") == []


def in_process(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_two_mapped_copies_are_refused() -> None:
    done = in_process(
        "import cffi\n"
        "kept = cffi.FFI().dlopen('libwayland-server.so.0')\n"  # else it may be gone again
        "import pywayland.server\n"
        "from heapwire.compositor_plugin.server.libwayland_server import library\n"
        "library()\n"
    )
    if "cannot open shared object" in done.stderr:
        pytest.skip("wants libwayland-server: apt-get install libwayland-server0")
    assert "two copies of libwayland-server" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("first", ["system", "wheel"])
def test_these_tests_pass_with_either_copy(first: str) -> None:
    """The system's libwayland and the one in pywayland's wheel; whichever is mapped is used."""
    if os.environ.get("HEAPWIRE_TEST_COPY"):
        pytest.skip("is the inner run")
    load = {
        "system": "import cffi; kept = cffi.FFI().dlopen('libwayland-server.so.0')",
        "wheel": "import pywayland.server",
    }[first]
    code = (
        f"import sys, os, re\n{load}\n"
        "from heapwire.compositor_plugin.server.libwayland_server import library, mapped_copies\n"
        "library()\n"
        "[used] = mapped_copies(open('/proc/self/maps').read())\n"
        f"assert ('pywayland.libs' in used) == ({first!r} == 'wheel'), used\n"
        "import pytest\n"
        f"sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', {str(Path(__file__).parent)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HEAPWIRE_TEST_COPY": first, "CI": ""},
    )
    if "cannot open shared object" in done.stderr:
        pytest.skip("wants libwayland-server: apt-get install libwayland-server0")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_displays_on_threads_of_their_own() -> None:
    """Each is used on one thread; the library and the tables are shared."""
    faults: list[BaseException] = []

    def serve_one() -> None:
        try:
            with OwnDisplay() as display:
                log: list = []
                serve(display, log)
                client = WireClient(display, PROBE)
                probe = client.bind("heapwire_probe")
                for _ in range(200):
                    client.request(probe, "later", pump=False)
                    client.request(probe, "make", client.new("heapwire_probe"))
                assert log.count(("later",)) == 200
                assert client.error is None
                client.close()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=serve_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
