"""A compositor without a picture: surfaces, buffers, a host that tests script, and the plugin.

`Stage` runs in step with its clients, so tests neither wait nor sleep, except
for what the plugin itself does on another thread or after a while: `until`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from patience import turns, until
from wire_client import WireClient

from heapwire.compositor_plugin import (
    HeapPlugin,
    OutputState,
    Policy,
    SecurityContext,
    StatusReason,
    SurfaceState,
)
from heapwire.compositor_plugin.answering import trial
from heapwire.compositor_plugin.server import (
    Display,
    Global,
    OwnDisplay,
    Resource,
    core_interface,
    interface_struct,
)
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform
from heapwire.protocol.values import (
    SAMSUNG_64_32_TILE,
    Constraint,
    Extent,
    FixedBuffer,
    FormatModifier,
    Participant,
    Plan,
    SourceId,
    SourceKind,
    Usage,
    parse_fourcc,
)
from heapwire.protocol.wire import (
    Argument,
    ArgumentKind,
    Batch,
    BatchDecoder,
    DmabufFeedback,
    Explanation,
    Interface,
    Message,
    encode_buffer,
)
from heapwire.protocol.wire.array import encode_formats
from heapwire.protocol.wire.bindings import INTERFACES, AllocationReason
from heapwire.protocol.wire.constraint_value import encode_value

NV12 = FormatModifier(parse_fourcc("NV12"), 0)
XRGB = FormatModifier(parse_fourcc("XRGB8888"), 0)
IMPORTABLE = frozenset({NV12, XRGB})
TILES = FormatModifier(NV12.fourcc, SAMSUNG_64_32_TILE)
SIZE = Extent(640, 480)
POLICY_KEYS = {field.name for field in fields(Policy)}
DECODE = 1

KIT = Interface(
    "heapwire_kit",
    1,
    requests=(
        Message("destroy", destructor=True),
        Message("surface", (Argument("id", ArgumentKind.NEW_ID, "wl_surface"),)),
        Message("buffer", (Argument("id", ArgumentKind.NEW_ID, "wl_buffer"),)),
    ),
)


def _ignoring(name: str) -> type[Resource]:
    table = core_interface(name)
    ignored = {
        request.name: lambda self, *values: None
        for request in table.requests
        if not request.destructor
    }
    return type(name, (Resource,), {**ignored, "INTERFACE": table})


Surface, Buffer = _ignoring("wl_surface"), _ignoring("wl_buffer")


class Kit(Resource):
    INTERFACE = KIT

    def surface(self, new_id) -> None:
        Surface(new_id)

    def buffer(self, new_id) -> None:
        Buffer(new_id)


class ScriptedHost:
    """Answers what a test has set; every question is counted."""

    def __init__(self) -> None:
        self.state: SurfaceState | None = None
        self.importable: frozenset[FormatModifier] = IMPORTABLE
        self.questions = 0
        self.contexts: list[SecurityContext] = []  # of the clients that are still to come

    def surface_state(self, surface: int) -> SurfaceState | None:
        self.questions += 1
        return self.state

    def importable_formats(self, client: int, surface: int | None) -> frozenset[FormatModifier]:
        self.questions += 1
        return self.importable

    def dmabuf_feedback(self, feedback: int) -> DmabufFeedback | None:
        return None

    def security_context(self, client: int) -> SecurityContext | None:
        return self.contexts.pop() if self.contexts else None


class Stage:
    """The display, the plugin on it, and how to look at what clients were told."""

    def __init__(
        self, platform: str = "raspberry-pi-4", policy: Policy | None = None, **options: Any
    ) -> None:
        self.platform = Platform.load(platform)
        self.host = ScriptedHost()
        self.display = OwnDisplay()
        interface_struct(KIT)
        Global(self.display, KIT, Kit)
        stated = {key: options.pop(key) for key in tuple(options) if key in POLICY_KEYS}
        policy = replace(policy or Policy(), **{"debounce": 1, **stated})
        offered = policy.apply(self.platform)
        self.plugin = HeapPlugin(self.display.address, offered, self.host, policy=policy, **options)
        answers = self.plugin._state.answers
        answers._clock = lambda: 0.0  # one slice is enough for all
        trial.clock = lambda: 0.0  # and a trial has its steps, however busy the machine is
        answers._much = 1 << 30  # and comes in whatever pass there was something to tell
        self.clients: list[WireClient] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.plugin.close()
        self.display.destroy()

    def client(self) -> Client:
        """A new client, with the globals bound."""
        client = Client(self)
        self.clients.append(client)
        return client

    def candidate(self, yes: bool = True, display: str | None = None) -> SurfaceState:
        """Let surfaces be candidates for scanout on the platform's display, or not."""
        device = next(
            device.id
            for device in self.platform.devices
            if (device.name == display if display else device.kind == "display")
        )
        self.host.state = SurfaceState(
            outputs=(OutputState("HEADLESS-1", device),),
            size=SIZE,
            candidate=yes,
            reason=StatusReason.NONE if yes else StatusReason.NOT_A_CANDIDATE,
        )
        return self.host.state

    def until(self, condition: Callable[[], bool]) -> None:
        """Run the loop until something that takes time has happened."""
        until(condition, "what takes time", self._turn)

    def _turn(self) -> None:
        self.display.dispatch(50)
        for client in self.clients:
            client.read()

    def decoder(self) -> Participant:
        """The platform's first decoder."""
        name = next(one.name for one in self.platform.devices if Usage.DECODE in one.sets)
        return self.platform.participant(name, Usage.DECODE)

    def finish_work(self) -> None:
        """Let the plugin finish what it does elsewhere than on the loop."""
        if self.plugin.closed:
            return
        finished: list[int] = []
        state = self.plugin._state
        state.kernel_worker.submit(lambda: None, lambda _: finished.append(1))
        self.until(lambda: bool(finished) and state.solving.idle and not state.answers.busy)

    def settle(self) -> None:
        """Let everything that is due within the debounce happen."""
        answers = self.plugin._state.answers
        self.until(lambda: not answers.busy)  # what may begin to wait for the debounce does
        fired: list[int] = []
        timer = Display(self.display.address).loop.add_timer(lambda: fired.append(1))
        timer.arm(20)
        self.until(lambda: bool(fired) and not answers.busy)
        timer.remove()


class Client(WireClient):
    """A client of a `Stage`."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.display, *INTERFACES, KIT)
        self.stage = stage
        self.kit = self.bind("heapwire_kit")
        self.manager = self.bind("xx_dmabuf_negotiation_manager_v1")
        self.allocation_manager = self.bind("xx_dmabuf_allocation_manager_v1")
        self.status_manager = self.bind("xx_dmabuf_buffer_status_manager_v1")
        self._decoders: dict[int, BatchDecoder] = {}

    def thing(self, name: str) -> int:
        """A surface or a buffer."""
        id_ = self.new(f"wl_{name}")
        self.request(self.kit, name, id_)
        return id_

    def constraint_set(
        self, *formats: FormatModifier, constraints: Sequence[Constraint] = ()
    ) -> int:
        """A set with formats, and with constraints if some are given."""
        creator = self.new("xx_dmabuf_constraint_set_creator_v1")
        set_ = self.new("xx_dmabuf_constraint_set_v1")
        self.request(self.manager, "create_constraint_set", creator)
        self.request(creator, "add_formats", 0, encode_formats(formats or (NV12,)))
        for one in constraints:
            value = encode_value(one.type, one.value)
            provenance, flags = one.provenance, int(one.must_understand)
            self.request(creator, "add", one.type, one.planes, flags, provenance, value)
        self.request(creator, "create", set_)
        return set_

    def negotiation(self, surface: int | None = None) -> int:
        """A negotiation object, for a surface or for none."""
        id_ = self.new("xx_dmabuf_negotiation_v1")
        if surface is None:
            self.request(self.manager, "get_default_negotiation", id_)
        else:
            self.request(self.manager, "get_surface_negotiation", id_, surface)
        return id_

    def ask(
        self,
        negotiation: int,
        cookie: int = 1,
        *formats: FormatModifier,
        decoder: Participant | None = None,
    ) -> None:
        """Commit a decoder that can write some formats, or one of the platform's."""
        if decoder is None:
            sets = [self.constraint_set(*formats)]
        else:
            sets = [
                self.constraint_set(*one.formats, constraints=one.constraints)
                for one in decoder.sets
            ]
        self.request(negotiation, "set_participant", 1, DECODE, 81, 3, "decoder")
        for set_ in sets:
            self.request(negotiation, "add_alternative", 1, set_)
            self.request(set_, "destroy")
        self.request(negotiation, "set_extents", SIZE.width, SIZE.height, 0, 0, 0, 0)
        self.request(negotiation, "set_explanation", Explanation.ALL)
        self.request(negotiation, "commit", cookie)

    def batches(self, negotiation: int) -> list[Batch]:
        """The batches of a negotiation object that were not looked at yet."""
        decoder = self._decoders.setdefault(negotiation, BatchDecoder())
        found = []
        for name, *arguments in self.take(negotiation):
            batch = getattr(decoder, name)(*arguments)
            if batch is not None:
                found.append(batch)
        return found

    def given_from(self) -> set[str]:
        """The names of the sources that the compositor allocates from for this client."""
        named = {one.id: one.name for one in self.stage.platform.sources}
        events = self.of(self.allocation_manager)
        told = [event.args for event in events if event.name == "source"]
        return {named[SourceId(SourceKind(kind), *numbers)] for kind, *numbers in told}

    def watch(self, buffer: int) -> int:
        """Ask what becomes of a buffer."""
        id_ = self.new("xx_dmabuf_buffer_status_v1")
        self.request(self.status_manager, "get_buffer_status", id_, buffer)
        return id_

    def statuses(self, watch: int) -> list[tuple[Any, ...]]:
        """What was told of a buffer, (result, reason)."""
        return [event.args for event in self.of(watch) if event.name == "shown"]

    def allocate(self, plan: Plan, *, pump: bool = True) -> int:
        """Ask for the objects of one buffer of a plan."""
        id_ = self.new("xx_dmabuf_allocation_v1")
        buffer = FixedBuffer(FormatModifier(plan.fourcc, plan.modifier), plan.layout)
        arguments = (id_, *encode_buffer(buffer))
        self.request(self.allocation_manager, "allocate", *arguments, pump=pump)
        return id_

    def served(self, id_: int) -> Resource:
        """The compositor's side of an object."""
        return next(
            one for one in live_resources() if one.client == self.client and _wire_id(one) == id_
        )


class Allocator:
    """A client that has asked for plans, and allocates by the first."""

    def __init__(self, stage: Stage, decoder: Participant | None = None) -> None:
        self.stage = stage
        self.decoder = decoder
        self.client = stage.client()
        self.negotiation = self.client.negotiation(self.client.thing("surface"))
        self.commit(1)

    def commit(self, cookie: int) -> None:
        self.client.ask(self.negotiation, cookie, decoder=self.decoder)
        self.batch = self.client.batches(self.negotiation)[-1]
        self.plan = self.batch.offers[0].plan

    def allocate(self) -> tuple[int, list]:
        """The object, and the events that answer it."""
        id_ = self.client.allocate(self.plan)
        self.stage.until(lambda: self._answered(id_))
        return id_, self.client.take(id_)

    def allocate_all(self) -> None:
        """One after the other, until no more is given."""
        for cookie in turns(1000, "a refusal"):
            if self.allocate()[1][-1] != ("done",):
                return
            self.commit(10 + cookie)

    def let_go(self, *ids: int) -> None:
        """Close all dma-bufs that came, then destroy some allocations."""
        while self.client.fds:
            os.close(self.client.fds.pop())
        self.client._fds_read = 0
        for id_ in ids:
            self.client.request(id_, "destroy")

    def _answered(self, id_: int) -> bool:
        return any(event.name in ("done", "failed") for event in self.client.of(id_))

    def reason(self) -> AllocationReason:
        _, events = self.allocate()
        [(name, reason, message)] = events
        assert name == "failed"
        assert message
        return AllocationReason(reason)


class Events:
    """Stands for the kernel's word that something happened."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.closed = False

    def happen(self) -> None:
        os.eventfd_write(self.fd, 1)

    def fileno(self) -> int:
        return self.fd

    def changed(self) -> bool:
        return os.eventfd_read(self.fd) > 0

    def close(self) -> None:
        self.closed = True
        os.close(self.fd)


def _wire_id(resource: Resource) -> int:
    from heapwire.compositor_plugin.server import library

    return int(library().wl_resource_get_id(resource.pointer))
