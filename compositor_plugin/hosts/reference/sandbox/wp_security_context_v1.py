"""`wp_security_context_v1`: what a sandbox says of its clients, and where they connect."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from heapwire.compositor_plugin import SecurityContext
from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.server import NewId, ReceivedFd, Resource, ViolationError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.sandbox.security_contexts import (
        SecurityContexts,
    )


class SecurityContextError(IntEnum):
    """The errors of `wp_security_context_v1`."""

    ALREADY_USED = 1
    ALREADY_SET = 2
    INVALID_METADATA = 3


class WpSecurityContextV1(Resource):
    """Says each thing once, and is used up by `commit`."""

    INTERFACE = interface_table("wp_security_context_v1")
    VERSION = 1

    def __init__(
        self,
        new_id: NewId,
        contexts: SecurityContexts,
        listening: ReceivedFd,
        closing: ReceivedFd,
    ) -> None:
        super().__init__(new_id)
        self._contexts = contexts
        self._fds: tuple[ReceivedFd, ReceivedFd] | None = (listening, closing)
        self._said: dict[str, str] = {}

    def set_sandbox_engine(self, name: str) -> None:
        """Name the engine."""
        self._say("engine", name)

    def set_app_id(self, app_id: str) -> None:
        """Name the app."""
        self._say("app", app_id)

    def set_instance_id(self, instance_id: str) -> None:
        """Name the instance."""
        self._say("instance", instance_id)

    def commit(self) -> None:
        """Let clients connect."""
        listening, closing = self._unused()
        if self._contexts.full:
            self.client.post_no_memory()
            return
        self._contexts.add(listening, closing, SecurityContext(**self._said))
        self._fds = None  # they have another owner now

    def on_destroy(self) -> None:
        """What was not committed is nobody's."""
        for fd in self._fds or ():
            fd.close()

    def _say(self, what: str, text: str) -> None:
        self._unused()
        if what in self._said:
            raise ViolationError(self, SecurityContextError.ALREADY_SET, f"the {what} is set")
        self._said[what] = text

    def _unused(self) -> tuple[ReceivedFd, ReceivedFd]:
        if self._fds is None:
            what = "the security context has been committed"
            raise ViolationError(self, SecurityContextError.ALREADY_USED, what)
        return self._fds
