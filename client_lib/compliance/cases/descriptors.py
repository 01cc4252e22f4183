"""What becomes of descriptors that a client sends: whatever happens, they are closed again.

What is sent is one end of a socket pair. The other end tells when nobody has the first any more,
whoever the compositor is and whatever it may do with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from select import POLLHUP, poll

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.cases.explicit_sync import MANAGER, import_timeline
from heapwire.client_lib.compliance.probe import FAILED, XRGB, Plane, Probe
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireObject

GROUP = CaseGroup("descriptors")
ALL = (3, 4, 5, 6)

Then = Callable[[Probe, WireObject, int], object]


def _closed_after(then: Then, version: int, probe: Probe) -> None:
    """Send a descriptor, do something, and see it closed.

    `then` gets the params object, and the modifier that XRGB8888 is on offer with.
    """
    modifier = probe.modifier(version, XRGB)
    sent, kept = probe.buffers.watched()
    params = probe.params(version)
    probe.add(params, Plane(sent, modifier=modifier))
    probe.buffers.let_go(sent)
    then(probe, params, modifier)
    _expect_closed(probe, kept)


def _expect_closed(probe: Probe, kept: int) -> None:
    waiting = poll()
    waiting.register(kept, 0)
    ready = dict(waiting.poll(probe.connection.timeout * 1000))
    if not ready.get(kept, 0) & POLLHUP:
        raise DeviationError(
            expected="the descriptor closed",
            seen=f"still open after {probe.connection.timeout:g} s",
        )


def _destroyed(probe: Probe, params: WireObject, _modifier: int) -> None:
    probe.connection.request(params, "destroy")
    probe.expect_alive("destroy")


def _hung_up(probe: Probe, _params: WireObject, _modifier: int) -> None:
    probe.expect_alive("add")
    probe.connection.close()


def _failed(probe: Probe, params: WireObject, _modifier: int) -> None:
    probe.create(params)
    probe.expect(probe.answer(params), (FAILED,))
    probe.connection.request(params, "destroy")
    probe.expect_alive("destroy")


def _failed_immed(probe: Probe, params: WireObject, _modifier: int) -> None:
    probe.create(params, immediately=True)
    answer = probe.answer(params, immediately=True)
    probe.expect(answer, (FAILED, "invalid_wl_buffer"))
    if answer.word == FAILED:
        probe.connection.request(params, "destroy")
        probe.expect_alive("destroy")


def _ended(probe: Probe) -> None:
    """An error, or what the text allows in its place; the client goes in any case."""
    probe.connection.roundtrip()
    probe.connection.close()


def _plane_idx(probe: Probe, params: WireObject, modifier: int) -> None:
    probe.add(params, Plane(probe.buffers.socket(), 4, modifier=modifier))
    _ended(probe)


def _plane_set(probe: Probe, params: WireObject, modifier: int) -> None:
    probe.add(params, Plane(probe.buffers.socket(), 0, modifier=modifier))
    _ended(probe)


def _incomplete(probe: Probe, params: WireObject, modifier: int) -> None:
    probe.add(params, Plane(probe.buffers.socket(), 2, modifier=modifier))
    probe.create(params)
    _ended(probe)


def _invalid_format(probe: Probe, params: WireObject, _modifier: int) -> None:
    probe.create(params, fourcc=0x3130_7878)
    _ended(probe)


def _invalid_dimensions(probe: Probe, params: WireObject, _modifier: int) -> None:
    probe.create(params, width=0)
    _ended(probe)


_WAYS: tuple[tuple[str, str, Then], ...] = (
    ("destroy", "destroy cleans up what was sent", _destroyed),
    ("disconnect", "a client's objects go with it", _hung_up),
    ("failed", "destroy cleans up what was sent", _failed),
    ("failed-immed", "destroy cleans up what was sent", _failed_immed),
    ("plane-idx", "a client's objects go with it", _plane_idx),
    ("plane-set", "a client's objects go with it", _plane_set),
    ("incomplete", "a client's objects go with it", _incomplete),
    ("invalid-format", "a client's objects go with it", _invalid_format),
    ("invalid-dimensions", "a client's objects go with it", _invalid_dimensions),
)
for _name, _says, _then in _WAYS:
    for _version in ALL:
        GROUP.add(f"{_name}/v{_version}", _says, partial(_closed_after, _then, _version))


@GROUP.case_in("refused-plane", ALL)
def refused_plane(probe: Probe, version: int) -> None:
    """A descriptor of an add that is an error is closed, too."""
    _refused(probe, version, index=4)


@GROUP.case_in("second-plane", ALL)
def second_plane(probe: Probe, version: int) -> None:
    """A descriptor of a plane that is set already is closed, too."""
    _refused(probe, version, index=0)


@GROUP.case_in("after-use", ALL)
def after_use(probe: Probe, version: int) -> None:
    """A descriptor of an add after create is closed, too."""
    _refused(probe, version, index=1, use=True)


def _refused(probe: Probe, version: int, *, index: int, use: bool = False) -> None:
    modifier = probe.modifier(version, XRGB)
    params = probe.params(version)
    probe.add(params, Plane(probe.buffers.anything(1 << 14), modifier=modifier))
    if use:
        probe.create(params)
    sent, kept = probe.buffers.watched()
    probe.add(params, Plane(sent, index, modifier=modifier))
    probe.buffers.let_go(sent)
    _ended(probe)
    _expect_closed(probe, kept)


@GROUP.case("timeline")
def timeline(probe: Probe) -> None:
    """What is no timeline of linux-drm-syncobj-v1 is closed."""
    sent, kept = probe.buffers.watched()
    import_timeline(probe, sent)
    probe.buffers.let_go(sent)
    probe.expect_error(MANAGER, "invalid_timeline")
    _expect_closed(probe, kept)
