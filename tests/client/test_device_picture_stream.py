"""Playing what a device decodes: into the buffers that are shown, and without a copy."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pytest
from fake_compositor import CMA, XRGB, plan, plans
from fake_decoder import DAMAGE, FakeDecoder, packet
from open_files import open_fds
from patience import PATIENCE, turns
from playing_compositor import RgbCompositor
from test_decoder import encode

import heapwire.client_lib.player.decoding.decoder_choice
from heapwire.client_lib.buffers import Buffer
from heapwire.client_lib.player import Player, PlayOptions
from heapwire.client_lib.player.decoding.device_picture_stream import DevicePictureStream
from heapwire.client_lib.player.decoding.packet import Packet
from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.memory import CpuAccess, DmaBuf, MemfdMemory
from heapwire.protocol import InputError, MachineError, NotPossibleError, UsageError
from heapwire.protocol.values import (
    BY_NAME,
    Constraint,
    ConstraintSet,
    Content,
    DeviceId,
    Extent,
    FormatModifier,
    HeapId,
    Participant,
    Source,
    SourceId,
    Usage,
    fourcc,
    fourcc_name,
)
from heapwire.protocol.wire import decode_formats

FAST = PlayOptions(paced=False, timeout=PATIENCE)
SYSTEM = SourceId.heap(HeapId(251, 9))
SETS = (ConstraintSet(formats=tuple(FormatModifier(fourcc(c), 0) for c in ("XR24", "AR24"))),)
PRODUCER = Participant(name="video7:decode", usage=Usage.DECODE, sets=SETS, device=DeviceId(81, 7))


@dataclass
class File:
    most_gap, broken = 60.0, None

    """Packets; stamps are those of 25 pictures a second unless given."""

    packets: list[Packet]
    coded: int = fourcc("FAKE")
    extent: Extent = Extent(64, 48)
    content: Content = Content()
    light = None
    rate: Fraction = Fraction(25)
    count: int = 0
    pixel_aspect: Fraction = Fraction(1)
    damaged: int = 0
    closed: bool = field(default=False)

    def __iter__(self):
        return iter(self.packets)

    def close(self):
        self.closed = True


def file_of(*pictures, **more):
    return File([Packet(packet(one, **more), None) for one in pictures])


@pytest.fixture
def platform():
    sources = (
        Source(id=CMA, name="linux,cma", contiguous=True),
        Source(id=SYSTEM, name="system"),
    )
    return Platform(
        name="fake", sources=sources, devices=(), memory=MemfdMemory(sources), simulated=True
    )


@pytest.fixture
def fake(request):
    before = open_fds()
    compositor = getattr(request, "param", RgbCompositor)()
    yield compositor
    compositor.close()
    assert open_fds() <= before


@pytest.fixture
def play(fake, platform, monkeypatch):
    """Play packets that a decoder makes pictures of; what came of it."""

    def run(file, decoder, options=FAST, **more):
        def opened(_path, _platform, *, decoder=None, formats=(), faults=None):
            return DevicePictureStream(file, device, PRODUCER, name="video7", formats=formats)

        device = decoder
        monkeypatch.setattr(
            heapwire.client_lib.player.decoding.video_material, "open_picture_stream", opened
        )
        player = Player(
            "clip.fake", display=fake.socket.detach(), platform=platform, options=options, **more
        )
        try:
            return player.play()
        finally:
            assert file.closed
            assert decoder.closed
            assert platform.memory.live() == 0

    return run


def colours(fake):
    """The byte that fills each picture that was on the screen."""
    found = []
    for shown in fake.shown:
        (plane,) = shown.planes
        assert set(plane) == {plane[0]}
        found.append(plane[0])
    return found


def test_every_picture_is_shown_and_none_is_copied(fake, play):
    pictures = list(range(1, 40))
    result = play(file_of(*pictures), FakeDecoder())
    assert colours(fake) == pictures
    assert (result.frames.decoded, result.frames.shown, result.frames.dropped) == (39, 39, 0)
    assert result.frames.scanned_out == 39
    assert (result.bytes_copied_per_frame, result.decoder, result.damaged) == (0, "video7", 0)


@pytest.mark.parametrize("dirty", [True, False])
def test_what_the_device_leaves_in_the_caches_is_cleaned(fake, play, monkeypatch, dirty):
    """Between what is said before the device gets a buffer and after, the CPU writes."""
    turns = []
    monkeypatch.setattr(
        DmaBuf, "start_access", lambda self, access: turns.append(("start", access))
    )
    monkeypatch.setattr(DmaBuf, "end_access", lambda self, access: turns.append(("end", access)))
    if dirty:
        leaves = Constraint(type=BY_NAME["dirty-lines"].type, value=1)
        sets = tuple(replace(one, constraints=(leaves,)) for one in SETS)
        monkeypatch.setitem(globals(), "PRODUCER", replace(PRODUCER, sets=sets))
    play(file_of(1, 2, 3), FakeDecoder())
    edges = [edge for edge, _ in turns]
    # A buffer for each picture, and one that comes back empty at the end.
    assert edges.count("end") == (4 if dirty else 0) <= edges.count("start")
    assert {access for _, access in turns} == ({CpuAccess.WRITE} if dirty else set())
    assert turns[:1] == ([("start", CpuAccess.WRITE)] if dirty else [])


def test_the_devices_pitches_are_its_requirement(fake, play):
    """And of the same format with alpha and without, the one without: no picture has any."""
    play(file_of(1), FakeDecoder())
    creator = "xx_dmabuf_constraint_set_creator_v1"
    said = {
        (request.args[0], int.from_bytes(request.args[-1], "little"))
        for request in fake.of(creator)
        if request.name == "add"
    }
    pitch = 4 * (64 + 32)
    assert {(BY_NAME[name].type, pitch) for name in ("min-pitch", "max-pitch")} <= said
    assert (BY_NAME["min-size"].type, pitch * 48) in said
    formats = {
        pair.fourcc
        for request in fake.of(creator)
        if request.name == "add_formats"
        for pair in decode_formats(request.args[1])
    }
    assert formats == {fourcc("XR24")}


def test_a_plan_with_other_pitches_is_not_followed(fake, play):
    with pytest.raises(Exception, match="video7 does not lay its pictures out like this"):
        play(file_of(1), FakeDecoder(padding=64), replace(FAST, decoder="video7"))


def test_a_plan_with_a_pitch_that_may_be_asked_for_is_followed(fake, play):
    play(file_of(1), asked := FakeDecoder(padding=-128, step=64))
    assert [layout.pitches for layout, _ in asked.set_ups] == [(4 * (64 + 32),)]


def test_a_damaged_picture_is_skipped_and_counted(fake, play):
    result = play(file_of(1, 2, DAMAGE, 4, DAMAGE, 6), FakeDecoder())
    assert colours(fake) == [1, 2, 4, 6]
    assert result.damaged == 2


class Replanning(RgbCompositor):
    """Has a plan for other memory, unasked, after three frames."""

    def display(self, pending):
        super().display(pending)
        if len(self.shown) == 3:
            other = plan(pair=XRGB)
            (one,) = other.layout.objects
            layout = replace(other.layout, objects=(replace(one, source=SYSTEM),))
            self.send_batch(self.negotiation, plans(replace(other, layout=layout)))


@pytest.mark.parametrize("fake", [Replanning], indirect=True)
def test_memory_is_replaced_while_the_device_decodes_and_no_picture_is_lost(fake, play):
    decoder = FakeDecoder()
    pictures = list(range(1, 40))
    result = play(file_of(*pictures), decoder)
    assert colours(fake) == pictures
    assert len(decoder.set_ups) == 1  # the device went on as it was
    assert set(decoder.given[-4:]) == {SYSTEM}
    assert CMA in decoder.given
    assert result.frames.dropped == 0


@pytest.mark.parametrize("fake", [RgbCompositor, Replanning], indirect=True)
def test_a_device_that_reads_what_it_has_made(fake, play):
    pictures = list(range(1, 40))
    result = play(file_of(*pictures), FakeDecoder(refers=True))
    assert colours(fake) == pictures
    assert (result.frames.dropped, result.damaged) == (0, 0)


def test_a_picture_that_is_only_referred_to_is_not_shown(fake, play):
    """What comes after it looks whether it is still whole."""
    pictures = list(range(1, 40))
    hidden = pictures[3::5]
    result = play(file_of(*pictures), FakeDecoder(refers=True, hides=hidden))
    assert colours(fake) == [one for one in pictures if one not in hidden]
    assert (result.frames.dropped, result.damaged) == (0, 0)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_what_it_still_reads_is_not_filled_again_however_soon_it_is_free(platform, count):
    """The fake looks whether the picture before is still whole."""
    followed = plan(pair=XRGB)
    (entry,) = followed.layout.objects
    with ExitStack() as stack:
        buffers = [
            stack.enter_context(
                Buffer(followed, (platform.memory.allocate(entry.source, entry.size),))
            )
            for _ in range(count)
        ]
        file = file_of(*range(1, 20))
        stream = DevicePictureStream(file, FakeDecoder(refers=True), PRODUCER, name="video7")
        stack.callback(stream.close)
        assert stream.next() is None
        stream.use(followed, lambda: next((one for one in buffers if not one.busy), None))
        seen = 0
        for _ in turns(1000, "the end"):
            if stream.ended:
                break
            picture = stream.next()
            if picture is not None:
                seen += 1
                picture.drop()
    assert seen == 19
    assert not any(one.busy for one in buffers)


def test_a_device_that_reads_goes_on_with_pictures_of_another_size(fake, play):
    small, large = (64, 48), (128, 96)
    pictures = [(1, small), (2, small), (3, large), (4, large), (5, small)]
    play(File([Packet(packet(n, size), None) for n, size in pictures]), FakeDecoder(refers=True))
    assert colours(fake) == [1, 2, 3, 4, 5]


def test_a_packet_that_the_device_refuses_is_skipped_and_counted(fake, play):
    refused = Packet(b"REFUSED", None)
    file = File([Packet(packet(1), None), refused, Packet(packet(2), None), refused])
    result = play(file, FakeDecoder())
    assert colours(fake) == [1, 2]
    assert result.damaged == 2


def test_pictures_of_another_size_are_set_up_anew(fake, play):
    small, large = (64, 48), (128, 96)
    pictures = [(1, small), (2, small), (3, large), (4, large), (5, small)]
    decoder = FakeDecoder()
    play(File([Packet(packet(n, size), None) for n, size in pictures]), decoder)
    assert colours(fake) == [1, 2, 3, 4, 5]
    assert [shown.size for shown in fake.shown] == [size for _, size in pictures]
    assert len(decoder.set_ups) == 3


def test_a_packet_that_is_larger_than_the_devices_buffers_has_it_start_again(fake, play):
    decoder = FakeDecoder(room=32)
    packets = [packet(1), packet(2), packet(3, extra=500), packet(4)]
    play(File([Packet(one, None) for one in packets]), decoder)
    assert colours(fake) == [1, 2, 3, 4]
    assert decoder.starts == [0, 2 * len(packets[2])]


def test_a_first_packet_that_is_too_large_is_no_different(fake, play):
    decoder = FakeDecoder(room=8)
    play(file_of(1, 2, extra=500), decoder)
    assert colours(fake) == [1, 2]
    assert len(decoder.starts) == 2


def test_only_as_many_pictures_as_asked_for(fake, play):
    result = play(file_of(*range(1, 20)), FakeDecoder(), replace(FAST, frames=5))
    assert colours(fake) == [1, 2, 3, 4, 5]
    assert result.frames.decoded == 5


def test_paced_pictures_that_are_too_late_are_dropped_and_their_buffers_used_again(fake, play):
    file = file_of(*range(1, 30))
    file.rate = Fraction(10_000)  # faster than anything shows them
    result = play(file, FakeDecoder(), replace(FAST, paced=True))
    assert result.frames.decoded == 29
    assert result.frames.shown + result.frames.dropped == 29
    assert result.frames.dropped > 0


def test_nothing_to_decode_is_told(fake, play):
    file = File([Packet(b"rubbish", None)] * 5)
    with pytest.raises(InputError, match="nothing in it can be decoded"):
        play(file, FakeDecoder(), replace(FAST, decoder="video7"))


def test_a_device_that_goes_away_ends_it_with_a_word(fake, play):
    file = file_of(*range(1, 30))
    with pytest.raises(MachineError, match="the decoder has failed: No such device"):
        play(file, FakeDecoder(vanishes_after=4))


def test_formats_can_be_restricted_to_what_the_device_has_not(fake, play):
    options = replace(FAST, formats=(fourcc("NV12"),), decoder="video7")
    with pytest.raises(NotPossibleError, match="video7 makes no format that can be used here"):
        play(file_of(1), FakeDecoder(), options)


@pytest.fixture
def hardware(platform):
    """A platform with two decoders of MPEG-4 that have nodes."""
    devices = tuple(
        Device(
            id=DeviceId(81, number),
            name=f"video{number}",
            kind=DeviceKind.DECODER,
            sets={Usage.DECODE: SETS},
            node=f"/dev/video{number}",
            bitstreams=(fourcc("MPG4"),),
        )
        for number in (7, 8)
    )
    return replace(platform, devices=devices)


def opening(monkeypatch, **decoders):
    """Have nodes opened as these decoders; an exception is what opening raises."""

    def opened(node):
        found = decoders[node.rpartition("/")[2]]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(heapwire.client_lib.player.decoding.decoder_choice, "M2mDecoder", opened)


def on(fake, path, platform, options=FAST):
    return Player(path, display=fake.socket.detach(), platform=platform, options=options).play()


def unconnected(path, platform, options=FAST):
    """Play on a compositor that does not exist: what fails before is told before."""
    return Player(path, display="nobody", platform=platform, options=options).play()


def test_a_device_that_cannot_is_passed_over_for_the_next_and_then_for_the_cpu(
    fake, hardware, monkeypatch, tmp_path
):
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    busy = FakeDecoder(refuses=OSError(16, "Device or resource busy"))
    opening(monkeypatch, video7=OSError(13, "Permission denied"), video8=busy)
    result = on(fake, clip, hardware)
    assert (result.decoder, result.frames.shown) == ("cpu", 3)
    assert result.faults == (
        "video7: /dev/video7: Permission denied",
        "video8: the device does not decode this: Device or resource busy",
    )
    assert busy.closed


def test_a_device_for_whose_pictures_there_is_no_memory_leaves_it_to_the_cpu(
    fake, hardware, monkeypatch, tmp_path
):
    """Its packets make no sense to the fake, as if the stream were beyond the device."""
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    opening(monkeypatch, video7=FakeDecoder(room=1 << 20))
    result = on(fake, clip, hardware)
    assert (result.decoder, result.frames.shown) == ("cpu", 3)
    assert result.faults == ("video7: nothing in it can be decoded",)


def test_a_device_that_is_asked_for_by_name_is_not_passed_over(
    no_fd_leak, hardware, monkeypatch, tmp_path
):
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    opening(monkeypatch, video7=OSError(13, "Permission denied"))
    for wanted in ("video7", "/dev/video7"):
        with pytest.raises(MachineError, match="/dev/video7: Permission denied"):
            unconnected(clip, hardware, replace(FAST, decoder=wanted))
    with pytest.raises(
        InputError, match=r"no decoder 'video9'; there is\n  cpu\n  /dev/video7  video7"
    ):
        unconnected(clip, hardware, replace(FAST, decoder="video9"))


def test_the_cpu_can_be_asked_for(fake, hardware, monkeypatch, tmp_path):
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    opening(monkeypatch)
    result = on(fake, clip, hardware, replace(FAST, decoder="cpu"))
    assert (result.decoder, result.faults) == ("cpu", ())


def test_fwht_without_a_device_is_told_as_such(no_fd_leak, hardware, tmp_path):
    from test_fwht_file import frame

    clip = tmp_path / "a.fwht"
    clip.write_bytes(frame())
    with pytest.raises(MachineError, match=r"a\.fwht: only a device decodes FWHT, and none can"):
        unconnected(clip, hardware)


@pytest.mark.parametrize(
    ("knows", "wanted", "opened"),
    [
        (["FWHT"], "auto", "M2mDecoder"),
        (["FWHT"], "video7", "M2mDecoder"),
        (["SFWH"], "auto", "StatelessDecoder"),
        (["SFWH"], "video7", "StatelessDecoder"),
        (["FWHT", "SFWH"], "auto", "M2mDecoder"),
        (["S264"], "auto", None),
    ],
)
def test_where_the_driver_parses_nothing_it_is_done_here(
    no_fd_leak, hardware, monkeypatch, tmp_path, knows, wanted, opened
):
    from test_fwht_file import frame

    clip = tmp_path / "a.fwht"
    clip.write_bytes(frame())
    for name in ("M2mDecoder", "StatelessDecoder"):

        def refuses(node, name=name):
            raise MachineError(f"{name} of {node}")

        monkeypatch.setattr(heapwire.client_lib.player.decoding.decoder_choice, name, refuses)
    device = replace(hardware.devices[0], bitstreams=tuple(map(fourcc, knows)))
    words = "none can$" if opened is None else f"{opened} of /dev/video7"
    with pytest.raises(MachineError, match=words):
        unconnected(clip, replace(hardware, devices=(device,)), replace(FAST, decoder=wanted))


def test_a_driver_that_decodes_nothing_has_to_be_named(fake, hardware, monkeypatch, tmp_path):
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    visl = replace(hardware, devices=(replace(hardware.devices[0], driver="visl"),))
    opening(monkeypatch, video7=MachineError("it was asked"))
    with pytest.raises(MachineError, match="it was asked"):
        unconnected(clip, visl, replace(FAST, decoder="video7"))
    result = on(fake, clip, visl)
    assert (result.decoder, result.faults) == ("cpu", ())


@pytest.mark.parametrize("where", ["open", "start", "take"])
def test_a_bug_is_not_hidden_behind_a_decoder_that_works(
    fake, hardware, monkeypatch, tmp_path, where
):
    bug = UsageError("a bug")
    clip = encode(tmp_path / "a.mp4", [(64, 48)] * 3)
    decoder = FakeDecoder(refuses=bug if where == "start" else None)

    def take():
        raise bug

    if where == "take":
        decoder.take = take
    opening(monkeypatch, video7=bug if where == "open" else decoder)
    one_decoder = replace(hardware, devices=hardware.devices[:1])
    display = fake.socket.detach() if where == "take" else "nobody"
    player = Player(clip, display=display, platform=one_decoder, options=FAST)
    with pytest.raises(UsageError, match="a bug"):
        player.play()
    if where == "open":
        decoder.close()


def test_of_a_format_with_alpha_and_without_the_device_is_asked_for_the_one_without(fake, play):
    """A driver lists both, and a decoder's pictures have no alpha."""
    result = play(file_of(1, 2), FakeDecoder())
    assert fourcc_name(result.plan.fourcc) == "XRGB8888"
    sent = [
        fourcc_name(pair.fourcc)
        for request in fake.of("xx_dmabuf_constraint_set_creator_v1")
        if request.name == "add_formats"
        for pair in decode_formats(request.args[1])
    ]
    assert "XRGB8888" in sent
    assert "ARGB8888" not in sent
