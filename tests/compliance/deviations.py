"""The reference compositor with one thing wrong: each kind of deviation, and who is to find it.

A deviation is planted in the classes of the compositor by replacing a method, and is gone with
the `pytest.MonkeyPatch`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest

from heapwire.compositor_plugin.format_tables import FormatTables
from heapwire.compositor_plugin.hosts.reference.dmabuf import (
    WlBuffer,
    ZwpLinuxDmabufFeedbackV1 as Feedback,
    ZwpLinuxDmabufV1 as Dmabuf,
    zwp_linux_buffer_params_v1 as params_module,
)
from heapwire.compositor_plugin.hosts.reference.dmabuf.feedback_batches import FeedbackBatches
from heapwire.compositor_plugin.hosts.reference.dmabuf.zwp_linux_buffer_params_v1 import (
    ZwpLinuxBufferParamsV1 as Params,
)
from heapwire.compositor_plugin.hosts.reference.scene.buffer_hold import BufferHold
from heapwire.compositor_plugin.hosts.reference.shell.xdg_surface import XdgSurface
from heapwire.compositor_plugin.hosts.reference.wl_callback import WlCallback
from heapwire.compositor_plugin.server import ViolationError
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.protocol.wire import BufferParamsError as Error


@dataclass(frozen=True)
class Deviation:
    """What is wrong, how to plant it, and the cases that are to find it, without versions."""

    name: str
    plant: Callable[[pytest.MonkeyPatch], object]
    found_by: tuple[str, ...]


DEVIATIONS: list[Deviation] = []
Plant = Callable[[pytest.MonkeyPatch], object]


def deviation(name: str, *found_by: str) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        DEVIATIONS.append(Deviation(name, plant, found_by))
        return plant

    return add


def wrap(patch: pytest.MonkeyPatch, kind: type, name: str, around: Callable[..., Any]) -> None:
    """Replace a method by `around(method, self, *arguments)`.

    Both have to take the same number of arguments: a call that fails inside a request is logged
    and forgotten, so a deviation that no longer fits would be planted and do nothing.
    """
    method = getattr(kind, name)
    signature(around).bind(method, *signature(method).parameters)
    patch.setattr(
        kind, name, lambda self, *arguments, **named: around(method, self, *arguments, **named)
    )


# Making buffers.


@deviation("a fifth plane", "params/plane-4", "params/plane-far", "params/requests-after-error")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(params_module, "DMABUF_PLANES", 1 << 32)


@deviation("a plane takes the place of one before it", "params/plane-twice")
def _(patch: pytest.MonkeyPatch) -> None:
    def add(method, self, fd, plane, *rest):
        self._planes.pop(plane, None)
        method(self, fd, plane, *rest)

    wrap(patch, Params, "add", add)


@deviation("an error by another name", "params/plane-twice")
def _(patch: pytest.MonkeyPatch) -> None:
    def error(method, self, code, message):
        return method(self, Error.PLANE_IDX if code is Error.PLANE_SET else code, message)

    wrap(patch, Params, "_error", error)


@deviation(
    "an object can be used again",
    *("params/add-after-use", "params/create-after-use", "params/create-immed-after-use"),
    "params/sampling-device-after-use",
)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Params, "_check_unused", lambda self: None)


@deviation("missing planes crash it", "params/no-planes", "params/plane-0-missing", "params/gap")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Params, "_checked_planes", lambda self: [self._planes[i] for i in range(9)])


@deviation("modifiers are compared in one order only", "params/modifiers-differ-reversed")
def _(patch: pytest.MonkeyPatch) -> None:
    def create(method, self, planes, fourcc):
        if next(iter(self._planes)):  # plane 0 came last
            planes = planes[:1] * len(planes)
        return method(self, planes, fourcc)

    wrap(patch, Params, "_checked_pair", create)


@deviation(
    "what is not on offer is refused gently",
    *("params/unknown-format", "params/unknown-modifier", "params/unadvertised-format"),
    *("params/modifiers-differ", "params/modifiers-differ-reversed"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def pair(method, self, planes, fourcc):
        try:
            return method(self, planes, fourcc)
        except ViolationError:
            return None

    wrap(patch, Params, "_checked_pair", pair)


@deviation("planes out of order are refused", "params/nv12-reversed")
def _(patch: pytest.MonkeyPatch) -> None:
    def add(method, self, fd, plane, *rest):
        if plane == 0 and self._planes:
            raise self._error(Error.INVALID_FORMAT, "plane 0 comes first")
        method(self, fd, plane, *rest)

    wrap(patch, Params, "add", add)


@deviation("chroma is taken to have as many rows as luma", "params/nv12-short-chroma")
def _(patch: pytest.MonkeyPatch) -> None:
    wrap(
        patch,
        Params,
        "_check_bounds",
        lambda method, self, planes, layout, width, height: [
            method(self, [plane], None, width, height) for plane in planes
        ],
    )


@deviation(
    "anything becomes a buffer",
    *(f"params/{name}" for name in ("socket", "device-node", "empty-file", "no-planes", "gap")),
    *(f"params/{name}" for name in ("plane-0-missing", "too-few-planes", "too-many-planes")),
    *(f"params/{name}" for name in ("unknown-flags", "unknown-flags-among-known")),
    *(f"params/{name}" for name in ("width-0", "height-0", "width-negative", "height-negative")),
    *(f"params/{name}" for name in ("unknown-format", "unknown-modifier", "unadvertised-format")),
    *(f"params/{name}" for name in ("offset-overflow", "pitch-overflow", "chroma-overflow")),
    *(f"params/{name}" for name in ("offset-at-end", "offset-beyond", "one-row-too-many")),
    *(f"params/{name}" for name in ("one-pixel-too-far", "chroma-too-far", "pitch-0")),
    *(f"params/{name}" for name in ("chroma-pitch-0", "pitch-short", "enormous", "many-faults")),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def anything(method, self, *arguments):
        self._check_unused()
        self._used = True
        self._close()
        return SimpleNamespace()

    wrap(patch, Params, "_import", anything)


@deviation(
    "what cannot be imported is fatal",
    *("params/socket", "params/y-invert", "params/interlaced", "params/sampling-device-unknown"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def create(method, self, *arguments):
        content = self._import(*arguments)
        if content is None:
            raise self._error(Error.INVALID_WL_BUFFER, "no buffer")
        self.send("created", WlBuffer(self.child(), content))

    def device(method, self, raw):
        method(self, raw)
        if set(raw) == {0xFF}:
            raise self._error(Error.INVALID_WL_BUFFER, "no such device")

    wrap(patch, Params, "create", create)
    wrap(patch, Params, "set_sampling_device", device)


@deviation("memory that may only be read is an error", "params/read-only")
def _(patch: pytest.MonkeyPatch) -> None:
    def add(method, self, fd, *rest):
        if fcntl.fcntl(fd.fileno(), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise self._error(Error.INVALID_FORMAT, "read-only memory")
        method(self, fd, *rest)

    wrap(patch, Params, "add", add)


@deviation("after success it dies", "params/heap", "params/nv12", "params/destroy-after-use")
def _(patch: pytest.MonkeyPatch) -> None:
    def create(method, self, *arguments):
        method(self, *arguments)
        die(self)

    wrap(patch, Params, "create", create)
    wrap(patch, Params, "create_immed", create)


@deviation(
    "destroying an object is an error",
    *("params/destroy-unused", "params/destroy-before-answer", "params/destroy-after-use"),
)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Params, "destroy", die)


@deviation(
    "devices of any length pass",
    *("params/sampling-device-empty", "params/sampling-device-short"),
    "params/sampling-device-long",
)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Params, "set_sampling_device", lambda self, device: None)


@deviation("no device can be named", "params/sampling-device", "params/sampling-device-unknown")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Params, "set_sampling_device", lambda self, device: die(self))


LEAKED: list[int] = []


@deviation(
    "descriptors stay open",
    *(f"descriptors/{name}" for name in ("destroy", "disconnect", "failed", "failed-immed")),
    *(f"descriptors/{name}" for name in ("plane-idx", "plane-set", "incomplete")),
    *(f"descriptors/{name}" for name in ("invalid-format", "invalid-dimensions")),
    *(f"descriptors/{name}" for name in ("refused-plane", "second-plane", "after-use")),
)
def _(patch: pytest.MonkeyPatch) -> None:
    def add(method, self, fd, *rest):
        LEAKED.append(os.dup(fd.fileno()))
        method(self, fd, *rest)

    wrap(patch, Params, "add", add)


# The global.


@deviation("formats are told of in any version", "dmabuf/silent")
def _(patch: pytest.MonkeyPatch) -> None:
    _after_bind(patch, lambda self: self.send("format", 1))


@deviation("a format is told of twice", "dmabuf/formats")
def _(patch: pytest.MonkeyPatch) -> None:
    _after_bind(patch, lambda self: [self.send("format", 1) for _ in range(2)])


@deviation("nothing is told of", "dmabuf/formats", "dmabuf/modifiers")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Dmabuf, "send", lambda self, *event: None)


@deviation("the global takes with it what it made", "dmabuf/destroyed-global")
def _(patch: pytest.MonkeyPatch) -> None:
    def destroy(method, self):
        for one in live_resources():
            if isinstance(one, Params):
                one.destroy_resource()
        method(self)

    wrap(patch, Dmabuf, "destroy", destroy)


def _after_bind(patch: pytest.MonkeyPatch, then: Callable[[Any], object]) -> None:
    def init(method, self, *arguments):
        method(self, *arguments)
        then(self)

    wrap(patch, Dmabuf, "__init__", init)


# Feedback.


def _sends(name: str, change: Callable[..., list[tuple[Any, ...]]], *found_by: str) -> None:
    """A deviation of feedback: `change(self, event, *arguments)` gives what is sent instead."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def send(method, self, *event):
            for one in change(self, *event):
                method(self, *one)

        def encode(method, self, events):
            changed = (one for name, values in events for one in change(self, name, *values))
            return method(self, [(name, values) for name, *values in changed])

        def each_anew(method, self, *arguments, **named):
            self._known.clear()
            return method(self, *arguments, **named)

        wrap(patch, Feedback, "send", send)
        wrap(patch, Feedback, "encode", encode)
        wrap(patch, FeedbackBatches, "of", each_anew)

    DEVIATIONS.append(Deviation(name, plant, found_by or ("feedback/default", "feedback/surface")))


def _instead(name: str, *others: tuple[Any, ...]) -> Callable[..., list[tuple[Any, ...]]]:
    return lambda self, *event: list(others) if event[0] == name else [event]


def _values(name: str, change: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    return lambda self, *event: [(name, *change(*event[1:])) if event[0] == name else event]


def _twice(name: str) -> Callable[..., Any]:
    return lambda self, *event: [event] * (2 if event[0] == name else 1)


_MAIN_AT_ALL = ("main_device", bytes(8))
_sends("no format table", _instead("format_table"))
_sends("no target device", _instead("tranche_target_device"))
_sends("no flags event", _instead("tranche_flags"))
_sends("no formats event", _instead("tranche_formats"))
_sends("no tranche_done", _instead("tranche_done"))
_sends("no done", _instead("done"))
_sends("a target device twice", _twice("tranche_target_device"))
_sends("flags twice", _twice("tranche_flags"))
_sends("a pair twice in a tranche", _twice("tranche_formats"), "feedback/pairs-once")
_sends("half a table entry", _values("format_table", lambda fd, size: (fd, size - 8)))
_sends("a table longer than its file", _values("format_table", lambda fd, size: (fd, size + 16)))
_sends("half an index", _values("tranche_formats", lambda raw: (raw + b"\0",)))
_sends("an index beyond the table", _values("tranche_formats", lambda raw: (raw + b"\xff\xff",)))
_sends("half a device", _values("tranche_target_device", lambda raw: (raw[:4],)))
_sends("a flag that there is not", _values("tranche_flags", lambda flags: (flags | 4,)))
_sends("no flag set, or one too early", _values("tranche_flags", lambda flags: (flags ^ 2,)))
_sends(
    "main_device in any version, and late",
    _instead("tranche_done", ("tranche_done",), _MAIN_AT_ALL),
)
_sends("no main_device", _instead("main_device"), "feedback/default")
_sends(
    "a main device without a tranche",
    _values("main_device", lambda raw: (b"\1" + raw[1:],)),
    "feedback/main-device-tranche",
)
_sends(
    "other devices for each object",
    _values("tranche_target_device", lambda raw: (os.urandom(8),)),
    "feedback/alike",
)


@deviation("the same again", "feedback/not-repeated")
def _(patch: pytest.MonkeyPatch) -> None:
    def changed(method, self):
        self.said = None
        self._send_batch()

    wrap(patch, Feedback, "state_changed", changed)


@deviation("a table that anybody can write to", "feedback/table-unchangeable")
def _(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(self: FormatTables, content: bytes) -> Iterator[int]:
        if not self._fds:
            fd = os.memfd_create("table", os.MFD_CLOEXEC)
            os.write(fd, content)
            self._fds[b""] = fd
        yield self._fds[b""]

    patch.setattr(FormatTables, "opened", opened)


@deviation("destroying a feedback object is an error", "feedback/destroy")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Feedback, "destroy", die)


@deviation("a surface that is gone ends the client", "feedback/destroyed-surface")
def _(patch: pytest.MonkeyPatch) -> None:
    def gone(method, self):
        die(self)

    wrap(patch, Feedback, "surface_gone", gone)


# Surfaces.


@deviation("buffers are never released", "surface/release")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BufferHold, "release", lambda self: None)


@deviation("frame callbacks never come", "surface/frame")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WlCallback, "send", lambda self, *event: None)


@deviation("a buffer may not go while it is shown", "surface/destroyed-buffer")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WlBuffer, "destroy", die)


@deviation("windows are shown unconfigured", "surface/unconfigured")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(XdgSurface, "before_commit", lambda self: None)


@deviation("commits end the client", "surface/closed-memory", "surface/frame")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(XdgSurface, "committed", _die_of_buffer)


def _die_of_buffer(self: Any) -> None:
    if self.surface.size is not None:
        die(self)
    elif self._initial:
        self._initial = False
        self.window.send_configure()


def die(self: Any) -> None:
    self.client.post_implementation_error("a deviation")
