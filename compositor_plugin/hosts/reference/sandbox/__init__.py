"""Sandboxes: sockets of theirs, what they say of their clients, and who came through them."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.sandbox.security_contexts import (
        SecurityContexts as SecurityContexts,
    )
    from heapwire.compositor_plugin.hosts.reference.sandbox.wp_security_context_manager_v1 import (
        WpSecurityContextManagerV1 as WpSecurityContextManagerV1,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "security_contexts": "SecurityContexts",
            "wp_security_context_manager_v1": "WpSecurityContextManagerV1",
        },
    )
