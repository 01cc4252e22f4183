"""A C compositor's table whose functions are Python's."""

from __future__ import annotations

from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file
from heapwire.compositor_plugin.hosts.embed.attachment import attach
from heapwire.compositor_plugin.hosts.embed.host_table import ffi, pointer_value
from heapwire.compositor_plugin.server import OwnDisplay

PLATFORM = "raspberry-pi-4"


class CHost:
    """A table whose functions are Python's; attributes of it are what they answer."""

    def __init__(self, display: OwnDisplay | None = None) -> None:
        self.display = display or OwnDisplay()
        self.lines: list[tuple[int, str]] = []
        self.asked: list[int] = []
        self.fill = lambda state: 0
        self.callbacks = [
            ffi.callback("void(void *, enum heapwire_log_level, const char *)", self.log),
            ffi.callback(
                "int(void *, struct wl_resource *, struct heapwire_surface_state *)", self.state
            ),
        ]
        self.table = ffi.new("struct heapwire_host *")
        self.table.size = ffi.sizeof("struct heapwire_host")
        self.table.display = ffi.cast("struct wl_display *", self.display.address)
        self.table.log, self.table.surface_state = self.callbacks
        self.calls = ffi.new("struct heapwire_calls *")
        self.calls.size = ffi.sizeof("struct heapwire_calls")

    def log(self, _data, level, line):
        self.lines.append((level, ffi.string(line).decode()))

    def state(self, _data, surface, state):
        self.asked.append(pointer_value(surface))
        return self.fill(state)

    def attach(self, platform=PLATFORM, level="info", **more):
        table, calls = pointer_value(self.table), pointer_value(self.calls)
        return attach(table, calls, platform, level, **more)

    @property
    def text(self):
        return "\n".join(line for _, line in self.lines)


def the_plugin():
    [attachment] = attachment_file._attachments.values()
    return attachment.plugin
