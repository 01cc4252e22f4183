"""`wp_presentation_feedback`: what became of one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.server import Resource
from heapwire.protocol.wire import halves

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.scene import Output

_VSYNC = 1
_ZERO_COPY = 8
_NANOSECONDS = 1_000_000_000


class WpPresentationFeedback(Resource):
    """Answers once, and is gone with the answer.

    Every output here has a constant rate, so that both versions say the same.
    """

    INTERFACE = interface_table("wp_presentation_feedback")
    VERSION = 2

    def present(self, output: Output, time: int, sequence: int, *, zero_copy: bool) -> None:
        """The commit is on an output since `time`, nanoseconds of CLOCK_MONOTONIC."""
        for resource in output.resources_of(self.client):
            self.send("sync_output", resource)
        seconds, nanoseconds = divmod(time, _NANOSECONDS)
        self.send(
            "presented",
            *(*halves(seconds), nanoseconds),
            output.period,
            *halves(sequence),
            _VSYNC | (_ZERO_COPY if zero_copy else 0),
        )
        self.destroy_resource()

    def discard(self) -> None:
        """The commit was never shown."""
        self.send("discarded")
        self.destroy_resource()
