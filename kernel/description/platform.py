"""A platform: what a machine has, whether a file describes it or a kernel runs it.

    platform = Platform.load("raspberry-pi-4")
    display = platform.participant("hvs", Usage.SCANOUT)
    with platform.memory.allocate(platform.source("linux,cma").id, 3 << 20) as buffer:
        ...

Sources and devices go by their names, which are stable; their (major, minor)
pairs are good for one boot of one machine, and for one `Platform` object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Self

from heapwire.kernel.description.device import Device, usage_name
from heapwire.kernel.description.ladder import Fact, resolve
from heapwire.kernel.description.link import Link, LinkKind
from heapwire.kernel.description.platform_file import PlatformParts, platform_of, read_platform
from heapwire.kernel.description.toml import (
    TomlPath,
    did_you_mean,
    read_text_file,
)
from heapwire.kernel.memory import MemfdMemory, Memory
from heapwire.protocol import InputError, MachineError, UsageError, shown
from heapwire.protocol.late_dataclasses import dataclass, field
from heapwire.protocol.values import (
    PERMITTED_SOURCES,
    BufferCount,
    Constraint,
    ConstraintSet,
    Content,
    DeviceId,
    Extents,
    FixedBuffer,
    FormatModifier,
    Goal,
    Participant,
    Problem,
    Source,
    SourceId,
    Topology,
    Usage,
)

_SUFFIX = ".toml"
_ANY_CONTENT, _ANY_COUNT = Content(), BufferCount()


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The sources, devices, links and places of one machine, and its memory.

    `title` is for people. `format_costs` breaks ties between pairs of format
    and modifier, the lower the better. `absent` names the sources that devices
    ask for and that are not among `sources`; nothing else has their ids.
    `notes` are for whoever wrote the description, one line each, and `remarks` for whoever
    reads all that is known: nothing is amiss.
    `simulated` says that no hardware is behind it.
    """

    name: str
    title: str = ""
    sources: tuple[Source, ...]
    devices: tuple[Device, ...]
    memory: Memory
    links: tuple[Link, ...] = ()
    topology: Topology = field(default_factory=Topology)
    format_costs: Mapping[FormatModifier, int] = field(default_factory=dict)
    absent: Mapping[SourceId, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    simulated: bool = False

    @classmethod
    def load(cls, platform: str | PathLike[str]) -> Self:
        """The platform of a file, or the shipped one of that name; its memory is simulated.

        A text without `/` and without `.toml` at its end is the name of a
        shipped platform. Raises `PlatformFileError`, with a line for each
        fault, when the file is not a platform, `FileError` when it cannot be
        read, and `InputError` when there is no platform of that name.
        """
        wanted = fspath(platform)
        if isinstance(platform, str) and "/" not in wanted and not wanted.endswith(_SUFFIX):
            if wanted not in shipped():
                hint = did_you_mean(wanted, shipped())
                raise InputError(
                    f"there is no platform {shown(wanted)}: {hint}{'' if hint[-1] == '?' else '.'} "
                    "A file is named with its path or its ending .toml."
                )
            return cls._of(_read_shipped(wanted))
        return cls.parse(read_text_file(wanted), file=wanted)

    @classmethod
    def parse(cls, text: str, *, file: str = "platform.toml") -> Self:
        """The platform that a text describes; `file` is what faults call it.

        Raises `PlatformFileError`, with a line for each fault.
        """
        return cls._of(read_platform(text, file=file, name=Path(file).stem))

    @classmethod
    def of_data(
        cls, data: Mapping[str, object], *, file: str, lines: Mapping[TomlPath, int], name: str
    ) -> Self:
        """The platform that the tables of a file describe, whatever format they stand in.

        `lines` says on which line of `file` each path is. Raises `PlatformFileError`.
        """
        return cls._of(platform_of(data, file=file, lines=lambda: lines, name=name))

    @classmethod
    def _of(cls, parts: PlatformParts) -> Self:
        return cls(
            name=parts.name,
            title=parts.title,
            sources=parts.sources,
            devices=parts.devices,
            memory=MemfdMemory(parts.sources),
            links=parts.links,
            topology=parts.topology,
            format_costs=parts.format_costs,
            absent=parts.absent,
            notes=parts.notes,
            simulated=True,
        )

    def device(self, which: str | DeviceId) -> Device:
        """The device of a name or an id; `InputError` if there is none."""
        for device in self.devices:
            if which in (device.name, device.id):
                return device
        names = [device.name for device in self.devices]
        raise InputError(f"{self.name} has no device {which}: {did_you_mean(str(which), names)}")

    def source(self, which: str | SourceId) -> Source:
        """The source of a name or an id; `InputError` if there is none."""
        for source in self.sources:
            if which in (source.name, source.id):
                return source
        names = [source.name for source in self.sources]
        raise InputError(f"{self.name} has no memory {which}: {did_you_mean(str(which), names)}")

    def source_name(self, source: SourceId) -> str:
        """The name of a source; its kind and pair where it has none here."""
        return self.source_names.get(source, str(source))

    def participant(
        self, device: str | DeviceId, usage: Usage, *, name: str | None = None
    ) -> Participant:
        """A device put to a use, with the sets for it and what its links say.

        Its name is `device:use` unless given: `hvs:scanout`. Several uses at a
        time (`CPU_READ | CPU_WRITE`) need to have the same sets. Raises
        `InputError` when the device is not there, `MachineError` when it cannot
        be put to that use, and `UsageError` for no use at all.
        """
        described = self.device(device)
        sets = _sets_for(described, usage, self.notes_on(described.name))
        linked = self._linked(described)
        if linked is not None:
            sets = resolve(usage, sets, (Fact(constraint=linked),)).sets
        return Participant(
            name=name or f"{described.name}:{usage_name(usage)}",
            usage=usage,
            sets=sets,
            device=described.id,
        )

    def problem(
        self,
        *,
        extents: Extents,
        participants: Iterable[Participant] = (),
        goals: Iterable[Goal] = (),
        usable: Callable[[SourceId], bool] = lambda source: True,
        content: Content = _ANY_CONTENT,
        counts: BufferCount = _ANY_COUNT,
        fixed: FixedBuffer | None = None,
    ) -> Problem:
        """What to solve for participants and goals on this machine, with what it knows of itself.

        `usable` says which of the sources memory may come from; see `Problem` for
        the rest.
        """
        return Problem(
            participants=tuple(participants),
            goals=tuple(goals),
            sources=tuple(source for source in self.sources if usable(source.id)),
            extents=extents,
            content=content,
            counts=counts,
            topology=self.topology,
            fixed=fixed,
            absent=self.absent,
            format_costs=self.pair_costs,
        )

    def notes_on(self, device: str) -> tuple[str, ...]:
        """Those of its notes that are on one device, by whose name they begin."""
        return tuple(note for note in self.notes if note.startswith(f"{device} "))

    def links_of(self, device: str) -> tuple[Link, ...]:
        """The links of one device, the best first."""
        return tuple(
            sorted((link for link in self.links if link.device == device), key=lambda k: k.rank)
        )

    @property
    def first_sampler(self) -> Device | None:
        """The device that composites unless another one is named; None if none samples."""
        return next((device for device in self.devices if Usage.SAMPLING in device.sets), None)

    @property
    def first_display(self) -> DeviceId | None:
        """The display that drives every output of a simulated machine; None if it has none."""
        return next((device.id for device in self.devices if Usage.SCANOUT in device.sets), None)

    @cached_property
    def pair_costs(self) -> Mapping[FormatModifier, int]:
        """`format_costs`; of pairs that cost the same, those that a display scans out go first.

        For a window this makes no difference until it is made fullscreen. A
        decoder cannot change its format in the middle of a stream then.
        """
        shown = {
            pair
            for device in self.devices
            for constraint_set in device.sets.get(Usage.SCANOUT, ())
            for pair in constraint_set.formats
        }
        return {
            # Doubled, so that being shown decides between equal costs and never against a cost.
            pair: 2 * self.format_costs.get(pair, 0) - (pair in shown)
            for pair in shown | self.format_costs.keys()
        }

    @cached_property
    def source_names(self) -> Mapping[SourceId, str]:
        """The names of its sources, and of those that are known and not there."""
        return {**self.absent, **{source.id: source.name for source in self.sources}}

    @cached_property
    def _source_ids(self) -> Mapping[str, SourceId]:
        return {name: source for source, name in self.source_names.items()}

    def _linked(self, device: Device) -> Constraint | None:
        """The permitted-sources constraint that a device's links amount to."""
        links = self.links_of(device.name)
        if not links:
            return None
        ids = self._source_ids
        # Memory that went while its links stayed is nothing that anybody could be given.
        permitted = dict.fromkeys(ids[link.source] for link in links if link.source in ids)
        if not any(link.kind is LinkKind.SUPPORTED for link in links):
            permitted.update(dict.fromkeys(source.id for source in self.sources))
        return Constraint(
            type=PERMITTED_SOURCES.type,
            value=tuple(permitted),
            provenance=min(link.provenance for link in links),  # the least certain of them
        )


def shipped() -> tuple[str, ...]:
    """The names of the platforms that come with the package, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(_SUFFIX)
            for entry in _shipped_files().iterdir()
            if entry.name.endswith(_SUFFIX)
        )
    )


def _read_shipped(name: str) -> PlatformParts:
    text = (_shipped_files() / f"{name}{_SUFFIX}").read_text("utf-8")
    return read_platform(text, file=f"{name}{_SUFFIX}", name=name)


def _shipped_files() -> Path:
    # importlib.resources would say the same, and costs every start an archive's readers.
    return Path(__file__).parents[1] / "platforms"


def _sets_for(device: Device, usage: Usage, notes: Sequence[str]) -> tuple[ConstraintSet, ...]:
    if not usage:
        raise UsageError(f"{device.name}: no use is given")
    if usage in device.sets:
        return device.sets[usage]
    wanted = [bit for bit in Usage if bit & usage]
    missing = [bit for bit in wanted if bit not in device.sets]
    if missing:
        uses = ", ".join(map(usage_name, device.usages)) or "nothing"
        fault = f"{device.name} is not for {usage_name(missing[0])}: it is for {uses}"
        raise MachineError("; ".join([fault, *notes]))
    if len({device.sets[bit] for bit in wanted}) > 1:
        raise MachineError(
            f"{device.name} needs other memory for each of {usage_name(usage)}: "
            "take part once for each use"
        )
    return device.sets[wanted[0]]
