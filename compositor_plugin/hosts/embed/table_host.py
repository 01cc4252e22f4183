"""A `Host` made of the functions in a C compositor's table."""

from __future__ import annotations

from collections.abc import Callable

from heapwire.compositor_plugin import (
    OutputState,
    PlaneTest,
    SecurityContext,
    StatusReason,
    SurfaceState,
)
from heapwire.compositor_plugin.hosts.embed.dmabuf_formats import with_linear
from heapwire.compositor_plugin.hosts.embed.drm_cards import open_cards
from heapwire.compositor_plugin.hosts.embed.feedback_tracker import MAX_BATCHES, FeedbackTracker
from heapwire.compositor_plugin.hosts.embed.host_table import CData, ffi
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import card_of_connector
from heapwire.protocol.make_room import make_room
from heapwire.protocol.values import DeviceId, Extent, FormatModifier, Usage
from heapwire.protocol.wire import DmabufFeedback

_MAX_OUTPUTS = 8
_FIRST_FORMATS = 512  # room for the pairs of most hosts at the first call


class TableHost:
    """Asks the host through its table.

    `formats` is what a host that says nothing of its formats takes, and of which
    no client was told anything yet; it may be set at any time. `feedback` knows
    what its linux-dmabuf says.
    """

    def __init__(self, host: CData, platform: Platform, feedback: FeedbackTracker) -> None:
        self.formats: frozenset[FormatModifier] = frozenset()
        self._feedback = feedback
        self._linear: dict[int, tuple[DmabufFeedback, frozenset[FormatModifier]]] = {}
        self.names_formats = False
        """Whether the host says itself which formats it imports."""
        self.use(host)
        self._platform = platform
        self._devices: dict[str, DeviceId | None] = {}
        self._number = 0
        self._answered: Callable[[int | None], None] | None = None

    def surface_state(self, surface: int) -> SurfaceState | None:
        """What the compositor makes of the surface; None if it knows it not."""
        state = ffi.new("struct heapwire_surface_state *")
        state.size = ffi.sizeof("struct heapwire_surface_state")
        resource = ffi.cast("struct wl_resource *", surface)
        if self._host.surface_state(self._host.data, resource, state) != 0:
            return None
        count = min(state.output_count, _MAX_OUTPUTS)
        size = None
        if Extent.fault(state.width, state.height) is None:
            size = Extent(state.width, state.height)
        return SurfaceState(
            outputs=tuple(self._output(state.outputs[i]) for i in range(count)),
            size=size,
            candidate=bool(state.candidate),
            reason=reason(state.reason),
            rotation=state.rotation % 360,
            black=bool(state.black),
        )

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        """See `Host`. A host that names its formats names them for all surfaces of a client."""
        if not self.names_formats:
            said = self._feedback.said_to(client, surface)
            return self.formats if said is None else self._with_linear(said)
        capacity = _FIRST_FORMATS
        while True:
            entries = ffi.new("struct heapwire_format[]", capacity)
            pointer = ffi.cast("struct wl_client *", client)
            count = self._host.importable_formats(self._host.data, pointer, entries, capacity)
            if count <= capacity:
                break
            capacity = count
        return frozenset(
            FormatModifier(entries[i].fourcc, entries[i].modifier) for i in range(count)
        )

    def _with_linear(self, said: DmabufFeedback) -> frozenset[FormatModifier]:
        """The pairs of some feedback: the very same of the very same."""
        known = self._linear.get(id(said))
        if known is None or known[0] is not said:
            make_room(self._linear, MAX_BATCHES)
            known = self._linear[id(said)] = (said, with_linear(said.formats))
        return known[1]

    def use(self, host: CData) -> None:
        """Ask by another table of the same compositor from now on."""
        self._host = host
        self.names_formats = bool(host.importable_formats != ffi.NULL)  # every answer asks

    def dmabuf_feedback(self, feedback: int) -> DmabufFeedback | None:
        """What a feedback object of the host's says."""
        return self._feedback.said(feedback)

    def security_context(self, client: int) -> SecurityContext | None:
        """What a sandbox has said of this `wl_client`; None if the host knows of none."""
        if self._host.security_context == ffi.NULL:
            return None
        context = ffi.new("struct heapwire_security_context *")
        context.size = ffi.sizeof("struct heapwire_security_context")
        pointer = ffi.cast("struct wl_client *", client)
        if self._host.security_context(self._host.data, pointer, context) != 0:
            return None
        said = (context.sandbox_engine, context.app_id, context.instance_id)
        return SecurityContext(*map(_text, said))

    @property
    def tests_planes(self) -> bool:
        """Whether the host has its displays' planes tested."""
        return bool(self._host.test != ffi.NULL)

    def test(self, test: PlaneTest, answered: Callable[[int | None], None]) -> bool:
        """See `PlaneTester`. The host's answer comes by `tested`."""
        if not self.tests_planes:  # another table of the same display, which outlived the first
            return False
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._answered = answered
        given = ffi.new("struct heapwire_test *")
        given.size = ffi.sizeof("struct heapwire_test")
        given.device_major, given.device_minor = test.device.major, test.device.minor
        given.plane, given.fourcc, given.modifier = test.plane, test.fourcc, test.modifier
        given.width, given.height = test.size.width, test.size.height
        given.fd, given.plane_count = test.fd, len(test.planes)
        for place, (offset, pitch) in enumerate(test.planes):
            given.offsets[place], given.pitches[place] = offset, pitch
        return bool(self._host.test(self._host.data, self._number, given) == 0)

    def tested(self, number: int, error: int) -> None:
        """The host's answer to a test; nobody waits for that of another than the last."""
        answered = self._answered
        if answered is not None and number == self._number:
            self._answered = None
            answered(None if error < 0 else error)

    def _output(self, output: CData) -> OutputState:
        name = ffi.string(output.name).decode("utf-8", "replace")
        number = (output.device_major, output.device_minor)
        if output.has_device and DeviceId.fault(*number) is None:
            return OutputState(name, DeviceId(*number))
        if name not in self._devices:
            self._devices[name] = self._find_device(name)
        return OutputState(name, self._devices[name])

    def _find_device(self, name: str) -> DeviceId | None:
        """The display of a simulated platform, or the card that has the connector."""
        if self._platform.simulated:
            return self._platform.first_display
        return card_of_connector(name, open_cards())


def _text(pointer: CData) -> str:
    if pointer == ffi.NULL:
        return ""
    return str(ffi.string(pointer).decode("utf-8", "replace"))


def simulated_formats(platform: Platform) -> frozenset[FormatModifier]:
    """What the devices of a platform sample."""
    return frozenset(
        pair
        for device in platform.devices
        for constraint_set in device.sets.get(Usage.SAMPLING, ())
        for pair in constraint_set.formats
    )


def reason(value: int) -> StatusReason:
    """A reason of the host's; one that is not known here is UNKNOWN."""
    try:
        return StatusReason(value)
    except ValueError:
        return StatusReason.UNKNOWN
