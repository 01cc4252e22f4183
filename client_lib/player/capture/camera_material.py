"""A camera as something to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heapwire.client_lib.player.capture.capture_stream import CaptureStream
from heapwire.client_lib.player.capture.copied_stream import CopiedStream
from heapwire.client_lib.player.capture.own_buffers import OwnBuffers
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.video import CaptureDevice, CaptureMemory
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.values import Extent, Participant, Usage, parse_fourcc

Way = CaptureMemory
_SHARED = parse_fourcc("XRGB8888")  # what every wl_shm has
_ORDER = (Way.IMPORTED, Way.EXPORTED, Way.MAPPED)


class CameraMaterial:
    """See `Material`: the ways are its pictures in negotiated buffers, in its own, and copied.

    `wanted` is the name or the node of a camera of the platform; None for the only one. `way`
    names the only way to be gone, for who measures. Raises `InputError`, with the cameras that
    there are, where that is none or not one, `MachineError` where there is none at all.
    """

    paced = False

    def __init__(
        self,
        platform: Platform,
        wanted: str | None = None,
        *,
        extent: Extent | None = None,
        formats: Sequence[int] = (),
        way: CaptureMemory | None = None,
        opened: Callable[[str], CaptureDevice] = CaptureDevice,
    ) -> None:
        device = chosen_camera(platform, wanted, opened)
        assert device.node is not None, "only those with a node are chosen from"
        self._node = device.node
        self._camera = device
        self._platform = platform
        self._name = device.name
        self._producer: Participant = platform.participant(device.name, Usage.CAMERA)
        self._extent = extent
        self._formats = tuple(formats)
        self._ways = _ORDER if way is None else (way,)
        self._opened = opened
        self.title = f"camera: {device.name}"

    def open(self, platform: Platform | None, faults: list[str]) -> PictureStream:
        """In the first of the ways that its formats permit."""
        for way in self._ways[:-1]:
            try:
                return self._in(way)
            except NotPossibleError as error:
                if str(error) not in faults:
                    faults.append(str(error))
        return self._in(self._ways[-1])

    def other_way(
        self, pictures: PictureStream, platform: Platform | None, faults: list[str]
    ) -> Callable[[], PictureStream] | None:
        """The next of the ways."""
        gone = pictures.memory if isinstance(pictures, CaptureStream) else Way.MAPPED
        left = self._ways[self._ways.index(gone) + 1 :]
        return (lambda: self._in(left[0])) if left else None

    def written(self, pictures: PictureStream | None) -> PictureStream:
        """Copied by the CPU, unless another way is the only one that was wanted."""
        if pictures is not None:
            pictures.close()
        if Way.MAPPED not in self._ways:
            raise InputError("without negotiated buffers the pictures can only be copied")
        device = self._opened(self._node)
        return CopiedStream(device, extent=self._extent, formats=self._formats or (_SHARED,))

    def _in(self, way: CaptureMemory) -> PictureStream:
        own = None
        if way is Way.EXPORTED:
            own = OwnBuffers(self._platform, self._camera, self._producer)
        device = self._opened(self._node)
        if way is Way.MAPPED:
            return CopiedStream(device, extent=self._extent, formats=self._formats)
        return CaptureStream(
            device,
            self._producer,
            name=self._camera.name,
            memory=way,
            own=own,
            extent=self._extent,
            formats=self._formats,
        )


def cameras(platform: Platform) -> tuple[Device, ...]:
    """Those of a platform that can be opened."""
    return tuple(
        device
        for device in platform.devices
        if device.kind is DeviceKind.CAMERA and device.node is not None
    )


def chosen_camera(
    platform: Platform, wanted: str | None, opened: Callable[[str], CaptureDevice]
) -> Device:
    """The camera of a name or node, or the only one; see `CameraMaterial`."""
    found = cameras(platform)
    named = [one for one in found if wanted in (None, one.name, one.node)]
    if len(named) == 1:
        return named[0]
    # What could not be looked at is opened once more: that says why.
    for one in platform.devices:
        if one.kind is not DeviceKind.UNKNOWN or one.node is None:
            continue
        if wanted in (one.name, one.node) or not found:
            opened(one.node).close()
    if not found:
        raise MachineError(f"{platform.name} has no camera")
    there = "\n".join(f"  {one.node}  {one.name}" for one in found)
    if wanted is None:
        raise InputError(f"there are several cameras; name one of\n{there}")
    raise InputError(f"there is no camera {wanted!r}; there is\n{there}")
