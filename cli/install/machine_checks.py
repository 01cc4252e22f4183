"""What of a machine's kernel and set-up lets a user allocate what all devices can use.

Heaps are a choice of who configures the kernel (drivers/dma-buf/heaps/Kconfig); their nodes
belong to root alone until a udev rule says otherwise (drivers/dma-buf/dma-heap.c gives them no
mode, and systemd has no rule for them).
"""

from __future__ import annotations

import grp
import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from heapwire.cli.install.finding import Finding, State
from heapwire.cli.install.setup import APPLY_RULE
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import local_platform
from heapwire.kernel.discovery.heaps import list_heaps, udmabuf_source
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import CONTIGUOUS, Usage

REAL = Path("/")
_RULE_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
# drivers/dma-buf/Kconfig and drivers/dma-buf/heaps/Kconfig
_HEAP_OPTIONS: tuple[str, ...] = ("DMABUF_HEAPS", "DMABUF_HEAPS_SYSTEM")
# Each depends on the one before it, and none selects it (mm/Kconfig, kernel/dma/Kconfig,
# drivers/dma-buf/heaps/Kconfig): asked for alone, the last is dropped by `make olddefconfig`.
_CMA_OPTIONS = ("CMA", "DMA_CMA", "DMABUF_HEAPS_CMA")
_ARCHITECTURE_HAS_CMA = "HAVE_DMA_CONTIGUOUS"
_READ_WRITE = 0o660
_IN_SOURCE = "# in the kernel's source:"


def _may_open(node: Path) -> bool:
    """Whether this process may open a node for reading and writing."""
    return os.access(node, os.R_OK | os.W_OK)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at which machine: whose `/sys`, `/dev`, `/etc` and `/proc` are below `root`."""

    root: Path = REAL
    may_open: Callable[[Path], bool] = _may_open
    groups: frozenset[int] = frozenset({os.getgid(), *os.getgroups()})
    user: str = "$USER"
    release: str = os.uname().release


def machine_findings(reader: Reader) -> Iterator[Finding]:
    """What is there and what is missing, in the order in which it is to be mended."""
    heaps = [(source, Path(node)) for source, node in list_heaps(reader.root)]
    names = ", ".join(source.name for source, _ in heaps)
    closed = [node for _, node in heaps if not reader.may_open(node)]
    yield _in_kernel(reader, names)
    yield from _contiguous(local_platform(reader.root))
    if closed:
        yield from _opened(reader, closed)
    elif heaps:
        yield Finding("access", State.OK, f"this user may allocate from {names}")
    yield _udmabuf(reader, served=bool(heaps) and len(closed) < len(heaps))


def _in_kernel(reader: Reader, names: str) -> Finding:
    if names:
        return Finding("heaps", State.OK, f"the kernel has {names}")
    config, file = _kernel_config(reader)
    wanted = _HEAP_OPTIONS
    if not config or _ARCHITECTURE_HAS_CMA in config:
        wanted += _CMA_OPTIONS
    lacking = [option for option in wanted if config.get(option) not in ("y", "m")]
    if config and not lacking:
        says = f"no heap, although {file} has them: none came up (dmesg | grep -i heap)"
        return Finding("heaps", State.MISSING, says)
    where = f"they are not in {file}" if config else "its configuration is not here"
    return Finding(
        "heaps",
        State.MISSING,
        f"the kernel has no DMA heaps: {where}",
        (_IN_SOURCE, f"scripts/config {_enabling(lacking)} && make olddefconfig && make"),
    )


def _enabling(options: Iterable[str]) -> str:
    return " ".join(f"-e {option}" for option in options)


def _kernel_config(reader: Reader) -> tuple[dict[str, str], str]:
    """The options of the kernel that runs, without CONFIG_, and where they are told."""
    for file in ("proc/config.gz", f"boot/config-{reader.release}"):
        try:
            data = (reader.root / file).read_bytes()
            text = (gzip.decompress(data) if file.endswith(".gz") else data).decode("ascii")
        except (OSError, EOFError, zlib.error, UnicodeDecodeError):
            continue
        return dict(re.findall(r"^CONFIG_(\w+)=(\S+)$", text, re.MULTILINE)), f"/{file}"
    return {}, ""


def _contiguous(platform: Platform) -> Iterator[Finding]:
    """Whether there is memory for displays that read one piece of it."""
    wanting = [
        device.name
        for device in platform.devices
        if any(
            constraint.type == CONTIGUOUS.type
            for one in device.sets.get(Usage.SCANOUT, ())
            for constraint in one.constraints
        )
    ]
    if not wanting:
        return
    heaps = [source.name for source in platform.sources if source.contiguous]
    if heaps:
        yield Finding(
            "contiguous memory",
            State.OK,
            f"{', '.join(wanting)} scans out contiguous memory, and {', '.join(heaps)} has it",
        )
        return
    yield Finding(
        "contiguous memory",
        State.MISSING,
        f"{', '.join(wanting)} scans out contiguous memory, and no heap has it",
        (
            "# in the kernel's source, unless it is there: "
            f"scripts/config {_enabling(('DMABUF_HEAPS', *_CMA_OPTIONS))}",
            "# on the kernel's command line: cma=256M",
        ),
    )


def _opened(reader: Reader, closed: list[Path]) -> Iterator[Finding]:
    """What is in the way of nodes that may not be opened: a rule, or a group."""
    nodes = ", ".join(f"/{node.relative_to(reader.root)}" for node in closed)
    rule = _udev_rule(reader.root)
    if rule is None:
        yield Finding(
            "udev rule",
            State.MISSING,
            f"no rule says who may open {nodes}, so that only root may",
            APPLY_RULE,
        )
    else:
        yield Finding("udev rule", State.OK, f"/{rule.relative_to(reader.root)} speaks of heaps")
    for group in sorted({node.stat().st_gid for node in closed if _is_for_its_group(node)}):
        if group not in reader.groups:
            name = _group_name(group)
            yield Finding(
                "group",
                State.MISSING,
                f"{nodes} is for the group {name}, and this process is not in it",
                _joining(name, reader),
            )
            return
    if rule is not None:
        yield Finding(
            "access",
            State.MISSING,
            f"this user may not open {nodes}: the rule has not been applied, or is another's",
            (APPLY_RULE[-1], f"ls -l {nodes}"),
        )


def _udev_rule(root: Path) -> Path | None:
    """The first file of rules that speaks of heaps."""
    for folder in _RULE_FOLDERS:
        for file in sorted((root / folder).glob("*.rules")):
            try:
                text = file.read_text("utf-8", "replace")
            except OSError:
                continue
            if re.search(r"^[^#\n]*dma_heap", text, re.MULTILINE):
                return file
    return None


def _is_for_its_group(node: Path) -> bool:
    return node.stat().st_mode & _READ_WRITE == _READ_WRITE and node.stat().st_gid != 0


def _joining(group: str, reader: Reader) -> tuple[str, ...]:
    """How a user comes into a group."""
    return (f"sudo usermod -aG {group} {reader.user}", "# then log in anew")


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _udmabuf(reader: Reader, *, served: bool) -> Finding:
    """Memory of last resort: scattered, and counted against the process."""
    found = udmabuf_source(reader.root)
    if found is None:
        says = "the kernel has no /dev/udmabuf, which stands in for heaps"
        if served:
            return Finding("udmabuf", State.UNNEEDED, says)
        return Finding("udmabuf", State.MISSING, says, _udmabuf_from(_kernel_config(reader)[0]))
    node = Path(found[1])
    if reader.may_open(node):
        return Finding("udmabuf", State.OK, "this user may make buffers of ordinary memory")
    if served:
        return Finding("udmabuf", State.UNNEEDED, "this user may not open it, and has heaps")
    if not _is_for_its_group(node):
        says = "no rule says who may open /dev/udmabuf, so that only root may"
        return Finding("udmabuf", State.MISSING, says, APPLY_RULE)
    group = _group_name(node.stat().st_gid)
    return Finding(
        "udmabuf",
        State.MISSING,
        f"this user may not open /dev/udmabuf, which is for the group {group}",
        _joining(group, reader),
    )


def _udmabuf_from(config: dict[str, str]) -> tuple[str, ...]:
    """How a kernel that was configured so comes to it."""
    if config and config.get("UDMABUF") not in ("y", "m"):
        return (_IN_SOURCE, "scripts/config -e UDMABUF && make olddefconfig && make")
    return ("sudo modprobe udmabuf", "echo udmabuf | sudo tee /etc/modules-load.d/udmabuf.conf")
