"""Whether the buffers that a camera has allocated itself are good for those who show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from heapwire.client_lib.errors import AllocationError
from heapwire.client_lib.exporters import ExportedFrame, Exporter, frame_problem
from heapwire.kernel.description import Device, Platform
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol.explain import solve
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import (
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Plan,
    PlaneLayout,
    Problem,
    Source,
    SourceId,
    Usage,
)

_Layout: TypeAlias = "tuple[FormatModifier, tuple[PlaneLayout, ...]]"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why nobody scans them out, and why nobody composites them; None where somebody does."""

    scanned_out: str | None
    composited: str | None


class OwnBuffers:
    """Judges them by what the platform knows of its displays and of who samples.

    `device` is the camera and `producer` what it needs of other buffers. What nobody knows, as
    whether an IOMMU makes one run of its memory, is no fault: the compositor's import decides.
    """

    def __init__(self, platform: Platform, device: Device, producer: Participant) -> None:
        assert device.id is not None, "a camera that was opened has a node"
        self._platform = platform
        self._producer = producer
        self._exporter = Exporter(name=device.name, device=device.id, iommu=bool(device.iommu))
        self._verdicts: dict[_Layout, _Verdict] = {}

    @property
    def memory(self) -> Source:
        """The camera's own memory, as a source that everybody can use.

        Plans are made before there is a buffer. What it is, is judged by the buffer.
        """
        return Source(
            id=SourceId.device(self._exporter.device),
            name=f"{self._exporter.name}'s own",
            contiguous=True,
            protected=False,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Why those that are only composited are not scanned out, as sentences."""
        told = (one.scanned_out for one in self._verdicts.values() if one.composited is None)
        return tuple(dict.fromkeys(text for text in told if text is not None))

    def check(self, plan: Plan) -> None:
        """Raise `AllocationError` for a plan that promises more than is known to be kept."""
        verdict = self._verdicts.get(_layout_of(plan))
        fault = verdict and (verdict.scanned_out if plan.scanout else verdict.composited)
        if fault is not None:
            raise AllocationError(fault)

    def frame(self, plan: Plan, objects: Sequence[DmaBuf]) -> ExportedFrame:
        """A buffer that is laid out as in a plan, judged; raises what `check` raises."""
        frame = ExportedFrame(
            exporter=self._exporter.name,
            format=FormatModifier(plan.fourcc, plan.modifier),
            extent=plan.layout.extent,
            objects=tuple(
                self._exporter.object_of(one.fd, one.size, machine=self._platform)
                for one in objects
            ),
            planes=plan.layout.planes,
        )
        if _layout_of(plan) not in self._verdicts:
            self._verdicts[_layout_of(plan)] = self._judged(frame)
        self.check(plan)
        return frame

    def _judged(self, frame: ExportedFrame) -> _Verdict:
        displays = self._goals(Usage.SCANOUT)
        # Where nothing samples, it is the CPU that composites: it reaches all that V4L2 exports.
        samplers = self._goals(Usage.SAMPLING) or [Goal(name="drawn by the CPU")]
        return _Verdict(
            self._fault(frame, displays, "scanned out"),
            self._fault(frame, samplers, "composited"),
        )

    def _goals(self, usage: Usage) -> list[Goal]:
        """One for each device: any of them may be the one that shows it."""
        users = [device.name for device in self._platform.devices if usage in device.sets]
        return [
            Goal(
                name=name,
                participants=(self._platform.participant(name, usage),),
                scanout=usage is Usage.SCANOUT,
            )
            for name in users
        ]

    def _fault(self, frame: ExportedFrame, goals: Sequence[Goal], shown: str) -> str | None:
        """Why none of some goals can be met with the frame, and what would do in its place."""
        mine = f"{frame.exporter}'s own buffers cannot be {shown}"
        if not goals:
            return f"{mine}: {self._platform.name} has nothing that does so"
        answer = solve(frame_problem(self._problem(frame, goals, ()), frame))
        if answer.plans:
            return None
        better = solve(self._problem(frame, goals, (self._producer,))).plans
        sources = better[0].layout.objects if better else ()
        names = " and ".join(dict.fromkeys(self._platform.source_name(o.source) for o in sources))
        return f"{mine}: {answer.message}" + (f"; buffers from {names} can be" if names else "")

    def _problem(
        self, frame: ExportedFrame, goals: Iterable[Goal], participants: Iterable[Participant]
    ) -> Problem:
        extents = Extents(coded=frame.extent)
        return self._platform.problem(goals=goals, participants=participants, extents=extents)


def _layout_of(plan: Plan) -> _Layout:
    return FormatModifier(plan.fourcc, plan.modifier), plan.layout.planes
