"""What pywayland alone does, for which there are work-arounds here: when it is mended, they can go.

One that fails says which: docs/upstream/pywayland/README.md has each fault, what is done about it
here, and the change for pywayland. The other end of each connection is a socket that is told bytes.
"""

from __future__ import annotations

import gc
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import weakref

import pytest
from patience import PATIENCE
from pywayland import ffi, lib
from pywayland.client import Display
from pywayland.protocol.color_management_v1 import WpColorManagerV1
from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufV1
from pywayland.protocol.wayland import WlRegistry
from pywayland.protocol_core.argument import Argument
from pywayland.protocol_core.message import Message
from pywayland.scanner.argument import ArgumentType


class Wire:
    """A display and the other end of its socket. The registry has number 2."""

    def __init__(self):
        ours, self.other = socket.socketpair()
        self.display = Display(ours.detach())
        self.display.connect()
        self.registry = self.display.get_registry()

    def event(self, number, opcode, *values):
        body = struct.pack(f"={len(values)}I", *values)
        self.other.sendall(struct.pack("=II", number, 8 + len(body) << 16 | opcode) + body)

    def close(self):
        self.display.disconnect()
        self.other.close()


@pytest.fixture
def wire():
    made = Wire()
    yield made
    made.close()


def message(*arguments):
    def event():
        """Nothing."""

    return Message(event, arguments, None)


def test_an_array_cannot_be_sent():
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        message(Argument(ArgumentType.Array)).arguments_to_c(b"abc")


def test_an_object_that_an_event_brings_goes_to_the_first_connection(wire, monkeypatch):
    # Which one is the first: those of other tests leave their places in it.
    first = weakref.WeakValueDictionary({wire.registry._ptr: wire.registry})
    monkeypatch.setattr(WlRegistry, "registry", first)
    second = Wire()
    try:
        params = second.registry.bind(1, ZwpLinuxDmabufV1, 3).create_params()
        came = []
        params.dispatcher["created"] = lambda _, buffer: came.append(buffer)
        second.event(4, 0, 0xFF000000)  # of the second's
        second.display.dispatch(block=True)
        assert [one._display for one in came] == [wire.display]
        came[0]._destroy()  # while its own connection is there: it would be a crash afterwards
    finally:
        second.close()


def test_a_string_that_is_not_there_is_read():
    with pytest.raises(RuntimeError, match="NULL"):
        message(Argument(ArgumentType.String, nullable=True)).c_to_arguments(
            ffi.new("union wl_argument []", 1)
        )


def test_an_event_about_an_object_that_is_gone_is_lost():
    with pytest.raises(RuntimeError, match="may already be destroyed"):
        message(Argument(ArgumentType.Object)).c_to_arguments(ffi.new("union wl_argument []", 1))


def test_what_a_handler_raises_is_printed_and_lost(wire, capsys):
    def fail(*_event):
        raise ValueError("of the handler")

    wire.registry.dispatcher["global_remove"] = fail
    wire.event(2, 1, 5)
    assert wire.display.dispatch(block=True) == 1
    assert "ValueError: of the handler" in capsys.readouterr().err


def test_a_broken_connection_is_a_number_of_roundtrip(wire):
    wire.other.close()
    assert wire.display.roundtrip() == -1


def test_why_the_compositor_ended_it_is_not_told(wire):
    text = b"because\0"
    words = struct.unpack(f"={len(text) // 4}I", text)
    wire.event(1, 0, 2, 7, len(text), *words)  # wl_display.error of the registry
    with pytest.raises(RuntimeError) as caught:
        wire.display.dispatch(block=True)
    assert "because" not in str(caught.value)
    assert "7" not in str(caught.value).replace("71", "")  # EPROTO is 71


def test_nobody_waits_for_less_than_ever(wire):
    """Neither by what there is, nor by oneself: who prepared to read could not leave it."""
    for wait in (wire.display.dispatch, wire.display.roundtrip):
        with pytest.raises(TypeError, match="timeout"):
            wait(timeout=0)
    assert not hasattr(lib, "wl_display_cancel_read")


def test_a_request_that_creates_and_destroys_leaves_a_proxy(wire):
    creator = wire.registry.bind(1, WpColorManagerV1, 1).create_parametric_creator()
    creator.create()
    assert not creator.destroyed


def test_a_proxy_that_is_destroyed_waits_for_the_collector(wire):
    gc.disable()
    try:
        callback = wire.display.sync()
        known = weakref.ref(callback)
        callback._destroy()
        del callback
        assert known() is not None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("", id="at exit"),
        pytest.param("del display, registry", id="before"),
        pytest.param("display.circle = display, registry\ndel display, registry", id="in a circle"),
    ],
)
def test_a_connection_that_is_not_disconnected_ends_in_a_crash(more):
    program = """
    import gc, socket
    from pywayland.client import Display
    ours, other = socket.socketpair()
    display = Display(ours.detach())
    display.connect()
    registry = display.get_registry()
    """
    ran = subprocess.run(
        [sys.executable, "-c", f"{textwrap.dedent(program)}\n{more}\ngc.collect()"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == -signal.SIGSEGV, ran.stderr
