"""Trials with a display: PRIME import and AddFB2, of each memory and each format.

One buffer of each memory is allocated, imported once, and made a framebuffer of each format;
then it is let go. It is larger than the largest chunk of the system heap, and of a size that
takes chunks of three sizes: a small buffer may be one run of addresses by luck, and then a
driver takes it that takes no other (drivers/dma-buf/heaps/system_heap.c, orders 8, 4 and 0).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from heapwire.kernel.discovery.trial.card import Card, Framebuffer
from heapwire.kernel.discovery.trial.pitch_gauge import gauge_pitches
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict, refusal
from heapwire.kernel.memory import DmaBuf, DumbBuffer, create_dumb, destroy_dumb, export_dumb
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.values import FORMATS, INVALID, LINEAR, FormatModifier

SIZE = (1 << 20) + (1 << 16) + (1 << 12)
"""Bytes of a trial buffer: one chunk of each of the system heap's orders."""
MOST_PAIRS = 128
"""Of a display; the rest is not tried."""

_WIDTH, _HEIGHT = 1024, 64  # pixels: the least pitch is 1 KiB, and 8 bytes each are 512 KiB
_PAGE = 4096  # bytes: where planes begin
_USUAL_BITS = 32  # of which every driver makes pictures
_ANY_SIZE = ((0, 0), (1 << 16, 1 << 16))

Sizes = tuple[tuple[int, int], tuple[int, int]]
"""The least and the greatest width and height, pixels."""
Allocate = Callable[[str, int], DmaBuf]
"""Some bytes of a source by its name; raises what `Memory.allocate` does."""


def try_display(
    card: Card,
    own_name: str,
    sources: Iterable[str],
    allocate: Allocate,
    pairs: Sequence[FormatModifier],
    *,
    sizes: Sizes = _ANY_SIZE,
) -> DeviceRecord:
    """What a display takes of the memory of some sources, and how it lays out its own.

    `own_name` is what its own dumb buffers go by. `pairs` are those that it lists, and `sizes`
    the least and the greatest size of its framebuffers in pixels.
    """
    pitches = gauge_pitches(card)
    modifiers = card.takes_modifiers()
    wanted = tuple(_framebuffers(pairs, pitches, sizes))
    verdicts: list[Verdict] = []
    for source in sources:
        try:
            buffer = allocate(source, max(SIZE, *map(_room, wanted)) if wanted else SIZE)
        except (MachineError, NotPossibleError, OSError):
            continue  # none to be had now: nothing is learned of it
        with buffer:
            verdicts += _try_memory(card, source, buffer.fd, wanted, modifiers=modifiers)
    own, exported = _try_own(card, own_name, wanted, modifiers=modifiers)
    return DeviceRecord(verdicts=(*verdicts, *own), pitches=pitches, own=exported)


def _try_memory(
    card: Card, source: str, dma_buf: int, wanted: Sequence[Framebuffer], *, modifiers: bool
) -> Iterator[Verdict]:
    try:
        handle = card.import_memory(dma_buf)
    except OSError as error:
        said = refusal("PRIME import", error)
        if said is not None:
            yield Verdict(source=source, taken=False, said=said)
        return
    try:
        yield from _gathered(
            source, ((each, _tried(card, handle, each, modifiers)) for each in wanted)
        )
    finally:
        card.close(handle)


def _try_own(
    card: Card, name: str, wanted: Sequence[Framebuffer], *, modifiers: bool
) -> tuple[tuple[Verdict, ...], bool]:
    """The same with a dumb buffer of each size of pixel, and whether one can be handed on.

    Where the driver makes none of that size, one of 32 bits tells which formats it refuses; it
    does not tell which it takes, because no such buffer could be had.
    """
    exported = False
    answers: list[tuple[Framebuffer, str | None]] = []
    for bits in sorted({_bits(each) for each in wanted}):
        ours = [each for each in wanted if _bits(each) == bits]
        # One for all of them; a driver may insist on the pitch that it made.
        pitch = max(each.planes[0][1] for each in ours)
        rows = max(-(-_room(each) // each.planes[0][1]) for each in ours)
        made = _dumb(card, pitch, rows, bits)
        to_be_had = made is not None
        made = made or _dumb(card, pitch, rows, _USUAL_BITS)
        if made is None:
            continue
        try:
            exported = exported or (to_be_had and _exports(card, made))
            for each in ours:
                said = _tried(card, made.handle, each, modifiers)
                answers.append((each, said if said or (to_be_had and exported) else None))
        finally:
            destroy_dumb(card.fd, made, card.call)
    return tuple(_gathered(name, answers)), exported


def _dumb(card: Card, pitch: int, rows: int, bits: int) -> DumbBuffer | None:
    try:
        return create_dumb(card.fd, width=pitch * 8 // bits, height=rows, bits=bits, call=card.call)
    except OSError:
        return None


def _exports(card: Card, made: DumbBuffer) -> bool:
    try:
        os.close(export_dumb(card.fd, made, card.call))
    except OSError:
        return False
    return True


def _tried(card: Card, handle: int, wanted: Framebuffer, modifiers: bool) -> str | None:
    """What a driver says of a framebuffer: nothing if it takes it, None if that is not known."""
    try:
        card.try_framebuffer(handle, wanted, modifiers=modifiers)
    except OSError as error:
        return refusal("AddFB2", error)
    return ""


def _gathered(source: str, answers: Iterable[tuple[Framebuffer, str | None]]) -> Iterator[Verdict]:
    """One verdict for all formats of which the driver says the same."""
    pairs_by_answer: dict[str, list[FormatModifier]] = {}
    for wanted, said in answers:
        if said is not None:
            pair = FormatModifier(wanted.fourcc, wanted.modifier)
            pairs_by_answer.setdefault(said, []).append(pair)
    for said, pairs in pairs_by_answer.items():
        yield Verdict(source=source, taken=not said, pairs=tuple(pairs), said=said)


def _framebuffers(
    pairs: Sequence[FormatModifier], pitches: dict[int, int], sizes: Sizes
) -> Iterator[Framebuffer]:
    """A framebuffer for each pair whose layout is known: rows, one after the other.

    What only its driver can lay out cannot be made up here, and is not tried.
    """
    (least_width, least_height), (most_width, most_height) = sizes
    width = min(max(_WIDTH, least_width), most_width)
    height = min(max(_HEIGHT, least_height), most_height)
    for pair in tuple(dict.fromkeys(pairs))[:MOST_PAIRS]:
        known = FORMATS.get(pair.fourcc)
        if known is None or pair.modifier not in (LINEAR, INVALID):
            continue
        planes: list[tuple[int, int]] = []
        end = 0
        for number, plane in enumerate(known.planes):
            pitch = plane.row_bytes(width)
            if number == 0 and len(known.planes) == 1:
                rule = pitches.get(8 * pitch // width, 1)
                pitch = -(-pitch // rule) * rule
            planes.append((end, pitch))
            end += -(-(pitch * plane.rows(height)) // _PAGE) * _PAGE
        yield Framebuffer(
            width=width,
            height=height,
            fourcc=pair.fourcc,
            modifier=pair.modifier,
            planes=tuple(planes),
        )


def _bits(wanted: Framebuffer) -> int:
    """Of a pixel of a dumb buffer for it: bytes where there is more than one plane."""
    format_ = FORMATS[wanted.fourcc]
    plane = format_.planes[0]
    return 8 * plane.bytes_per_block if len(format_.planes) == 1 and plane.block_width == 1 else 8


def _room(wanted: Framebuffer) -> int:
    """Bytes that it takes at the most."""
    offset, pitch = wanted.planes[-1]
    return offset + pitch * wanted.height
