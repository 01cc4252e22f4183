"""What a client can get wrong with linux-dmabuf, row by row; and what it gets right."""

from __future__ import annotations

import fcntl
import mmap
import os
import resource
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from host_stage import ARGB, NV12, XRGB, HostStage, memfd
from open_files import open_fds
from patience import turns

from heapwire.protocol.values import INVALID, SAMSUNG_64_32_TILE, parse_fourcc
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED
from heapwire.protocol.wire import BufferParamsError as Error

MMAP = mmap.mmap
WIDTH, HEIGHT, PITCH = 16, 8, 64
SIZE = PITCH * HEIGHT
FAILED = "failed"  # create: an event; create_immed: invalid_wl_buffer
CREATED = "created"
SYSTEM = "system"
U32 = 2**32 - 1


@dataclass(frozen=True)
class Plane:
    """An add request; `size` is that of the object, None: something that is no memory."""

    index: int = 0
    offset: int = 0
    pitch: int = PITCH
    modifier: int = 0
    size: int | None = SIZE


@dataclass(frozen=True)
class Row:
    """A buffer that a client wants to make, and what it gets."""

    name: str
    expected: Any
    planes: tuple[Plane, ...] = (Plane(),)
    width: int = WIDTH
    height: int = HEIGHT
    fourcc: int = XRGB
    flags: int = 0
    versions: tuple[int, ...] = (3, 4, 5, 6)
    more: tuple[Plane, ...] = field(default=())  # added after the creation


Y, UV = Plane(0), Plane(1, size=SIZE // 2)
ROWS = [
    Row("good", CREATED),
    Row("good NV12", CREATED, (Y, UV), fourcc=NV12),
    Row("planes out of order (V4)", CREATED, (UV, Y), fourcc=NV12),
    Row("larger pitch and offset", CREATED, (Plane(0, 128, 256, size=4096),)),
    Row("last row without padding is not required", Error.OUT_OF_BOUNDS, (Plane(size=SIZE - 1),)),
    Row("add after use (V1)", Error.ALREADY_USED, more=(Plane(1),)),
    Row("plane 4 (V2)", Error.PLANE_IDX, (Plane(4),)),
    Row("plane far away (V2)", Error.PLANE_IDX, (Plane(U32),)),
    Row("plane twice (V3)", Error.PLANE_SET, (Plane(), Plane())),
    Row(
        "modifiers differ (V4)",
        Error.INVALID_FORMAT,
        (Y, Plane(1, modifier=1, size=SIZE)),
        fourcc=NV12,
        versions=(5, 6),
    ),
    Row(
        "modifiers differ, plane 0 last (V4)",
        Error.INVALID_FORMAT,
        (Plane(1, modifier=1), Y),
        fourcc=NV12,
        versions=(5, 6),
    ),
    Row(
        "modifiers differ, before it was an error",
        FAILED,
        (Y, Plane(1, modifier=1)),
        fourcc=NV12,
        versions=(3, 4),
    ),
    Row("no planes (V5)", Error.INCOMPLETE, ()),
    Row("plane 0 missing (V6)", Error.INCOMPLETE, (Plane(1),)),
    Row("a gap (V6)", Error.INCOMPLETE, (Plane(0), Plane(2)), fourcc=NV12),
    Row("one plane of two (V6)", Error.INCOMPLETE, (Y,), fourcc=NV12),
    Row("two planes of one", Error.INCOMPLETE, (Y, UV)),
    Row("unknown flags (V7)", Error.INVALID_FORMAT, flags=8),
    Row("unknown flags among known (V7)", Error.INVALID_FORMAT, flags=0x80000001),
    Row("known but unsupported flags (V8)", FAILED, flags=2),
    Row("width 0 (V9)", Error.INVALID_DIMENSIONS, width=0),
    Row("height 0 (V9)", Error.INVALID_DIMENSIONS, height=0),
    Row("width negative (V9)", Error.INVALID_DIMENSIONS, width=-1),
    Row("height negative (V9)", Error.INVALID_DIMENSIONS, height=-(2**31)),
    Row("unknown format (V10)", Error.INVALID_FORMAT, fourcc=0x31305453, versions=(4, 5, 6)),
    Row("unknown format, before it was an error", FAILED, fourcc=0x31305453, versions=(3,)),
    Row(
        "format that is not on offer (V10)",
        Error.INVALID_FORMAT,
        fourcc=parse_fourcc("R8"),
        versions=(4, 5, 6),
    ),
    Row(
        "modifier that is not on offer (V10)",
        Error.INVALID_FORMAT,
        (Plane(modifier=INTEL_X_TILED),),
        versions=(4, 5, 6),
    ),
    Row("offset + pitch beyond 32 bits (V11)", Error.OUT_OF_BOUNDS, (Plane(offset=U32 - 1),)),
    Row("pitch x height beyond 32 bits (V12)", Error.OUT_OF_BOUNDS, (Plane(pitch=1 << 30),)),
    Row(
        "pitch x rows of plane 1 beyond 32 bits (V12)",
        Error.OUT_OF_BOUNDS,
        (Y, Plane(1, pitch=1 << 30)),
        fourcc=NV12,
    ),
    Row(
        "only the subsampled rows of plane 1 count (V12)",
        CREATED,
        (Y, Plane(1, pitch=PITCH, size=PITCH * HEIGHT // 2)),
        fourcc=NV12,
    ),
    Row("offset + pitch beyond the object (V13)", Error.OUT_OF_BOUNDS, (Plane(offset=SIZE),)),
    Row("offset alone beyond the object (V13)", Error.OUT_OF_BOUNDS, (Plane(offset=1 << 20),)),
    Row("plane 0 ends beyond the object (V14)", Error.OUT_OF_BOUNDS, (Plane(offset=1),)),
    Row("height beyond the object (V14)", Error.OUT_OF_BOUNDS, height=HEIGHT + 1),
    Row(
        "plane 1 ends beyond the object (V14)",
        Error.OUT_OF_BOUNDS,
        (Y, Plane(1, offset=1, size=SIZE // 2)),
        fourcc=NV12,
    ),
    Row("pitch 0 (V15)", Error.OUT_OF_BOUNDS, (Plane(pitch=0),)),
    Row("pitch 0 of plane 1 (V15)", Error.OUT_OF_BOUNDS, (Y, Plane(1, pitch=0)), fourcc=NV12),
    Row("not seekable (V16)", FAILED, (Plane(size=None),)),
    Row("empty object (V17)", Error.OUT_OF_BOUNDS, (Plane(size=0),)),
    Row("rows that do not fit the pitch (V17)", FAILED, width=17),
    Row("larger than anything (V17)", FAILED, width=2**31 - 1, height=1),
]
CASES = [
    pytest.param(row, version, immediately, id=f"{row.name}, version {version}{how}")
    for row in ROWS
    for version in row.versions
    for immediately, how in ((False, ""), (True, ", immediately"))
]


@pytest.fixture
def pipe() -> Iterator[int]:
    ends = os.pipe()
    yield ends[0]
    for end in ends:
        os.close(end)


def add(client: Any, params: int, plane: Plane, pipe: int) -> None:
    fd = os.dup(pipe) if plane.size is None else memfd(bytes(plane.size), seal=True)
    modifier = (plane.modifier >> 32, plane.modifier & U32)
    client.request(params, "add", fd, plane.index, plane.offset, plane.pitch, *modifier)
    os.close(fd)


@pytest.mark.parametrize(("row", "version", "immediately"), CASES)
def test_a_buffer(stage, pipe, row: Row, version: int, immediately: bool) -> None:
    client, other = stage.client(), stage.client()
    params = client.params(version)
    before = open_fds()
    for plane in row.planes:
        add(client, params, plane, pipe)
    if client.error is None:
        shape = (row.width, row.height, row.fourcc, row.flags)
        if immediately:
            buffer = client.new("wl_buffer")
            client.request(params, "create_immed", buffer, *shape)
        else:
            client.request(params, "create", *shape)
    for plane in row.more:
        add(client, params, plane, pipe)
    check(client, params, row.expected, immediately=immediately)
    if row.expected is CREATED:
        made = buffer if immediately else client.take(params)[0][1]
        client.request(params, "destroy")
        client.request(made, "destroy")
    if not client.closed:
        assert open_fds() == before, "an fd was left open (V21)"
    else:
        fds = len(before) - len(open_fds())
        assert fds >= 1, "the client's socket, and nothing is left (V21)"
    other.request(other.params(version), "destroy")
    assert other.error is None, "the others go on"


def check(client: Any, params: int, expected: Any, *, immediately: bool) -> None:
    """One error, the right one, and nothing processed after it (V22)."""
    error = client.error
    if expected is FAILED and immediately:
        expected = Error.INVALID_WL_BUFFER
    if expected is CREATED or expected is FAILED:
        assert error is None, error
        names = [event.name for event in client.of(params)]
        assert names == ([] if immediately else [expected])
        return
    assert error is not None
    assert (error.object, Error(error.code)) == (params, expected), error.message
    assert len(error.message) > 5
    assert client.closed


@pytest.mark.parametrize("second", ["create", "create_immed", "add"])
@pytest.mark.parametrize("first", ["create", "create_immed"])
def test_params_are_used_once(stage, client, pipe, first: str, second: str) -> None:
    """V1, and even if the first creation failed."""
    for flags in (0, 2 if first == "create" else 0):
        client = stage.client()
        params = client.params()
        add(client, params, Plane(), pipe)
        for name in (first, second):
            assert client.error is None
            if name == "add":
                add(client, params, Plane(1), pipe)
                continue
            ids = [client.new("wl_buffer")] if name == "create_immed" else []
            client.request(params, name, *ids, WIDTH, HEIGHT, XRGB, flags)
        assert client.error is not None
        assert (client.error.object, client.error.code) == (params, Error.ALREADY_USED)


@pytest.mark.parametrize("size", [0, 4, 7, 9, 16])
def test_a_device_of_the_wrong_size(client, size: int) -> None:
    """V19."""
    params = client.params(6)
    client.request(params, "set_sampling_device", bytes(size))
    assert client.error is not None
    assert (client.error.object, client.error.code) == (params, Error.INVALID_DEV_T_SIZE)


def test_a_device_that_is_not_there_is_no_error(client, pipe) -> None:
    """V20."""
    params = client.params(6)
    add(client, params, Plane(), pipe)
    client.request(params, "set_sampling_device", struct.pack("=Q", os.makedev(4000, 1)))
    client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
    assert client.take(params)[0][0] == "created"


def test_params_that_are_given_up_close_their_fds(client, pipe) -> None:
    before = open_fds()
    for _ in range(3):
        params = client.params()
        for index in range(4):
            add(client, params, Plane(index), pipe)
        client.request(params, "destroy")
    assert open_fds() == before


def test_a_client_that_dies_half_way_leaves_no_fds(stage, pipe) -> None:
    before = open_fds()
    client = stage.client()
    params = client.params()
    for index in range(4):
        add(client, params, Plane(index), pipe)
    stage.clients.remove(client)
    client.close()
    stage.until(lambda: open_fds() == before)


def test_objects_outlive_the_factory(client, pipe) -> None:
    dmabuf = client.the("zwp_linux_dmabuf_v1", 5)
    params = client.params()
    feedback = client.make(dmabuf, "get_default_feedback", "zwp_linux_dmabuf_feedback_v1")
    client.request(dmabuf, "destroy")
    add(client, params, Plane(), pipe)
    client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
    client.request(feedback, "destroy")
    assert client.error is None
    assert client.take(params)[0][0] == "created"


def test_a_read_only_object_can_be_shown_and_a_write_only_one_not(stage, client) -> None:
    for mode, expected in ((os.O_RDONLY, "created"), (os.O_WRONLY, "failed")):
        fd = memfd(bytes(SIZE), seal=True)
        again = os.open(f"/proc/self/fd/{fd}", mode)
        params = client.params()
        client.request(params, "add", again, 0, 0, PITCH, 0, 0)
        client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
        os.close(fd)
        os.close(again)
        assert client.take(params)[0][0] == expected


@pytest.mark.parametrize(("error", "expected"), [(None, "created"), (524, "failed")])
def test_memory_that_no_cpu_reaches_is_refused_at_once(
    stage, client, monkeypatch, error: int | None, expected: str
) -> None:
    """What a GPU's driver exports may map for nobody: errno 524, ENOTSUPP."""
    path = "heapwire.compositor_plugin.hosts.reference.dmabuf.object_memory"
    monkeypatch.setattr(f"{path}.is_dma_buf", lambda fd: True)
    mapped: list[int] = []

    def refuse(fd: int, length: int, **how: int) -> mmap.mmap:
        mapped.append(length)
        if error is not None:
            raise OSError(error, "not supported")
        return MMAP(fd, length, **how)

    monkeypatch.setattr(f"{path}.mmap.mmap", refuse)
    fd = memfd(bytes(mmap.PAGESIZE), seal=True)
    before = open_fds()
    params = client.params()
    client.request(params, "add", fd, 0, 0, PITCH, 0, 0)
    client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
    made = client.take(params)[0]
    assert made[0] == expected
    assert mapped == [mmap.PAGESIZE], "the whole of it is mapped by who reads it"
    if expected == "created":
        client.request(made[1], "destroy")
    assert open_fds() == before
    os.close(fd)


def test_a_buffer_that_shrinks_while_it_is_shown_hurts_nobody(stage, client) -> None:
    """A mapping of it would end the compositor with SIGBUS."""
    window = client.window()
    fd = memfd(b"\x40" * SIZE)
    params = client.params()
    client.request(params, "add", fd, 0, 0, PITCH, 0, 0)
    buffer = client.new("wl_buffer")
    client.request(params, "create_immed", buffer, WIDTH, HEIGHT, XRGB, 0)
    client.show(window.surface, buffer)
    stage.refresh()
    assert stage.pixel(1, 1) == (0x40, 0x40, 0x40)
    os.ftruncate(fd, 0)
    os.close(fd)
    assert stage.pixel(1, 1) == (0, 0, 0)
    stage.refresh()
    assert client.error is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_old_versions_are_told_by_events(client, version: int) -> None:
    dmabuf = client.bind("zwp_linux_dmabuf_v1", version)
    events = client.take(dmabuf)
    formats = {event[1] for event in events if event[0] == "format"}
    modifiers = {tuple(event[1:]) for event in events if event[0] == "modifier"}
    assert {XRGB, ARGB, NV12} <= formats
    assert (modifiers == set()) == (version < 3)
    assert {one[0] for one in modifiers} <= formats


@pytest.mark.parametrize("version", [4, 5, 6])
def test_feedback(stage, client, version: int) -> None:
    dmabuf = client.bind("zwp_linux_dmabuf_v1", version)
    assert client.take(dmabuf) == [], "format and modifier are not sent any more"
    id_ = client.make(dmabuf, "get_default_feedback", "zwp_linux_dmabuf_feedback_v1")
    events = client.take(id_)
    names = [event[0] for event in events]
    tranche = ["tranche_target_device", "tranche_flags", "tranche_formats", "tranche_done"]
    main = [] if version >= 6 else ["main_device"]
    assert names == ["format_table", *main, *tranche, "done"]
    found = {event[0]: event[1:] for event in events}
    fd, size = found["format_table"]
    assert size % 16 == 0
    assert os.fstat(fd).st_size >= size
    assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    with Path(f"/proc/self/fd/{fd}").open("r+b") as file, pytest.raises(PermissionError):
        file.truncate(0)
    (indices,) = found["tranche_formats"]
    numbers = struct.unpack(f"={len(indices) // 2}H", indices)
    assert sorted(set(numbers)) == sorted(numbers)
    assert max(numbers) < size // 16
    table = [struct.unpack("=IIQ", os.pread(fd, 16, 16 * number)) for number in numbers]
    assert (XRGB, 0, 0) in table
    assert all(modifier != INVALID for _, _, modifier in table)
    renderer = next(device for device in stage.platform.devices if device.kind == "gpu")
    assert found["tranche_target_device"][0] == struct.pack("=Q", renderer.id.dev_t)
    assert found["tranche_flags"] == ((2,) if version >= 6 else (0,))


@pytest.mark.parametrize("version", [4, 5, 6])
def test_feedback_of_a_candidate_prefers_the_display(stage, client, version: int) -> None:
    window = client.window(fullscreen=True)
    dmabuf = client.bind("zwp_linux_dmabuf_v1", version)
    id_ = client.make(
        dmabuf, "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface
    )
    flags = [event[1] for event in client.take(id_) if event[0] == "tranche_flags"]
    assert flags == [1, 2 if version >= 6 else 0]
    client.request(window.toplevel, "unset_fullscreen")
    events = client.take(id_)
    flags = [event[1] for event in events if event[0] == "tranche_flags"]
    assert flags == [2 if version >= 6 else 0]
    assert [event[0] for event in events].count("done") == 1
    client.request(window.surface, "commit")
    stage.refresh()
    assert client.take(id_) == [], "nothing is sent twice"


def test_feedback_of_a_surface_that_is_gone_is_inert(stage, client) -> None:
    """V23."""
    window = client.window(fullscreen=True)
    dmabuf = client.the("zwp_linux_dmabuf_v1", 4)
    args = ("get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", window.surface)
    id_ = client.make(dmabuf, *args)
    client.take(id_)
    for name in ("toplevel", "xdg_surface", "surface"):
        client.request(getattr(window, name), "destroy")
    client.take(id_)  # that of a window, for as long as it was one and the surface was there
    stage.refresh()
    assert client.take(id_) == []
    client.request(id_, "destroy")
    assert client.error is None


@pytest.mark.parametrize(
    ("planes", "expected"), [((Y,), Error.INCOMPLETE), ((Y, UV, UV), Error.INCOMPLETE)]
)
def test_tiles_have_the_planes_of_their_format_too(nothing_left, pipe, planes, expected) -> None:
    with closing(HostStage("exynos4-mfc-v5")) as stage:
        client = stage.client()
        params = client.params()
        for index, plane in enumerate(planes):
            add(client, params, replace(plane, index=index, modifier=SAMSUNG_64_32_TILE), pipe)
        client.request(params, "create", WIDTH, HEIGHT, NV12, 0)
        assert client.error is not None
        assert (client.error.object, client.error.code) == (params, expected)
        assert client.error.message == "NV12 SAMSUNG_64_32_TILE has 2 planes"


class TestBounds:
    """What buffers keep open is bounded for one client, and for all."""

    LIMIT = 800  # descriptors that a process may have, of which clients have a quarter

    @pytest.fixture
    def crowded(self, monkeypatch) -> Iterator[HostStage]:
        usual = resource.getrlimit(resource.RLIMIT_NOFILE)
        monkeypatch.setattr(resource, "getrlimit", lambda which: (self.LIMIT, usual[1]))
        with closing(HostStage()) as stage:
            yield stage

    def made(self, client: Any, pipe: int) -> bool:
        """Whether a client gets one more buffer."""
        params = client.params()
        add(client, params, Plane(), pipe)
        if client.error is None:
            client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
        done = client.error is None and client.take(params)[0][0] == "created"
        if client.error is None:
            client.request(params, "destroy")
        return done

    def made_at_most(self, client, pipe) -> int:
        """How many buffers a client gets, one after the other."""
        for number in turns(self.LIMIT, "a refusal"):
            if not self.made(client, pipe):
                return number
        raise AssertionError

    def test_a_client_has_half_of_what_clients_may_have(self, crowded, pipe) -> None:
        first, second = crowded.client(), crowded.client()
        number = self.made_at_most(first, pipe)
        # Its own object is one more than the plane that it came with.
        assert number == self.LIMIT // 8 - 1
        assert first.error is None, "what it could not know is an event"
        assert self.made(second, pipe), "there is room for others"

    def test_what_it_gives_back_it_may_have_again(self, crowded, pipe) -> None:
        client = crowded.client()
        for _ in range(3 * self.LIMIT // 8):
            params = client.params()
            add(client, params, Plane(), pipe)
            client.request(params, "create", WIDTH, HEIGHT, XRGB, 0)
            [(name, *made)] = client.take(params)
            assert name == "created"
            client.request(made[0], "destroy")
            client.request(params, "destroy")
        assert client.error is None

    def test_planes_that_nothing_is_made_of_are_too_many_at_last(self, crowded, pipe) -> None:
        client, other = crowded.client(), crowded.client()
        before = open_fds()
        for _ in range(self.LIMIT):
            add(client, client.params(), Plane(), pipe)
            if client.error is not None:
                break
        assert client.error is not None
        assert client.error.code == 2  # wl_display.error.no_memory
        assert len(open_fds()) <= len(before), "nothing of it is left"
        assert self.made(other, pipe)

    def test_all_together_have_no_more_than_their_quarter(self, crowded, pipe) -> None:
        number = 0
        for _ in range(3):
            client = crowded.client()
            number += self.made_at_most(client, pipe)
        assert number < self.LIMIT // 4
