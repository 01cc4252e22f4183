"""What the outputs of a compositor are called, and which of them a surface is on.

The names come with version 4 of `wl_output`. Compositors give an output the
name of its connector there, such as `HDMI-A-1`.
"""

from __future__ import annotations

from pywayland.protocol.wayland import WlOutput

from heapwire.client_lib.connection import Connection
from heapwire.client_lib.interfaces import AnyProxy, listen, send

_NAME_VERSION = 4  # wl_output.name


class OutputNames:
    """The outputs that there are when this is made; the names come with a dispatch."""

    def __init__(self, connection: Connection, surface: AnyProxy) -> None:
        self._connection = connection
        self._names: dict[AnyProxy, str] = {}
        self._entered: set[AnyProxy] = set()
        self._outputs = connection.bind_all(WlOutput, minimum=_NAME_VERSION)
        for output in self._outputs:

            def named(name: str, output: AnyProxy = output) -> None:
                self._names[output] = name

            listen(output, connection.handler_failed, {"name": named})
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
        for output in self._outputs:
            if not output.destroyed:
                send(output, "release")
        self._outputs.clear()
