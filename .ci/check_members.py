"""Which devices a profile is for, as the kernel's source has them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kernel_source import KernelSource, SourceError

INTEL_IDS = "include/drm/intel/i915_pciids.h"


def members(source: KernelSource, macro: str) -> tuple[set[str], set[str], set[str]]:
    """The sysfs names, DRM names and compatibles of all display drivers that use a macro."""
    drivers: set[str] = set()
    api_drivers: set[str] = set()
    compatibles: set[str] = set()
    for path in sorted((source.root / "drivers/gpu/drm").rglob("*.c")):
        file = str(path.relative_to(source.root))
        if macro not in path.read_text("utf-8", "replace"):
            continue
        text = source.text(file)
        for found in re.finditer(r"\bstruct drm_driver\s+\w+\s*=\s*\{", text):
            body = body_of(text, found.end() - 1)
            if macro in body:
                api_drivers |= names_of(source, file, body)
        for found in re.finditer(r"\bstruct \w+_driver\s+\w+\s*=\s*\{", text):
            if "drm_driver" not in found[0]:
                drivers |= names_of(source, file, body_of(text, found.end() - 1))
        for found in re.finditer(r"\bstruct of_device_id\s+\w+\[\][^=]*=\s*\{", text):
            body = body_of(text, found.end() - 1)
            compatibles |= set(re.findall(r'\.compatible\s*=\s*"([^"]+)"', body))
            compatibles |= set(re.findall(r'\{\s*"([^"]+)"', body))
    return drivers, api_drivers, compatibles


def pci_ids(source: KernelSource, file: str, table: str, models: str) -> set[str]:
    """The patterns of modalias that a table of Intel's gives some of its models.

    The table names a list of numbers for each, `INTEL_TGL_IDS(MACRO, &tgl_desc)`; `models` are
    such words with commas between them. Raises `SourceError` if one is not there.
    """
    region = source.region(file, table)
    found: set[str] = set()
    for model in re.split(r",\s*", models):
        lists = re.findall(rf"\b(INTEL_\w+_IDS)\([^()]*{re.escape(model)}\)", region)
        if not lists:
            raise SourceError(f"{table} has no {model}")
        for name in lists:
            found |= {f"pci:v00008086d{number:08X}*" for number in _numbers_of(source, name)}
    return found


def without_profile(source: KernelSource, members_sources: Iterable[str]) -> list[tuple[str, str]]:
    """The tables that profiles share out by models, and the models that none of them has."""
    named: dict[tuple[str, str], set[str]] = {}
    for place in members_sources:
        file, _, rest = place.partition(": ")
        table, _, models = rest.partition(": ")
        if models:
            named.setdefault((file, table), set()).update(re.split(r",\s*", models))
    found: list[tuple[str, str]] = []
    for (file, table), models_named in named.items():
        there = re.findall(r"\bINTEL_\w+_IDS\([^()]*(&\w+)\)", source.region(file, table))
        found += [(table, model) for model in dict.fromkeys(there) if model not in models_named]
    return found


def _numbers_of(source: KernelSource, name: str) -> set[int]:
    """The numbers of a list, which may be made of others."""
    body = source.region(INTEL_IDS, name)
    numbers = {int(number, 16) for number in re.findall(r"\b0x[0-9a-fA-F]+", body)}
    for part in re.findall(r"\bINTEL_\w+_IDS\b", body):
        numbers |= _numbers_of(source, part)
    return numbers


def body_of(text: str, start: int) -> str:
    """What is between a brace and the one that closes it, with both."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start : at + 1]
    return text[start:]


def names_of(source: KernelSource, file: str, body: str) -> set[str]:
    """The names that an initialiser gives, macros worked out."""
    found = set()
    for value in re.findall(r"\.name\s*=\s*([^,}\s]+)", body):
        word = value if value.startswith('"') else source.expanded(file, value).strip("() ")
        if word.startswith('"'):
            found.add(word.strip('"'))
    return found
