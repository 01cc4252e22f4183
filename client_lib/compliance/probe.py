"""What a case is written with: one connection, some buffers, and the ways to ask and to look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from heapwire.client_lib.compliance.feedback_batch import SentBatch, batches
from heapwire.client_lib.compliance.own_buffers import OwnBuffers
from heapwire.client_lib.compliance.verdict import DeviationError, SkippedCaseError
from heapwire.client_lib.compliance.wire_connection import (
    FatalError,
    WireConnection,
    WireObject,
)
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import INVALID, LINEAR, FormatModifier, fourcc_name, parse_fourcc
from heapwire.protocol.wire import DmabufVersion, halves, whole

DMABUF = "zwp_linux_dmabuf_v1"
PARAMS = "zwp_linux_buffer_params_v1"
FEEDBACK = "zwp_linux_dmabuf_feedback_v1"

CREATED, FAILED = "created", "failed"

_SHM_XRGB = 1  # wl_shm.format
XRGB, NV12 = parse_fourcc("XRGB8888"), parse_fourcc("NV12")
WIDTH, HEIGHT, PITCH = 64, 64, 256
"""Of the buffers that cases make: pixels, and bytes of a row of XRGB8888."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane to add; `fd` stays whose it is."""

    fd: int
    index: int = 0
    offset: int = 0
    pitch: int = PITCH
    modifier: int = LINEAR


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request to make a buffer.

    `word` is `created`, `failed`, the name of an error of the params object, or a sentence
    for what is none of these.
    """

    word: str
    buffer: WireObject | None = None
    error: FatalError | None = None

    def __str__(self) -> str:
        return self.word if self.error is None else str(self.error)


class Probe:
    """One case's connection to the compositor, and what it sends over it."""

    def __init__(self, connection: WireConnection, buffers: OwnBuffers) -> None:
        self.connection = connection
        self.buffers = buffers
        self._registry: WireObject | None = None
        self._dmabufs: dict[int, WireObject] = {}

    # What is on offer.

    def globals(self) -> Mapping[str, tuple[int, int]]:
        """Each interface that is on offer, with its number and its version."""
        if self._registry is None:
            self._registry = self.connection.new("wl_registry")
            self.connection.request(self.connection.display, "get_registry", self._registry)
            self.expect_alive("the registry")
        return {
            event.text(1): (event.number(0), event.number(2))
            for event in self.connection.of(self._registry, "global")
        }

    def bind(self, interface: str, version: int) -> WireObject:
        """A global; `SkippedCaseError` where it is not on offer in that version."""
        number, offered = self.globals().get(interface, (0, 0))
        if not offered:
            raise SkippedCaseError(f"the compositor does not offer {interface}")
        if offered < version:
            raise SkippedCaseError(f"the compositor offers {interface} in version {offered}")
        assert self._registry is not None
        return self.connection.bind(self._registry, number, interface, version)

    def bind_many(self, interface: str, most: int) -> None:
        """Bind a global as often as a client may, and once more: that ends in no_memory."""
        for _ in range(most):
            self.bind(interface, 1)
        self.expect_alive(f"{most} objects of {interface}")
        self.bind(interface, 1)
        self.expect_error("wl_display", "no_memory")

    def make_many(self, manager: str, make: Callable[[], WireObject], most: int) -> None:
        """Make an object as often as a client may, one for one that is destroyed, and one more.

        The last one raises the manager's too_many.
        """
        first, *_ = [make() for _ in range(most)]
        self.expect_alive(f"{most} objects")
        self.connection.request(first, "destroy")
        make()
        self.expect_alive("one for one that is destroyed")
        make()
        self.expect_error(manager, "too_many")

    def dmabuf(self, version: int) -> WireObject:
        """linux-dmabuf in a version, bound once."""
        if version not in self._dmabufs:
            self._dmabufs[version] = self.bind(DMABUF, version)
        return self._dmabufs[version]

    def feedback(self, version: int, surface: WireObject | None = None) -> WireObject:
        """A feedback object for a surface, or for none."""
        dmabuf = self.dmabuf(version)  # ids have to be used in their order
        made = self.connection.new(FEEDBACK, version)
        if surface is None:
            self.connection.request(dmabuf, "get_default_feedback", made)
        else:
            self.connection.request(dmabuf, "get_surface_feedback", made, surface)
        return made

    def batches(self, feedback: WireObject) -> list[SentBatch]:
        """What a feedback object has sent, after one batch at the least."""
        connection = self.connection
        if not connection.wait(lambda: connection.of(feedback, "done"), f"{FEEDBACK}.done"):
            raise DeviationError(expected="a batch of feedback", seen=self.ending())
        return batches(connection.of(feedback), feedback.version)

    def pairs(self, version: int) -> list[FormatModifier]:
        """The pairs on offer: by the events of the global, or by feedback from version 4 on."""
        dmabuf = self.dmabuf(version)
        if version >= DmabufVersion.FEEDBACK:
            return self.batches(self.feedback(version))[0].pairs
        self.expect_alive("bind")
        return [
            FormatModifier(event.number(0), whole(event.number(1), event.number(2)))
            for event in self.connection.of(dmabuf, "modifier")
        ]

    def modifier(self, version: int, fourcc: int) -> int:
        """LINEAR where a format is on offer with it, else none at all.

        Raises `SkippedCaseError` where the format is not on offer with either.
        """
        pairs = self.pairs(version)
        for modifier in (LINEAR, INVALID):
            if FormatModifier(fourcc, modifier) in pairs:
                return modifier
        raise SkippedCaseError(f"{fourcc_name(fourcc)} in rows is not on offer")

    # Making buffers.

    def params(self, version: int) -> WireObject:
        """A new params object."""
        dmabuf = self.dmabuf(version)
        made = self.connection.new(PARAMS, version)
        self.connection.request(dmabuf, "create_params", made)
        return made

    def add(self, params: WireObject, plane: Plane) -> None:
        """Add a plane."""
        self.connection.request(
            *(params, "add", plane.fd, plane.index, plane.offset, plane.pitch),
            *halves(plane.modifier),
        )

    def create(
        self,
        params: WireObject,
        *,
        fourcc: int = XRGB,
        width: int = WIDTH,
        height: int = HEIGHT,
        flags: int = 0,
        immediately: bool = False,
    ) -> None:
        """Ask for the buffer."""
        if immediately:
            made = self.connection.new("wl_buffer")
            values = (params, "create_immed", made, width, height, fourcc, flags)
            self.connection.request(*values)
        else:
            self.connection.request(params, "create", width, height, fourcc, flags)

    def answer(self, params: WireObject, *, immediately: bool = False) -> Answer:
        """What became of it, once the compositor has seen all that was asked.

        Of what is created immediately nothing is heard.
        """
        connection = self.connection
        alive = connection.roundtrip()
        if alive and not immediately:
            alive = connection.wait(
                lambda: connection.of(params, "created", "failed"), f"{PARAMS}.created or failed"
            )
        if connection.errors:
            error = connection.errors[0]
            ours = error.object == params.id
            return Answer(error.name if ours else str(error), error=error)
        if not alive:
            return Answer(self.ending())
        told = connection.of(params)
        if any(event.name == "failed" for event in told):
            return Answer(FAILED)
        made = connection.object(told[0].number(0)) if told else None
        return Answer(CREATED, buffer=made)

    def xrgb(
        self, version: int, *, fd: int | None = None, size: tuple[int, int] = (WIDTH, HEIGHT)
    ) -> WireObject:
        """A buffer of XRGB8888 that the compositor has taken; `SkippedCaseError` if it does not."""
        width, height = size
        pitch = -(-4 * width // PITCH) * PITCH
        modifier = self.modifier(version, XRGB)
        sent = self.buffers.dma_buf(pitch * height) if fd is None else fd
        params = self.params(version)
        self.add(params, Plane(sent, modifier=modifier, pitch=pitch))
        self.create(params, width=width, height=height)
        answer = self.answer(params)
        self.connection.request(params, "destroy")
        if answer.buffer is None:
            if answer.word == FAILED:
                raise SkippedCaseError(
                    "the compositor does not take a plain buffer of this machine's"
                )
            raise DeviationError(expected="created or failed for a plain buffer", seen=str(answer))
        return answer.buffer

    def shared(self, size: tuple[int, int]) -> WireObject:
        """A buffer of XRGB8888 in shared memory, for who takes no dma-buf of this machine's."""
        width, height = size
        length = 4 * width * height
        pool = self.bind("wl_shm", 1), self.connection.new("wl_shm_pool")
        fd = self.buffers.shared_memory(length)
        self.connection.request(pool[0], "create_pool", pool[1], fd, length)
        made = self.connection.new("wl_buffer")
        layout = (width, height, 4 * width, _SHM_XRGB)
        self.connection.request(pool[1], "create_buffer", made, 0, *layout)
        return made

    # Looking at it.

    def expect(self, answer: Answer, allowed: Iterable[str]) -> None:
        """Fail unless an answer is one of those allowed, and stands alone."""
        words = list(allowed)
        if answer.word not in words:
            raise DeviationError(expected=" or ".join(words), seen=str(answer))
        self.expect_one_error()
        if answer.word in (CREATED, FAILED):
            self.expect_alive(answer.word)

    def expect_one_error(self) -> None:
        """Fail if the compositor said more than one error, or anything after one."""
        if len(self.connection.errors) > 1:
            listed = ", ".join(str(error) for error in self.connection.errors)
            raise DeviationError(expected="one error, and nothing after it", seen=listed)

    def expect_error(self, interface: str, name: str) -> None:
        """Fail unless the compositor ends the client with this error, and says no other."""
        expected = f"the error {interface}.{name}"
        if self.connection.roundtrip():
            raise DeviationError(expected=expected, seen="nothing")
        error = self.connection.errors[0] if self.connection.errors else None
        if error is None or (error.interface, error.name) != (interface, name):
            raise DeviationError(expected=expected, seen=self.ending())
        self.expect_one_error()

    def expect_alive(self, after: str) -> None:
        """Fail unless the compositor still serves this client."""
        if not self.connection.roundtrip():
            raise DeviationError(expected=f"the client goes on after {after}", seen=self.ending())

    def ending(self) -> str:
        """How the compositor ended the connection."""
        if self.connection.errors:
            return str(self.connection.errors[0])
        return "the connection closed without an error"
