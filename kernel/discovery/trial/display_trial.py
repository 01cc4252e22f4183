"""Trials with a display: PRIME import and AddFB2, of each memory and each format.

One buffer of each memory is allocated, imported once, and made a framebuffer of each class of
formats; then it is let go. It is larger than the largest chunk of the system heap, and of a size
that takes chunks of three sizes: a small buffer may be one run of addresses by luck, and then a
driver takes it that takes no other (drivers/dma-buf/heaps/system_heap.c, orders 8, 4 and 0).

Of what formats a driver makes framebuffers is asked once, with the first memory that it takes. Of
those with the same modifier, rows and planes it makes them from any other memory, or does not: one
stands for all of them there. Layouts in tiles are tried where they can be computed
(tiled_framebuffers.py).

Where the card's master asks, each plane is asked too, by a commit that only tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from heapwire.kernel.description import KmsPlane
from heapwire.kernel.discovery.trial.pitch_gauge import gauge_pitches
from heapwire.kernel.discovery.trial.tiled_framebuffers import (
    certain,
    in_rows,
    tiled_framebuffers,
    tiled_room,
)
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict, refusal
from heapwire.kernel.drm import Card, DumbBuffer, Framebuffer, PlaneTests
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import dataclass, replace
from heapwire.protocol.values import FORMATS, INVALID, FormatModifier

SIZE = (1 << 20) + (1 << 16) + (1 << 12)
"""Bytes of a trial buffer: one chunk of each of the system heap's orders."""
MOST_PAIRS = 128
"""Of a display; the rest is not tried."""
MOST_TESTS = 1024
"""Commits that test the planes of a display; the rest is not tried."""

_WIDTH, _HEIGHT = 1024, 64  # pixels: the least pitch is 1 KiB, and 8 bytes each are 512 KiB
_PAGE = 4096  # bytes: where planes begin
_USUAL_BITS = 32  # of which every driver makes pictures
_ANY_SIZE = ((0, 0), (1 << 16, 1 << 16))
_MOST_SCREEN = 1 << 22  # pixels of a screen that planes are tested with: 16 MiB of the usual ones

Sizes: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""The least and the greatest width and height, pixels."""
Allocate: TypeAlias = Callable[[str, int], DmaBuf]
"""Some bytes of a source by its name; raises what `Memory.allocate` does."""
_Answer: TypeAlias = tuple[str, Framebuffer, str | None]
# The plane's name, or nothing for the display; what was asked for; what was said: nothing if it
# was taken, None if that is not known.


def try_display(
    card: Card,
    own_name: str,
    sources: Iterable[str],
    allocate: Allocate,
    pairs: Sequence[FormatModifier],
    *,
    sizes: Sizes = _ANY_SIZE,
    planes: Sequence[KmsPlane] = (),
    tests: PlaneTests | None = None,
) -> DeviceRecord:
    """What a display takes of the memory of some sources, and how it lays out its own.

    `own_name` is what its own dumb buffers go by. `pairs` are those that it lists, and `sizes`
    the least and the greatest size of its framebuffers in pixels. With `tests`, its `planes`
    are asked too.
    """
    if tests is not None and tests.size[0] * tests.size[1] > _MOST_SCREEN:
        tests = None
    pitches = gauge_pitches(card, {_bits(pair.fourcc) for pair in pairs if pair.fourcc in FORMATS})
    if tests is not None:
        sizes = (tests.size, tests.size)
    wanted = {
        each: FormatModifier(each.fourcc, each.modifier)
        for each in framebuffers(pairs, pitches, sizes)
    }
    modifiers = card.takes_modifiers()
    if modifiers:
        tiled = tiled_framebuffers(_first(pairs), *_size(sizes))
        wanted.update({each: pair for pair, each in tiled})
    trial = _DisplayTrial(card, wanted, planes, tests, modifiers=modifiers)
    own, exported = trial.of_its_own(own_name)
    verdicts: list[Verdict] = []
    for source in sources:
        try:
            buffer = allocate(source, max(SIZE, *map(room, wanted)) if wanted else SIZE)
        except (MachineError, NotPossibleError, OSError):
            continue  # none to be had now: nothing is learned of it
        with buffer:
            verdicts += trial.of_memory(source, buffer.fd)
    found = certain((*verdicts, *own))
    able = {verdict.plane for verdict in found if verdict.taken}
    return DeviceRecord(
        # A plane that takes nothing at all lacks something else than memory.
        verdicts=tuple(verdict for verdict in found if not verdict.plane or verdict.plane in able),
        pitches=pitches,
        own=exported,
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    name: str
    id: int
    pairs: frozenset[FormatModifier]


class _DisplayTrial:
    """One display under trial: `known` is what it says of each format, if the memory is good.

    `wanted` has for each framebuffer the pair that the display lists for it.
    """

    def __init__(
        self,
        card: Card,
        wanted: Mapping[Framebuffer, FormatModifier],
        planes: Sequence[KmsPlane],
        tests: PlaneTests | None,
        *,
        modifiers: bool,
    ) -> None:
        self._card = card
        self._modifiers = modifiers
        self._pairs: dict[Framebuffer, list[FormatModifier]] = {}
        for each, pair in wanted.items():  # without modifiers, linear is the same as none
            one = each if self._modifiers else replace(each, modifier=INVALID)
            self._pairs.setdefault(one, []).append(pair)
        self._wanted = tuple(self._pairs)
        self._known: dict[Framebuffer, str | None] = {}
        self._tests = tests
        self._planes = tuple(
            _Plane(plane.name, plane.id, frozenset(p for each in plane.sets for p in each.formats))
            for plane in planes
            if tests is not None and plane.id in tests.planes
        )
        self._tests_left = MOST_TESTS

    def of_memory(self, source: str, dma_buf: int) -> Iterator[Verdict]:
        """What is said of the memory of a source."""
        try:
            handle = self._card.import_memory(dma_buf)
        except OSError as error:
            said = refusal("PRIME import", error)
            if said is not None:
                yield Verdict(source=source, taken=False, said=said)
            return
        try:
            yield from self._gathered(source, self._answers(handle))
        finally:
            self._card.close(handle)

    def of_its_own(self, name: str) -> tuple[tuple[Verdict, ...], bool]:
        """The same with a dumb buffer of each size of pixel, and whether one can be handed on.

        Where the driver makes none of that size, one of 32 bits tells which formats it refuses;
        it does not tell which it takes, because no such buffer could be had.
        """
        exported = False
        answers: list[_Answer] = []
        for bits in sorted({_bits(each.fourcc) for each in self._wanted}):
            ours = [each for each in self._wanted if _bits(each.fourcc) == bits]
            # One for all of them; a driver may insist on the pitch that it made.
            pitch = max(each.planes[0][1] for each in ours)
            rows = max(-(-room(each) // each.planes[0][1]) for each in ours)
            made = self._dumb(pitch, rows, bits)
            to_be_had = made is not None
            made = made or self._dumb(pitch, rows, _USUAL_BITS)
            if made is None:
                continue
            try:
                exported = exported or (to_be_had and self._exports(made))
                for each in ours:
                    for plane, asked, said in self._ask(made.handle, each):
                        if not plane:
                            self._known[asked] = said
                        known = bool(said) or (to_be_had and exported)
                        answers.append((plane, asked, said if known else None))
            finally:
                self._card.destroy_dumb(made)
        return tuple(self._gathered(name, answers)), exported

    def _dumb(self, pitch: int, rows: int, bits: int) -> DumbBuffer | None:
        try:
            return self._card.create_dumb(width=pitch * 8 // bits, height=rows, bits=bits)
        except OSError:
            return None

    def _exports(self, made: DumbBuffer) -> bool:
        try:
            os.close(self._card.export_memory(made.handle))
        except OSError:
            return False
        return True

    def _answers(self, handle: int) -> Iterator[_Answer]:
        if self._planes or not self._known:
            for each in self._wanted:
                for plane, asked, said in self._ask(handle, each):
                    if not plane:
                        self._known.setdefault(asked, said)
                    yield plane, asked, said
            return
        for members in kinds(self._wanted):
            # Those that it takes from the memory that it took first are together.
            members.sort(key=lambda each: self._known.get(each) != "")
            sure = False
            for each in members:
                if sure and self._known.get(each) == "":
                    yield "", each, ""
                    continue
                for answer in self._ask(handle, each):
                    sure = sure or (answer[2] == "" and self._known.get(each) == "")
                    yield answer

    def _ask(self, handle: int, wanted: Framebuffer) -> Iterator[_Answer]:
        """What a driver says of a framebuffer, and of it on each plane that lists its pair."""
        pairs = self._pairs[wanted]
        try:
            handles = [handle] * len(wanted.planes)
            with self._card.framebuffer(handles, wanted, modifiers=self._modifiers) as made:
                for plane in self._planes:
                    if self._tests_left > 0 and not plane.pairs.isdisjoint(pairs):
                        yield plane.name, wanted, self._tested(plane.id, made)
        except OSError as error:
            yield "", wanted, refusal("AddFB2", error)
        else:
            yield "", wanted, ""

    def _gathered(self, source: str, answers: Iterable[_Answer]) -> Iterator[Verdict]:
        """One verdict of each plane for all formats of which the driver says the same."""
        pairs_by_answer: dict[tuple[str, str], list[FormatModifier]] = {}
        for plane, wanted, said in answers:
            if said is not None:
                pairs_by_answer.setdefault((plane, said), []).extend(self._pairs[wanted])
        for (plane, said), pairs in pairs_by_answer.items():
            yield Verdict(source=source, taken=not said, pairs=tuple(pairs), said=said, plane=plane)

    def _tested(self, plane: int, framebuffer: int) -> str | None:
        self._tests_left -= 1
        try:
            if self._tests is not None:
                self._tests.test(plane, framebuffer)
        except OSError as error:
            return refusal("TEST_ONLY", error)
        return ""


def kinds(wanted: Iterable[Framebuffer]) -> tuple[list[Framebuffer], ...]:
    """Those together that lie in memory alike: with the same modifier, rows and planes."""
    alike: dict[tuple[object, ...], list[Framebuffer]] = {}
    for each in wanted:
        kind = (each.modifier, each.planes, FORMATS[each.fourcc].is_yuv)
        alike.setdefault(kind, []).append(each)
    return tuple(alike.values())


def framebuffers(
    pairs: Sequence[FormatModifier], pitches: dict[int, int], sizes: Sizes
) -> Iterator[Framebuffer]:
    """A framebuffer for each pair whose pictures are rows, one after the other."""
    width, height = _size(sizes)
    for pair in _first(pairs):
        known = FORMATS.get(pair.fourcc)
        if known is None or not in_rows(pair.modifier):
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


def _first(pairs: Sequence[FormatModifier]) -> tuple[FormatModifier, ...]:
    return tuple(dict.fromkeys(pairs))[:MOST_PAIRS]


def _size(sizes: Sizes) -> tuple[int, int]:
    """The width and the height of a framebuffer that is tried."""
    (least_width, least_height), (most_width, most_height) = sizes
    return (
        min(max(_WIDTH, least_width), most_width),
        min(max(_HEIGHT, least_height), most_height),
    )


def _bits(fourcc: int) -> int:
    """Of a pixel of a dumb buffer for it: bytes where there is more than one plane."""
    format_ = FORMATS[fourcc]
    plane = format_.planes[0]
    return 8 * plane.bytes_per_block if len(format_.planes) == 1 and plane.block_width == 1 else 8


def room(wanted: Framebuffer) -> int:
    """Bytes that it takes at the most."""
    if not in_rows(wanted.modifier):
        return tiled_room(wanted)
    offset, pitch = wanted.planes[-1]
    return offset + pitch * wanted.height
