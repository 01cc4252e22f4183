"""Buffers imported into the compositor, by `zwp_linux_dmabuf_v1`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from pywayland.protocol.linux_dmabuf_v1 import ZwpLinuxDmabufV1

from heapwire.client_lib.buffers.buffer import Buffer
from heapwire.client_lib.errors import ImportRefusedError
from heapwire.client_lib.wayland import (
    DEFAULT_TIMEOUT,
    AnyProxy,
    Connection,
    DmabufSources,
    create,
    listen,
    send,
)
from heapwire.protocol import UsageError
from heapwire.protocol.values import (
    INVALID,
    LINEAR,
    DeviceId,
    Extent,
    FormatModifier,
    Plan,
    fourcc_name,
)
from heapwire.protocol.wire import DmabufVersion, encode_device, halves, whole

_LOG = logging.getLogger("heapwire.buffers")

SamplerOf: TypeAlias = Callable[[FormatModifier], DeviceId | None]
"""Which device alone samples a pair; None where several do, or nobody says."""


def _nobody(_pair: FormatModifier) -> None:
    """What is known before there is feedback."""


class LinuxDmabuf:
    """The compositor's linux-dmabuf, version 3 or later.

    Raises `MissingGlobalError` if it is not on offer, `NoAnswerError` if it has not been
    told of for `timeout` seconds.
    """

    def __init__(self, connection: Connection, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.connection = connection
        self._proxy, self.version = connection.bind(
            ZwpLinuxDmabufV1, minimum=DmabufVersion.MODIFIERS, timeout=timeout
        )
        self._pairs: set[FormatModifier] = set()
        self._sampler_of: SamplerOf = _nobody
        self._sources: DmabufSources | None = None
        if self.version < DmabufVersion.FEEDBACK:
            listen(self._proxy, connection.handler_failed, {"modifier": self._modifier})
            connection.roundtrip(timeout=timeout)
        connection.on_close(self, self.close)

    @property
    def pairs(self) -> frozenset[FormatModifier]:
        """The pairs known to be importable: those of the events, and what was learnt."""
        return frozenset(self._pairs)

    def learn(self, pairs: Iterable[FormatModifier], sampler_of: SamplerOf = _nobody) -> None:
        """Know what feedback says can be imported, and for which device, from version 6 on."""
        self._pairs = set(pairs)
        self._sampler_of = sampler_of

    @property
    def sources(self) -> DmabufSources | None:
        """The compositor's sources of memory; None if it does not have the protocol."""
        if self._sources is None and not self.connection.closed:
            self._sources = DmabufSources.offered(self.connection)
        return self._sources

    def feedback(self, surface: AnyProxy | None) -> AnyProxy:
        """A new `zwp_linux_dmabuf_feedback_v1`, from version 4 on: for a surface, or for none.

        As long as nobody listens to it, the format tables that come are closed.
        """
        if surface is None:
            feedback = create(self._proxy, "get_default_feedback")
        else:
            feedback = create(self._proxy, "get_surface_feedback", surface)
        listen(
            feedback, self.connection.handler_failed, {"format_table": lambda fd, _: os.close(fd)}
        )
        return feedback

    def import_buffer(
        self, buffer: Buffer, extent: Extent, *, device: DeviceId | None = None
    ) -> Import:
        """Ask the compositor for a `wl_buffer` of a buffer.

        `extent` is the size of the pictures, within that of the plan. `device` is
        the one that is to sample the buffer, for compositors with several; left out,
        it is the only one that can, if there is just one. It is ignored where
        linux-dmabuf is older than version 6. The request `create` is used and never
        `create_immed`: a buffer that is refused costs nothing.
        """
        room = buffer.plan.layout.extent
        if extent.width > room.width or extent.height > room.height:
            raise UsageError(f"pictures of {extent} do not fit into a buffer of {room}")
        tries = [
            partial(self._ask, buffer, modifier, extent, device)
            for modifier in self._modifiers_of(buffer.plan)
        ]
        return Import(self.connection, tries, buffer)

    def _ask(
        self, buffer: Buffer, modifier: int, extent: Extent, device: DeviceId | None
    ) -> AnyProxy:
        params = create(self._proxy, "create_params")
        for index, plane in enumerate(buffer.plan.layout.planes):
            send(
                params,
                "add",
                buffer.objects[plane.object].fd,
                *(index, plane.offset, plane.pitch),
                *halves(modifier),
            )
        if device is None:
            device = self._sampler_of(FormatModifier(buffer.plan.fourcc, modifier))
        if device is not None and self.version >= DmabufVersion.SAMPLING:
            send(params, "set_sampling_device", encode_device(device))
        send(params, "create", extent.width, extent.height, buffer.plan.fourcc, 0)
        return params

    def _modifier(self, fourcc: int, high: int, low: int) -> None:
        self._pairs.add(FormatModifier(fourcc, whole(high, low)))

    def _modifiers_of(self, plan: Plan) -> tuple[int, ...]:
        """The modifiers to import a plan's buffers with, to be tried in this order.

        A compositor whose GPU driver knows no modifiers announces its formats
        without. What comes from a heap and has rows is laid out as such a driver
        expects, so no modifier will do; but some take LINEAR all the same, and
        will scan out only what came with it.
        """
        implicit = FormatModifier(plan.fourcc, INVALID)
        linear = FormatModifier(plan.fourcc, LINEAR)
        if plan.modifier == LINEAR and implicit in self._pairs and linear not in self._pairs:
            return LINEAR, INVALID
        return (plan.modifier,)

    def close(self) -> None:
        """Destroy the object; buffers stay valid."""
        self.connection.forget(self)
        if not self._proxy.destroyed and not self.connection.closed:
            self._proxy.destroy()


class Import:
    """An import that has been asked for; the buffer gets its `wl_buffer` when it succeeds.

    The answer is waited for even when nobody wants it any more: a `wl_buffer`
    that came to an object that is gone could never be destroyed.
    """

    def __init__(
        self, connection: Connection, tries: Sequence[Callable[[], AnyProxy]], buffer: Buffer
    ) -> None:
        """`tries` make the request, one way after the other until one is taken."""
        self.done = False
        self._plan: Plan = buffer.plan
        self._buffer: Buffer | None = buffer
        self._connection = connection
        self._tries = list(tries)
        self._params: AnyProxy
        self._begin()

    def wait(self, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Dispatch until the compositor has answered.

        Raises `ImportRefusedError` if it does not take the buffer, `NoAnswerError` after
        `timeout` seconds.
        """
        self._connection.wait(lambda: self.done, timeout=timeout, what="answer to an import")
        if self._buffer is not None and self._buffer.proxy is None:
            what = _pair_name(self._plan)
            raise ImportRefusedError(f"linux-dmabuf did not take a buffer of {what}")

    def cancel(self) -> None:
        """Want the `wl_buffer` no more."""
        self._buffer = None

    def _begin(self) -> None:
        self._params = self._tries.pop(0)()
        self._connection.keep(self._params)
        listen(
            self._params,
            self._connection.handler_failed,
            {"created": self._created, "failed": self._failed},
        )

    def _failed(self) -> None:
        _LOG.debug("refused: a buffer of %s", _pair_name(self._plan))
        self._end()
        if self._tries and self._buffer is not None:
            self._begin()
        else:
            self.done = True

    def _created(self, proxy: AnyProxy) -> None:
        self._end()
        self.done = True
        buffer = self._buffer
        if buffer is None:
            proxy.destroy()
            return
        _LOG.debug("imported a buffer of %s", _pair_name(self._plan))
        buffer.proxy = proxy

        def released() -> None:
            if buffer.release is None:  # else this may come at any time, and says nothing
                buffer.busy = False

        listen(proxy, self._connection.handler_failed, {"release": released})

    def _end(self) -> None:
        send(self._params, "destroy")
        self._connection.release(self._params)


def _pair_name(plan: Plan) -> str:
    return f"{fourcc_name(plan.fourcc)} with modifier {plan.modifier:#x}"
