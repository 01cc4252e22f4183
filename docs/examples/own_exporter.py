"""Frames of ACME's camera library, which allocates them itself, and what a compositor says.

An exporter is a function that makes an `ExportedFrame` of what a library tells of a frame. A
client gives `.fixed` of it to `Negotiation.set_fixed`; here a simulated machine is asked.
"""

from dataclasses import dataclass

from heapwire.client_lib import (
    DeviceId,
    ExportedFrame,
    ExportedObject,
    Exporter,
    Extent,
    Extents,
    FormatModifier,
    Platform,
    Usage,
    frame_problem,
)
from heapwire.protocol import LINEAR, Goal, PlaneLayout, parse_fourcc, solve

CAMERA = Exporter(name="ACME's camera", device=DeviceId(81, 0), iommu=False)


@dataclass
class AcmeFrame:
    """What the library tells: NV12, both planes in one dma-buf, one stride; sizes in bytes."""

    width: int
    height: int
    stride: int
    chroma_offset: int
    bytes: int
    exporter: str  # of the dma-buf, in /proc/PID/fdinfo; `CAMERA.object_of(fd)` asks by itself


def exported(frame: AcmeFrame) -> ExportedFrame:
    """The frame as the solver is asked about it."""
    return ExportedFrame(
        exporter=CAMERA.name,
        format=FormatModifier(parse_fourcc("NV12"), LINEAR),
        extent=Extent(frame.width, frame.height),
        objects=(ExportedObject(CAMERA.memory(frame.exporter), frame.bytes),),
        planes=(
            PlaneLayout(object=0, offset=0, pitch=frame.stride),
            PlaneLayout(object=0, offset=frame.chroma_offset, pitch=frame.stride),
        ),
    )


def verdict(frame: AcmeFrame, platform: Platform) -> str:
    """Whether the display of a Rockchip RK3288 can scan the frame out as it is, and why not."""
    display = platform.participant("vop", Usage.SCANOUT)
    problem = platform.problem(
        goals=(Goal(name="scanout", participants=(display,), scanout=True),),
        extents=Extents(coded=Extent(frame.width, frame.height)),
    )
    answer = solve(frame_problem(problem, exported(frame)))
    if answer.plans:
        return "good as it is"
    return "; ".join(member.text for member in answer.conflict)


if __name__ == "__main__":
    machine = Platform.load("rockchip-rk3288")
    for name in ("videobuf2_dma_contig", "videobuf2_vmalloc"):
        frame = AcmeFrame(1280, 720, 1280, 1280 * 720, 1280 * 720 * 3 // 2, name)
        print(f"{name}: {verdict(frame, machine)}")
