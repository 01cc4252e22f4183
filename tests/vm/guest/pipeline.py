"""Runs in the guest: a real clip through encoder, decoder and display, in negotiated buffers.

Prints what was planned, and the checksums of each frame: as the decoder gives it into its own
memory, into the negotiated buffers, and as the display's writeback saw it.
"""

import contextlib
import json
import os
import select
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import reference_decoder
from clip import pictures
from kms import Display
from limits import PATIENCE
from m2m_encoder import M2mEncoder
from visl_log import VislLog

from heapwire.kernel.discovery import local_platform
from heapwire.kernel.video import M2mDecoder, StatelessDecoder
from heapwire.protocol.explain import plan_document, solve
from heapwire.protocol.values import (
    BufferCount,
    ConstraintSet,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Participant,
    Usage,
    parse_fourcc,
)

SIZE = Extent(640, 480)  # a mode that vkms has
FRAMES = 8
FWHT = int.from_bytes(b"FWHT", "little")
STATELESS_FWHT = int.from_bytes(b"SFWH", "little")
XR24 = int.from_bytes(b"XR24", "little")  # V4L2's name for what DRM calls XRGB8888
XRGB8888 = parse_fourcc("XRGB8888")


def able(platform, usage, driver, coded=None):
    """The first device of a driver that can be put to a use, with a bitstream of this kind."""
    return next(
        one
        for one in platform.devices
        if usage in one.sets and one.driver == driver and (coded is None or coded in one.bitstreams)
    )


def open_fds():
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def negotiated(platform, decoder, display):
    """The answer for decoder and display, and for XRGB8888, which both know."""
    wanted = ConstraintSet(formats=(FormatModifier(XRGB8888, 0),))
    return solve(
        platform.problem(
            participants=(
                platform.participant(decoder.name, Usage.DECODE),
                Participant(name="the stream", usage=Usage(0), sets=(wanted,)),
            ),
            goals=(
                Goal(
                    name="scanout",
                    participants=(platform.participant(display.name, Usage.SCANOUT),),
                    scanout=True,
                ),
            ),
            extents=Extents(coded=SIZE),
            counts=BufferCount(minimum=1, queue=1, hold=2),
        )
    )


def decoded_into(codec, packets, layout, buffers):
    """The index of the buffer of each picture; it is filled again when nobody needs it."""
    codec.start(FWHT, SIZE)
    left = list(enumerate(packets, start=1))
    idle = []
    ready = select.poll()
    ready.register(codec.fileno(), select.POLLIN)
    draining = False
    while not codec.ended:
        while left and codec.hungry:
            stamp, packet = left.pop(0)
            codec.feed(packet, stamp)
        if codec.changed:
            if isinstance(codec, StatelessDecoder):
                assert layout in [
                    replace(one, pitch_step=0, most_pitch=0) for one in codec.layouts()
                ]
            codec.set_up(layout, len(buffers))
            idle = list(range(len(buffers)))
        for slot in [one for one in idle if one not in codec.kept]:
            codec.give(slot, buffers[slot])
            idle.remove(slot)
        if not left and not draining and not codec.changed:
            codec.drain()
            draining = True
        picture = codec.take()
        if picture is None:
            assert codec.ended or codec.changed or ready.poll(PATIENCE * 1000)
        elif not picture.empty:
            assert not picture.damaged
            yield picture.slot
            idle.append(picture.slot)


def checksum(buffer, size):
    with buffer.map() as view:
        return zlib.crc32(view[:size])


def visible(buffer, pitch):
    """The checksum of the colours alone: what is in the X of XRGB is nobody's business."""
    with buffer.map() as view:
        rows = bytearray(view[: pitch * SIZE.height])
    rows[3::4] = bytes(len(rows) // 4)
    return zlib.crc32(rows)


def headers(packets):
    """Width, height and flags of each frame, as struct fwht_cframe_hdr has them: big-endian."""
    return [struct.unpack_from(">8x4xIII", packet) for packet in packets]


def told_to_visl(platform, node, packets):
    """What visl was told of each frame: the stamps of both pictures, and what was coded."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(VislLog())
        codec = stack.enter_context(StatelessDecoder(node))
        codec.start(FWHT, SIZE)
        codec.feed(packets[0], 1)
        layout = replace(codec.layouts()[0], pitch_step=0, most_pitch=0)
        codec.close()
        codec = stack.enter_context(StatelessDecoder(node))
        memory = platform.source("system").id
        buffers = [
            [stack.enter_context(platform.memory.allocate(memory, size)) for size in layout.sizes]
            for _ in range(4)
        ]
        for _ in decoded_into(codec, packets, layout, buffers):
            pass
        frames = log.frames()
    return {
        "stamps": [one["stamp"] for one in frames],
        "references": [one["references"]["backwards_ref_ts"] for one in frames],
        "coded": [one["coded"] for one in frames],
    }


def main():
    platform = local_platform()
    encoder = able(platform, Usage.ENCODE, "vicodec")
    decoder = able(platform, Usage.DECODE, "vicodec", FWHT)
    stateless = able(platform, Usage.DECODE, "vicodec", STATELESS_FWHT)
    display = able(platform, Usage.SCANOUT, "vkms")
    visl = able(platform, Usage.DECODE, "visl", STATELESS_FWHT)
    raw = list(pictures(sys.argv[1], SIZE, FRAMES))
    with M2mEncoder(encoder.node) as codec:
        packets = list(codec.encode(raw, raw=XR24, extent=SIZE, coded=FWHT))
    layout, mapped = reference_decoder.decode(
        decoder.node, packets, coded=FWHT, raw=XR24, extent=SIZE
    )
    own = [zlib.crc32(one) for one in mapped]
    answer = negotiated(platform, decoder, display)
    plan = answer.plans[0]
    names = {source.id: source.name for source in platform.sources}
    pitch = plan.layout.planes[0].pitch
    told = {
        "plan": plan_document(plan, names),
        "packets": [len(packet) for packet in packets],
        "driver": {"pitch": layout.pitches[0], "size": layout.sizes[0]},
        "own": own,
        "decoded": [],
        "stateless": [],
        "headers": headers(packets),
        "visl": told_to_visl(platform, visl.node, packets),
        "shown": [],
        "written_back": [],
    }
    before = open_fds()
    with contextlib.ExitStack() as stack:

        def allocate():
            entry = plan.layout.objects[0]
            return stack.enter_context(platform.memory.allocate(entry.source, entry.size))

        screen = Display(display.node)
        stack.callback(screen.close)
        size = (SIZE.width, SIZE.height, XRGB8888, pitch)
        buffers = [[allocate()] for _ in range(plan.buffer_count)]
        shots = allocate()
        pictures_on_screen = [
            stack.enter_context(screen.framebuffer(one.fd, *size)) for (one,) in buffers
        ]
        shot = stack.enter_context(screen.framebuffer(shots.fd, *size))
        with StatelessDecoder(stateless.node) as codec:
            told["stateless"] = [
                checksum(buffers[index][0], layout.sizes[0])
                for index in decoded_into(codec, packets, layout, buffers)
            ]
        codec = stack.enter_context(M2mDecoder(decoder.node))
        for index in decoded_into(codec, packets, layout, buffers):
            (buffer,) = buffers[index]
            told["decoded"].append(checksum(buffer, layout.sizes[0]))
            screen.show(pictures_on_screen[index], SIZE.width, SIZE.height, test=True)
            fence = screen.show(pictures_on_screen[index], SIZE.width, SIZE.height, into=shot)
            ready = select.poll()
            ready.register(fence, select.POLLIN)
            assert ready.poll(PATIENCE * 1000)
            os.close(fence)
            told["shown"].append(visible(buffer, pitch))
            told["written_back"].append(visible(shots, pitch))
    told["fds_left"] = sorted(open_fds() - before)
    print(json.dumps(told))


main()
