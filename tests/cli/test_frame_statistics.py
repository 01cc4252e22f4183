"""The lines that say what becomes of frames."""

from __future__ import annotations

import json

from heapwire.cli.pages import FrameStatistics
from heapwire.client_lib.player import FrameFate


def frame(number, time, fate="scanned out", **more):
    return FrameFate(number=number, position=number / 10, time=time, fate=fate, **more)


def test_a_line_a_second(capsys):
    statistics = FrameStatistics(seconds=True, lines=False)
    statistics.add(frame(1, 7.1, late=0.001, latency=0.02, copied=10, sources=("linux,cma",)))
    statistics.add(frame(2, None, "dropped"))
    statistics.add(
        frame(3, 7.9, "composited", reason="memory", late=0.004, latency=0.03, sources=("system",))
    )
    assert capsys.readouterr().err == ""
    statistics.add(frame(4, 8.0))
    assert capsys.readouterr().err == (
        "0.3 s: 1 scanned out, 1 composited (memory 1), 1 dropped, jitter 3.0 ms, latency 25.0 ms, "
        "10 bytes copied, in linux,cma and system\n"
    )
    statistics.tell()
    statistics.tell()
    assert capsys.readouterr().err == (
        "0.4 s: 1 scanned out, 0 composited, 0 dropped, 0 bytes copied\n"
    )
    assert statistics.lines == []


def test_a_line_says_explicit_sync_where_all_that_was_shown_had_it(capsys):
    statistics = FrameStatistics(seconds=True, lines=False)
    statistics.add(frame(1, 7.1, explicit_sync=True))
    statistics.add(frame(2, None, "dropped"))
    statistics.tell()
    statistics.add(frame(3, 7.1, explicit_sync=True))
    statistics.add(frame(4, 7.2))
    statistics.tell()
    assert capsys.readouterr().err == (
        "0.2 s: 1 scanned out, 0 composited, 1 dropped, 0 bytes copied, explicit sync\n"
        "0.4 s: 2 scanned out, 0 composited, 0 dropped, 0 bytes copied\n"
    )


def test_a_line_of_json_a_frame(capsys):
    statistics = FrameStatistics(seconds=False, lines=True)
    statistics.add(frame(1, 7.5, copied=10, sources=("system",)))
    statistics.tell()
    assert capsys.readouterr().err == ""
    [line] = statistics.lines
    assert json.loads(line) == {
        "number": 1, "position": 0.1, "fate": "scanned out", "reason": "", "time": 7.5,
        "late": None, "jitter": None, "latency": None, "copied": 10, "sources": ["system"],
        "explicit_sync": False,
    }  # fmt: skip
