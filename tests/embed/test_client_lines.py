"""What a C host that listens is told of its clients: by the plugin, and of its own linux-dmabuf."""

from __future__ import annotations

import pytest
from c_host import CHost, the_plugin

from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file, import_log
from heapwire.compositor_plugin.hosts.embed.host_table import ffi
from heapwire.compositor_plugin.hosts.embed.import_log import Heard, ImportLog
from heapwire.compositor_plugin.server import ffi as server_ffi
from heapwire.protocol.values import parse_fourcc

ADD, CREATE, CREATE_IMMED = 1, 2, 3
CREATED, FAILED = 0, 1


def arguments(*values: int):
    made = server_ffi.new("union wl_argument[]", len(values))
    for place, value in enumerate(values):
        made[place].u = value
    return made


class Params:
    """A `zwp_linux_buffer_params_v1` of a client's, as far as a log sees it."""

    def __init__(self, log: ImportLog, number: int = 1) -> None:
        self.log = log
        self.pointer = ffi.cast("struct wl_resource *", 64 * number)

    def request(self, opcode: int, *values: int) -> str | None:
        return self.log.line(self.pointer, Heard.IMPORT_REQUEST, opcode, arguments(*values))

    def event(self, opcode: int) -> str | None:
        return self.log.line(self.pointer, Heard.IMPORT_EVENT, opcode, arguments(0))

    def add(self) -> None:
        assert self.request(ADD, 5, 0, 0, 1280, 0, 0) is None


def test_an_import_is_told_when_it_is_asked_for_and_when_it_is_answered():
    log = ImportLog()
    nv12 = parse_fourcc("NV12")
    for number, (event, word) in enumerate(((CREATED, "imported"), (FAILED, "refused:")), 1):
        params = Params(log, number)
        params.add()
        assert params.request(CREATE, 320, 240, nv12, 0) == (
            "imports a buffer of NV12 LINEAR, 320x240"
        )
        assert params.event(event) == f"{word} a buffer of NV12 LINEAR, 320x240"
    params = Params(log, 3)
    params.add()
    assert params.request(CREATE_IMMED, 9, 320, 240, nv12, 0) == (
        "imports a buffer of NV12 LINEAR, 320x240, without waiting for an answer"
    )


def test_an_answer_of_which_the_question_was_not_heard_is_told():
    assert Params(ImportLog()).event(FAILED) == "refused: a buffer"


def test_messages_of_a_version_to_come_are_passed_over():
    params = Params(ImportLog())
    assert params.request(9, 1) is None
    assert params.event(9) is None


def test_what_is_never_asked_for_is_not_kept_for_ever():
    log = ImportLog()
    for number in range(1, 1000):
        Params(log, number).add()
    assert len(log._params) == import_log._REMEMBERED


@pytest.fixture
def host():
    made = CHost()
    made.told = []
    made.callbacks.append(
        ffi.callback(
            "void(void *, const char *)", lambda _, line: made.told.append(ffi.string(line))
        )
    )
    made.table.client_line = made.callbacks[-1]
    yield made
    for number in tuple(attachment_file._attachments):
        attachment_file._detach(number)
    made.display.destroy()


def test_lines_come_while_somebody_listens(host):
    assert host.attach()
    log = the_plugin()._state.client_log
    assert not log.wanted
    host.calls.listen(host.calls.plugin, 1)
    assert log.wanted
    [listener] = log.listeners.values()
    listener("a line")
    assert host.told == [b"a line"]
    host.calls.listen(host.calls.plugin, 0)
    assert not log.wanted


def test_who_detaches_listens_no_more(host):
    again = CHost(host.display)
    assert host.attach()
    assert again.attach()
    plugin = the_plugin_of(host)
    host.calls.listen(host.calls.plugin, 1)
    host.calls.detach(host.calls.plugin)
    assert not plugin._state.client_log.wanted
    host.calls.listen(host.calls.plugin, 1)
    assert not plugin._state.client_log.wanted


def the_plugin_of(host):
    return attachment_file._attachments[host.calls.plugin].plugin


@pytest.mark.parametrize("side", ["table", "calls"])
def test_a_side_of_before_there_were_such_lines_has_none(host, side):
    if side == "table":
        host.table.size = ffi.offsetof("struct heapwire_host", "client_line")
    else:
        host.calls.size = ffi.offsetof("struct heapwire_calls", "listen")
    assert host.attach()
    if side == "table":
        host.calls.listen(host.calls.plugin, 1)
        assert not the_plugin()._state.client_log.wanted
    else:
        assert not host.calls.listen


def test_a_message_that_cannot_be_followed_is_a_line_of_the_log(host, monkeypatch):
    assert host.attach()
    host.calls.listen(host.calls.plugin, 1)
    monkeypatch.delattr(ImportLog, "line")
    params = ffi.cast("struct wl_resource *", 64)
    host.calls.import_heard(host.calls.plugin, params, Heard.IMPORT_EVENT, FAILED, ffi.NULL)
    assert "was not followed" in host.text
