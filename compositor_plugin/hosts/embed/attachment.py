"""A plugin in a C compositor: from `heapwire_attach` to `heapwire_detach`.

What C calls are functions that live as long as the process. They get the number
of an attachment, and a number that is not there any more is ignored: so a
compositor that calls late, or whose display ended first, does no harm.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from functools import partial

from heapwire.compositor_plugin import HeapPlugin, Policy, rehearse, spare_the_loop
from heapwire.compositor_plugin.hosts.embed.dmabuf_formats import DmabufFormats
from heapwire.compositor_plugin.hosts.embed.feedback_tracker import FeedbackTracker
from heapwire.compositor_plugin.hosts.embed.host_log import HostLog, level_number, one_line
from heapwire.compositor_plugin.hosts.embed.host_table import CData, ffi, pointer_value, read_host
from heapwire.compositor_plugin.hosts.embed.import_log import ImportLog, client_of
from heapwire.compositor_plugin.hosts.embed.table_host import TableHost, reason, simulated_formats
from heapwire.compositor_plugin.server import Display, post_by, post_no_more_by
from heapwire.kernel.description import Platform
from heapwire.protocol import HeapwireError
from heapwire.protocol.values import Content, FormatModifier
from heapwire.protocol.wire import DmabufFeedback

log = logging.getLogger("heapwire")

_attachments: dict[int, Attachment] = {}
_handlers: dict[int, HostLog | None] = {}
_numbers = itertools.count(1)


class Attachment:
    """One plugin on one display of a C compositor, however often that has attached it.

    The host is asked about the platform as it is, clients are told of what the
    policy makes of it. `users` are the numbers of those that have attached it, with
    their tables; what the first one tells and answers counts.
    """

    def __init__(self, host: CData, platform: Platform, policy: Policy) -> None:
        self._platform = platform
        self.users: dict[int, CData] = {}
        self._calls: dict[int, CData | None] = {}
        self._listening: dict[int, None] = {}
        self._imports = ImportLog()
        self._feedback = FeedbackTracker(
            lambda feedback: self.plugin.batch_ends(feedback), self._learn
        )
        self._host = TableHost(host, platform, self._feedback)
        self._formats_query: DmabufFormats | None = None
        self.plugin = HeapPlugin(
            pointer_value(host.display),
            policy.apply(platform),
            self._host,
            policy=policy,
        )
        self.plugin.tell_extended(self._feedback.extend)
        if self._host.tests_planes:
            self.plugin.test_planes(self._host.test)
        if not platform.simulated:
            from heapwire.compositor_plugin.hosts.embed.this_machine import follow_hardware

            follow_hardware(self.plugin, policy.apply, as_set=not host.sets_colours)
        if not self._host.names_formats:
            display = Display(pointer_value(host.display))
            heard = partial(self._feedback.said_to, 0)
            self._formats_query = DmabufFormats(display, self._take_formats, heard)
            self._display_listener = display.on_destroy(self.close)

    def join(self, number: int, host: CData, calls: CData | None) -> None:
        """Somebody has attached it, whose library can be asked what feedback says, or cannot."""
        self.users[number] = host
        if len(self.users) == 1:
            self._feedback.ask(calls)
        self._calls[number] = calls

    def leave(self, number: int) -> None:
        """One of those that have attached it detaches; the last one's end is its own."""
        self.listen(number, listening=False)
        self.users.pop(number, None)
        self._calls.pop(number, None)
        for first, table in self.users.items():
            self._host.use(table)
            self._feedback.ask(self._calls[first])
            return
        self._feedback.ask(None)
        self.close()

    def listen(self, number: int, *, listening: bool) -> None:
        """One of those that have attached it takes lines on its clients, or no more."""
        table = self.users.get(number)
        if not listening or table is None or table.client_line == ffi.NULL:
            self._listening.pop(number, None)
            self.plugin.listen(number, None)
            self._imports.clear()
        else:
            self._listening[number] = None
            self.plugin.listen(number, partial(_client_line, table))

    def import_heard(
        self, number: int, resource: CData, heard: int, opcode: int, arguments: CData
    ) -> None:
        """A message of the host's linux-dmabuf, or an error, while somebody listens."""
        if number == next(iter(self._listening), None):  # the others hear of the same one
            line = self._imports.line(resource, heard, opcode, arguments)
            if line is not None:
                self.plugin.client_does(client_of(resource), line)

    def batch_ends(self, number: int, batch: CData, feedback: CData) -> bool:
        """A batch of a feedback object of the host's, before its `done` is queued."""
        # The others hear of the same one.
        return number != next(iter(self.users)) or self._feedback.batch_ended(batch, feedback)

    def close(self) -> None:
        """Leave the display; safe to call twice, and when the display is ending."""
        if self._formats_query is not None:
            self._formats_query.close()
            self._formats_query = None
            self._display_listener.remove()
        self.plugin.close()

    def _learn(self, said: DmabufFeedback) -> None:
        """The host's own word on the device that composites goes before the guess."""
        if said.main_device is not None:
            self.plugin.composited_by(said.main_device)

    def tested(self, number: int, error: int) -> None:
        """The host's answer to a test of a plane."""
        self._host.tested(number, error)

    def _take_formats(self, formats: frozenset[FormatModifier] | None) -> None:
        if formats is None and self._platform.simulated:
            # Without hardware behind it nothing is ever imported for real.
            formats = simulated_formats(self._platform)
            log.info("no linux-dmabuf here: the formats are those of %s", self._platform.name)
        elif formats is None:
            formats = frozenset()
            log.warning("no linux-dmabuf here, so no plan can be offered")
        self._host.formats = formats
        if not self.plugin.closed:
            self.plugin.platform_changed(self.plugin.platform)


def attach(
    host_address: int, calls_address: int, platform: str, log_level: str, policy: str = ""
) -> bool:
    """Put the plugin on a host's display; False if that cannot be.

    `host_address` is that of a `struct heapwire_host`, `calls_address` that of
    the `struct heapwire_calls` to fill in. `platform` names a simulated one or a
    file; empty, it is this machine. `policy` names a file; empty, anything may be
    done. (A library that was built before there were policies does not give
    one.) The host's log gets one line that says what came of it; nothing is
    raised.
    """
    handler: HostLog | None = None
    try:
        host = read_host(host_address)
        known = _attached_to(host)
        if known is None and host.log != ffi.NULL:
            handler = HostLog(host)
            log.addHandler(handler)
            log.propagate = False
        log.setLevel(level_number(log_level))
        given = Policy.load(policy) if policy else Policy()
        attachment = known or Attachment(host, _platform(platform, host), given)
    except HeapwireError as error:  # a UsageError of the C side too: nothing is raised into C
        log.error("not available: %s", error)  # the error says all; where it was raised is noise
    except Exception:
        log.exception("not available")
    else:
        number = next(_numbers)
        _attachments[number] = attachment
        rehearse(attachment.plugin.platform)
        spare_the_loop()
        _handlers[number] = handler
        calls = ffi.cast("struct heapwire_calls *", calls_address)
        calls.plugin = number
        calls.surface_changed = _surface_changed
        calls.buffer_shown = _buffer_shown
        calls.detach = _detach
        if calls.size > ffi.offsetof("struct heapwire_calls", "tested"):
            calls.tested = _tested
        if calls.size > ffi.offsetof("struct heapwire_calls", "import_heard"):
            calls.listen = _listen
            calls.import_heard = _import_heard
        if calls.size > ffi.offsetof("struct heapwire_calls", "surface_colour"):
            calls.surface_colour = _surface_colour
        if calls.size > ffi.offsetof("struct heapwire_calls", "extend"):
            calls.batch_ends = _batch_ends
            attachment.join(number, host, calls if calls.extend else None)
        else:
            log.warning("built by an older heapwire, which cannot extend feedback: build it again")
            attachment.join(number, host, None)
        if calls.size > ffi.offsetof("struct heapwire_calls", "post_events") and calls.post_events:
            post_by(number, pointer_value(calls.post_events))
        if known is None:
            _describe(attachment.plugin.platform, given)
        else:
            log.info("attached once more to the same display: one plugin serves both")
        return True
    _unlog(handler)
    return False


def _attached_to(host: CData) -> Attachment | None:
    """The attachment that the host's display has already, of this or another library."""
    display = pointer_value(host.display)
    for attachment in _attachments.values():
        first = next(iter(attachment.users.values()))
        if not attachment.plugin.closed and pointer_value(first.display) == display:
            return attachment
    return None


def _client_line(table: CData, line: str) -> None:
    """Hand a line to a host's `client_line`."""
    text = ffi.new("char[]", one_line(line))
    table.client_line(table.data, text)


def _unlog(handler: HostLog | None) -> None:
    """Log no longer into a host's log."""
    if handler is not None:
        log.removeHandler(handler)
        log.propagate = not any(isinstance(other, HostLog) for other in log.handlers)


def _platform(name: str, host: CData) -> Platform:
    if name:
        return Platform.load(name)
    # Who simulates a machine needs none of what looks at this one.
    from heapwire.compositor_plugin.hosts.embed.this_machine import known_machine

    return known_machine(as_set=not host.sets_colours)


def _describe(platform: Platform, policy: Policy) -> None:
    names = ", ".join(source.name for source in platform.sources) or "no memory to allocate from"
    by = f", by the policy {policy.file}" if policy.file else ""
    log.info("ready: %s has %s%s", platform.name, names, by)
    for note in platform.notes:
        log.warning("%s", note)
    for remark in platform.remarks:
        log.debug("%s", remark)


def _guarded(what: str, number: int, call: Callable[[HeapPlugin], None]) -> None:
    attachment = _attachments.get(number)
    if attachment is None:
        return
    try:
        call(attachment.plugin)
    except Exception:
        log.exception("%s failed", what)


@ffi.callback("void(uintptr_t, struct wl_resource *)")  # type: ignore[untyped-decorator]  # cffi
def _surface_changed(number: int, surface: CData) -> None:
    address = pointer_value(surface)
    _guarded("surface_changed", number, lambda plugin: plugin.surface_changed(address))


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "void(uintptr_t, struct wl_resource *, uint32_t, uint32_t)"
)
def _buffer_shown(number: int, buffer: CData, scanned_out: int, why: int) -> None:
    address = pointer_value(buffer)

    def show(plugin: HeapPlugin) -> None:
        if plugin.wants(address):
            plugin.buffer_shown(address, scanned_out=bool(scanned_out), reason=reason(why))

    _guarded("buffer_shown", number, show)


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "uint32_t(uintptr_t, const struct heapwire_batch *, struct wl_resource *)"
)
def _batch_ends(number: int, batch: CData, feedback: CData) -> int:
    attachment = _attachments.get(number)
    if attachment is None or attachment.plugin.closed:
        return 1
    try:
        return attachment.batch_ends(number, batch, feedback)
    except Exception:
        log.exception("a batch of linux-dmabuf's feedback was not followed")
        return 1


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "void(uintptr_t, uint32_t, int32_t)"
)
def _tested(number: int, test: int, error: int) -> None:
    attachment = _attachments.get(number)
    if attachment is None:
        return
    try:
        attachment.tested(test, error)
    except Exception:
        log.exception("tested failed")


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "int32_t(uintptr_t, struct wl_resource *, uint32_t *, uint32_t *)"
)
def _surface_colour(number: int, surface: CData, encoding: CData, range_: CData) -> int:
    said: list[Content | None] = [None]

    def ask(plugin: HeapPlugin) -> None:
        said[0] = plugin.surface_content(pointer_value(surface))

    _guarded("surface_colour", number, ask)
    [content] = said
    if content is None:
        return -1
    encoding[0], range_[0] = content.encoding, content.range
    return 0


@ffi.callback("void(uintptr_t, uint32_t)")  # type: ignore[untyped-decorator]  # cffi has no types
def _listen(number: int, listening: int) -> None:
    attachment = _attachments.get(number)
    if attachment is None:
        return
    try:
        attachment.listen(number, listening=bool(listening))
    except Exception:
        log.exception("listen failed")


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "void(uintptr_t, struct wl_resource *, uint32_t, uint32_t, const void *)"
)
def _import_heard(number: int, resource: CData, what: int, opcode: int, arguments: CData) -> None:
    attachment = _attachments.get(number)
    if attachment is None or attachment.plugin.closed:
        return
    try:
        attachment.import_heard(number, resource, what, opcode, arguments)
    except Exception:
        log.exception("what a client imports was not followed")


@ffi.callback("void(uintptr_t)")  # type: ignore[untyped-decorator]  # cffi has no types
def _detach(number: int) -> None:
    attachment = _attachments.pop(number, None)
    if attachment is None:
        return
    post_no_more_by(number)
    try:
        attachment.leave(number)
    except Exception:
        log.exception("detach failed")
    handler = _handlers.pop(number)
    for other, table in attachment.users.items():
        if handler is not None and table.log != ffi.NULL:
            _handlers[other] = next_handler = HostLog(table)
            log.addHandler(next_handler)
        break  # the first of those that are left is who logs now
    _unlog(handler)
