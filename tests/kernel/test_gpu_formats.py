"""What EGL says of GPUs, asked in a process of its own, and what becomes of it."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from heapwire.kernel.description import Device, DeviceKind, Platform
from heapwire.kernel.discovery import local_platform, with_gpu_formats
from heapwire.kernel.discovery.gpu.egl_device import EglDevice, EglPair
from heapwire.kernel.discovery.gpu.egl_report import answer_of, ask_egl, parse_report, read_egl
from heapwire.kernel.memory import MemfdMemory
from heapwire.protocol import MachineError
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    PERMITTED_SOURCES,
    DeviceId,
    FormatModifier,
    HeapId,
    Place,
    Provenance,
    Source,
    SourceId,
    Usage,
    fourcc,
)

XRGB, NV12 = fourcc("XR24"), fourcc("NV12")
TILED = 0x0300000000606010
SYSTEM = Source(id=SourceId.heap(HeapId(251, 0)), name="system")
GPU = Device(
    id=DeviceId(226, 128),
    name="renderD128",
    kind=DeviceKind.GPU,
    node="/dev/dri/renderD128",
    sets={Usage.SAMPLING: (), Usage.RENDER: ()},
)
PAIRS = (
    EglPair(FormatModifier(XRGB, TILED), False),
    EglPair(FormatModifier(XRGB, LINEAR), False),
    EglPair(FormatModifier(NV12, TILED), True),
    EglPair(FormatModifier(NV12, LINEAR), True),
)
LISTED = EglDevice(nodes=("/dev/dri/card0", GPU.node), vendor="A vendor", pairs=PAIRS)
double = pytest.mark.system("cc")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with a libEGL that says what EGL_DOUBLE tells it to."""
    folder = tmp_path_factory.mktemp("egl")
    source = Path(__file__).parent / "egl_double.c"
    command = ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source]
    subprocess.run([*command, "-o", folder / "libEGL.so.1"], check=True)
    return folder


@pytest.fixture
def egl(library, monkeypatch):
    def set_up(says):
        monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
        monkeypatch.setenv("EGL_DOUBLE", says)

    return set_up


@pytest.fixture
def buffer():
    fd = os.memfd_create("stands for a dma-buf")
    yield fd
    os.close(fd)


def platform(*devices):
    memory = MemfdMemory([SYSTEM])
    return Platform(name="local", title="", sources=(SYSTEM,), devices=devices, memory=memory)


def sets(found, device="renderD128"):
    return found.device(device).sets


@double
def test_a_list_and_a_real_import(egl, buffer):
    egl("takes")
    assert read_egl(buffer) == (replace(LISTED, refusal=0),)


@double
def test_nothing_to_try_with(egl):
    egl("refuses")
    assert read_egl() == (LISTED,)


@double
def test_an_import_that_is_refused_is_told_with_its_error(egl, buffer):
    egl("refuses")
    assert read_egl(buffer) == (replace(LISTED, refusal=0x3003),)


@double
def test_without_modifiers_there_are_rows_and_no_modifier_is_named(egl, buffer):
    egl("implicit")
    pairs = [FormatModifier(code, how) for code in (XRGB, NV12) for how in (INVALID, LINEAR)]
    assert read_egl(buffer) == (
        replace(LISTED, refusal=0, pairs=tuple(EglPair(pair, False) for pair in pairs)),
    )


@double
def test_a_driver_that_crashes_takes_nobody_with_it(egl):
    egl("crash")
    with pytest.raises(MachineError, match=r"crashed \(signal 11\)"):
        read_egl()


class Printing:
    """A program that prints a line in each of some waits, and then ends or goes on for ever."""

    def __init__(self, lines, ends):
        self.waits = [b"\n" * (n + 1) for n in range(lines)]
        self.last = self.waits[-1] if self.waits else None
        self.ends = ends

    def communicate(self, timeout):
        if not self.waits and self.ends:
            return b"[]", b""
        said = self.waits.pop(0) if self.waits else self.last
        raise subprocess.TimeoutExpired("egl_query.py", timeout, output=said)


def test_a_slow_machine_is_waited_for_as_long_as_it_goes_on():
    assert answer_of(Printing(lines=7, ends=True)) == (b"[]", b"")


@pytest.mark.parametrize("lines", [0, 3])
def test_a_driver_that_hangs_is_given_up(lines):
    with pytest.raises(MachineError, match="EGL did not answer"):
        answer_of(Printing(lines=lines, ends=False))


@double
def test_a_step_is_told_before_it_is_gone(egl):
    """What hangs is then told from what is slow: a line for the start, and for each device."""
    egl("takes")
    said = []

    def run(command, inherited):
        said.append(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        return said[0]

    ask_egl(None, run)
    lines = said[0].split(b"\n")
    assert lines[:3] == [b""] * 3
    assert parse_report(said[0]) == (LISTED,)


@double
def test_a_library_without_the_entry_points(egl):
    egl("none")
    with pytest.raises(MachineError, match="has no eglQueryDevicesEXT"):
        read_egl()


def test_sampled_is_all_and_drawn_to_is_what_is_not_external():
    found = with_gpu_formats(platform(GPU), lambda buffer: (LISTED,))
    sampled, drawn = sets(found)[Usage.SAMPLING], sets(found)[Usage.RENDER]
    assert [one.formats for one in sampled] == [tuple(entry.pair for entry in PAIRS)]
    assert [one.formats for one in drawn] == [(PAIRS[0].pair, PAIRS[1].pair)]
    assert not sampled[0].constraints
    assert {one.provenance for one in (*sampled, *drawn)} == {Provenance.TRIAL}
    assert not found.notes


def test_a_gpu_that_egl_does_not_tell_of_is_named():
    """Its node may not be opened, say; what it samples is a guess then, and said to be one."""
    found = with_gpu_formats(platform(GPU), lambda buffer: ())
    assert sets(found) == {Usage.SAMPLING: (), Usage.RENDER: ()}
    [note] = found.notes
    assert note.startswith(f"{GPU.name}: EGL tells nothing of it")


def test_a_refusal_leaves_the_gpu_its_own_memory():
    refused = replace(LISTED, refusal=0x3003)
    found = with_gpu_formats(platform(GPU), lambda buffer: (refused,))
    for usage in (Usage.SAMPLING, Usage.RENDER):
        (constraint,) = sets(found)[usage][0].constraints
        assert constraint.type == PERMITTED_SOURCES.type
        assert constraint.value == (SourceId.device(GPU.id),)
        assert constraint.provenance is Provenance.TRIAL
    assert any("0x3003" in note for note in found.notes)


def test_what_the_card_allocates_is_the_gpus_own_by_either_of_its_nodes():
    """A dumb buffer of a display can be sampled by the GPU of the same card, and no other."""
    place = Place(path=("pci0000:00", "0000:00:05.0"))
    gpu = replace(GPU, place=place)
    cards = [
        Device(id=DeviceId(226, number), name=f"card{number}", kind=DeviceKind.DISPLAY, place=where)
        for number, where in ((0, place), (1, Place(path=("platform", "vkms"))))
    ]
    refused = replace(LISTED, refusal=0x3003)
    found = with_gpu_formats(platform(gpu, *cards), lambda buffer: (refused,))
    (constraint,) = sets(found)[Usage.SAMPLING][0].constraints
    assert constraint.value == (SourceId.device(GPU.id), SourceId.device(cards[0].id))


def test_yuv_without_modifiers_is_sampled_and_not_drawn_to():
    """Of such EGL does not say that it is external only, and no GPU draws to it."""
    mute = tuple(
        EglPair(FormatModifier(code, how), False)
        for code in (XRGB, NV12)
        for how in (INVALID, LINEAR)
    )
    found = with_gpu_formats(platform(GPU), lambda buffer: (replace(LISTED, pairs=mute),))
    sampled, drawn = (sets(found)[usage][0] for usage in (Usage.SAMPLING, Usage.RENDER))
    assert sampled.formats == tuple(entry.pair for entry in mute)
    assert {pair.fourcc for pair in drawn.formats} == {XRGB}


def test_the_buffer_lent_is_of_the_platforms_memory_and_closed_again():
    lent = []

    def read(buffer):
        lent.append(os.fstat(buffer).st_size)
        return ()

    found = with_gpu_formats(platform(GPU), read)
    assert lent == [16384]
    assert found.memory.live() == 0
    assert found.device("renderD128") == GPU  # EGL does not tell of it: any format, as before


def test_a_gpu_without_a_use_is_no_reason_to_ask():
    def read(buffer):
        raise AssertionError

    for devices in ((replace(GPU, sets={}),), ()):
        machine = platform(*devices)
        assert with_gpu_formats(machine, read) is machine


def test_who_cannot_be_asked_is_a_note():
    def read(buffer):
        raise MachineError("libEGL.so.1 is not installed")

    found = with_gpu_formats(platform(GPU), read)
    assert found.notes == ("what GPUs sample is not known: libEGL.so.1 is not installed",)
    assert found.devices == (GPU,)


def report(**changes):
    told = {"nodes": [GPU.node], "vendor": "V", "refusal": 0, "pairs": [[XRGB, LINEAR, False]]}
    return json.dumps([{**told, **changes}]).encode()


def test_a_report_is_read():
    (device,) = parse_report(report())
    assert device.pairs == (EglPair(FormatModifier(XRGB, LINEAR), False),)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}x",
        b"[3]",
        b"[" * 100_000,
        b"[]" + b" " * (1 << 22),
        report(nodes="no list"),
        report(nodes=[3]),
        report(vendor=None),
        report(refusal="no"),
        report(pairs=[[XRGB, LINEAR]]),
        report(pairs=[[0, LINEAR, False]]),
        report(pairs=[[1 << 32, LINEAR, False]]),
        report(pairs=[[XRGB, -1, False]]),
        report(pairs=[[XRGB, 1 << 64, False]]),
        report(pairs=[[XRGB, LINEAR, 1]]),
        report(pairs=3),
    ],
)
def test_what_is_no_report_is_the_machines_fault(text):
    with pytest.raises(MachineError, match="EGL was asked"):
        parse_report(text)


NVIDIA = """Model: \t\t A GPU
IRQ:   \t\t 41
Bus Location: \t 0000:01:00.0
Device Minor: \t 3
"""


@pytest.fixture
def nvidia(tree):
    """A machine with NVIDIA's driver, and without nvidia-drm."""
    gpu = tree.bus("pci0000:00/0000:01:00.0", driver="nvidia")
    home = tree.root / "sys" / "bus" / "pci" / "devices"
    home.mkdir(parents=True)
    (home / "0000:01:00.0").symlink_to(gpu)
    told = tree.root / "proc" / "driver" / "nvidia" / "gpus" / "0000:01:00.0"
    told.mkdir(parents=True)
    (told / "information").write_text(NVIDIA)
    return tree


def local(tree):
    return local_platform(tree.root)


def test_a_gpu_that_only_its_own_driver_knows(nvidia):
    found = local(nvidia)
    gpu = found.device("nvidia3")
    assert (gpu.id, gpu.kind, gpu.driver, gpu.title) == (
        DeviceId(195, 3),
        DeviceKind.GPU,
        "nvidia",
        "A GPU",
    )
    assert gpu.place.path[-1] == "0000:01:00.0"
    assert gpu.usages == ()
    [note] = [note for note in found.notes if "nvidia3 has no DRM node" in note]
    assert "imports nothing" in note
    assert "exports what it decodes only if" in note


def test_who_wants_it_for_something_is_told_why_it_is_for_nothing(nvidia):
    found = local(nvidia)
    told = "nvidia3 is not for sampling: it is for nothing; nvidia3 has no DRM node"
    with pytest.raises(MachineError, match=told):
        found.participant("nvidia3", Usage.SAMPLING)
    assert found.notes_on("nvidia") == ()


def test_a_gpu_with_a_drm_node_stands_once(nvidia):
    nvidia.device(
        "pci0000:00/0000:01:00.0/drm/renderD128", "drm", dev="226:128", node="dri/renderD128"
    )
    assert [d.name for d in local(nvidia).devices if d.kind is DeviceKind.GPU] == ["renderD128"]


@pytest.mark.parametrize("text", ["", "Device Minor: x", "Device Minor: 123456", None])
def test_a_gpu_whose_driver_does_not_say_which_is_not_there(nvidia, text):
    file = nvidia.root / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert not [d for d in local(nvidia).devices if d.kind is DeviceKind.GPU]
