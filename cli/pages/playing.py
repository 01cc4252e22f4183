"""A player on the command line: its options, its progress, and what came of it."""

from __future__ import annotations

import argparse
import signal
import sys

from heapwire.cli.arguments import (
    MOST_FRAMES,
    add_json,
    add_platform,
    add_policy,
    add_schema,
    add_timeout,
    fourcc,
    output_file,
    whole_number,
)
from heapwire.cli.pages.batch_answer import conflict_members
from heapwire.cli.pages.frame_statistics import FrameStatistics
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, complain, documents, show, texts
from heapwire.client_lib.negotiation import ConflictError
from heapwire.client_lib.player import (
    FrameCounts,
    Material,
    Player,
    PlayOptions,
    PlayResult,
    Progress,
)
from heapwire.kernel.description import Platform
from heapwire.protocol.explain import Document, Json, plan_document
from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import trace_document


def add_player(parser: argparse.ArgumentParser) -> None:
    """What every player has: how many frames, in which format, and what is told of them."""
    parser.add_argument(
        "--frames", metavar="N", type=whole_number(MOST_FRAMES), help="stop after so many"
    )
    parser.add_argument("--fullscreen", action="store_true", help="ask for the whole screen")
    parser.add_argument(
        "--format", metavar="FOURCC", type=fourcc, help="write only this format, such as NV12"
    )
    parser.add_argument(
        "--capture",
        metavar="FILE",
        type=output_file,
        help="write the negotiation for `heapwire replay`",
    )
    parser.add_argument(
        "--stats",
        action="store_true",
        help="say each second on standard error what becomes of the frames",
    )
    parser.add_argument(
        "--stats-file",
        metavar="FILE",
        type=output_file,
        help="write what becomes of each frame, a line of JSON each",
    )
    parser.add_argument(
        "--require-dmabuf",
        action="store_true",
        help="fail where frames would have to be copied through wl_shm instead: without "
        "linux-dmabuf, or without memory to negotiate about",
    )
    add_timeout(parser)
    add_platform(parser)
    add_policy(parser)
    add_json(parser)
    add_schema(parser, "play")


def run_player(
    options: argparse.Namespace,
    material: str | Material,
    platform: Platform,
    play_options: PlayOptions,
) -> int:
    """Play to the end, or until interrupted, and say what came of it: `FAILED` if nobody saw it."""
    meter = Meter()
    statistics = FrameStatistics(seconds=options.stats, lines=options.stats_file is not None)
    player = Player(
        material,
        platform=platform,
        options=play_options,
        on_progress=None if options.stats else meter.show,
        on_fate=statistics.add if options.stats or options.stats_file else None,
    )
    result = played(player, meter, as_json=options.json)
    statistics.tell()
    if options.stats_file is not None:
        options.stats_file.write_text("".join(statistics.lines))
    if result is None:
        return FAILED
    if options.capture is not None:
        options.capture.write_json(trace_document(result.events))
    show(play_document(result), render_play, as_json=options.json)
    frames = result.frames
    if frames.shown or result.stopped or not frames.decoded:
        return DONE
    complain(f"none of the {frames.decoded} frames was on the screen: all were discarded")
    return FAILED


def played(player: Player, meter: Meter, *, as_json: bool) -> PlayResult | None:
    """Play; Ctrl-C ends it in order. None if there is no plan, which has been reported then."""
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: player.stop())
    try:
        return player.play()
    except ConflictError as error:
        meter.clear()
        complain(str(error))
        if as_json:
            show(conflict_document(error), str, as_json=True)
        return None
    finally:
        signal.signal(signal.SIGINT, before)
        meter.clear()


def conflict_document(error: ConflictError) -> Document:
    """Why there is no plan, for programs."""
    return {
        "schema_version": SCHEMA_VERSION,
        "plan": None,
        "message": str(error),
        "conflict": conflict_members(error.entries),
    }


class Meter:
    """A line of progress on standard error, where that is a terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Redraw the line."""
        if self._on:
            counts = progress.counts
            total = f"/{progress.total}" if progress.total else ""
            print(
                f"\r{counts.shown}{total} frames, {counts.scanned_out} scanned out, "
                f"{counts.dropped} dropped ",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def clear(self) -> None:
        """Take the line away."""
        if self._on:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def play_document(result: PlayResult) -> Document:
    """The outcome for programs."""
    names = dict(result.source_names)
    plan = None if result.shared else result.plan  # nobody has agreed on it
    return {
        "schema_version": SCHEMA_VERSION,
        "frames": counts_document(result.frames),
        "decoder": result.decoder,
        "explicit_sync": result.explicit_sync,
        "bytes_copied_per_frame": result.bytes_copied_per_frame,
        "negotiations": result.negotiations,
        "through": "wl_shm" if result.shared else "linux-dmabuf",
        "plan": None if plan is None else plan_document(plan, names),
        "reasons": dict(result.reasons),
        "sources": _sources(result, names),
        "damaged": result.damaged,
        "faults": list(result.faults),
        "stopped": result.stopped,
    }


def counts_document(counts: FrameCounts) -> Document:
    """How many frames there were, by what became of them."""
    return {
        "decoded": counts.decoded,
        "shown": counts.shown,
        "scanned_out": counts.scanned_out,
        "composited": counts.composited,
        "dropped": counts.dropped,
    }


def render_play(document: Document) -> str:
    """The outcome for people."""
    lines: list[str] = []
    sources = documents(document["sources"])
    if sources:
        lines.append("sources considered")
        lines += [
            f"    {source['name']} ({source['kind']} {source['major']}:{source['minor']}): "
            f"{source['reason']}"
            for source in sources
        ]
    plan = document["plan"]
    if isinstance(plan, dict):
        lines += _plan_lines(plan)
    frames = document["frames"]
    assert isinstance(frames, dict)
    lines.append(
        f"{frames['shown']} of {frames['decoded']} frames shown: {frames['scanned_out']} "
        f"scanned out, {frames['composited']} composited; {frames['dropped']} dropped"
    )
    reasons = document["reasons"]
    if isinstance(reasons, dict):
        lines += [f"    not scanned out: {why} ({count})" for why, count in reasons.items()]
    copied = document["bytes_copied_per_frame"]
    sync = "; explicit sync" if document["explicit_sync"] else ""
    lines.append(
        f"decoded by {document['decoder']}; {copied} bytes copied per frame by the CPU{sync}"
    )
    lines += [f"note: {fault}" for fault in texts(document["faults"])]
    if document["stopped"]:
        lines.append("stopped before the end")
    return "\n".join(lines)


def _plan_lines(plan: Document) -> list[str]:
    objects = documents(plan["objects"])
    how = "scanned out" if plan["scanout"] else "sampled"
    lines = [f"plan: {plan['fourcc']} {plan['modifier_name']}, to be {how}"]
    for index, plane in enumerate(documents(plan["planes"])):
        number = plane["object"]
        assert isinstance(number, int)
        source = objects[number]["source"]
        assert isinstance(source, dict)
        lines.append(
            f"    plane {index}: {source['name']}, offset {plane['offset']}, pitch {plane['pitch']}"
        )
    for reason in documents(plan["reasons"]):
        where = "" if reason["plane"] is None else f"plane {reason['plane']}: "
        lines.append(f"    why: {where}{reason['text']}")
    return lines


def _sources(result: PlayResult, names: dict[SourceId, str]) -> list[Json]:
    """Every source of the last answer: chosen, or why not."""
    if result.plan is None or result.shared:
        return []
    chosen = dict.fromkeys(entry.source for entry in result.plan.layout.objects)
    told = [(source, True, "chosen") for source in chosen]
    told += [
        (refusal.source, False, refusal.text)
        for refusal in result.refusals
        if refusal.source not in chosen
    ]
    return [
        {
            "kind": source.kind.name.lower(),
            "name": names.get(source, str(source)),
            "major": source.major,
            "minor": source.minor,
            "chosen": taken,
            "reason": text,
        }
        for source, taken, text in told
    ]
