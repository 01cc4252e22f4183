"""A trial of one buffer that exists: PRIME import of its memory, and AddFB2 of just its layout."""

from __future__ import annotations

from collections.abc import Sequence

from heapwire.kernel.discovery.trial.verdict import refusal
from heapwire.kernel.drm import Card, Framebuffer
from heapwire.protocol.values import INVALID, LINEAR


def takes_frame(
    card: Card, dma_bufs: Sequence[int], frame: Framebuffer, objects: Sequence[int]
) -> bool | None:
    """Whether a display's driver makes a framebuffer of some dma-bufs; nothing is shown.

    `objects` says for each plane in which of the dma-bufs it is; the fds stay the caller's. None
    where the answer is none: the card cannot be told the modifier, or there was no memory at the
    moment.
    """
    modifiers = card.takes_modifiers()
    if not modifiers and frame.modifier not in (LINEAR, INVALID):
        return None
    handles: list[int] = []
    try:
        for dma_buf in dma_bufs:
            handles.append(card.import_memory(dma_buf))
        with card.framebuffer([handles[one] for one in objects], frame, modifiers=modifiers):
            return True
    except OSError as error:
        return None if refusal("", error) is None else False
    finally:
        for handle in set(handles):  # the kernel has one for each memory
            card.close(handle)
