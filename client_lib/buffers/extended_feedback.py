"""A feedback object of linux-dmabuf with what `xx_dmabuf_sources_v1` adds to its tranches."""

from __future__ import annotations

import os
from collections.abc import Callable

from heapwire.client_lib.buffers.linux_dmabuf import LinuxDmabuf
from heapwire.client_lib.wayland import AnyProxy, Handler, listen, read_format_table, send
from heapwire.protocol import PeerError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.wire import DmabufFeedback, FeedbackDecoder, MemoryDecoder, ToldTranche
from heapwire.protocol.wire.bindings import FeedbackSourcesBatch


class ExtendedFeedback:
    """Feedback for a `wl_surface`, or for none in particular; linux-dmabuf from version 4 on.

    `told` is called with each batch, complete: where the compositor has the protocol, its
    tranches have `memory`. `failed` is called once if the compositor breaks the rules, with
    what it did; from then on nothing is heard of it.
    """

    def __init__(
        self,
        dmabuf: LinuxDmabuf,
        surface: AnyProxy | None,
        told: Callable[[DmabufFeedback], None],
        failed: Callable[[PeerError], None] = lambda _: None,
    ) -> None:
        self._connection = dmabuf.connection
        self._told = told
        self._failed = failed
        self._deaf = False  # closed, or failed
        self._decoder = FeedbackDecoder(dmabuf.version)
        self._memory = MemoryDecoder()
        self._last: DmabufFeedback | None = None
        self._next: tuple[ToldTranche, ...] | None = None
        self._proxy = dmabuf.feedback(surface)
        decoder = self._decoder
        self._listen(
            self._proxy,
            {
                "main_device": decoder.main_device,
                "tranche_target_device": decoder.tranche_target_device,
                "tranche_flags": decoder.tranche_flags,
                "tranche_formats": decoder.tranche_formats,
                "tranche_done": decoder.tranche_done,
                "done": self._done,
            },
            {"format_table": self._read_table},
        )
        sources = dmabuf.sources
        self._extension = None if sources is None else sources.extend(self._proxy)
        self._waits = False  # for the first description
        if self._extension is not None:
            self._waits = True
            memory = self._memory
            self._listen(
                self._extension,
                {
                    "tranche_source": memory.tranche_source,
                    "tranche_set": memory.tranche_set,
                    "tranche_constraint": memory.tranche_constraint,
                    "tranche_done": memory.tranche_done,
                    "done": self._described,
                },
            )
            self._connection.sync(self._settle)

    def close(self) -> None:
        """Destroy the objects; safe to call twice."""
        self._deaf = True
        if self._connection.closed:
            return
        if self._extension is not None and not self._extension.destroyed:
            send(self._extension, "destroy")
        if not self._proxy.destroyed:
            self._proxy.destroy()

    def _listen(
        self,
        proxy: AnyProxy,
        handlers: dict[str, Handler],
        others: dict[str, Handler] | None = None,
    ) -> None:
        checked = {name: self._checked(handler) for name, handler in handlers.items()}
        listen(proxy, self._connection.handler_failed, checked | (others or {}))

    def _checked(self, method: Handler) -> Handler:
        """A handler that hears no more once the compositor has broken the rules."""

        def handle(*values: int | str | bytes) -> None:
            if self._deaf:
                return
            try:
                method(*values)
            except PeerError as error:
                self._deaf = True
                self._failed(error)
                raise

        return handle

    def _read_table(self, fd: int, size: int) -> None:
        if self._deaf:
            os.close(fd)  # it came all the same, and is ours
        else:
            self._checked(lambda: self._decoder.format_table(read_format_table(fd, size)))()

    def _done(self) -> None:
        self._last = self._decoder.done()
        described, self._next = self._next, None
        if described is not None:
            self._tell(described)
        elif not self._waits:
            self._told(self._last)

    def _described(self, batch: int) -> None:
        which, tranches = self._memory.done(batch)
        if which is FeedbackSourcesBatch.NEXT:
            self._next = tranches
        elif self._last is None:
            raise PeerError("the last batch was described before there was one")
        else:
            self._tell(tranches)

    def _tell(self, described: tuple[ToldTranche, ...]) -> None:
        feedback = self._last
        assert feedback is not None
        if len(described) != len(feedback.tranches):
            raise PeerError(f"{len(described)} tranches were described of {len(feedback.tranches)}")
        self._waits = False
        tranches = tuple(
            replace(tranche, memory=said.memory(tranche.formats, feedback.table))
            for tranche, said in zip(feedback.tranches, described, strict=True)
        )
        self._told(replace(feedback, tranches=tranches))

    def _settle(self) -> None:
        """A compositor that has nothing to say of a batch that it sent is waited for no longer."""
        waited, self._waits = self._waits, False
        if waited and self._last is not None and not self._deaf:
            self._told(self._last)
