"""Who a client is: a user's process, and what a sandbox says of it."""

from __future__ import annotations

from heapwire.protocol.late_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecurityContext:
    """What a sandbox said of its clients with `wp_security_context_v1`; empty where it did not.

    `engine` is the sandbox's own name in reverse-DNS style ("org.flatpak"), `app` the
    app's by the engine's rules, `instance` that of the sandbox that the app runs in.
    """

    engine: str = ""
    app: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Who connected: by the kernel's word (SO_PEERCRED), and by the sandbox's.

    `context` is None for a client of which no sandbox has said anything: it is in none,
    or in one that the compositor cannot know of.
    """

    uid: int
    gid: int
    pid: int
    context: SecurityContext | None = None

    @property
    def sandboxed(self) -> bool:
        """Whether a sandbox has said anything of the client."""
        return self.context is not None

    @property
    def app(self) -> str:
        """The sandboxed app, by its engine's name and its own; empty outside of sandboxes.

        Two engines may call two apps the same. Apps without a name count as one.
        """
        return f"{self.context.engine}:{self.context.app}" if self.context is not None else ""
