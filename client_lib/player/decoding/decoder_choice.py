"""Who decodes a file: a device that can, or else the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heapwire.client_lib.player.decoding.container_file import ContainerFile
from heapwire.client_lib.player.decoding.cpu_picture_stream import CPU, CpuPictureStream
from heapwire.client_lib.player.decoding.device_picture_stream import DevicePictureStream
from heapwire.client_lib.player.decoding.fwht_file import FwhtFile, is_fwht
from heapwire.client_lib.player.decoding.nvdec import NVDEC, Nvdec, named_nvdec, nvdecs
from heapwire.client_lib.player.decoding.packet import PacketFile
from heapwire.client_lib.player.decoding.video_file import STDIN
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.video import DeviceDecoder, M2mDecoder, StatelessDecoder, stateless_form
from heapwire.protocol import FileError, InputError, MachineError, NotPossibleError, words_of
from heapwire.protocol.values import Usage

AUTO = "auto"
"""The decoder that stands for the first device that can, or else the CPU."""

# The kernel's driver that paints what it was told, and decodes nothing
# (Documentation/admin-guide/media/visl.rst).
_DECODES_NOTHING = "visl"

_NEXT_DEVICE_MAY_DO = (MachineError, InputError, NotPossibleError)


def open_picture_stream(
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
    CPU if there is none; why a device was passed over is added to `faults`. The
    kernel's visl, which only seems to decode, has to be named, and so has NVIDIA's (`NVDEC`, or
    its GPU), unless something is known to show what is in that GPU's memory: what it decodes would
    have to be downloaded.
    Raises `FileError` if the file cannot be decoded, `MachineError` or
    `NotPossibleError` if not by that decoder, `InputError` if there is no such decoder.
    """
    # On a simulated platform the CPU writes what its decoders would.
    in_its_place = platform is not None and platform.simulated
    if decoder == CPU:
        return CpuPictureStream(path, formats)
    devices = _devices(platform, decoder)
    gpu = _gpu(platform, decoder)
    if str(path) == STDIN and (devices or gpu is not None):
        # What decodes it is chosen by its first picture, which can be read once only here.
        if decoder != AUTO:
            raise InputError(
                f"{decoder} decodes files only: save what is piped in, or name cpu or no decoder "
                "for it"
            )
        devices, gpu = [], None
    if decoder != AUTO and not devices and gpu is None:
        raise InputError(f"there is no decoder {decoder!r}; there is\n{_all_of(platform)}")
    raw = is_fwht(path)
    file = _packets(path, raw, optional=decoder == AUTO) if devices or raw else None
    if file is not None:
        for device in devices:
            if decoder == AUTO and not _knows(device, file.coded):
                continue
            try:
                return _on_device(file, platform, device, tuple(formats))
            except BaseException as error:
                if decoder != AUTO or not isinstance(error, _NEXT_DEVICE_MAY_DO):
                    file.close()
                    raise
                faults.append(f"{device.name}: {error}")
        file.close()
    if gpu is not None and not raw:
        try:
            return gpu.as_they_are(path, formats)
        except _NEXT_DEVICE_MAY_DO as error:
            faults.append(f"{gpu.name}: {error}")
            if decoder != AUTO:
                return gpu.downloaded(path, formats)
    if raw:
        raise MachineError(
            "; ".join([f"{path}: only a device decodes FWHT, and none can", *faults])
        )
    return CpuPictureStream(path, formats, tiles=in_its_place)


def _devices(platform: Platform | None, wanted: str) -> list[Device]:
    """The decoders of V4L2 that may be meant."""
    return [
        device
        for device in (() if platform is None else platform.devices)
        if _decodes(device)
        and (
            device.driver != _DECODES_NOTHING
            if wanted == AUTO
            else wanted in (device.name, device.node)
        )
    ]


def _gpu(platform: Platform | None, wanted: str) -> Nvdec | None:
    """The NVIDIA GPU that is meant, if one is."""
    if wanted != AUTO:
        return named_nvdec(wanted)
    if platform is None or platform.simulated:
        return None
    return next((gpu for gpu in nvdecs() if gpu.is_shown_from(platform)), None)


def _all_of(platform: Platform | None) -> str:
    """The decoders that can be named, a line each."""
    known = () if platform is None else platform.devices
    found = [(one.node, one.name) for one in known if _decodes(one)]
    found += [(gpu.node, f"{gpu.name} ({NVDEC})") for gpu in nvdecs()]
    return "\n".join(["  cpu", *(f"  {node}  {name}" for node, name in found)])


def _decodes(device: Device) -> bool:
    """Whether it is a decoder that can be opened; a simulated one decodes nothing."""
    return device.kind is DeviceKind.DECODER and device.node is not None


def _packets(path: str | Path, raw: bool, *, optional: bool) -> PacketFile | None:
    if raw:
        return FwhtFile(path)
    try:
        return ContainerFile(path)
    except FileError:
        if optional:
            return None  # the CPU may do better, or says itself what is wrong
        raise


def _on_device(
    file: PacketFile, platform: Platform | None, device: Device, formats: tuple[int, ...]
) -> DevicePictureStream:
    assert platform is not None
    assert device.node is not None
    decoder = platform.participant(device.name, Usage.DECODE)
    opened: DeviceDecoder
    try:
        if _parses_nothing(device, file.coded):
            opened = StatelessDecoder(device.node)
        else:
            opened = M2mDecoder(device.node)
    except OSError as error:
        raise MachineError(f"{device.node}: {words_of(error)}") from error
    return DevicePictureStream(file, opened, decoder, name=device.name, formats=formats)


def _knows(device: Device, coded: int) -> bool:
    return coded in device.bitstreams or _parses_nothing(device, coded)


def _parses_nothing(device: Device, coded: int) -> bool:
    """Whether a device decodes a bitstream that somebody else parses."""
    return coded not in device.bitstreams and stateless_form(coded) in device.bitstreams
