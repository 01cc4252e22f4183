"""Decoders that parse nothing: what the driver is told, and that what it reads stays as it is."""

from __future__ import annotations

import errno
import os

import pytest
from fake_stateless import DAMAGE, I_FRAME, MEDIA, NODE, RGB, YUV, StatelessKernel, frame

from heapwire.kernel.memory import MemfdMemory
from heapwire.kernel.video import StatelessDecoder, stateless_form
from heapwire.kernel.video.fwht_parser import FwhtParser
from heapwire.kernel.video.media_device import media_node
from heapwire.kernel.video.stateless_codec import STATELESS
from heapwire.protocol import InputError, MachineError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Extent, HeapId, Source, SourceId, fourcc

FWHT, SIZE = fourcc("FWHT"), Extent(640, 480)
SYSTEM = Source(id=SourceId.heap(HeapId(251, 9)), name="system")


@pytest.fixture
def kernel():
    return StatelessKernel()


def opened(kernel):
    return StatelessDecoder(
        NODE,
        call=kernel,
        opened=kernel.opened,
        media_of=kernel.media_of,
        poller=kernel.poller,
    )


@pytest.fixture
def memory():
    """Some buffers; each slot is given another one each time, as a player does."""
    heap = MemfdMemory((SYSTEM,))
    buffers = [heap.allocate(SYSTEM.id, 1 << 12) for _ in range(6)]
    yield buffers
    for buffer in buffers:
        buffer.close()


class Playing:
    """Feeds packets, and gives whatever slot and buffer is not read any more."""

    def __init__(self, kernel, decoder, buffers, slots=4):
        self.kernel, self.decoder, self.slots = kernel, decoder, slots
        self.free, self.idle, self.held = list(buffers), [], {}
        self.pictures, self.sizes, self.refused = [], [], 0

    def play(self, packets, start=True):
        decoder, left = self.decoder, list(enumerate(packets, start=1))
        if start:
            decoder.start(FWHT, SIZE)
        draining = False
        for _ in range(1000):
            while left and decoder.hungry:
                stamp, packet = left.pop(0)
                try:
                    decoder.feed(packet, stamp)
                except InputError:
                    self.refused += 1
            if decoder.changed:
                self.sizes.append(decoder.visible)
                self.free += self.held.values()
                self.held = {}
                decoder.set_up(decoder.layouts()[0], self.slots)
                self.idle = list(range(self.slots))
            elif not left and not draining:
                decoder.drain()
                draining = True
            self.give()
            self.kernel.work()
            picture = decoder.take()
            if picture is not None:
                with self.held[picture.slot].map() as view:
                    self.pictures.append(None if picture.damaged else view[0])
                self.idle.append(picture.slot)
            elif decoder.ended:
                return self.pictures
        raise AssertionError("it never ends")

    def give(self):
        for slot in [one for one in self.idle if one not in self.decoder.kept]:
            if slot in self.held:
                self.free.append(self.held.pop(slot))
            self.idle.remove(slot)
            self.held[slot] = self.free.pop(0)
            self.decoder.give(slot, [self.held[slot]])


def packets(count, every=10):
    """Key frames of 1, and others that add 1 each."""
    return [frame(1, key=number % every == 0) for number in range(count)]


def values(count, every=10):
    return [number % every + 1 for number in range(count)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("slots", [2, 3, 6])
def test_pictures_come_out_as_they_are_in_the_stream(kernel, memory, late, slots):
    kernel.late = late
    with opened(kernel) as decoder:
        assert Playing(kernel, decoder, memory, slots).play(packets(35)) == values(35)


def test_few_requests_are_used_again_and_again(kernel, memory):
    with opened(kernel) as decoder:
        Playing(kernel, decoder, memory).play(packets(30))
    assert kernel.calls.count("request_alloc") == 4
    assert kernel.calls.count("request_queue") == kernel.calls.count("request_reinit") == 30


def test_the_driver_is_told_what_the_header_says(kernel, memory):
    with opened(kernel) as decoder:
        Playing(kernel, decoder, memory).play([frame(1, key=True), frame(1), frame(1, key=True)])
    rest = (3, 2, 1, 2)
    assert kernel.told == [
        (0, 3, 640, 480, RGB | I_FRAME, *rest),
        (1000, 3, 640, 480, RGB, *rest),  # the first one's stamp, in nanoseconds
        (0, 3, 640, 480, RGB | I_FRAME, *rest),
    ]


def test_a_picture_is_kept_while_something_refers_to_it(kernel, memory):
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        assert decoder.least_buffers == 2
        decoder.set_up(decoder.layouts()[0], 3)
        for slot in range(3):
            decoder.give(slot, [memory[slot]])
        assert decoder.kept == set()
        kernel.work()
        first = decoder.take().slot
        assert decoder.kept == {first}  # whatever comes may refer to it
        decoder.feed(frame(1), 2)
        assert decoder.kept == {first}  # and this one does
        kernel.work()
        second = decoder.take().slot
        assert decoder.kept == {second}
        decoder.feed(frame(1, key=True), 3)
        assert decoder.kept == set()


@pytest.mark.parametrize(("pixels", "codes"), [(RGB, ["XR24", "AR24"]), (YUV, ["YU12", "NV12"])])
def test_only_formats_that_the_stream_can_be_had_in_are_offered(kernel, pixels, codes):
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True, pixels=pixels), 1)
        layouts = decoder.layouts()
        assert [layout.fourcc for layout in layouts] == [fourcc(code) for code in codes]
        assert {layout.extent for layout in layouts} == {SIZE}


def test_a_stream_that_no_format_is_for_is_told_as_such(kernel):
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True, version=2), 1)
        with pytest.raises(MachineError, match="takes no such stream of 640x480 in any format"):
            decoder.layouts()


def test_pictures_of_another_size_are_set_up_anew_after_those_from_before(kernel, memory):
    large = [frame(5, key=True, size=(800, 600)), frame(1, size=(800, 600))]
    stream = [*packets(6), *large, *packets(3)]
    with opened(kernel) as decoder:
        playing = Playing(kernel, decoder, memory)
        assert playing.play(stream) == [*values(6), 5, 6, *values(3)]
    assert playing.sizes == [SIZE, Extent(800, 600), SIZE]


def test_a_packet_of_smaller_pictures_that_is_larger_than_theirs_has_room(kernel, memory):
    """It fits a buffer of the pictures before it, and those for smaller ones are smaller."""
    large, odd = (1920, 1080), frame(5, key=True, length=20_000)
    with opened(kernel) as decoder:
        playing = Playing(kernel, decoder, memory)
        assert playing.play([frame(4, key=True, size=large), odd, frame(1)]) == [4, 5, 6]


def test_a_small_packet_of_other_pictures_leaves_room_for_larger_ones(kernel):
    """How much they need is the driver's to say."""
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True, size=(1920, 1080), length=9), 1)
        assert decoder.changed
        assert decoder.fits(frame(1, size=(1920, 1080), length=20_000))


def test_a_packet_that_the_driver_has_no_room_for_is_told(memory):
    kernel = StatelessKernel(most=10_000)
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        decoder.set_up(decoder.layouts()[0], 2)
        decoder.give(0, [memory[0]])
        kernel.work()
        assert decoder.take()
        kernel.most = 1000  # from the next size on
        with pytest.raises(MachineError, match="a packet of 5000 bytes is more than the device"):
            decoder.feed(frame(1, key=True, size=(800, 600), length=5000), 2)


def test_pixels_of_another_kind_are_a_change_as_well(kernel, memory):
    other = [frame(5, key=True, pixels=YUV), frame(1, pixels=YUV)]
    with opened(kernel) as decoder:
        playing = Playing(kernel, decoder, memory)
        assert playing.play([*packets(2), *other]) == [1, 2, 5, 6]
    assert playing.sizes == [SIZE, SIZE]


def test_a_stream_of_another_size_than_the_file_said(kernel, memory):
    size = (1024, 768)
    with opened(kernel) as decoder:
        playing = Playing(kernel, decoder, memory)
        assert playing.play([frame(4, key=True, size=size)]) == [4]
    assert playing.sizes == [Extent(*size)]


def test_a_damaged_picture_is_told_and_so_is_what_needs_what_is_not_there(kernel, memory):
    with opened(kernel) as decoder:
        stream = [frame(1), frame(1, key=True), frame(DAMAGE, key=True), frame(3, key=True)]
        assert Playing(kernel, decoder, memory).play(stream) == [None, 1, None, 3]


def test_a_packet_that_the_driver_refuses_is_done_without(kernel, memory):
    """What follows refers to the last picture that there is."""
    with opened(kernel) as decoder:
        playing = Playing(kernel, decoder, memory)
        stream = [frame(1, key=True), frame(1, version=1), b"rubbish", frame(1)]
        assert playing.play(stream) == [1, 2]
        assert playing.refused == 2


def test_what_could_not_be_set_up_can_be_set_up_again(kernel, memory):
    """A driver takes no format while there are buffers, whether it runs or not (EBUSY)."""
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        kernel.refuses = {"streamon": errno.EIO}
        with pytest.raises(OSError, match="Input/output error"):
            decoder.set_up(decoder.layouts()[0], 3)
        kernel.refuses = {}
        assert Playing(kernel, decoder, memory).play(packets(3)) == values(3)


def test_it_can_begin_again(kernel, memory):
    with opened(kernel) as decoder:
        Playing(kernel, decoder, memory).play(packets(5))
        assert Playing(kernel, decoder, memory).play(packets(5)) == values(5)
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        decoder.set_up(decoder.layouts()[0], 2)
        assert not decoder.hungry or decoder.digesting
        decoder.start(FWHT, SIZE)  # with a packet and a request in the driver's hands
        assert decoder.hungry
        assert not decoder.digesting


def test_one_that_is_gone_says_so(kernel):
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        decoder.set_up(decoder.layouts()[0], 2)
        kernel.gone = True
        with pytest.raises(MachineError, match="the decoder has failed: it is gone"):
            decoder.take()


def test_a_request_that_was_let_go_of_is_a_failure(kernel):
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(1, key=True), 1)
        decoder.set_up(decoder.layouts()[0], 2)
        for state in kernel.requests.values():
            state[0] = "idle"
        with pytest.raises(MachineError, match="it let go of a request"):
            decoder.take()


@pytest.mark.parametrize(
    ("setting", "refuses", "words"),
    [
        ({}, {MEDIA: errno.EACCES}, "/dev/media3, which gives the requests: Permission denied"),
        ({}, {"request_alloc": errno.ENOTTY}, "/dev/media3 gives no requests"),
        ({"codes": (b"S264",)}, {}, "the driver does not decode SFWH"),
        ({"largest": (320, 200)}, {}, "the driver decodes at most .*, and this is 640x480"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_stays_open(setting, refuses, words):
    kernel = StatelessKernel(**setting)
    kernel.refuses = refuses
    with pytest.raises(MachineError, match=words), opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)


def test_a_codec_that_nobody_here_parses_is_said(kernel):
    assert stateless_form(fourcc("H264")) is None
    with (
        pytest.raises(MachineError, match="it parses nothing, and nothing here parses H264 for it"),
        opened(kernel) as decoder,
    ):
        decoder.start(fourcc("H264"), SIZE)


def test_a_picture_that_is_not_to_be_shown_is_told_as_such(kernel, memory, monkeypatch):
    """The parser says so; the picture is kept like any other."""

    class Hiding(FwhtParser):
        def read(self, packet):
            return replace(super().read(packet), hidden=packet[-1] == 2)

    monkeypatch.setitem(STATELESS, FWHT, Hiding)
    with opened(kernel) as decoder:
        decoder.start(FWHT, SIZE)
        decoder.feed(frame(2, key=True), 1)
        decoder.set_up(decoder.layouts()[0], 2)
        decoder.give(0, [memory[0]])
        kernel.work()
        hidden = decoder.take()
        assert (hidden.slot, hidden.hidden, decoder.kept) == (0, True, {0})
        decoder.feed(frame(1), 2)
        decoder.give(1, [memory[1]])
        kernel.work()
        assert not decoder.take().hidden
        with memory[1].map() as view:
            assert view[0] == 3, "it was read"


def test_the_media_device_is_the_one_beside_the_node(tmp_path):
    fd = os.open("/dev/null", os.O_RDONLY)  # 1:3
    try:
        with pytest.raises(MachineError, match=r"no media device .* CONFIG_MEDIA_CONTROLLER"):
            media_node(fd, tmp_path)
        (tmp_path / "1:3" / "device" / "media7").mkdir(parents=True)
        assert media_node(fd, tmp_path) == "/dev/media7"
    finally:
        os.close(fd)
