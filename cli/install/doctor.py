"""Say what is missing on this machine for video without a copy, and what mends it."""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from heapwire.cli.arguments import add_json, add_policy, add_schema, add_timeout, load_policy
from heapwire.cli.install.finding import Finding, State
from heapwire.cli.install.machine_checks import REAL, Reader, machine_findings
from heapwire.cli.install.setup import BUILD_MODULE
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, documents, show, texts
from heapwire.client_lib.wayland import NEGOTIATION_MANAGER, Connection
from heapwire.protocol import HeapwireError, InputError
from heapwire.protocol.explain import Document
from heapwire.protocol.wire import DmabufVersion
from heapwire.protocol.wire.bindings import XX_DMABUF_SOURCES_V1

_LINUX_DMABUF = "zwp_linux_dmabuf_v1"
_MODULE = "heapwire-weston.so"
_MODULES_LINE = re.compile(r"^\s*modules\s*=\s*(.*)$", flags=re.MULTILINE)
_POLICY_LINE = re.compile(r"^\s*policy\s*=\s*(\S+)", flags=re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire doctor`."""
    parser.add_argument(
        "--root",
        metavar="FOLDER",
        type=Path,
        default=REAL,
        help="look at the machine whose /sys, /dev, /proc and /etc are below it; no compositor",
    )
    add_policy(parser)
    add_timeout(parser)
    add_json(parser)
    add_schema(parser, "doctor")


def run(options: argparse.Namespace) -> int:
    """Look at everything in order; 1 if something is missing."""
    root: Path = options.root
    if not (root / "sys").is_dir():
        raise InputError(f"{root} has no folder sys: it is not the root of a machine")
    findings = [
        *machine_findings(Reader(root=root)),
        *_weston(root),
        _policy(options.policy or _told_policy(root)),
    ]
    if root == REAL:
        findings += _compositor(options.timeout)
    ready = all(finding.state is not State.MISSING for finding in findings)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "ready": ready,
        "checks": [finding.document() for finding in findings],
    }
    show(document, render, as_json=options.json)
    return DONE if ready else FAILED


def render(document: Document) -> str:
    """The findings for people: each with what mends it, in a line that a shell takes."""
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    ready = document["ready"]
    yield "nothing is missing" if ready else "what is missing, in the order to mend it"
    for check in documents(document["checks"]):
        yield f"    {check['state']:8} {check['check']}: {check['says']}"
        for line in texts(check["mend"]):
            yield f"                 {line}"
    if not ready:
        yield "then run `heapwire doctor` again"


def _weston(root: Path) -> Iterator[Finding]:
    """The module of Weston, where that is installed."""
    if root == REAL and shutil.which("weston") is None:
        return
    for file in _weston_files(root):
        for modules in _MODULES_LINE.findall(_text(file)):
            for module in (one.strip() for one in modules.split(",")):
                if Path(module).name != _MODULE:
                    continue
                if (root / module.lstrip("/")).is_file() or not module.startswith("/"):
                    yield Finding("module", State.OK, f"{_shown(file, root)} loads {module}")
                else:
                    says = f"{_shown(file, root)} loads {module}, which is not there"
                    yield Finding("module", State.MISSING, says, BUILD_MODULE)
                return
    if root == REAL or any(file.is_file() for file in _weston_files(root)):
        mend = (*BUILD_MODULE, "heapwire setup weston", "# and its lines into weston.ini")
        yield Finding("module", State.MISSING, "no weston.ini loads heapwire into Weston", mend)


def _weston_files(root: Path) -> tuple[Path, ...]:
    """Where Weston looks for weston.ini (weston.ini(5))."""
    own = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    files = [Path(own, "weston.ini")] if root == REAL else []
    return (*files, root / "etc/xdg/weston/weston.ini")


def _told_policy(root: Path) -> str | None:
    """The policy that Weston is told."""
    for file in _weston_files(root):
        named = _POLICY_LINE.search(_text(file))
        if named is not None:
            return os.fspath(root / named[1].lstrip("/"))
    return None


def _policy(file: str | None) -> Finding:
    if file is None:
        return Finding("policy", State.OK, "none, so that clients are offered all memory")
    try:
        load_policy(file)
    except HeapwireError as error:
        mend = (f"heapwire list --policy {file}",)
        return Finding("policy", State.MISSING, f"it cannot be read: {error}", mend)
    return Finding("policy", State.OK, f"{file} can be read")


def _compositor(timeout: float) -> Iterator[Finding]:
    """What the compositor of `$WAYLAND_DISPLAY` has."""
    try:
        with Connection() as connection:
            offered = connection.globals(timeout=timeout)
    except HeapwireError as error:
        says = f"none answers: {error}"
        yield Finding("compositor", State.UNKNOWN, says, ("# run this in a session of Wayland",))
        return
    dmabuf = offered.get(_LINUX_DMABUF)
    if dmabuf is None:
        yield Finding("linux-dmabuf", State.MISSING, "the compositor imports no dma-buf at all")
        return
    state = State.OK if dmabuf.version >= DmabufVersion.FEEDBACK else State.MISSING
    yield Finding("linux-dmabuf", state, f"version {dmabuf.version}; feedback begins with 4")
    for name, use in (
        (XX_DMABUF_SOURCES_V1.name, "says where memory can come from"),
        (NEGOTIATION_MANAGER.name, "makes plans"),
    ):
        if name in offered:
            yield Finding(name, State.OK, f"the compositor {use}")
        else:
            says = "the compositor has it not: players make plans of what they know themselves"
            yield Finding(name, State.UNNEEDED, says)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _shown(file: Path, root: Path) -> str:
    return str(file) if root == REAL else f"/{file.relative_to(root)}"
