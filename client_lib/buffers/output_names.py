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
    """The outputs that there are when this is made; the names come with a dispatch."""

    def __init__(self, connection: Connection, surface: AnyProxy) -> None:
        self._connection = connection
        self._names: dict[AnyProxy, str] = {}
        self._entered: set[AnyProxy] = set()
        self._xdg: list[CData] = []
        # Their destructors are methods that pywayland's own stubs do not tell.
        self._outputs: list[CData] = list(connection.bind_all(WlOutput, minimum=_RELEASE_VERSION))
        offered = connection.globals()
        output = offered.get(WlOutput.name)
        manager = offered.get(ZxdgOutputManagerV1.name)
        if output is not None and output.version >= _NAME_VERSION:
            for proxy in self._outputs:
                self._hear(proxy, proxy)
        elif manager is not None and manager.version >= _XDG_NAME_VERSION:
            bound, _ = connection.bind(ZxdgOutputManagerV1, minimum=_XDG_NAME_VERSION)
            self._xdg = [create(bound, "get_xdg_output", proxy) for proxy in self._outputs]
            for proxy, xdg in zip(self._outputs, self._xdg, strict=True):
                self._hear(xdg, proxy)
            self._xdg.append(bound)
        listen(
            surface,
            connection.handler_failed,
            {"enter": self._entered.add, "leave": self._entered.discard},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the surface is on; all, as long as it is on none."""
        on = [name for output, name in self._names.items() if output in self._entered]
        return tuple(sorted(on or self._names.values()))

    def close(self) -> None:
        """Let go of the outputs."""
        for xdg in self._xdg:
            if not xdg.destroyed:
                xdg.destroy()
        for output in self._outputs:
            if not output.destroyed:
                output.release()
        self._xdg.clear()
        self._outputs.clear()

    def _hear(self, speaker: AnyProxy, output: AnyProxy) -> None:
        """Take the name of an output from the events of the output or its xdg_output."""

        def named(name: str) -> None:
            self._names[output] = name

        listen(speaker, self._connection.handler_failed, {"name": named})
