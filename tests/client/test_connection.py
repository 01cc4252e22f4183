"""A connection tells every fault apart, never waits without a limit, and leaks nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap

import pytest
from fake_compositor import FakeCompositor
from patience import PATIENCE
from pywayland.client import Display
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufV1
from pywayland.protocol.wayland import WlCompositor

from heapwire.client_lib import (
    DisconnectedError,
    MissingGlobalError,
    NoAnswerError,
    NoCompositorError,
    ProtocolError,
)
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import NEGOTIATION_MANAGER, Connection
from heapwire.client_lib.wayland.connection import MOST_FAULTS
from heapwire.client_lib.wayland.libwayland import RawProtocolError
from heapwire.protocol import UsageError


def connect(fake: FakeCompositor) -> Connection:
    return Connection(fake.socket.detach())


def test_it_lists_the_globals_that_there_are(fake):
    with connect(fake) as connection:
        found = connection.globals()
    assert found["wl_compositor"].version == 6
    assert found["xx_dmabuf_negotiation_manager_v1"].number == 3


def test_a_missing_socket_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(NoCompositorError, match=f"{tmp_path}/nobody"):
        Connection("nobody")


def test_without_a_runtime_directory_it_says_so(monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    with pytest.raises(NoCompositorError, match=r"wayland-7 \(XDG_RUNTIME_DIR is not set\)"):
        Connection()


class WithoutHeaps(FakeCompositor):
    globals = (("wl_compositor", 6),)


@pytest.mark.parametrize("fake", [WithoutHeaps], indirect=True)
def test_a_missing_global_is_named(fake):
    with connect(fake) as connection, pytest.raises(MissingGlobalError) as caught:
        connection.bind(NEGOTIATION_MANAGER)
    assert caught.value.interface == "xx_dmabuf_negotiation_manager_v1"


class Erring(FakeCompositor):
    def on_wl_registry_bind(self, _id, _number, interface, _version, new):
        self.objects[new] = interface
        self.protocol_error(new, 5, "the extent is 0x0 %s %n")


@pytest.mark.parametrize("fake", [Erring], indirect=True)
def test_a_protocol_error_says_where_which_and_why(fake):
    with connect(fake) as connection:
        proxy, _ = connection.bind(NEGOTIATION_MANAGER)
        with pytest.raises(ProtocolError) as caught:
            connection.roundtrip()
        assert not proxy.destroyed
    assert caught.value.interface == "xx_dmabuf_negotiation_manager_v1"
    assert caught.value.code == 5
    assert caught.value.message == "the extent is 0x0 %s %n"


class Dmabuf(FakeCompositor):
    def on_zwp_linux_dmabuf_v1_create_params(self, _id, new):
        self.protocol_error(new, 3, "no planes were added")


@pytest.mark.parametrize("fake", [Dmabuf], indirect=True)
def test_errors_of_other_protocols_are_named_too(fake):
    with connect(fake) as connection:
        dmabuf, _ = connection.bind(ZwpLinuxDmabufV1)
        params = dmabuf.create_params()
        with pytest.raises(ProtocolError, match=r"incomplete \(3\): no planes were added"):
            connection.roundtrip()
        assert not params.destroyed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wl_surface#7: error 2: it is gone", "it is gone"),
        ("wl_surface@7: error 2: a b#7: error 2: c", "a b#7: error 2: c"),
        ("wl_surface@77: error 2: of another", ""),
        ("", ""),
    ],
)
def test_the_words_of_an_error_are_found_as_old_and_new_libwaylands_log_them(line, words):
    assert RawProtocolError("wl_surface", 7, 2).words(line) == words


class Deaf(FakeCompositor):
    def on_wl_display_sync(self, _id, callback):
        pass


@pytest.mark.parametrize("fake", [Deaf], indirect=True)
def test_a_compositor_that_does_not_answer_is_not_waited_for(fake):
    with connect(fake) as connection, pytest.raises(NoAnswerError, match=r"within 0\.05 s$"):
        connection.roundtrip(timeout=0.05)


class Dying(FakeCompositor):
    def on_wl_display_sync(self, _id, callback):
        self.hang_up()


@pytest.mark.parametrize("fake", [Dying], indirect=True)
def test_a_compositor_that_dies_is_told_at_once(fake):
    with connect(fake) as connection:
        with pytest.raises(DisconnectedError, match="closed the connection"):
            connection.roundtrip(timeout=PATIENCE)
        with pytest.raises(DisconnectedError):
            connection.dispatch(0)


class Garbling(FakeCompositor):
    def on_wl_display_sync(self, _id, callback):
        self.objects[77] = "wl_callback"
        self.objects[callback] = "xx_dmabuf_negotiation_v1"
        self.event(callback, "failed", 1, 2, 3, "an event that a callback does not have")


@pytest.mark.parametrize("fake", [Garbling], indirect=True)
def test_what_is_no_wayland_ends_the_connection_with_an_error(fake):
    with connect(fake) as connection, pytest.raises(DisconnectedError):
        connection.roundtrip(timeout=PATIENCE)


def test_what_a_handler_raises_comes_out_of_dispatch(fake):
    def fail() -> None:
        raise KeyError("mine")

    with connect(fake) as connection:
        connection.sync(fail)
        with pytest.raises(KeyError, match="mine"):
            connection.roundtrip()
        connection.roundtrip()


def test_an_interrupt_in_a_handler_is_not_lost(fake):
    def interrupt() -> None:
        raise KeyboardInterrupt

    with connect(fake) as connection:
        connection.sync(interrupt)
        with pytest.raises(KeyboardInterrupt):
            connection.roundtrip()


def test_a_handler_may_close_the_connection(fake):
    connection = connect(fake)
    manager = NegotiationManager(connection)
    seen = []

    def closing(_batch) -> None:
        connection.close()
        seen.append(connection.closed)

    negotiation = manager.default_negotiation()
    negotiation.on_batch = closing
    negotiation.commit()
    with pytest.raises(DisconnectedError, match="is closed"):
        connection.wait(lambda: False, what="nothing")
    assert seen == [False]
    assert connection.closed


def test_dispatch_returns_when_another_fd_is_readable(fake):
    mine, other = socket.socketpair()
    with connect(fake) as connection, mine, other:
        connection.roundtrip()
        other.send(b"x")
        assert connection.dispatch(None, mine.fileno()) is False
        connection.roundtrip()


def test_an_application_keeps_its_display(fake):
    display = Display(fake.socket.detach())
    display.connect()
    try:
        with Connection(display) as connection:
            assert connection.fileno() == display.get_fd()
            connection.globals()
        assert display.roundtrip() >= 0
    finally:
        display.disconnect()
    with pytest.raises(UsageError, match="not connected"):
        Connection(display)


@pytest.mark.parametrize("ending", ["left open", "left after an error", "closed after an error"])
def test_the_interpreter_exits_cleanly_whatever_is_left_open(ending):
    """Pywayland alone crashes here: with a connection open, and after a protocol error."""
    program = textwrap.dedent(
        f"""
        from test_connection import Erring, FakeCompositor, connect
        from heapwire.client_lib.negotiation.negotiation_manager import NegotiationManager
        from heapwire.client_lib.wayland.interfaces import NEGOTIATION_MANAGER
        from heapwire.client_lib.errors import ProtocolError
        if {ending!r} == "left open":
            connection = connect(FakeCompositor())
            manager = NegotiationManager(connection)
            negotiation = manager.default_negotiation()
            connection.roundtrip()
        else:
            connection = connect(Erring())
            proxy, _ = connection.bind(NEGOTIATION_MANAGER)
            try:
                connection.roundtrip()
            except ProtocolError as error:
                kept = error
            if {ending!r} == "closed after an error":
                connection.close()
        print("done")
        """
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.stdout == "done\n"
    assert ran.stderr == ""
    assert ran.returncode == 0


def test_of_what_handlers_raise_only_so_much_is_kept(fake):
    """An application that never looks does not run out of memory."""
    with connect(fake) as connection:
        for number in range(MOST_FAULTS + 3):
            connection.handler_failed(ValueError(str(number)))
        for number in range(MOST_FAULTS):
            with pytest.raises(ValueError, match=f"^{number}$"):
                connection.check()
        connection.check()


class ManyCompositors(FakeCompositor):
    globals = (("wl_compositor", 2), ("wl_compositor", 3), ("wl_compositor", 4))


@pytest.mark.parametrize("fake", [ManyCompositors], indirect=True)
def test_all_globals_are_bound_that_are_new_enough(fake):
    with connect(fake) as connection:
        connection.globals()
        bound = {}
        assert connection.bind_all(bound, WlCompositor, minimum=3) == []
        connection.roundtrip()
        binds = [one.args[0] for one in fake.of("wl_registry") if one.name == "bind"]
        assert list(bound) == binds == [2, 3]
        first = bound[2]
        fake.event(
            max(id_ for id_, name in fake.objects.items() if name == "wl_registry"),
            "global_remove",
            2,
        )
        connection.roundtrip()
        assert connection.bind_all(bound, WlCompositor, minimum=3) == [first]
        assert list(bound) == [3], "and nothing is bound twice"
