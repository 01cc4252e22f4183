"""Looking at the machine again whenever devices or memory have come or gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.machine.worker import Task, Worker
from heapwire.compositor_plugin.server import EventLoop
from heapwire.kernel.description import Platform

if TYPE_CHECKING:
    from heapwire.kernel.discovery import HotPlug

log = logging.getLogger(__name__)


class MachineWatch:
    """Calls `changed` with a new platform, on the loop's thread, after each event.

    `discover` opens devices, so it runs on the worker's thread. `hot_plug` is this
    object's from now on. `at_once` has it look without an event too.
    """

    def __init__(
        self,
        loop: EventLoop,
        worker: Worker,
        hot_plug: HotPlug,
        *,
        discover: Callable[[], Platform],
        changed: Callable[[Platform], None],
        at_once: bool = False,
    ) -> None:
        self._worker = worker
        self._hot_plug = hot_plug
        self._discover = discover
        self._changed = changed
        self._looking: Task[Platform] | None = None
        self._source = loop.add_fd(hot_plug.fileno(), lambda _: self._look_again())
        if at_once:
            self._look()

    def close(self) -> None:
        """Watch no more."""
        self._source.remove()  # before its fd is closed, which the loop still polls
        self._hot_plug.close()

    def _look_again(self) -> None:
        if self._hot_plug.changed():
            self._look()

    def _look(self) -> None:
        if self._looking is not None:
            self._looking.cancel()  # what it sees may be out of date already
        self._looking = self._worker.submit(self._discover, self._looked)

    def _looked(self, outcome: Platform | Exception) -> None:
        self._looking = None
        if isinstance(outcome, Exception):
            log.error("the machine cannot be looked at again", exc_info=outcome)
        else:
            self._changed(outcome)
