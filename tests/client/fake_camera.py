"""A stand-in for a camera of V4L2: has the methods of `CaptureDevice`, and makes grey pictures.

Each picture is of one grey, which is its number. `burst` of them come at a time. `refuses` is
what it says to a slot that is given in an imported buffer.
"""

from __future__ import annotations

import mmap
import os

from heapwire.kernel.video import CaptureMemory, Dequeued, QueueFormat
from heapwire.protocol.values import ColourEncoding, ColourRange, Extent, fourcc

XR24, YUYV = fourcc("XR24"), fourcc("YUYV")
SIZE = Extent(320, 200)


class FakeCamera:
    name = "fake"
    colour = (ColourEncoding.BT601, ColourRange.LIMITED)

    def __init__(self, memory, *, source, burst=1, refuses=None, skips=0, makes=(XR24,)):
        self.closed = False
        self.ways = []
        self.given = []
        self.imported = []
        self.number = 0
        self._memory, self._source = memory, source
        self._burst, self._refuses, self._skips = burst, refuses, skips
        self._makes = makes
        self.set_to = []
        self._left = burst
        self._way = None
        self._slots = {}
        self._own = {}
        self._awake = os.eventfd(1)

    def close(self):
        if not self.closed:
            os.close(self._awake)
        self.closed = True

    def fileno(self):
        return self._awake

    def layouts(self, extent=None):
        size = extent or SIZE
        pitches = {code: (4 if code == XR24 else 2) * size.width for code in self._makes}
        return tuple(
            QueueFormat(code, size, (pitch,), (pitch * size.height,))
            for code, pitch in pitches.items()
        )

    def with_pitch(self, layout, pitch):
        return layout

    def set_up(self, layout, slots, memory):
        assert layout in self.layouts(layout.extent)
        self._way = memory
        self.ways.append(memory)
        self.set_to.append(layout.fourcc)
        self._layout = layout
        if memory is CaptureMemory.MAPPED:
            self._own = {slot: mmap.mmap(-1, layout.sizes[0]) for slot in range(slots)}
        return slots

    def export(self, slot, sizes):
        (size,) = sizes
        exported = self._memory.allocate(self._source, size)
        self._own[slot] = exported
        return (exported,)

    def mapped(self, slot):
        return self._own[slot]

    def give(self, slot, objects=()):
        if self._way is CaptureMemory.IMPORTED:
            if self._refuses is not None:
                raise self._refuses
            self._slots[slot] = objects[0]
            self.imported.append((slot, objects[0].fd))
        else:
            assert not objects
            self._slots[slot] = self._own[slot]
        self.given.append(slot)

    def take(self):
        if not self._slots or not self._left:
            self._left = self._burst
            return None
        self._left -= 1
        slot = next(iter(self._slots))
        memory = self._slots.pop(slot)
        grey = bytes([self.number % 256])
        if isinstance(memory, mmap.mmap):
            memory[:] = grey * len(memory)
        else:
            with memory.map() as view:
                view[:] = grey * len(view)
        sequence = self.number
        self.number += 1 + self._skips
        return Dequeued(
            index=slot,
            used=self._layout.sizes[0],
            stamp=40_000 * sequence,
            last=False,
            damaged=False,
            sequence=sequence,
        )
