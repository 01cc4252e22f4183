"""Whether a frame that exists is good as it is, and what would have to change."""

from __future__ import annotations

from dataclasses import replace

from heapwire.client_lib.exporters.exported_frame import ExportedFrame
from heapwire.protocol.values import Problem


def frame_problem(problem: Problem, frame: ExportedFrame) -> Problem:
    """A problem, asked of a frame that exists: `solve` answers it.

    A plan of the answer says that the frame is good as it is, and for which goal; where there
    is none the conflict names what it lacks, and the nearest numbers that would do. The
    problem itself says what to allocate in its place. Of a source that it has the problem knows
    more than the frame; of the others there is none that a frame which exists could come from.
    """
    known = {source.id: source for source in problem.sources}
    sources = tuple(known.get(source.id, source) for source in frame.sources)
    return replace(problem, fixed=frame.fixed, sources=sources)
