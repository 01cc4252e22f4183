"""Check whether a frame that somebody allocated himself can be shown as it is."""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import (
    add_json,
    add_participants,
    add_platform,
    add_schema,
    decimal,
    default_participants,
    extent,
    fourcc,
    load_platform,
    nobody_takes_part,
    problem_of,
)
from heapwire.cli.terminal import DONE, FAILED, did_you_mean, documents, show, slip
from heapwire.client_lib.exporters import (
    ExportedFrame,
    ExportedObject,
    Exporter,
    frame_problem,
    parse_drm_format,
)
from heapwire.kernel.description import Platform
from heapwire.kernel.memory import FACTS_OF_EXPORTERS
from heapwire.protocol import InputError, shown
from heapwire.protocol.explain import Document, explain_document, render_explain, solve
from heapwire.protocol.values import (
    FORMATS,
    LINEAR,
    Content,
    DeviceId,
    FormatModifier,
    PlaneLayout,
    Source,
    Usage,
    fourcc_name,
)

_PRODUCES = Usage.DECODE | Usage.CAMERA | Usage.RENDER
_MOST_BYTES = (1 << 40) - 1  # of an object; more than any machine has
_MOST_PLACE = (1 << 32) - 1  # an offset or a pitch, which are 32 bits in linux-dmabuf
_V4L2_MAJOR = 81  # Documentation/admin-guide/devices.txt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire check-frame`."""
    add_platform(parser)
    add_participants(parser, such_as="display:scanout", default="the platform's display and GPU")
    parser.add_argument(
        "--format",
        metavar="FOURCC[:MODIFIER]",
        type=_pair,
        required=True,
        help="such as NV12, or NV12:0x0100000000000001",
    )
    parser.add_argument(
        "--size", metavar="WxH", type=extent, required=True, help="what the frame has room for"
    )
    parser.add_argument(
        "--picture", metavar="WxH", type=extent, help="what of it is the picture (default: all)"
    )
    parser.add_argument(
        "--object",
        metavar="MEMORY:BYTES",
        type=_object,
        action="append",
        required=True,
        help="a dma-buf: a memory of the platform by its name, or the exp_name that "
        "/proc/PID/fdinfo tells of it, such as videobuf2_vmalloc; repeat it for more",
    )
    parser.add_argument(
        "--plane",
        metavar="[OBJECT:]OFFSET:PITCH",
        type=_plane,
        action="append",
        required=True,
        help="where a plane is, in bytes, in the order of the format; repeat it for more",
    )
    parser.add_argument(
        "--exporter",
        metavar="DEVICE",
        help="the platform's device that allocated it (default: one that the platform lacks)",
    )
    parser.add_argument(
        "--no-iommu",
        action="store_true",
        help="the exporter is behind no IOMMU, so that what it calls contiguous is",
    )
    add_json(parser)
    add_schema(parser, "check-frame")


def run(options: argparse.Namespace) -> int:
    """Judge the frame; 1 if nobody can use it as it is."""
    _check_planes(options)
    platform = load_platform(options.platform)
    members = [platform.participant(device, usage) for device, usage in options.participant]
    if not members:
        # Who fills it has done so already.
        members = [m for m in default_participants(platform) if not m.usage & _PRODUCES]
    if not members:
        raise nobody_takes_part(platform, "display or GPU")
    exporter = _exporter(platform, options.exporter, without_iommu=options.no_iommu)
    frame = ExportedFrame(
        exporter=exporter.name,
        format=options.format,
        extent=options.size,
        objects=tuple(
            ExportedObject(_source(platform, exporter, name), size) for name, size in options.object
        ),
        planes=tuple(options.plane),
    )
    problem = problem_of(
        platform,
        members,
        fourcc=frame.format.fourcc,
        size=options.picture or frame.extent,
        buffers=4,
        content=Content(),
    )
    asked = frame_problem(problem, frame)
    answer = solve(asked)
    document = explain_document(asked, answer)
    if not answer.plans or answer.failures:
        document = {**document, "instead": explain_document(problem, solve(problem))}
    show(document, _render, as_json=options.json)
    return DONE if answer.plans else FAILED


def _check_planes(options: argparse.Namespace) -> None:
    """`SlipError` if there are not as many planes as a format in rows has; others may have more."""
    pair: FormatModifier = options.format
    known = FORMATS.get(pair.fourcc)
    if pair.modifier == LINEAR and known is not None and len(options.plane) != len(known.planes):
        name, number = fourcc_name(pair.fourcc), len(known.planes)
        raise slip(options, f"{name} in rows has {number} planes: give --plane for each of them")


def _render(document: Document) -> str:
    plans = documents(document["plans"])
    if not plans:
        verdict = "not as it is"
    elif plans[0]["scanout"]:
        verdict = "good as it is: it can be scanned out"
    else:
        verdict = "good as it is: it can be composited"
    lines = [verdict, render_explain(document)]
    if "instead" in document:
        (instead,) = documents([document["instead"]])
        better = documents(instead["plans"])
        if better and (not plans or better[0]["goal"] != plans[0]["goal"]):
            lines += ["", "what would do better", render_explain(instead)]
    return "\n".join(lines)


def _exporter(platform: Platform, name: str | None, *, without_iommu: bool) -> Exporter:
    if name is None:
        taken = {device.id for device in platform.devices}
        minor = next(n for n in range(len(taken) + 1) if DeviceId(_V4L2_MAJOR, n) not in taken)
        iommu = False if without_iommu else None
        return Exporter(name="the exporter", device=DeviceId(_V4L2_MAJOR, minor), iommu=iommu)
    device = platform.device(name)
    if device.id is None:
        raise InputError(f"{name} has no node, and so no memory of its own")
    return Exporter(
        name=device.name, device=device.id, iommu=False if without_iommu else device.iommu
    )


def _source(platform: Platform, exporter: Exporter, name: str) -> Source:
    """A memory of the platform by its name, else what the kernel calls the exporter."""
    for source in platform.sources:
        if source.name == name:
            return source
    if name in FACTS_OF_EXPORTERS:
        return exporter.memory(name)
    memories = [*(source.name for source in platform.sources), *FACTS_OF_EXPORTERS]
    raise InputError(f"nothing is known of a memory {name!r}{did_you_mean(name, memories)}")


def _pair(text: str) -> FormatModifier:
    fourcc(text.partition(":")[0])  # says which format may be meant
    try:
        return parse_drm_format(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _object(text: str) -> tuple[str, int]:
    name, _, digits = text.rpartition(":")
    size = decimal(digits, _MOST_BYTES)
    if not name or not size:
        form = f"MEMORY:BYTES, such as system:3133440, with 1 to {_MOST_BYTES} bytes"
        raise argparse.ArgumentTypeError(f"{shown(text)} is not {form}")
    return name, size


def _plane(text: str) -> PlaneLayout:
    numbers = [decimal(word, _MOST_PLACE) for word in text.split(":")]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or len(known) not in (2, 3):
        form = f"[OBJECT:]OFFSET:PITCH, such as 2088960:1920, with numbers from 0 to {_MOST_PLACE}"
        raise argparse.ArgumentTypeError(f"{shown(text)} is not {form}")
    *object_, offset, pitch = known
    return PlaneLayout(object_[0] if object_ else 0, offset, pitch)
