"""Pairs of planes as masks: which planes are tied together, and which are kept apart.

A set of planes would not do: "0 and 1 together, 2 and 3 together" is not "all four
together". Bit 4 * i + j of a mask is the pair of the planes i < j.
"""

from __future__ import annotations

from typing import Final

from heapwire.protocol.values import ALL_PLANES, MAX_PLANES


def pairs_of(planes: int) -> int:
    """The pairs among some planes (a mask of planes), as a mask of pairs."""
    mask = 0
    for lower in range(MAX_PLANES):
        for higher in range(lower + 1, MAX_PLANES):
            if planes >> lower & 1 and planes >> higher & 1:
                mask |= 1 << (MAX_PLANES * lower + higher)
    return mask


PAIRS_OF: Final = tuple(pairs_of(planes) for planes in range(ALL_PLANES + 1))
"""`pairs_of` of every mask of planes."""


def connected(pairs: int) -> tuple[int, ...]:
    """For each plane the mask of the planes that these pairs tie it to, itself included.

    Ties hold along chains: 0 with 1 and 1 with 2 is 0 with 2.
    """
    masks = [1 << plane for plane in range(MAX_PLANES)]
    if pairs:
        for lower in range(MAX_PLANES):
            for higher in range(lower + 1, MAX_PLANES):
                if pairs >> (MAX_PLANES * lower + higher) & 1 and not masks[lower] >> higher & 1:
                    # Every plane of both sets gets the united set, so that the order in
                    # which pairs are looked at does not matter.
                    united = masks[lower] | masks[higher]
                    for plane in range(MAX_PLANES):
                        if united >> plane & 1:
                            masks[plane] = united
    return tuple(masks)
