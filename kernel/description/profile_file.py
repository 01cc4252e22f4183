"""The files of kernel/profiles: one a driver, read once.

docs/platforms.md has the format. Whoever writes a row names where the driver's
source says so: `.ci/check_facts` compares that with the kernel's source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from heapwire.kernel.description.device import Device, KmsPlane, PlaneType, parse_usage, usage_name
from heapwire.kernel.description.driver_profile import (
    MEMORY_TYPES,
    Profile,
    ProfileRow,
    ProfileUse,
)
from heapwire.kernel.description.file_constraint import (
    ITSELF,
    FileConstraint,
    NamedPairs,
    NamedSources,
    read_file_constraints,
)
from heapwire.kernel.description.file_set import (
    MOST_COST,
    MOST_SETS,
    check_planes,
    on_planes,
    read_pairs,
)
from heapwire.kernel.description.rgb_pairs import rgb_and_yuv
from heapwire.kernel.description.toml import (
    EnoughFaultsError,
    TomlFault,
    TomlFileError,
    TomlTable,
    key_lines,
    on_lines,
    parse_toml,
)
from heapwire.protocol.values import COLOURS, FormatModifier, Usage

_SUFFIX = ".toml"
_FIRST_USE = "\n[[use]]"


class ProfileFileError(TomlFileError):
    """A profile that is wrong; the message has one line for each fault."""


def parse_profile(text: str, *, file: str, name: str) -> Profile:
    """The profile that a text describes; `file` is what faults call it.

    Raises `ProfileFileError` with all the faults that it has.
    """
    data = parse_toml(text, file=file, error=ProfileFileError)
    faults: list[TomlFault] = []
    profile = Profile(name=name, uses={})
    with suppress(EnoughFaultsError):
        profile = _read(TomlTable(data, (), faults), name)
    if faults:
        raise ProfileFileError(file, on_lines(faults, key_lines(text)))
    return profile


@cache
def shipped_profiles() -> tuple[str, ...]:
    """The names of the profiles that come with the package, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(_SUFFIX)
            for entry in _shipped_files().iterdir()
            if entry.name.endswith(_SUFFIX)
        )
    )


@cache
def shipped_profile(name: str) -> Profile:
    """One of them, read once."""
    return _parsed(_shipped_text(name), name)


@cache
def _heading(name: str) -> Profile:
    """One of them without its uses, which most of a file is: every start asks whose all are."""
    heading, _, _ = _shipped_text(name).partition(_FIRST_USE)
    return _parsed(heading, name)


def _parsed(text: str, name: str) -> Profile:
    return parse_profile(text, file=f"{name}{_SUFFIX}", name=name)


def _shipped_text(name: str) -> str:
    return (_shipped_files() / f"{name}{_SUFFIX}").read_text("utf-8")


def profiles_named(names: Iterable[str]) -> tuple[Profile, ...]:
    """Shipped profiles and all that they extend, each once, the more special first."""
    found: dict[str, Profile] = {}

    def follow(name: str) -> None:
        """A profile comes after all that it extends; the order is turned round in the end."""
        if name not in found:
            profile = shipped_profile(name)
            for extended in reversed(profile.extends):
                follow(extended)
            found[name] = profile

    for name in reversed(tuple(names)):
        follow(name)
    return tuple(reversed(found.values()))


def profiles_of(device: Device) -> tuple[Profile, ...]:
    """The profiles of the driver of a device, by whichever of its names is known.

    Those of the device's very model come first, then those of its driver.
    """
    every = map(_heading, shipped_profiles())
    matching = [profile for profile in every if profile.speaks_of(device)]
    special_first = sorted(matching, key=lambda profile: not profile.extends)
    return profiles_named(profile.name for profile in special_first)


def _shipped_files() -> Path:
    # importlib.resources would say the same, and costs every start an archive's readers.
    return Path(__file__).parents[1] / "profiles"


def _read(top: TomlTable, name: str) -> Profile:
    title = top.required("title", "one line for people")
    top.text("source")
    planes = {plane.name: plane for plane in (_kms_plane(row) for row in top.tables("kms-planes"))}
    uses: dict[Usage, ProfileUse] = {}
    for table in top.tables("use"):
        if not table.has("usage"):
            table.fault(None, f"'usage' is missing: one of {', '.join(map(usage_name, Usage))}")
        usages = table.some("usage", parse_usage)
        use = _use(table, planes)
        for usage in map(Usage, usages):
            if usage in uses:
                table.fault("usage", f"{usage_name(usage)} is described already")
            uses[usage] = use
    profile = Profile(
        name=name,
        title=title,
        drivers=top.texts("drivers"),
        api_drivers=top.texts("api-drivers"),
        compatibles=top.texts("compatibles"),
        extends=top.texts("extends"),
        kms_planes=tuple(planes.values()),
        uses=uses,
    )
    # For whoever checks: what the driver writes too and DRM has no code for, and where a
    # class has its members from.
    top.texts("nameless")
    top.text("members-source")
    top.close()
    return profile


def _use(table: TomlTable, planes: Mapping[str, KmsPlane]) -> ProfileUse:
    common, converted = _by_colour(_constraints(table))
    rows: list[ProfileRow] = []
    for row in table.tables("set", MOST_SETS):
        pairs = read_pairs(row)
        check_planes(row, pairs)
        source = row.text("source")
        row.text("modifiers-source")
        constraints, own = _by_colour(_constraints(row))
        cost = row.integer("cost", MOST_COST) or 0
        where = on_planes(row, planes)
        for part, colours in _converted(pairs, converted + own):
            rows.append(
                ProfileRow(
                    pairs=part,
                    constraints=constraints + colours,
                    cost=cost,
                    kms_planes=where,
                    source=source,
                )
            )
    if converted and not rows:
        table.fault_at(converted[0].path, "of which formats? Add a set that names them")
    # Where its source says so.
    no_proof, any_memory = table.text("import-is-no-proof"), table.text("takes-any-memory")
    for one in common if any_memory else ():
        if one.type in MEMORY_TYPES:
            table.fault_at(one.path, f"{one.type.name}, and takes-any-memory is said here")
    table.close()
    return ProfileUse(
        constraints=common,
        rows=tuple(rows),
        import_is_no_proof=bool(no_proof),
        takes_any_memory=bool(any_memory),
    )


def _by_colour(
    constraints: tuple[FileConstraint, ...],
) -> tuple[tuple[FileConstraint, ...], tuple[FileConstraint, ...]]:
    """What holds for every format, and what says which YCbCr is understood."""
    return (
        tuple(one for one in constraints if one.type != COLOURS),
        tuple(one for one in constraints if one.type == COLOURS),
    )


def _converted(
    pairs: tuple[FormatModifier, ...], colours: tuple[FileConstraint, ...]
) -> Iterable[tuple[tuple[FormatModifier, ...], tuple[FileConstraint, ...]]]:
    """The pairs with what of `colours` holds for them: nothing for RGB, which is shown as it is."""
    if not colours:
        return ((pairs, ()),)
    plain, yuv = rgb_and_yuv(pairs)
    return ((part, said) for part, said in ((plain, ()), (yuv, colours)) if part)


def _constraints(table: TomlTable) -> tuple[FileConstraint, ...]:
    """A driver knows no memory of a board's, and no other device."""
    written = read_file_constraints(table, "constraints")
    for one in written:
        named = isinstance(one.value, NamedSources) and one.value.names != (ITSELF,)
        if named or isinstance(one.value, NamedPairs):
            table.fault_at((*one.path, "value"), f"that is a board's: a driver has {ITSELF!r} only")
    return written


def _kms_plane(table: TomlTable) -> KmsPlane:
    name = table.required("name", "what the driver calls the plane")
    plane = KmsPlane(name=name, type=table.choice("type", PlaneType, PlaneType.OVERLAY))
    table.close()
    return plane
