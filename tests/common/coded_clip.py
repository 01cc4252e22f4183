"""Clips in which something moves, and what FFmpeg reads in the headers of a stream."""

from __future__ import annotations

import re

import av
import av.logging
import numpy as np


def coded_clip(path, encoder, options, *, size=(640, 480), pictures=12):
    """The path of a clip, which is written there."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=25, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(pictures):
            picture = np.dstack((columns + 4 * number, 2 * rows, columns + rows)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def coded_packets(path):
    """The packets of a clip, as bytes."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def coded_headers(path):
    """For each packet a dictionary: the fields of its headers by name, the first of each.

    FFmpeg's filter `trace_headers` names them as the standards do.
    """
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tracer = av.BitStreamFilterContext("trace_headers", stream)
        av.logging.set_level(av.logging.TRACE)
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                with av.logging.Capture() as lines:
                    tracer.filter(packet)
                fields = {}
                for _, _, line in lines:
                    field = re.match(r"\d+ +(\S+) +[01]* = (-?\d+)", line.strip())
                    if field:
                        fields.setdefault(field[1], int(field[2]))
                found.append(fields)
        finally:
            av.logging.set_level(None)
    return found
