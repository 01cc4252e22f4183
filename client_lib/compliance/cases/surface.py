"""Surfaces, as far as a buffer needs them: attached, shown, let go of."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.probe import Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.window import ProbeWindow

GROUP = CaseGroup("surface")
ALL = (3, 4, 5, 6)


@GROUP.case_in("frame", ALL)
def frame(probe: Probe, version: int) -> None:
    """A buffer that was made can be shown: the frame callback is done."""
    window = ProbeWindow(probe)
    window.present(probe.xrgb(version))


@GROUP.case_in("release", ALL)
def release(probe: Probe, version: int) -> None:
    """When another buffer takes its place, the first is released."""
    window = ProbeWindow(probe)
    first, second = probe.xrgb(version), probe.xrgb(version)
    window.show(first)
    window.show(second)
    connection = probe.connection
    if not connection.wait(lambda: connection.of(first, "release"), "wl_buffer.release"):
        raise DeviationError(expected="wl_buffer.release", seen=probe.ending())


@GROUP.case_in("destroyed-buffer", ALL)
def destroyed_buffer(probe: Probe, version: int) -> None:
    """A wl_buffer may be destroyed while its surface shows it."""
    window = ProbeWindow(probe)
    buffer = probe.xrgb(version)
    window.show(buffer)
    probe.connection.request(buffer, "destroy")
    probe.expect_alive("wl_buffer.destroy")


@GROUP.case_in("closed-memory", ALL)
def closed_memory(probe: Probe, version: int) -> None:
    """The compositor has descriptors of its own: the client may close its own at once."""
    window = ProbeWindow(probe)
    buffer = probe.xrgb(version)
    probe.buffers.close()
    window.present(buffer)


@GROUP.case("unconfigured/v3")
def unconfigured(probe: Probe) -> None:
    """Attaching a buffer before the first configure raises xdg_surface.unconfigured_buffer."""
    window = ProbeWindow(probe, configure=False)
    window.show(probe.xrgb(3))
    probe.expect_error("xdg_surface", "unconfigured_buffer")
