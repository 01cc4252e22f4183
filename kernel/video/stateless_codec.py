"""Which bitstreams are parsed here for drivers that parse nothing.

A codec is a `StatelessParser`, and a row of `STATELESS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from heapwire.kernel.video.fwht_parser import FwhtParser
from heapwire.kernel.video.stateless_parser import StatelessParser
from heapwire.kernel.video.vp8 import Vp8Parser
from heapwire.protocol.values import fourcc

STATELESS: Mapping[int, Callable[[], StatelessParser]] = {
    fourcc("FWHT"): FwhtParser,
    fourcc("VP80"): Vp8Parser,
}
"""By V4L2's fourcc of a whole stream, what reads it for a driver that does not."""


def stateless_form(coded: int) -> int | None:
    """V4L2's fourcc of a bitstream for drivers without a parser; None if none is known here."""
    parser = STATELESS.get(coded)
    return None if parser is None else parser().coded
