"""Who decodes a file: a device that can, or else the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heapwire.client_lib.player.av_packets import AvPackets
from heapwire.client_lib.player.cpu_pictures import CPU, CpuPictures
from heapwire.client_lib.player.device_pictures import DevicePictures
from heapwire.client_lib.player.fwht_file import FwhtFile, is_fwht
from heapwire.client_lib.player.packet import PacketFile
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.video import M2mDecoder
from heapwire.protocol import LocalError, MachineError
from heapwire.protocol.values import Usage

AUTO = "auto"


def open_pictures(
    path: str | Path,
    platform: Platform | None,
    *,
    decoder: str = AUTO,
    formats: Sequence[int] = (),
    faults: list[str],
) -> PictureStream:
    """The pictures of a file, by the decoder that is asked for.

    `decoder` is `AUTO`, `CPU`, or the name or node of one of the platform's
    devices. With `AUTO` it is the first device that decodes the file, and the
    CPU if there is none; why a device was passed over is added to `faults`.
    Raises `LocalError` if the file cannot be decoded, or not by that decoder.
    """
    if decoder == CPU:
        return CpuPictures(path, formats)
    devices = _devices(platform, decoder)
    if decoder != AUTO and not devices:
        raise LocalError(f"there is no decoder {decoder!r} on this machine")
    raw = is_fwht(path)
    file = _packets(path, raw, optional=decoder == AUTO) if devices or raw else None
    if file is not None:
        for device in devices:
            if decoder == AUTO and file.coded not in device.bitstreams:
                continue
            try:
                return _on_device(file, platform, device, tuple(formats))
            except (LocalError, MachineError) as error:
                if decoder != AUTO:
                    file.close()
                    raise
                faults.append(f"{device.name}: {error}")
        file.close()
    if raw:
        raise LocalError("; ".join([f"{path}: only a device decodes FWHT, and none can", *faults]))
    return CpuPictures(path, formats)


def _devices(platform: Platform | None, wanted: str) -> list[Device]:
    """The decoders that may be meant; a simulated one decodes nothing."""
    return [
        one
        for one in (() if platform is None else platform.devices)
        if one.kind is DeviceKind.DECODER
        and one.node is not None
        and (wanted == AUTO or wanted in (one.name, one.node))
    ]


def _packets(path: str | Path, raw: bool, *, optional: bool) -> PacketFile | None:
    if raw:
        return FwhtFile(path)
    try:
        return AvPackets(path)
    except LocalError:
        if optional:
            return None  # the CPU may do better, or says itself what is wrong
        raise


def _on_device(
    file: PacketFile, platform: Platform | None, device: Device, formats: tuple[int, ...]
) -> DevicePictures:
    assert platform is not None
    assert device.node is not None
    decoder = platform.participant(device.name, Usage.DECODE)
    try:
        opened = M2mDecoder(device.node)
    except OSError as error:
        raise LocalError(f"{device.node}: {error.strerror}") from error
    return DevicePictures(file, opened, decoder, name=device.name, formats=formats)
