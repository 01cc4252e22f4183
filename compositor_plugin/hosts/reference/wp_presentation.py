"""`wp_presentation`: tells when a frame reached the screen."""

from __future__ import annotations

import time

from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.wl_surface import WlSurface
from heapwire.compositor_plugin.hosts.reference.wp_presentation_feedback import (
    WpPresentationFeedback,
)
from heapwire.compositor_plugin.server import NewId, Resource


class WpPresentation(Resource):
    """The bound global."""

    INTERFACE = interface_table("wp_presentation")
    VERSION = 2

    def __init__(self, new_id: NewId) -> None:
        super().__init__(new_id)
        self.send("clock_id", time.CLOCK_MONOTONIC)

    def feedback(self, surface: WlSurface, new_id: NewId) -> None:
        """Tell what becomes of the next commit."""
        surface.pending.feedbacks.append(WpPresentationFeedback(new_id))
