"""Questions of a few devices that contradict each other, each beside the same one that can be met.

Both have the same devices with the same types of requirements, the same picture and the same
heaps: nothing but the numbers differs.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from problem_building import NV12, XRGB, YUV420, ask, heap, heap_id, need, of, pair, part

from heapwire.protocol.values import Constraint, Problem, Value

_MIB = 1 << 20
_FORMATS = [NV12, YUV420, pair("NV21"), XRGB, pair("P010")]

Numbers = tuple[tuple[int, ...], tuple[int, ...]]
"""Of a type what nearly always agrees, and what rarely does."""

_PITCH: Numbers = (48, 112, 80, 64, 16), (528, 1456, 1360, 1424, 4099)
_ROWS: Numbers = (2, 4, 8, 16), (33, 35, 37, 41, 1081)
_OFFSET: Numbers = (64, 256, 4096), (4097, 5003, 6007, 7001)
_SIZE: Numbers = (64, 4096, 8192), (4097, 5003, 6007, 7001)
_MOST: Numbers = (16 * _MIB, 32 * _MIB), (3 * _MIB, 4 * _MIB, 5 * _MIB, 6 * _MIB)

KINDS: dict[str, dict[str, Numbers]] = {
    "pitches": {
        "pitch-alignment": _PITCH,
        "max-pitch": ((8192, 16384, 32768), (4096, 5000, 6000, 16912)),
        "min-pitch": ((64, 128, 1000), (2000, 4000, 9000)),
    },
    "sizes": {
        "size-alignment": _SIZE,
        "max-size": _MOST,
        "min-size": ((4096, _MIB), (5 * _MIB, 6 * _MIB, 8 * _MIB)),
    },
    "offsets": {
        "offset-alignment": _OFFSET,
        "max-size": _MOST,
        "padding": ((64, 128), (100_000, _MIB, 2 * _MIB)),
    },
    "rows": {"scanline-alignment": _ROWS, "max-size": _MOST, "size-alignment": _SIZE},
    "pitches and rows": {
        "pitch-alignment": _PITCH,
        "scanline-alignment": _ROWS,
        "max-size": _MOST,
    },
    "counts": {
        "min-buffers": ((1, 2, 4), (8, 12, 20)),
        "max-buffers": ((16, 30, 32), (6, 7, 10, 18)),
        "shared-buffers": ((1, 2), (4, 6, 9)),
    },
    "pictures": {
        "max-width": ((4096, 8192), (1280, 1600, 1919, 2000)),
        "min-width": ((64, 128), (2048, 2500, 3000)),
        "width-alignment": ((2, 4, 16), (48, 80, 112)),
        "must-fit-width": ((1920, 2048), (2000, 4000)),
    },
    "bits": {
        "fences": ((7, 3), (1, 2, 3, 4, 5, 6)),
        "coherency-domains": ((7, 3), (1, 2, 3, 4, 5)),
        "colours": ((0xFF00, 0xFFFF00), (0x100, 0x200, 0x300)),
    },
    "memory": {
        "dma-width": ((64,), (8, 32, 64)),
        "contiguous": ((1,), (1,)),
        "max-pitch": ((8192, 16384), (8192, 10000)),
        "permitted-sources": ((), ()),
    },
    "all": {
        "pitch-alignment": _PITCH,
        "max-pitch": ((16384, 32768), (4096, 5000, 6000, 16912)),
        "scanline-alignment": _ROWS,
        "size-alignment": _SIZE,
        "max-size": _MOST,
        "offset-alignment": _OFFSET,
        "max-width": ((4096, 8192), (1280, 1900)),
        "max-buffers": ((16, 32), (2, 3)),
        "min-buffers": ((1, 2), (4, 6)),
    },
}
"""The types that devices of a kind speak of."""


class Asked(NamedTuple):
    """One question with numbers that can be met, and with numbers that mostly contradict."""

    honest: Problem
    contradicting: Problem


def asked(kind: str, seed: int) -> Asked:
    """2 to 4 devices with 1 to 3 requirements each, 1 to 12 heaps, and 1, 3 or 5 formats."""
    random = Random(f"{kind} {seed}")
    heaps = random.choice((1, 2, 4, 8, 12))
    formats = _FORMATS[: random.choice((1, 1, 3, 5))]
    size = random.choice(((1920, 1080), (1280, 720), (640, 480)))
    types = KINDS[kind]
    said: list[list[tuple[Constraint, Constraint]]] = []
    for device in range(random.randint(2, 4)):
        chosen = random.sample(sorted(types), random.randint(1, 3))
        said.append([_either(name, types[name], heaps, random) for name in chosen])
        if seed % 3 == 0:  # one that has no part in it
            said[-1].append((need("max-height", 8192 - device), need("max-height", 8192 - device)))

    def question(odd: int) -> Problem:
        return ask(
            *(
                part(f"device{number}", of(formats, *(both[odd] for both in own)))
                for number, own in enumerate(said)
            ),
            sources=tuple(
                heap(f"heap{n}", n, contiguous=n % 2 == 1 or heaps < 2, capacity=(256 + n) * _MIB)
                for n in range(heaps)
            ),
            size=size,
        )

    return Asked(question(0), question(1))


def _either(
    name: str, numbers: Numbers, heaps: int, random: Random
) -> tuple[Constraint, Constraint]:
    values: tuple[Value, Value]
    if name == "permitted-sources":
        everything = tuple(heap_id(n) for n in range(heaps))
        values = everything, tuple(random.sample(everything, random.randint(1, 1 + heaps // 2)))
    else:
        values = random.choice(numbers[0]), random.choice(numbers[1])
    return need(name, values[0]), need(name, values[1])
