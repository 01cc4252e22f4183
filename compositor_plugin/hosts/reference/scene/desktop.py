"""The desktop: windows, outputs, and what each refresh makes of them.

It is the plugin's `Host`: it says which surface could be scanned out, and what
became of buffers; it calls the plugin only when one of these answers changes.
"""

from __future__ import annotations

import logging
import traceback
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from heapwire.compositor_plugin import (
    FormatTables,
    OutputState,
    SecurityContext,
    StatusReason,
    SurfaceState,
)
from heapwire.compositor_plugin.hosts.reference.dmabuf import DmabufContent, DmabufImporter
from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold
from heapwire.compositor_plugin.hosts.reference.scene.composition import (
    Layer,
    compose,
    layers_of,
    visible_pixels,
)
from heapwire.compositor_plugin.hosts.reference.scene.feedback_index import FeedbackIndex
from heapwire.compositor_plugin.hosts.reference.scene.frame_answers import FrameAnswers
from heapwire.compositor_plugin.hosts.reference.scene.frame_record import FrameRecord
from heapwire.compositor_plugin.hosts.reference.scene.held_commits import HeldCommits
from heapwire.compositor_plugin.hosts.reference.scene.output import Output, OutputMode
from heapwire.compositor_plugin.hosts.reference.scene.outputs import Outputs
from heapwire.compositor_plugin.hosts.reference.scene.pixels import Image, to_rgb
from heapwire.compositor_plugin.hosts.reference.scene.scanout_check import (
    ScanoutCheck,
    scanout_candidate,
)
from heapwire.compositor_plugin.hosts.reference.scene.shown_windows import (
    ShownWindow,
    cascade,
    main_output,
    shown_windows,
    window_of,
)
from heapwire.compositor_plugin.hosts.reference.scene.surface_extent import screen_extent
from heapwire.compositor_plugin.server import Display
from heapwire.kernel.description import Platform
from heapwire.protocol.values import FORMATS, Colour, FormatModifier
from heapwire.protocol.wire import DmabufFeedback

if TYPE_CHECKING:
    from heapwire.compositor_plugin import HeapPlugin
    from heapwire.compositor_plugin.hosts.reference import WlOutput, WlSurface
    from heapwire.compositor_plugin.hosts.reference.sandbox import SecurityContexts
    from heapwire.compositor_plugin.hosts.reference.shell import XdgToplevel

log = logging.getLogger(__name__)

FrameHook = Callable[[FrameRecord, Callable[[], Image]], None]
"""Called with each frame that was shown, and with what draws the output then."""
Candidates = Callable[[Output], "WlSurface | None"]

KEPT_FRAMES = 64  # records of the last second at 60 Hz, while nobody asks for all of them


class Desktop:
    """All windows and surfaces of all clients, on the outputs that there are.

    `surfaces` and `windows` hold what clients have now, windows from bottom to top, and `held`
    the commits that have not taken effect yet.
    `tables` are the format tables that they were sent. `frames` are the records of
    what was shown: all with `record`, else the last few thousand. `on_frame` gets
    each record, and a function that reads the surface's visible pixels, (height,
    width, 3), good until it returns. With `keep_last`, an output without windows
    keeps its last picture for `image`. `debounce` is how many milliseconds a
    surface must be a candidate for scanout before linux-dmabuf's feedback tells its
    client.
    """

    def __init__(
        self,
        display: Display,
        platform: Platform,
        modes: Sequence[OutputMode],
        contexts: SecurityContexts,
        *,
        record: bool,
        on_frame: FrameHook | None,
        keep_last: bool,
        debounce: int,
    ) -> None:
        self.debounce = debounce
        self._contexts = contexts
        self._keep_last = keep_last
        self._last: dict[Output, tuple[Layer, ...]] = {}
        self.display = display
        self.held = HeldCommits(display.loop)
        self.platform = platform
        self.dmabuf = DmabufImporter(platform, display.loop, self.scene_changed)
        self.surfaces: dict[int, WlSurface] = {}
        self.windows: list[XdgToplevel] = []
        self.feedbacks = FeedbackIndex()
        self.frames: deque[FrameRecord] = deque(maxlen=None if record else KEPT_FRAMES)
        self.plugin: HeapPlugin | None = None
        self._scanout = ScanoutCheck(platform)
        self.tables = FormatTables()
        self._record = record
        self._on_frame = on_frame
        self._states: dict[int, SurfaceState | None] = {}
        self._placed = 0
        self._answers = FrameAnswers(display.loop)
        self._outputs = Outputs(modes, display.loop, self._tick)

    def image(self, output: Output) -> Image:
        """What an output shows, or showed before its last window went, (height, width, 3)."""
        layers = layers_of(output, self._shown_windows())
        return compose(output, layers or self._last.get(output, ()))

    def close(self) -> None:
        """Stop the outputs and let go of what they showed."""
        self.dmabuf.close()
        self._last.clear()
        self._answers.close()
        self.held.close()
        self._outputs.close()
        self.tables.close()

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs that there are now."""
        return self._outputs.now

    def output_named(self, name: str | None) -> Output:
        """See `Outputs`."""
        return self._outputs.named(name)

    def plug(self, mode: OutputMode) -> Output:
        """Another output is there."""
        output = self._outputs.plug(mode)
        self.scene_changed()
        return output

    def unplug(self, output: Output) -> None:
        """An output is gone: its windows go to another."""
        self._outputs.unplug(output)
        self._outputs.leave(self.surfaces.values(), output)
        self._last.pop(output, None)
        for window in self.windows:
            window.output_gone()
        self.scene_changed()

    # The plugin's host.

    def surface_state(self, surface: int) -> SurfaceState | None:
        """See `Host`."""
        found = self.surfaces.get(surface)
        return self._state(found, self._candidates()) if found is not None else None

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        """See `Host`."""
        return self.dmabuf.formats

    def dmabuf_feedback(self, feedback: int) -> DmabufFeedback | None:
        """See `Host`."""
        known = self.feedbacks.at(feedback)
        return known.said if known is not None else None

    def security_context(self, client: int) -> SecurityContext | None:
        """See `Host`."""
        return self._contexts.of(client)

    # What protocol objects call.

    def negotiated_colour(self, surface: WlSurface) -> Colour | None:
        """What the client has said of the YCbCr on its surface where it asked for plans."""
        hold = surface.current.hold
        if self.plugin is None or hold is None:
            return None
        known = FORMATS.get(hold.content.fourcc)
        content = self.plugin.surface_content(surface.address)
        if known is None or not known.is_yuv or content is None:
            return None
        return content.encoding, content.range

    def surface_committed(self, surface: WlSurface) -> None:
        """A surface has new state."""
        self._output_of_surface(surface).schedule()

    def surface_gone(self, surface: WlSurface) -> None:
        """A surface was destroyed."""
        self._states.pop(surface.address, None)
        for feedback in self.feedbacks.surface_gone(surface.address):
            feedback.surface_gone()
        self.scene_changed()

    def scene_changed(self) -> None:
        """Something came, went or moved."""
        for output in self.outputs:
            output.schedule()

    def retire(self, surface: WlSurface, hold: BufferHold) -> None:
        """A buffer was replaced: it leaves the screen with the next refresh."""
        output = self._output_of_surface(surface)
        output.retired.append(hold)
        output.schedule()

    @property
    def topmost(self) -> ShownWindow | None:
        """The topmost window."""
        return next(reversed(self._shown_windows()), None)

    # What windows call.

    def output_of(self, window: XdgToplevel) -> Output:
        """The output that a window is on, or would be."""
        return main_output(window, self.outputs)

    def unmapped_changed(self, surface: WlSurface) -> None:
        """A window that is not there yet is to be another: its client may draw for that."""
        self._state_changed(surface, self._candidates())

    def place_window(self, window: XdgToplevel) -> None:
        """A window appears: on top, a step further than the last one."""
        if window.xdg_surface is not None:
            geometry = window.xdg_surface.geometry
            others = (one.xdg_surface for one in self.windows if one is not window)
            if not any(other is not None and other.mapped for other in others):
                self._placed = 0
            window.position = cascade(self._placed, self.outputs[0], geometry)
            self._placed += 1
        self.raise_window(window)

    def raise_window(self, window: XdgToplevel) -> None:
        """Put a window on top."""
        self.windows = [*(other for other in self.windows if other is not window), window]
        self.scene_changed()

    def remove_window(self, window: XdgToplevel) -> None:
        """A window is gone."""
        self.windows = [other for other in self.windows if other is not window]
        self.scene_changed()

    def output_bound(self, resource: WlOutput) -> None:
        """A client has a new object of an output that its surfaces may be on already."""
        for surface in self.surfaces.values():
            if surface.client == resource.client and resource.output in surface.outputs:
                surface.send("enter", resource)

    # Inside.

    def _shown_windows(self) -> list[ShownWindow]:
        return shown_windows(self.windows, self.outputs)

    def _tick(self, output: Output) -> None:
        """A refresh: what was committed is on the screen now."""
        candidates = self._candidates()
        for surface in tuple(self.surfaces.values()):
            self._state_changed(surface, candidates)
        windows = self._shown_windows()
        if self._keep_last:
            self._last[output] = layers_of(output, windows) or self._last.get(output, ())
        rects = {shown.surface: shown.rect for one in windows for shown in one.surfaces}
        for surface in self.surfaces.values():
            self._outputs.enter(surface, rects.get(surface))
        for window in windows:
            if window.output is output:
                for shown in window.surfaces:
                    self._show_guarded(shown.surface, output, windows)
        output.release_retired()  # first: who may draw on needs a buffer for that
        self._answers.tell()

    def _show_guarded(
        self, surface: WlSurface, output: Output, windows: Sequence[ShownWindow]
    ) -> None:
        """Show a surface; if that fails, it ends its own client and disturbs no other."""
        try:
            self._show(surface, output, windows)
        except Exception:
            log.exception("surface %d cannot be shown", surface.number)
            surface.client.post_implementation_error("a surface cannot be shown")

    def _show(self, surface: WlSurface, output: Output, windows: Sequence[ShownWindow]) -> None:
        current = surface.current
        hold = current.hold
        if hold is None:
            return
        reason = self._scanout.reason(surface, output, windows)
        self._tell_plugin(hold, reason)
        if current.attached:
            current.attached = False
            self._keep_record(surface, hold, output, reason)
        self._answers.add(current, output, zero_copy=reason is StatusReason.NONE)

    def _tell_plugin(self, hold: BufferHold, reason: StatusReason) -> None:
        """Say what became of a buffer, if anybody asks and it is news."""
        buffer = hold.buffer
        if self.plugin is None or not buffer.alive or buffer.told is reason:
            return
        if self.plugin.wants(buffer.address):
            buffer.told = reason
            self.plugin.buffer_shown(
                buffer.address, scanned_out=reason is StatusReason.NONE, reason=reason
            )

    def _keep_record(
        self, surface: WlSurface, hold: BufferHold, output: Output, reason: StatusReason
    ) -> None:
        content = hold.content
        presenting = surface.current.presenting

        def pixels() -> Image:
            return to_rgb(visible_pixels(content, presenting))

        attributes = content.attributes if isinstance(content, DmabufContent) else None
        record = FrameRecord(
            sequence=output.sequence,
            time=output.presented_at,
            output=output.name,
            surface=surface.number,
            extent=content.extent,
            fourcc=content.fourcc,
            modifier=attributes.format.modifier if attributes else None,
            sources=tuple(
                self.platform.source_name(source) if source is not None else None
                for source in (attributes.sources if attributes else ())
            ),
            scanned_out=reason is StatusReason.NONE,
            reason=reason,
            crc32=zlib.crc32(pixels().tobytes()) if self._record else None,
        )
        self.frames.append(record)
        if self._on_frame is not None:
            try:
                self._on_frame(record, pixels)
            except Exception:  # told as text: who keeps the error keeps the picture
                log.error("the frame hook failed\n%s", traceback.format_exc())

    def _candidates(self) -> Candidates:
        """What each output could scan out now, found once for all who ask."""
        windows = cache(self._shown_windows)
        return cache(lambda output: scanout_candidate(output, windows()))

    def _state_changed(self, surface: WlSurface, candidates: Candidates) -> None:
        """Tell those who want to know of a surface, if its state differs from before."""
        state = self._state(surface, candidates)
        if surface.address in self._states and self._states[surface.address] == state:
            return
        self._states[surface.address] = state
        if self.plugin is not None:
            self.plugin.surface_changed(surface.address)
        for feedback in self.feedbacks.of_surface(surface.address):
            feedback.state_changed()

    def _state(self, surface: WlSurface, candidate: Candidates) -> SurfaceState:
        window = window_of(surface)
        output = self._output_of_surface(surface)
        others = [other for other in surface.outputs if other is not output]
        size = surface.size
        is_candidate = False
        if window is not None and window.xdg_surface is not None:
            if window.xdg_surface.mapped:
                is_candidate = candidate(output) is surface
            else:
                size = window.wanted.size
                is_candidate = (
                    window.wanted.fullscreen is output and window.xdg_surface.surface is surface
                )
        if is_candidate:
            others = []
        reason = StatusReason.NONE if is_candidate else StatusReason.NOT_A_CANDIDATE
        if is_candidate and surface.current.presenting.crop is not None:
            # Whatever buffer comes, this part of it is scaled like that.
            size = None
            if not self._scanout.scales(surface, output):
                is_candidate, reason = False, StatusReason.TRANSFORM
        light = surface.current.presenting.light
        if is_candidate and not (light is None or light.as_displayed):
            is_candidate, reason = False, StatusReason.TRANSFORM
        scale = output.mode.scale
        return SurfaceState(
            outputs=tuple(
                OutputState(shown_on.name, self._scanout.device) for shown_on in (output, *others)
            ),
            size=screen_extent(size[0] * scale, size[1] * scale) if size is not None else None,
            candidate=is_candidate,
            reason=reason,
            black=True,
        )

    def _output_of_surface(self, surface: WlSurface) -> Output:
        window = window_of(surface)
        if window is not None:
            return main_output(window, self.outputs)
        return surface.outputs[0] if surface.outputs else self.outputs[0]
