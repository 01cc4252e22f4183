"""What the outputs of a compositor are called, and which of them a surface is on.

Compositors give an output the name of its connector, such as `HDMI-A-1`. It
comes with version 4 of `wl_output`, and before that with version 2 of
xdg-output.
"""

from __future__ import annotations

from pywayland.protocol.wayland import WlOutput
from pywayland.protocol.xdg_output_unstable_v1 import ZxdgOutputManagerV1

from heapwire.client_lib.wayland import AnyProxy, CData, Connection, create, listen

_NAME_VERSION = 4  # wl_output.name
_RELEASE_VERSION = 3  # wl_output.release
_XDG_NAME_VERSION = 2  # zxdg_output_v1.name


class OutputNames:
    """The outputs that there are now; the names come with a dispatch."""

    def __init__(self, connection: Connection, surface: AnyProxy) -> None:
        self._connection = connection
        self._names: dict[AnyProxy, str] = {}
        self._entered: set[AnyProxy | None] = set()  # None for those that were gone by then
        # Their destructors are methods that pywayland's own stubs do not tell.
        self._outputs: dict[int, CData] = {}
        self._xdg: dict[AnyProxy, CData] = {}
        offered = connection.globals().get(ZxdgOutputManagerV1.name)
        self._manager: CData = None
        if offered is not None and offered.version >= _XDG_NAME_VERSION:
            self._manager, _ = connection.bind(ZxdgOutputManagerV1, minimum=_XDG_NAME_VERSION)
        listen(
            surface,
            connection.handler_failed,
            {"enter": self._entered.add, "leave": self._entered.discard},
        )
        self._look()
        connection.on_globals(self, self._look)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the surface is on; all, as long as it is on none."""
        on = [name for output, name in self._names.items() if output in self._entered]
        return tuple(sorted(on or self._names.values()))

    def close(self) -> None:
        """Let go of the outputs."""
        self._connection.forget(self)
        for output in self._outputs.values():
            self._let_go(output)
        self._outputs.clear()
        if self._manager is not None and not self._manager.destroyed:
            self._manager.destroy()

    def _look(self) -> None:
        """Have the outputs that there are, and no others."""
        known = set(self._outputs)
        for gone in self._connection.bind_all(self._outputs, WlOutput, minimum=_RELEASE_VERSION):
            self._let_go(gone)
        offered = self._connection.globals().get(WlOutput.name)
        named = offered is not None and offered.version >= _NAME_VERSION
        for number, output in self._outputs.items():
            if number in known:
                continue
            if named:
                self._hear(output, output)
            elif self._manager is not None:
                self._xdg[output] = create(self._manager, "get_xdg_output", output)
                self._hear(self._xdg[output], output)

    def _let_go(self, output: CData) -> None:
        self._names.pop(output, None)
        self._entered.discard(output)
        for proxy, destroy in ((self._xdg.pop(output, None), "destroy"), (output, "release")):
            if proxy is not None and not proxy.destroyed:
                getattr(proxy, destroy)()

    def _hear(self, speaker: AnyProxy, output: AnyProxy) -> None:
        """Take the name of an output from the events of the output or its xdg_output."""

        def named(name: str) -> None:
            self._names[output] = name

        listen(speaker, self._connection.handler_failed, {"name": named})
