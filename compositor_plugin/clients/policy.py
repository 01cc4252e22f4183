"""A policy: what the plugin may do on a machine, and what its kernel does not say.

    policy = Policy.load("/etc/heapwire/policy.toml")
    plugin = HeapPlugin(display, policy.apply(local_platform()), host, policy=policy)

Whoever integrates or administers a machine writes the file (docs/policy.md). A
policy is a value; applied to a platform it gives another one, and is to be
applied anew to whatever hot-plug leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from os import PathLike, fspath
from typing import Self

from heapwire.compositor_plugin.clients.client_rule import (
    ClientRule,
    read_budget,
    read_percent,
    read_rule,
)
from heapwire.compositor_plugin.clients.grant import DEFAULT_BUDGET, DEFAULT_SHARE, Grant
from heapwire.compositor_plugin.clients.identity import ClientIdentity
from heapwire.compositor_plugin.clients.quota import DEFAULT_RESERVE
from heapwire.compositor_plugin.clients.selection import (
    EVERYTHING,
    Selection,
    matches,
    read_selection,
)
from heapwire.kernel.description import (
    DeviceFact,
    EnoughFaultsError,
    MemoryFact,
    Platform,
    TomlFault,
    TomlFileError,
    TomlPath,
    TomlTable,
    did_you_mean,
    fault_line,
    key_lines,
    on_lines,
    parse_toml,
    read_device_facts,
    read_memory_facts,
    read_text_file,
    with_facts,
)
from heapwire.protocol.late_dataclasses import dataclass, field, replace
from heapwire.protocol.values import Source, SourceKind, Usage

DEBOUNCE = 500
"""Milliseconds that an upgrade must last: 30 frames at 60 Hz, as wlroots waits."""
MOST_DEBOUNCE = 60_000  # milliseconds

# What compositors do. What another device needs is told by the client that uses it.
_USAGES = (Usage.SCANOUT, Usage.SAMPLING)


class PolicyFileError(TomlFileError):
    """A policy file that is wrong; the message has one line for each fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be done on a machine; as it stands, anything.

    `offered` has the names of the memory that clients are told of, `allocated`
    of the heaps that the compositor allocates from for them: for each user up to
    `budget` bytes and `share` percent of a heap, for all users together up to what
    `reserve` percent leave of it. `clients` are the rules for some of them: the first that
    is about a client holds. `renderer` is the name of the device that composites, or of
    its driver; empty, it is guessed. `debounce` is how many milliseconds a
    change for the better must last. `memory` and `devices` are facts. `file` and
    `lines` say where it was written, for notes.
    """

    offered: Selection = EVERYTHING
    allocated: Selection = EVERYTHING
    budget: int = DEFAULT_BUDGET
    share: int = DEFAULT_SHARE
    reserve: int = DEFAULT_RESERVE
    clients: tuple[ClientRule, ...] = ()
    renderer: str = ""
    debounce: int = DEBOUNCE
    memory: tuple[MemoryFact, ...] = ()
    devices: tuple[DeviceFact, ...] = ()
    file: str = ""
    lines: Mapping[TomlPath, int] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def load(cls, file: str | PathLike[str]) -> Self:
        """The policy of a file.

        Raises `PolicyFileError`, with a line for each fault, and `FileError`
        when the file cannot be read.
        """
        return cls.parse(read_text_file(fspath(file)), file=fspath(file))

    @classmethod
    def parse(cls, text: str, *, file: str = "policy.toml") -> Self:
        """The policy that a text describes; `file` is what faults call it."""
        faults: list[TomlFault] = []
        top = TomlTable(parse_toml(text, file=file, error=PolicyFileError), (), faults)
        lines = key_lines(text)
        with suppress(EnoughFaultsError):
            policy = cls._read(top, file, lines)
            if not faults:
                return policy
        raise PolicyFileError(file, on_lines(faults, lines))

    @classmethod
    def _read(cls, top: TomlTable, file: str, lines: Mapping[TomlPath, int]) -> Self:
        """What the tables of a file say; what is wrong with them is noted."""
        offer, allocation, compositor = map(top.table, ("offer", "allocation", "compositor"))
        budget = read_budget(allocation)
        share = read_percent(allocation, "share", range(1, 101))
        reserve = read_percent(allocation, "reserve", range(100))
        debounce = compositor.integer("debounce")
        if debounce is not None and not 1 <= debounce <= MOST_DEBOUNCE:
            compositor.fault("debounce", f"milliseconds, from 1 to {MOST_DEBOUNCE}")
        policy = cls(
            offered=read_selection(offer),
            allocated=read_selection(allocation),
            budget=budget or DEFAULT_BUDGET,
            share=DEFAULT_SHARE if share is None else share,
            reserve=DEFAULT_RESERVE if reserve is None else reserve,
            clients=tuple(read_rule(table) for table in top.tables("client")),
            renderer=compositor.text("renderer"),
            debounce=debounce or DEBOUNCE,
            memory=read_memory_facts(top),
            devices=read_device_facts(top),
            file=file,
            lines=lines,
        )
        for fact in policy.devices:
            if fact.usage not in _USAGES:
                told_by = "what it needs for anything else, a client says that uses it"
                what = f"a compositor's devices are for scanout and sampling: {told_by}"
                top.fault_at((*fact.path, "usage"), what)
        for table in (offer, allocation, compositor, top):
            table.close()
        return policy

    @property
    def user_grant(self) -> Grant:
        """What a user may be given in all, without a rule."""
        return Grant(allocated=self.allocated, budget=self.budget, share=self.share)

    def grant(self, client: ClientIdentity) -> Grant:
        """What a client may be given: by the first rule that is about it, else as its kind may."""
        without = self.user_grant.for_app() if client.sandboxed else self.user_grant
        for rule in self.clients:
            if rule.is_about(client):
                return rule.grant(without)
        return without

    def corrected(self, platform: Platform) -> Platform:
        """The machine as it really is: with the facts, and the renderer before its like.

        The first device that samples is the one that composites.
        """
        stated = with_facts(platform, memory=self.memory, devices=self.devices, tell=self._told)
        if not self.renderer:
            return stated
        able = [device for device in stated.devices if Usage.SAMPLING in device.sets]
        chosen = [device for device in able if device.name == self.renderer] or [
            device for device in able if device.driver == self.renderer
        ]
        if not chosen:
            hint = did_you_mean(self.renderer, [device.name for device in able])
            what = f"this machine has no device {self.renderer!r} that samples: {hint}"
            note = self._told(TomlFault(("compositor", "renderer"), what))
            return replace(stated, notes=(*stated.notes, note))
        others = [device for device in stated.devices if device is not chosen[0]]
        first = stated.devices.index(able[0])
        devices = (*others[:first], chosen[0], *others[first:])
        return replace(stated, devices=devices)

    def apply(self, platform: Platform) -> Platform:
        """The machine as clients may know it: corrected, and without what is not offered."""
        machine = self.corrected(platform)
        offered = tuple(source for source in machine.sources if source.name in self.offered)
        withheld = {
            source.id: source.name for source in machine.sources if source.name not in self.offered
        }
        heaps = [source for source in machine.sources if source.id.kind is SourceKind.HEAP]
        notes = [
            *self._unmatched(("offer",), self.offered, machine.sources),
            *self._unmatched(("allocation",), self.allocated, heaps),
        ]
        for index, rule in enumerate(self.clients):
            notes += self._unmatched(("client", index), rule.allocated, heaps)
        return replace(
            machine,
            sources=offered,
            absent={**machine.absent, **withheld},
            notes=(*machine.notes, *notes),
        )

    def _unmatched(
        self, table: TomlPath, selection: Selection, sources: Iterable[Source]
    ) -> Iterator[str]:
        """A note for each pattern that no name matches."""
        names = [source.name for source in sources]
        for key, patterns in (("only", selection.only or ()), ("never", selection.never)):
            for index, pattern in enumerate(patterns):
                if pattern.strip("*") and not any(matches((pattern,), name) for name in names):
                    hint = did_you_mean(pattern, names)
                    what = f"{pattern!r} matches no memory here: {hint}"
                    yield self._told(TomlFault((*table, key, index), what))

    def _told(self, fault: TomlFault) -> str:
        return fault_line(fault, file=self.file or "policy", lines=self.lines)
