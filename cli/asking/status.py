"""Show who has what of a running reference compositor: memory, buffers, objects."""

from __future__ import annotations

import argparse
import json
import os
import socket as sockets
from collections.abc import Iterator
from pathlib import Path

from heapwire.cli.arguments import add_json, add_schema
from heapwire.cli.terminal import DONE, documents, show
from heapwire.client_lib import DisconnectedError, NoCompositorError
from heapwire.client_lib.compliance import socket_path
from heapwire.kernel.description import quantity_name
from heapwire.protocol import words_of
from heapwire.protocol.explain import Document

_MOST = 1 << 20  # bytes that are read
_PATIENCE = 10  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire status`."""
    parser.add_argument(
        "--socket",
        metavar="NAME",
        help="name of the compositor's Wayland socket (default: $WAYLAND_DISPLAY, wayland-0)",
    )
    add_json(parser)
    add_schema(parser, "status")


def run(options: argparse.Namespace) -> int:
    """Ask a compositor that `heapwire compositor` runs."""
    from heapwire.compositor_plugin.hosts.reference import STATUS_SUFFIX

    path = Path(f"{socket_path(options.socket)}{STATUS_SUFFIX}")
    show(_asked(path), render, as_json=options.json)
    return DONE


def render(document: Document) -> str:
    """Who has what, for people."""
    return "\n".join(_lines(document))


def _asked(path: Path) -> Document:
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(os.fspath(path))
        except OSError as error:
            what = f"no reference compositor tells of itself at {path}: {words_of(error)}"
            raise NoCompositorError(what) from None
        try:
            with connection.makefile("rb") as stream:
                document = json.loads(stream.read(_MOST))
        except (OSError, ValueError) as error:
            raise DisconnectedError(f"{path}: what was told is not whole: {error}") from None
    if not isinstance(document, dict):
        raise DisconnectedError(f"{path}: what was told is no document")
    return document


def _lines(document: Document) -> Iterator[str]:
    yield f"{document['platform']}"
    for heap in documents(document["heaps"]):
        limit = _of(heap["limit"], "that clients may have together")
        size = f"; {_size(heap['capacity'])} in all" if heap["capacity"] is not None else ""
        yield f"    {heap['name']}: {_size(heap['bytes'])}{limit}{size}"
    holders = documents(document["holders"])
    yield "memory that clients have" if holders else "no client has memory of the compositor's"
    for holder in holders:
        app = f", app {holder['app']}" if holder["app"] else ""
        total = f"{_size(holder['bytes'])}{_of(holder['budget'])}"
        count = f"{holder['buffers']} buffer{'s' * (holder['buffers'] != 1)}"
        fds = f"{holder['descriptors']} of {holder['descriptor_limit']} dma-bufs"
        yield f"    user {holder['uid']}{app}: {total}, {count}, {fds}"
        for heap in documents(holder["heaps"]):
            yield f"        {heap['name']}: {_size(heap['bytes'])}{_of(heap['limit'])}"
    if document["more_holders"]:
        yield f"    and {document['more_holders']} more"
    clients = documents(document["clients"])
    yield "clients" if clients else "no client"
    for client in clients:
        kept = [f"{_size(client['set_bytes'])} of constraint sets"]
        kept += [f"{client[what]} {words}" for what, words in _KEPT.items() if client.get(what)]
        yield f"    {_who(client)}: {', '.join(kept)}"
    if document["more_clients"]:
        yield f"    and {document['more_clients']} more"


_KEPT = {
    "managers": "managers",
    "negotiations": "negotiations",
    "feedbacks": "feedbacks of linux-dmabuf with sources",
    "statuses": "statuses",
    "allocations": "allocations",
}


def _who(client: Document) -> str:
    who = f"process {client['pid']} of user {client['uid']}, group {client['gid']}"
    if not client["sandboxed"]:
        return who
    said = " ".join(str(client[key]) or "?" for key in ("engine", "app", "instance"))
    return f"{who}, sandboxed as {said}"


def _of(limit: object, whose: str = "") -> str:
    return "" if limit is None else f" of {_size(limit)} {whose}".rstrip()


def _size(number: object) -> str:
    return quantity_name(number) if isinstance(number, int) else str(number)
