"""The life of a params object: what is legal after use, and the device that is to sample."""

from __future__ import annotations

from heapwire.client_lib.compliance.case import CaseGroup
from heapwire.client_lib.compliance.feedback_batch import DEV_T_BYTES
from heapwire.client_lib.compliance.probe import (
    CREATED,
    FAILED,
    HEIGHT,
    PITCH,
    XRGB,
    Plane,
    Probe,
)
from heapwire.client_lib.compliance.verdict import DeviationError
from heapwire.client_lib.compliance.wire_connection import WireObject
from heapwire.protocol.wire import DmabufVersion, TrancheFlags

GROUP = CaseGroup("params")
ALL = (3, 4, 5, 6)
SAMPLING = (6,)
_USED = "already_used"


def _added(probe: Probe, version: int) -> tuple[WireObject, Plane]:
    """A params object with the plane of a plain buffer."""
    modifier = probe.modifier(version, XRGB)
    plane = Plane(probe.buffers.anything(PITCH * HEIGHT), modifier=modifier)
    params = probe.params(version)
    probe.add(params, plane)
    return params, plane


def _used(probe: Probe, version: int) -> tuple[WireObject, Plane]:
    """The same, after `create` with whatever came of it."""
    params, plane = _added(probe, version)
    probe.create(params)
    probe.expect(probe.answer(params), (CREATED, FAILED))
    return params, plane


@GROUP.case_in("add-after-use", ALL)
def add_after_use(probe: Probe, version: int) -> None:
    """Using the object after create raises already_used."""
    params, plane = _used(probe, version)
    probe.add(params, Plane(plane.fd, index=1, modifier=plane.modifier))
    probe.expect(probe.answer(params), (_USED,))


@GROUP.case_in("create-after-use", ALL)
def create_after_use(probe: Probe, version: int) -> None:
    """Create can be sent only once in the object's lifetime."""
    params, _ = _used(probe, version)
    probe.create(params)
    probe.expect(probe.answer(params), (_USED,))


@GROUP.case_in("create-immed-after-use", ALL)
def create_immed_after_use(probe: Probe, version: int) -> None:
    """create_immed obeys the same restrictions as create."""
    params, _ = _used(probe, version)
    probe.create(params, immediately=True)
    probe.expect(probe.answer(params, immediately=True), (_USED,))


@GROUP.case_in("sampling-device-after-use", SAMPLING)
def sampling_device_after_use(probe: Probe, version: int) -> None:
    """After create the only legal request is destroy."""
    params, _ = _used(probe, version)
    probe.connection.request(params, "set_sampling_device", bytes(DEV_T_BYTES))
    probe.expect(probe.answer(params), (_USED,))


@GROUP.case_in("destroy-after-use", ALL)
def destroy_after_use(probe: Probe, version: int) -> None:
    """After create the only legal request is destroy, and it leaves the buffer."""
    params, _ = _used(probe, version)
    probe.connection.request(params, "destroy")
    probe.expect_alive("destroy")


@GROUP.case_in("destroy-unused", ALL)
def destroy_unused(probe: Probe, version: int) -> None:
    """To cancel the buffer's creation, a client can just destroy the object."""
    params, _ = _added(probe, version)
    probe.connection.request(params, "destroy")
    probe.expect_alive("destroy")


@GROUP.case_in("destroy-before-answer", ALL)
def destroy_before_answer(probe: Probe, version: int) -> None:
    """The object may be destroyed right after create, whatever the answer would have been."""
    params, _ = _added(probe, version)
    probe.create(params)
    probe.connection.request(params, "destroy")
    probe.expect_alive("create and destroy")


@GROUP.case_in("many-faults", ALL)
def many_faults(probe: Probe, version: int) -> None:
    """An error is fatal: of several faults in one request one is told, and nothing after it."""
    modifier = probe.modifier(version, XRGB)
    params = probe.params(version)
    probe.add(params, Plane(probe.buffers.anything(PITCH * HEIGHT), 0, 2**32 - 1, 0, modifier))
    probe.create(params, width=0, height=-1, flags=0x8000_0000)
    allowed = ("invalid_dimensions", "out_of_bounds", "invalid_format", FAILED)
    probe.expect(probe.answer(params), allowed)


@GROUP.case_in("requests-after-error", ALL)
def requests_after_error(probe: Probe, version: int) -> None:
    """After the first error nothing more is told: not of a second fault, and not of success."""
    params = probe.params(version)
    more, plane = _added(probe, version)
    probe.add(params, Plane(plane.fd, index=4))
    probe.add(params, Plane(plane.fd, index=5))
    probe.create(more)
    probe.expect(probe.answer(params), ("plane_idx",))
    if probe.connection.of(more):
        raise DeviationError(expected="nothing after the error", seen="an answer to create")


@GROUP.case_in("sampling-device-short", SAMPLING)
def sampling_device_short(probe: Probe, version: int) -> None:
    """A device that is too small for a dev_t raises invalid_dev_t_size."""
    _refused_device(probe, version, bytes(DEV_T_BYTES - 1))


@GROUP.case_in("sampling-device-empty", SAMPLING)
def sampling_device_empty(probe: Probe, version: int) -> None:
    """A device that is too small for a dev_t raises invalid_dev_t_size."""
    _refused_device(probe, version, b"")


@GROUP.case_in("sampling-device-long", SAMPLING)
def sampling_device_long(probe: Probe, version: int) -> None:
    """A device that is too large for a dev_t raises invalid_dev_t_size."""
    _refused_device(probe, version, bytes(2 * DEV_T_BYTES))


def _refused_device(probe: Probe, version: int, device: bytes) -> None:
    params, _ = _added(probe, version)
    probe.connection.request(params, "set_sampling_device", device)
    probe.create(params)
    probe.expect(probe.answer(params), ("invalid_dev_t_size",))


@GROUP.case_in("sampling-device-unknown", SAMPLING)
def sampling_device_unknown(probe: Probe, version: int) -> None:
    """A device that was not advertised is no error: it may just have gone."""
    params, _ = _added(probe, version)
    probe.connection.request(params, "set_sampling_device", b"\xff" * DEV_T_BYTES)
    probe.create(params)
    probe.expect(probe.answer(params), (CREATED, FAILED))


@GROUP.case_in("sampling-device", SAMPLING)
def sampling_device(probe: Probe, version: int) -> None:
    """A device of a tranche with the sampling flag can be named."""
    batch = probe.batches(probe.feedback(version))[0]
    device = next(one for one in batch.tranches if (one.flags or 0) & TrancheFlags.SAMPLING).device
    params, _ = _added(probe, version)
    probe.connection.request(params, "set_sampling_device", device)
    probe.create(params)
    probe.expect(probe.answer(params), (CREATED, FAILED))


@GROUP.case("version-6-request/v5")
def version_6_request(probe: Probe) -> None:
    """set_sampling_device came with version 6, and is an error on an object of version 5."""
    params, _ = _added(probe, DmabufVersion.ONE_MODIFIER)
    probe.connection.request(params, "set_sampling_device", bytes(DEV_T_BYTES))
    probe.expect_error("wl_display", "invalid_method")
