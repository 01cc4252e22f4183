"""Ask a running compositor where buffers are to be allocated, and show its answer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from heapwire.cli.arguments import (
    MOST_NEGOTIATED,
    add_json,
    add_question,
    add_schema,
    add_timeout,
    buffer_counts,
    default_participants,
    load_platform,
    requested,
)
from heapwire.cli.pages import batch_document, surface_to_ask
from heapwire.cli.terminal import DONE, FAILED, show
from heapwire.client_lib import NegotiationError
from heapwire.client_lib.buffers import LinuxDmabuf
from heapwire.client_lib.negotiation import Negotiation, offered_manager, surface_negotiation
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError
from heapwire.protocol.explain import Document, render_explain
from heapwire.protocol.values import Content, Extents, Participant, Usage
from heapwire.protocol.wire import Batch, Explanation

_COMPOSITORS = Usage.SCANOUT | Usage.SAMPLING  # what the compositor answers for itself


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire negotiate`."""
    add_question(
        parser,
        such_as="codec:decode",
        default="the platform's decoder, or else its camera",
        most_buffers=MOST_NEGOTIATED,
    )
    parser.add_argument(
        "--fullscreen", action="store_true", help="for a surface that fills the screen"
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on, and show each answer that comes when something has changed; Ctrl-C ends it",
    )
    add_timeout(parser)
    add_json(parser)
    add_schema(parser, "negotiate")


def run(options: argparse.Namespace) -> int:
    """Ask the compositor of `$WAYLAND_DISPLAY`; 1 if there is no plan."""
    platform = load_platform(options.platform)
    members = _members(options, platform)
    timeout: float = options.timeout
    with (
        Connection() as connection,
        surface_to_ask(connection, fullscreen=options.fullscreen, timeout=timeout) as asked,
    ):
        surface, covered = asked
        manager = offered_manager(connection, platform, timeout=timeout)
        # A compositor that makes plans is asked, whether it imports buffers or not.
        dmabuf = LinuxDmabuf(connection, timeout=timeout) if manager is None else None
        negotiation = surface_negotiation(
            dmabuf, surface, platform, manager=manager, timeout=timeout
        )
        said_by = "this client" if manager is None else "the compositor"
        _ask(negotiation, members, options)
        negotiation.set_covered(covered())

        def tell(batch: Batch) -> None:
            told = batch_document(batch, negotiation.names, negotiation.source_names)
            show({**told, "planned_by": said_by}, render, as_json=options.json)

        try:
            batch = negotiation.negotiate(timeout=timeout)
        except NegotiationError as error:
            batch = error.batch
        tell(batch)
        if options.watch:
            negotiation.on_batch = tell
            while True:  # until Ctrl-C, or the compositor goes
                connection.dispatch(None)
    return DONE if batch.offers else FAILED


def render(document: Document) -> str:
    """An answer for people, as explain's."""
    return f"{render_explain(document)}\nplanned by {document['planned_by']}"


def _members(options: argparse.Namespace, platform: Platform) -> list[Participant]:
    """Who takes part on this side: the compositor speaks for its displays and GPUs itself."""
    members = [platform.participant(device, usage) for device, usage in options.participant]
    known = default_participants(platform)
    if not members:
        members = [member for member in known if not member.usage & _COMPOSITORS]
    if options.format is not None:
        usage = members[0].usage if members else Usage.CPU_WRITE
        members.append(requested(options.format, [*members, *known], usage))
    if not members:
        raise InputError(
            f"{platform.name} has no decoder or camera: say who takes part with --participant, "
            "or which format is wanted with --format"
        )
    return members


def _ask(
    negotiation: Negotiation, members: Sequence[Participant], options: argparse.Namespace
) -> None:
    for member in members:
        negotiation.set_participant(member)
    negotiation.set_extents(Extents(coded=options.size))
    negotiation.set_content(Content(protected=options.protected))
    counts = buffer_counts(options.buffers)
    negotiation.set_buffer_count(minimum=counts.minimum, queue=counts.queue)
    negotiation.set_explanation(Explanation.ALL)
