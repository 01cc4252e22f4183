"""A rule of a policy: which clients it is about, and what they may be given."""

from __future__ import annotations

from heapwire.compositor_plugin.clients.grant import Grant
from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.clients.selection import (
    EVERYTHING,
    MOST_PATTERNS,
    Selection,
    matches,
    read_selection,
)
from heapwire.kernel.description import TomlTable
from heapwire.protocol.late_dataclasses import dataclass, replace

_MOST_ID = (1 << 32) - 2  # of a user or group; the last one stands for none (chown(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRule:
    """Clients that all of this is true of, and what is theirs.

    `sandboxed`, `uid` and `gid` are None, and `engines`, `apps` and `instances` empty,
    where they do not matter; the last three are patterns for what a sandbox says, and
    match no client outside of one. `budget` is in bytes and `share` in percent; None
    leaves them as they are without the rule. `told` says whether they hear of memory.
    """

    sandboxed: bool | None = None
    uid: int | None = None
    gid: int | None = None
    engines: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    allocated: Selection = EVERYTHING
    budget: int | None = None
    share: int | None = None
    told: bool | None = None

    def is_about(self, client: ClientIdentity) -> bool:
        """Whether the rule is about a client."""
        context = client.context
        if self.sandboxed not in (None, client.sandboxed):
            return False
        if self.uid not in (None, client.uid) or self.gid not in (None, client.gid):
            return False
        if context is None:
            return not (self.engines or self.apps or self.instances)
        said = (
            (self.engines, context.engine),
            (self.apps, context.app),
            (self.instances, context.instance),
        )
        return all(not patterns or matches(patterns, text) for patterns, text in said)

    def grant(self, without: Grant) -> Grant:
        """What its clients may be given, of what they may without it.

        Heaps that `only` names are meant, be they scarce or not.
        """
        return replace(
            without,
            allocated=self.allocated,
            scarce=without.scarce or self.allocated.only is not None,
            budget=without.budget if self.budget is None else self.budget,
            share=without.share if self.share is None else self.share,
            told=self.told,
        )


def read_rule(table: TomlTable) -> ClientRule:
    """The rule of one `[[client]]`; what is wrong is noted there."""
    rule = ClientRule(
        sandboxed=table.flag("sandboxed"),
        uid=table.integer("uid", _MOST_ID),
        gid=table.integer("gid", _MOST_ID),
        engines=table.texts("engine", MOST_PATTERNS),
        apps=table.texts("app", MOST_PATTERNS),
        instances=table.texts("instance", MOST_PATTERNS),
        allocated=read_selection(table),
        budget=read_budget(table),
        share=read_percent(table, "share", range(1, 101)),
        told=table.flag("told"),
    )
    if rule.sandboxed is False and (rule.engines or rule.apps or rule.instances):
        what = "no client is outside of sandboxes and in this one: leave one of them out"
        table.fault("sandboxed", what)
    table.close()
    return rule


def read_budget(table: TomlTable) -> int | None:
    """The bytes that `budget` allows; None where it is left out."""
    budget = table.quantity("budget")
    if budget == 0:
        table.fault("budget", 'a budget of 0 bytes: to allocate nothing, never = ["*"]')
    return budget


def read_percent(table: TomlTable, key: str, permitted: range) -> int | None:
    """A percentage in a range; None where it is left out."""
    value = table.integer(key)
    if value is not None and value not in permitted:
        table.fault(key, f"percent, from {permitted[0]} to {permitted[-1]}")
    return value
