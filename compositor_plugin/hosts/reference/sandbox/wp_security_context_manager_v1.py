"""`wp_security_context_manager_v1`: the way in for sandboxes, and not for their clients."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference import interface_table
from heapwire.compositor_plugin.hosts.reference.sandbox.sandbox_socket import is_listening
from heapwire.compositor_plugin.hosts.reference.sandbox.wp_security_context_v1 import (
    WpSecurityContextV1,
)
from heapwire.compositor_plugin.server import NewId, ReceivedFd, Resource, ViolationError

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.sandbox.security_contexts import (
        SecurityContexts,
    )


class SecurityContextManagerError(IntEnum):
    """The errors of `wp_security_context_manager_v1`."""

    INVALID_LISTEN_FD = 1
    NESTED = 2


class WpSecurityContextManagerV1(Resource):
    """The bound global, which no sandboxed client sees."""

    INTERFACE = interface_table("wp_security_context_manager_v1")
    VERSION = 1

    def __init__(self, new_id: NewId, contexts: SecurityContexts) -> None:
        super().__init__(new_id)
        self._contexts = contexts

    def create_listener(self, new_id: NewId, listen_fd: ReceivedFd, close_fd: ReceivedFd) -> None:
        """Begin a security context."""
        if not is_listening(listen_fd.fileno()):
            what = "listen_fd is no Unix stream socket that listens"
            raise ViolationError(self, SecurityContextManagerError.INVALID_LISTEN_FD, what)
        listening, closing = ReceivedFd(listen_fd.take()), ReceivedFd(close_fd.take())
        WpSecurityContextV1(new_id, self._contexts, listening, closing)
