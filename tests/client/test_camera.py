"""A camera's pictures on the screen: imported, from its own buffers, copied; and which camera."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_camera import SIZE, XR24, YUYV, FakeCamera
from patience import PATIENCE

from heapwire.client_lib import AllocationError, CameraMaterial, Player, PlayOptions
from heapwire.client_lib.player.capture.lost_pictures import LostPictures
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufV1
from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.memory import CpuAccess, DmaBuf, MemfdMemory
from heapwire.kernel.video import CaptureMemory
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.values import (
    CONTIGUOUS,
    DIRTY_LINES,
    LINEAR,
    Constraint,
    ConstraintSet,
    DeviceId,
    FormatModifier,
    Usage,
    parse_fourcc,
)

XRGB = parse_fourcc("XRGB8888")
FAST = PlayOptions(frames=5, fullscreen=True, timeout=PATIENCE)
WINDOW = replace(FAST, fullscreen=False)
REFUSAL = MachineError("the driver refuses the buffer: EFAULT")


def camera(number=0):
    sees = ConstraintSet(formats=(FormatModifier(XRGB, LINEAR),))
    return Device(
        id=DeviceId(81, number),
        name=f"video{number}",
        kind=DeviceKind.CAMERA,
        node=f"/dev/video{number}",
        sets={Usage.CAMERA: (sees,)},
    )


@pytest.fixture
def machine():
    """A Raspberry Pi with one camera."""
    platform = Platform.load("raspberry-pi-4")
    return replace(platform, devices=(*platform.devices, camera()))


class Stage:
    """A camera on the reference compositor: what is on the screen, and the player's result."""

    def __init__(
        self,
        machine,
        *,
        way=None,
        formats=(),
        options=FAST,
        memory="linux,cma",
        client=None,
        extension=True,
        **fake,
    ):
        client = client or machine  # what the player knows
        self.shown, self.opened = [], []
        self.fates = []

        def opened(node):
            assert node == "/dev/video0"
            source = machine.source(memory).id
            self.opened.append(FakeCamera(machine.memory, source=source, **fake))
            return self.opened[-1]

        compositor = Compositor(
            machine,
            size=SIZE,
            extension=extension,
            on_frame=lambda record, pixels: self.shown.append(int(pixels()[50, 50, 0])),
        )
        material = CameraMaterial(client, way=way, formats=formats, opened=opened)
        with compositor, compositor.running():
            self.result = Player(
                material,
                display=compositor.connect(),
                platform=client,
                options=options,
                on_fate=self.fates.append,
            ).play()
        assert all(one.closed for one in self.opened)

    @property
    def ways(self):
        return [way for one in self.opened for way in one.ways]


def test_it_writes_into_the_buffers_that_are_scanned_out(no_fd_leak, machine):
    stage = Stage(machine)
    assert stage.ways == [CaptureMemory.IMPORTED]
    assert stage.shown == [0, 1, 2, 3, 4]
    assert (stage.result.frames.scanned_out, stage.result.bytes_copied_per_frame) == (5, 0)
    assert stage.result.decoder == "video0"
    assert {one.sources for one in stage.fates} == {("linux,cma",)}
    assert machine.memory.live() == 0


def test_a_buffer_stays_in_its_slot(no_fd_leak, machine):
    """A driver maps memory anew when its slot is given another."""
    stage = Stage(machine, options=replace(FAST, frames=20))
    given = stage.opened[0].imported
    assert len(given) >= 20
    assert len(set(given)) == len({slot for slot, _ in given}) > 1


@pytest.mark.parametrize("dirty", [True, False])
@pytest.mark.parametrize("way", [CaptureMemory.IMPORTED, CaptureMemory.EXPORTED])
def test_what_its_driver_leaves_in_the_caches_is_cleaned(
    no_fd_leak, machine, monkeypatch, way, dirty
):
    """Each turn of a buffer at the driver is between two words to the kernel."""
    turns = []

    def told(word):
        return lambda self, access: turns.append((word, access, id(self)))

    monkeypatch.setattr(DmaBuf, "start_access", told("start"))
    monkeypatch.setattr(DmaBuf, "end_access", told("end"))
    give, take = FakeCamera.give, FakeCamera.take

    def given(self, slot, objects=()):
        give(self, slot, objects)
        turns.append(("given", CpuAccess.WRITE, id(self._slots[slot])))

    def taken(self):
        at_driver = dict(self._slots)
        done = take(self)
        if done is not None:
            turns.append(("taken", CpuAccess.WRITE, id(at_driver[done.index])))
        return done

    monkeypatch.setattr(FakeCamera, "give", given)
    monkeypatch.setattr(FakeCamera, "take", taken)
    if dirty:
        leaves = Constraint(type=DIRTY_LINES.type, value=1)
        [sees] = machine.devices[-1].sets[Usage.CAMERA]
        own = {Usage.CAMERA: (replace(sees, constraints=(leaves,)),)}
        machine = replace(
            machine, devices=(*machine.devices[:-1], replace(machine.devices[-1], sets=own))
        )
    stage = Stage(machine, way=way)
    assert stage.shown == [0, 1, 2, 3, 4]
    assert {access for _, access, _ in turns} == {CpuAccess.WRITE}
    whole = ["start", "given", "taken", "end"] if dirty else ["given", "taken"]
    for buffer in {one for _, _, one in turns}:
        words = [word for word, _, one in turns if one == buffer]
        assert words == [whole[number % len(whole)] for number in range(len(words))]
    assert len(turns) >= 5 * len(whole)


def test_where_the_driver_imports_nothing_its_own_buffers_are_shown(no_fd_leak, machine):
    stage = Stage(machine, refuses=REFUSAL)
    assert stage.ways == [CaptureMemory.IMPORTED, CaptureMemory.EXPORTED]
    assert stage.shown == [0, 1, 2, 3, 4]
    assert stage.result.bytes_copied_per_frame == 0
    assert any("EFAULT" in one for one in stage.result.faults)
    assert machine.memory.live() == 0


def test_its_own_buffers_go_by_what_they_are(no_fd_leak, machine):
    """And not by the plan that their layout is of, which is for the display's memory."""
    stage = Stage(machine, way=CaptureMemory.EXPORTED, options=WINDOW)
    assert {one.sources for one in stage.fates} == {("linux,cma",)}
    stage = Stage(machine, way=CaptureMemory.EXPORTED, memory="system", options=WINDOW)
    assert {one.sources for one in stage.fates} == {("system",)}
    assert stage.shown == [0, 1, 2, 3, 4]


def test_own_buffers_that_no_display_reads_are_not_promised_to_be_scanned_out(no_fd_leak, machine):
    """They are composited, and what would do better is said."""
    stage = Stage(machine, way=CaptureMemory.EXPORTED, memory="system")
    assert stage.shown == [0, 1, 2, 3, 4]
    assert (stage.result.frames.scanned_out, stage.result.plan.scanout) == (0, False)
    [why] = [one for one in stage.result.faults if "own buffers" in one]
    assert why.startswith("video0's own buffers cannot be scanned out: ")
    assert "hvs:scanout needs memory that is contiguous" in why
    assert why.endswith("; buffers from linux,cma can be")


def test_own_buffers_that_nobody_reads_are_not_shown(no_fd_leak, machine):
    """Their pictures are copied into others, where that is not forbidden."""
    one_run = Constraint(type=CONTIGUOUS.type, value=1)

    def narrowed(device):
        sets = {
            use: tuple(replace(one, constraints=(*one.constraints, one_run)) for one in sets)
            for use, sets in device.sets.items()
            if use is Usage.SAMPLING
        }
        return replace(device, sets={**device.sets, **sets})

    strict = replace(machine, devices=tuple(map(narrowed, machine.devices)))
    stage = Stage(strict, memory="system", refuses=REFUSAL)
    assert stage.ways == [*CaptureMemory]
    assert stage.shown == [0, 1, 2, 3, 4]
    assert stage.result.bytes_copied_per_frame > 0
    assert any("own buffers cannot be" in one for one in stage.result.faults)
    with pytest.raises(AllocationError, match="video0's own buffers cannot be scanned out"):
        Stage(strict, way=CaptureMemory.EXPORTED, memory="system")


@pytest.mark.parametrize("version", [3, 6])
@pytest.mark.parametrize("fullscreen", [True, False])
def test_its_own_buffers_need_no_heap(no_fd_leak, machine, monkeypatch, version, fullscreen):
    """A machine without any, and a compositor that makes no plans: linux-dmabuf is enough."""
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", version)
    bare = replace(machine, sources=(), memory=MemfdMemory(()))
    options = replace(FAST, fullscreen=fullscreen)
    stage = Stage(machine, client=bare, extension=False, options=options)
    assert stage.ways == [CaptureMemory.EXPORTED]
    assert stage.shown == [0, 1, 2, 3, 4]
    assert (stage.result.bytes_copied_per_frame, stage.result.shared) == (0, False)
    # The player does not know that the memory is in one run, and promises nothing; the
    # compositor knows it.
    assert not stage.result.plan.scanout
    assert stage.result.frames.scanned_out == (5 if fullscreen else 0)
    [why] = [one for one in stage.result.faults if "own buffers" in one]
    assert why.startswith("video0's own buffers cannot be scanned out: ")


def test_without_any_heap_only_its_own_buffers_can_be_asked_for(no_fd_leak, machine):
    bare = replace(machine, sources=(), memory=MemfdMemory(()))
    with pytest.raises(NotPossibleError, match="there is no source of memory"):
        Stage(machine, client=bare, extension=False, way=CaptureMemory.IMPORTED)


@pytest.mark.parametrize("way", CaptureMemory)
def test_each_way_can_be_gone_alone(no_fd_leak, machine, way):
    stage = Stage(machine, way=way)
    assert stage.ways == [way]
    assert stage.shown == [0, 1, 2, 3, 4]
    # Read out of the driver's memory, and written into a buffer.
    copied = 2 * 4 * 320 * 200 if way is CaptureMemory.MAPPED else 0
    assert stage.result.bytes_copied_per_frame >= copied
    assert (stage.result.bytes_copied_per_frame == 0) == (copied == 0)


def test_whoever_wants_one_way_only_gets_no_other(no_fd_leak, machine):
    with pytest.raises(MachineError, match="EFAULT"):
        Stage(machine, way=CaptureMemory.IMPORTED, refuses=REFUSAL)


def test_without_linux_dmabuf_it_is_copied_through_wl_shm(no_fd_leak, machine, monkeypatch):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 2)
    stage = Stage(machine)
    assert stage.result.shared
    assert stage.ways == [CaptureMemory.MAPPED]
    assert stage.shown == [0, 1, 2, 3, 4]


def test_what_is_copied_is_not_converted_where_the_camera_can_make_it_itself(machine):
    stage = Stage(machine, way=CaptureMemory.MAPPED, makes=(YUYV, XR24), formats=[XRGB])
    assert [one.set_to for one in stage.opened] == [[XR24]]
    assert stage.shown == [0, 1, 2, 3, 4]


def test_for_wl_shm_it_is_asked_for_rgb(machine, monkeypatch):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 2)
    stage = Stage(machine, makes=(YUYV, XR24))
    assert stage.opened[-1].set_to == [XR24]


def test_the_newest_of_what_has_come_is_shown(no_fd_leak, machine):
    stage = Stage(machine, burst=2)
    assert stage.shown == [1, 3, 5, 7, 9]
    assert "5 pictures were passed over for newer ones" in stage.result.faults


def test_pictures_that_the_driver_had_no_buffer_for_are_told(no_fd_leak, machine):
    stage = Stage(machine, skips=2)
    assert stage.shown == [0, 3, 6, 9, 12]
    assert "the camera had no free buffer for 8 pictures" in stage.result.faults


def test_gaps_are_counted_from_the_first_number_on():
    lost = LostPictures()
    for number in (7, 8, 11):
        lost.came(number)
    assert lost.notes == ("the camera had no free buffer for 2 pictures",)


def test_a_size_is_asked_for(no_fd_leak, machine):
    material = CameraMaterial(
        machine,
        opened=lambda node: FakeCamera(machine.memory, source=machine.source("system").id),
        extent=replace(SIZE, width=64),
    )
    pictures = material.open(machine, [])
    assert pictures.needs.extent.width == 64
    pictures.close()


def test_a_format_that_it_does_not_have_is_converted_to(no_fd_leak, machine):
    stage = Stage(machine, formats=[parse_fourcc("RGB565")])
    assert stage.ways == [CaptureMemory.MAPPED]
    assert stage.shown == [0, 0, 0, 0, 0]  # of 5 bits of red the first pictures have none
    assert "video0 makes no format that can be used here" in stage.result.faults


def test_a_format_that_it_does_not_have_is_said_where_nothing_may_be_copied(machine):
    with pytest.raises(NotPossibleError, match="video0 makes no format"):
        Stage(machine, formats=[parse_fourcc("NV12")], way=CaptureMemory.IMPORTED)


def never(node):
    raise AssertionError("it is not opened to choose")


def test_of_several_one_is_named(machine):
    several = replace(machine, devices=(*machine.devices, camera(1)))
    with pytest.raises(InputError, match=r"(?s)several cameras.*/dev/video0.*/dev/video1"):
        CameraMaterial(several, opened=never)
    for name in ("video1", "/dev/video1"):
        assert CameraMaterial(several, name, opened=never).title == "camera: video1"
    with pytest.raises(InputError, match=r"(?s)no camera 'video7'.*/dev/video1"):
        CameraMaterial(several, "video7", opened=never)


def test_a_machine_without_one_says_so():
    with pytest.raises(MachineError, match="raspberry-pi-4 has no camera"):
        CameraMaterial(Platform.load("raspberry-pi-4"), opened=never)


def test_one_that_may_not_be_opened_says_why(machine):
    closed = replace(camera(), kind=DeviceKind.UNKNOWN, sets={})

    def opened(node):
        raise MachineError(f"{node}: it may not be opened")

    shut = replace(machine, devices=(*machine.devices[:-1], closed))
    with pytest.raises(MachineError, match="/dev/video0: it may not be opened"):
        CameraMaterial(shut, opened=opened)
