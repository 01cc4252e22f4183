"""A C host's table, filled in from Python: what is read of it, and what is refused."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace

import pytest
from c_host import PLATFORM, CHost, the_plugin
from patience import until

from heapwire.compositor_plugin import SecurityContext, StatusReason
from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file, this_machine
from heapwire.compositor_plugin.hosts.embed.feedback_tracker import FeedbackTracker
from heapwire.compositor_plugin.hosts.embed.host_log import HostLog
from heapwire.compositor_plugin.hosts.embed.host_table import ffi, pointer_value, read_host
from heapwire.compositor_plugin.hosts.embed.table_host import TableHost
from heapwire.compositor_plugin.server import encoded_events
from heapwire.kernel.description import Platform
from heapwire.protocol import UsageError
from heapwire.protocol.values import (
    ColourEncoding,
    ColourRange,
    Content,
    DeviceId,
    Extent,
    FormatModifier,
)

NV12 = 0x3231564E


@pytest.fixture
def host():
    made = CHost()
    yield made
    for number in tuple(attachment_file._attachments):
        attachment_file._detach(number)
    made.display.destroy()


def host_logs():
    return [one for one in logging.getLogger("heapwire").handlers if isinstance(one, HostLog)]


def table_host(host):
    nobody = FeedbackTracker(lambda _: None, lambda _: None)
    return TableHost(read_host(pointer_value(host.table)), Platform.load(PLATFORM), nobody)


def test_attach_says_what_is_there_and_detach_takes_it_away(host):
    assert host.attach()
    assert "raspberry-pi-4" in host.text
    assert len(attachment_file._attachments) == 1
    host.calls.detach(host.calls.plugin)
    assert attachment_file._attachments == {}
    assert host_logs() == []


def test_calls_after_detach_and_for_nobody_are_ignored(host):
    assert host.attach()
    number = host.calls.plugin
    surface = ffi.cast("struct wl_resource *", 64)
    host.calls.surface_changed(number, surface)
    host.calls.buffer_shown(number, surface, 1, 0)
    host.calls.detach(number)
    host.calls.surface_changed(number, surface)
    host.calls.buffer_shown(number, surface, 0, 99)
    host.calls.detach(number)
    host.calls.detach(number + 1)


def test_a_display_that_ends_first_ends_the_plugin(host):
    assert host.attach()
    [attachment] = attachment_file._attachments.values()
    host.display.destroy()
    assert attachment.plugin.closed
    host.calls.detach(host.calls.plugin)


def test_two_displays_have_a_plugin_each(host):
    other = CHost()
    assert host.attach()
    assert other.attach("exynos4-mfc-v5")
    assert host.calls.plugin != other.calls.plugin
    other.calls.detach(other.calls.plugin)
    assert len(attachment_file._attachments) == 1
    other.display.destroy()


def test_two_attachments_to_one_display_are_one(host):
    assert host.attach()
    [attachment] = attachment_file._attachments.values()
    announced = set(attachment.plugin._display.globals)
    again = CHost(host.display)
    assert again.attach("exynos4-mfc-v5")
    assert set(attachment_file._attachments.values()) == {attachment}
    assert set(attachment.plugin._display.globals) == announced
    assert "attached once more" in host.text
    host.calls.detach(host.calls.plugin)
    assert not attachment.plugin.closed
    surface = ffi.cast("struct wl_resource *", 64)
    attachment.plugin._state._host.surface_state(64)
    assert again.asked == [pointer_value(surface)]
    assert host.asked == []
    logging.getLogger("heapwire").warning("still here")
    assert "still here" in again.text
    assert "still here" not in host.text
    again.calls.detach(again.calls.plugin)
    assert attachment.plugin.closed
    assert host_logs() == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda table: setattr(table, "size", 8), "set its field `size`"),
        (lambda table: setattr(table, "display", ffi.NULL), "has no display"),
        (lambda table: setattr(table, "surface_state", ffi.NULL), "has no surface_state"),
    ],
)
def test_a_table_that_is_none_is_refused(host, spoil, complaint, caplog):
    spoil(host.table)
    assert not host.attach()
    assert complaint in caplog.text
    assert attachment_file._attachments == {}


def test_what_goes_wrong_is_one_line_of_the_host_s_log(host):
    assert not host.attach(platform="no-such-thing")
    assert not host.attach(level="loud")
    assert [level for level, _ in host.lines] == [0, 0]
    assert all(line.startswith("not available: ") for _, line in host.lines)
    assert host_logs() == []


def test_an_older_table_lacks_what_came_later(host):
    kind = "uint32_t(void *, struct wl_client *, struct heapwire_format *, uint32_t)"
    later = ffi.callback(kind, lambda *_: 1)
    host.table.importable_formats = later
    assert table_host(host).names_formats
    host.table.size = ffi.offsetof("struct heapwire_host", "importable_formats")
    assert not table_host(host).names_formats


def test_a_table_from_before_there_were_policies_will_do(host):
    host.table.policy = ffi.cast("char *", 8)  # what lies behind the table is not the library's
    host.table.size = ffi.offsetof("struct heapwire_host", "policy")
    assert read_host(pointer_value(host.table)).policy == ffi.NULL
    assert host.attach()
    assert host.lines == [(2, "ready: raspberry-pi-4 has linux,cma, system")]


def test_what_was_added_to_the_table_comes_last():
    fields = [name for name, _ in ffi.typeof("struct heapwire_host").fields]
    assert fields[:3] == ["size", "display", "data"]
    added = ["policy", "security_context", "test", "hides_buffers", "client_line", "sets_colours"]
    assert fields[-len(added) :] == added


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(
        '[offer]\nnever = ["linux,*", "secure*"]\n'
        '[allocation]\nnever = ["*"]\nbudget = 4096\n[compositor]\ndebounce = 20\n'
    )
    return file


def test_a_policy_is_kept_to_and_what_it_lacks_is_a_warning(host, policy):
    assert host.attach(policy=str(policy))
    assert host.lines == [
        (2, f"ready: raspberry-pi-4 has system, by the policy {policy}"),
        (
            1,
            f"{policy}:2: offer.never[1]: 'secure*' matches no memory here: "
            "there are linux,cma, system",
        ),
    ]
    plugin = the_plugin()
    assert [source.name for source in plugin.platform.sources] == ["system"]
    [system] = plugin.platform.sources
    assert not plugin._state.broker.allocates_from(system.id)
    assert (plugin._state.accounts.quota.user.budget, plugin._state.answers._debounce) == (4096, 20)


def test_a_policy_with_faults_is_one_line(host, policy):
    policy.write_text("[offer]\nnever = 3\n[allocate]\n")
    assert not host.attach(policy=str(policy))
    [(level, line)] = host.lines
    assert level == 0
    assert line.startswith(f"not available: {policy}:2: offer.never[0]: 3 is not a text in quotes")
    assert f"{policy}:3: allocate: this key is unknown here" in line
    assert attachment_file._attachments == {}
    assert host_logs() == []


def test_a_policy_that_is_not_there_is_one_line(host, tmp_path):
    assert not host.attach(policy=str(tmp_path / "none.toml"))
    missing = f"{tmp_path / 'none.toml'}: No such file or directory"
    assert host.lines == [(0, f"not available: {missing}")]


def test_the_policy_is_kept_to_when_the_machine_changes(host, policy, monkeypatch):
    """A heap that is withheld and one that is not come while the compositor runs."""
    machine = replace(Platform.load(PLATFORM), simulated=False)
    system = machine.source("system")
    ids = [replace(system.id, minor=minor) for minor in (1, 2)]
    came = [
        replace(system, id=id_, name=name)
        for id_, name in zip(ids, ("secure-video", "other"), strict=True)
    ]
    found = [machine]
    monkeypatch.setattr(this_machine, "HotPlug", Events)
    monkeypatch.setattr(this_machine, "local_platform", lambda **_: machine)
    monkeypatch.setattr(this_machine, "look_beside", lambda **_: found[-1])
    assert host.attach(platform="", policy=str(policy))
    plugin = the_plugin()
    assert [source.name for source in plugin.platform.sources] == ["system"]
    found.append(replace(machine, sources=(*machine.sources, *came)))
    plugin._watch._hot_plug.happen()
    until(
        lambda: len(plugin.platform.sources) > 1,
        "a new platform",
        lambda: host.display.dispatch(50),
    )
    assert [source.name for source in plugin.platform.sources] == ["system", "other"]


def test_devices_are_asked_at_the_start_and_not_on_the_hosts_loop(host, monkeypatch):
    """To begin with there is what was remembered; then there is what was learned."""
    machine = replace(Platform.load(PLATFORM), simulated=False)
    learned = replace(machine, title="learned")
    threads = []

    def ask(**_):
        threads.append(threading.current_thread())
        return learned

    monkeypatch.setattr(this_machine, "HotPlug", Events)
    monkeypatch.setattr(this_machine, "local_platform", lambda **_: machine)
    monkeypatch.setattr(this_machine, "look_beside", ask)
    assert host.attach(platform="")
    plugin = the_plugin()
    assert plugin.platform.title == machine.title
    until(
        lambda: plugin.platform.title == "learned",
        "what was learned",
        lambda: host.display.dispatch(50),
    )
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_a_remark_is_for_who_reads_all_and_a_note_is_a_warning(host, monkeypatch):
    """A machine with many codecs has many formats that DRM does not name: nothing is amiss."""
    told = replace(Platform.load(PLATFORM), notes=("something lacks",), remarks=("it is so",))
    monkeypatch.setattr(attachment_file, "_platform", lambda name, host: told)
    assert host.attach()
    assert [(level, line) for level, line in host.lines if level < 2] == [(1, "something lacks")]
    assert not any("it is so" in line for _, line in host.lines)
    attachment_file._detach(host.calls.plugin)
    assert host.attach(level="debug")
    assert (3, "it is so") in host.lines


class Events:
    """Stands for the kernel's word that something happened."""

    def __init__(self):
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)

    def happen(self):
        os.eventfd_write(self.fd, 1)

    def fileno(self):
        return self.fd

    def changed(self):
        return os.eventfd_read(self.fd) > 0

    def close(self):
        os.close(self.fd)


def test_a_surface_state_is_read_as_it_is_meant(host):
    def fill(state):
        assert state.size == ffi.sizeof("struct heapwire_surface_state")
        state.output_count = 2
        state.outputs[0].name = b"HDMI-A-1"
        state.outputs[0].has_device = 1
        state.outputs[0].device_major, state.outputs[0].device_minor = 226, 1
        state.outputs[1].name = b"DP-1"
        state.width, state.height = 1920, 1080
        state.candidate, state.reason, state.rotation = 0, 6, 450
        state.black = 1
        return 0

    host.fill = fill
    asked = table_host(host)
    state = asked.surface_state(64)
    display = asked.surface_state(64).outputs[1].device
    assert host.asked == [64, 64]
    assert [output.name for output in state.outputs] == ["HDMI-A-1", "DP-1"]
    assert state.outputs[0].device == DeviceId(226, 1)
    assert Platform.load(PLATFORM).device(display).planes is not None
    assert state.size == Extent(1920, 1080)
    assert (state.candidate, state.reason) == (False, StatusReason.TRANSFORM)
    assert state.rotation == 90
    assert state.black


def test_a_surface_state_out_of_bounds_is_kept_in_bounds(host):
    def fill(state):
        state.output_count = 4000
        state.width, state.height = -1, 0
        state.reason = 77
        return 0

    host.fill = fill
    state = table_host(host).surface_state(64)
    assert len(state.outputs) == 8
    assert state.size is None
    assert state.reason is StatusReason.UNKNOWN


@pytest.mark.parametrize("size", [(5, 0), (0, 5), (5, -1)])
def test_a_size_needs_a_width_and_a_height(host, size):
    def fill(state):
        state.width, state.height = size
        return 0

    host.fill = fill
    assert table_host(host).surface_state(64).size is None


def test_formats_that_just_fit_are_asked_for_once(host):
    rooms = []

    def formats(_data, _client, entries, capacity):
        rooms.append(capacity)
        for index in range(capacity):
            entries[index].fourcc, entries[index].modifier = NV12, index
        return capacity

    kind = "uint32_t(void *, struct wl_client *, struct heapwire_format *, uint32_t)"
    told = ffi.callback(kind, formats)
    host.table.importable_formats = told
    assert len(table_host(host).importable_formats(64, None)) == 512
    assert rooms == [512]


def test_a_host_without_security_contexts_knows_of_no_sandbox(host):
    assert table_host(host).security_context(64) is None


def test_what_a_sandbox_said_is_copied(host):
    known = {64: [b"org.flatpak", "org.example.Gerät".encode(), None]}
    kept = []

    def context(_data, client, given):
        said = known.get(pointer_value(client))
        if said is None:
            return -1
        kept[:] = [ffi.NULL if text is None else ffi.new("char[]", text) for text in said]
        given.sandbox_engine, given.app_id, given.instance_id = kept
        return 0

    kind = "int(void *, struct wl_client *, struct heapwire_security_context *)"
    told = ffi.callback(kind, context)
    host.table.security_context = told
    asked = table_host(host)
    found = asked.security_context(64)
    kept.clear()
    assert found == SecurityContext("org.flatpak", "org.example.Gerät", "")
    assert asked.security_context(65) is None


def test_a_table_of_before_there_were_security_contexts_is_read(host):
    host.table.size = ffi.offsetof("struct heapwire_host", "security_context")
    host.table.security_context = ffi.cast("void *", 0xBAD)
    assert table_host(host).security_context(64) is None


def test_a_surface_that_the_host_does_not_know(host):
    host.fill = lambda state: -1
    assert table_host(host).surface_state(64) is None


def test_formats_beyond_the_first_room_are_asked_for_again(host):
    rooms = []

    def formats(_data, _client, entries, capacity):
        rooms.append(capacity)
        for index in range(min(capacity, 600)):
            entries[index].fourcc, entries[index].modifier = NV12, index
        return 600

    kind = "uint32_t(void *, struct wl_client *, struct heapwire_format *, uint32_t)"
    told = ffi.callback(kind, formats)
    host.table.importable_formats = told
    found = table_host(host).importable_formats(64, None)
    assert found == {FormatModifier(NV12, index) for index in range(600)}
    assert rooms == [512, 600]


def test_what_another_thread_says_waits_for_the_host_s(host):
    handler = HostLog(read_host(pointer_value(host.table)))
    record = logging.LogRecord("x", logging.WARNING, "", 0, "from the %s", ("worker",), None)
    worker = threading.Thread(target=handler.emit, args=(record,))
    worker.start()
    worker.join()
    assert host.lines == []
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "two\nlines", (), None))
    assert host.lines == [(1, "from the worker"), (2, "two lines")]


def test_the_table_is_refused_by_its_own_words(host):
    host.table.size = 8
    with pytest.raises(UsageError, match="8 bytes"):
        read_host(pointer_value(host.table))


@pytest.mark.parametrize("older", [False, True])
def test_events_are_posted_by_the_library_that_has_attached(host, older):
    posters = encoded_events._posters
    post = ffi.callback("void(struct wl_resource *, const uintptr_t *, size_t)", lambda *_: None)
    host.calls.post_events = post
    if older:
        host.calls.size = ffi.offsetof("struct heapwire_calls", "post_events")
    assert host.attach()
    assert [pointer_value(one) for one in posters.values()] == [pointer_value(post)] * (not older)
    attachment_file._detach(host.calls.plugin)
    assert not posters


@pytest.mark.parametrize("sets", [False, True])
def test_planes_convert_what_they_are_set_to_unless_the_host_sets_that(host, sets, monkeypatch):
    """Weston 10 and wlroots 0.15 have no word of COLOR_ENCODING in them."""
    machine = replace(Platform.load(PLATFORM), simulated=False)
    asked = []
    monkeypatch.setattr(this_machine, "HotPlug", Events)

    def known(*, drm):
        asked.append(drm.keywords["as_set"])
        return machine

    def look(*, as_set):
        asked.append(as_set)
        return machine

    monkeypatch.setattr(this_machine, "local_platform", known)
    monkeypatch.setattr(this_machine, "look_beside", look)
    host.table.sets_colours = sets
    assert host.attach(platform="")
    until(lambda: len(asked) == 2, "a look", lambda: host.display.dispatch(50))
    assert asked == [not sets] * 2


def test_a_host_that_sets_them_is_told_what_a_client_says(host, monkeypatch):
    assert host.attach()
    said = {64: Content(encoding=ColourEncoding.BT709, range=ColourRange.FULL)}
    monkeypatch.setattr(the_plugin(), "surface_content", said.get)
    encoding, range_ = ffi.new("uint32_t *", 77), ffi.new("uint32_t *", 77)

    def colour(surface, number=host.calls.plugin):
        resource = ffi.cast("struct wl_resource *", surface)
        answer = host.calls.surface_colour(number, resource, encoding, range_)
        return answer, encoding[0], range_[0]

    assert colour(65) == (-1, 77, 77)
    assert colour(64, host.calls.plugin + 1) == (-1, 77, 77)
    assert colour(64) == (0, ColourEncoding.BT709, ColourRange.FULL)
    host.calls.detach(host.calls.plugin)
    encoding[0] = range_[0] = 77
    assert colour(64) == (-1, 77, 77)
