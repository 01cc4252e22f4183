"""The globals of the protocols: what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.server import NewId, Resource, ViolationError
from heapwire.protocol.values import Source
from heapwire.protocol.wire import MANAGERS

if TYPE_CHECKING:
    from heapwire.compositor_plugin.plugin_state import PluginState


class Manager(Resource):
    """One client's object of a global; a client that has too many ends."""

    def __init__(self, new_id: NewId, plugin: PluginState) -> None:
        super().__init__(new_id)
        self._plugin = plugin
        self._use = plugin.uses.of(self.client)
        self._use.managers[self.INTERFACE.name] += 1

    def destroy(self) -> None:
        """The client has no more use for it."""
        self.destroy_resource()

    def on_destroy(self) -> None:
        """The client's manager is gone; nothing that came from it is."""
        self._use.managers[self.INTERFACE.name] -= 1

    def _bound_managers(self) -> None:
        """End a client that has bound the global too often: what the last `__init__` does."""
        self._bound(self._use.managers[self.INTERFACE.name], MANAGERS)

    def _bound(self, number: int, most: int, error: int | None = None, what: str = "") -> None:
        """End a client that has more than it may, or more than there is room for.

        Without an `error` of the interface's it is out of memory in both cases.
        """
        if number > most and error is not None:
            raise ViolationError(self, error, f"more than {most} {what}")
        if number > most or self._plugin.uses.many(self._use):
            self.client.post_no_memory()


class SourceManager(Manager):
    """A manager that announces sources of memory as they come and go."""

    def __init__(self, new_id: NewId, plugin: PluginState) -> None:
        super().__init__(new_id, plugin)
        self._announced: dict[Source, None] = {}
        self.announce(first=True)
        plugin.managers.add(self)
        self._bound_managers()

    def announce(self, *, first: bool = False) -> None:
        """Send the sources that are new and those that are gone."""
        sources = dict.fromkeys(self._offered())
        gone = [source for source in self._announced if source not in sources]
        new = [source for source in sources if source not in self._announced]
        for source in gone:
            self.send("source_gone", source.id.kind, source.id.major, source.id.minor)
        for source in new:
            self._send_source(source)
        self._announced = sources
        if first:
            self._send_more()
        if first or new or gone:
            self.send("done")

    def on_destroy(self) -> None:
        """The client's manager is gone."""
        super().on_destroy()
        self._plugin.managers.discard(self)
        self._plugin.answers.forget_manager(self)

    def _offered(self) -> Iterable[Source]:
        """The sources that the client is to know now."""
        raise NotImplementedError

    def _send_source(self, source: Source) -> None:
        self.send("source", source.id.kind, source.id.major, source.id.minor)

    def _send_more(self) -> None:
        """What else is told before the first `done`."""
