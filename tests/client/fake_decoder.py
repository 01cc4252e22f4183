"""A stand-in for a decoder of V4L2: has the methods of `M2mDecoder`, and does what vicodec does.

A packet is `packet(picture, size)`, with a byte that fills the picture's rows. The driver reads
packets in order, a picture for each. One that `refers` reads the picture before, which nobody may
have written to.
"""

from __future__ import annotations

import os
import struct

from heapwire.kernel.video import DecodedPicture, QueueFormat
from heapwire.protocol import InputError
from heapwire.protocol.values import Extent, fourcc

HEADER = struct.Struct("=4sHHB")
DAMAGE = 0xFF  # a picture that cannot be decoded
XR24, AR24 = fourcc("XR24"), fourcc("AR24")


def packet(picture, size=(64, 48), extra=0):
    return HEADER.pack(b"FAKE", *size, picture) + bytes(extra)


class FakeDecoder:
    def __init__(
        self,
        *,
        inputs=2,
        room=64,
        refuses=None,
        padding=0,
        step=0,
        vanishes_after=None,
        refers=False,
        hides=(),
    ):
        self.changed = False
        self.ended = False
        self.least_buffers = 2 if refers else 1
        self.kept = frozenset()
        self.closed = False
        self.set_ups = []
        self.starts = []
        self.given = []
        self._inputs = inputs
        self._refers = refers
        self._hides = hides  # the bytes of pictures that are not to be shown
        self._before = None  # the memory of the picture before, and its byte
        self._room = room
        self._refuses = refuses
        self._padding = padding
        self._step = step  # of the pitches that may be asked for
        self._left = vanishes_after
        self._fed = []
        self._slots = {}
        self._size = None
        self._running = False
        self._draining = False
        self._awake = os.eventfd(1)

    def close(self):
        if not self.closed:
            os.close(self._awake)
        self.closed = True

    def fileno(self):
        return self._awake

    def start(self, coded, extent, *, packet_size=0):
        if self._refuses is not None:
            raise self._refuses
        self.starts.append(packet_size)
        self._room = max(self._room, packet_size)
        self.changed = self.ended = self._running = self._draining = False
        self._fed.clear()
        self._slots.clear()
        self._size = None

    @property
    def hungry(self):
        return len(self._fed) < self._inputs

    @property
    def digesting(self):
        return bool(self._fed)

    def fits(self, data):
        return len(data) <= self._room

    def feed(self, data, stamp):
        assert self.hungry
        assert not self._draining
        assert self.fits(data)
        if data.startswith(b"REFUSED"):
            raise InputError("the driver refuses it")
        self._fed.append((data, stamp))

    def drain(self):
        assert self._running
        self._draining = True

    @property
    def visible(self):
        return Extent(*self._size)

    def layouts(self):
        width, height = self._size
        pitch = 4 * (-(-width // 32) * 32 + 32) + self._padding  # as the fake compositor plans
        return tuple(
            QueueFormat(
                *(code, Extent(width, height), (pitch,), (pitch * height,)),
                pitch_step=self._step,
                most_pitch=4096 if self._step else 0,
            )
            for code in (AR24, XR24)
        )

    def with_pitch(self, layout, pitch):
        assert layout in self.layouts()
        pitch = -(-min(pitch, 4096) // self._step) * self._step
        return QueueFormat(layout.fourcc, layout.extent, (pitch,), (pitch * layout.extent.height,))

    def set_up(self, layout, slots):
        assert layout in self.layouts() or self._step
        self.set_ups.append((layout, slots))
        self._before, self.kept = None, frozenset()
        self._slots.clear()
        self._running = True
        self.changed = False

    def give(self, slot, objects):
        assert self._running
        assert slot not in self._slots
        assert slot not in self.kept
        assert self._before is None or objects[0] is not self._before[0]
        self._slots[slot] = objects
        self.given.append(objects[0].source)

    def take(self):
        if self._left == 0:
            raise OSError(19, "No such device")
        if not self._fed:
            return self._at_the_end() if self._draining else None
        data, stamp = self._fed[0]
        if not data.startswith(b"FAKE"):
            self._fed.pop(0)
            return None
        _, *size, picture = HEADER.unpack_from(data)
        if not self._running:
            self._size, self.changed = tuple(size), True
            return None
        if not self._slots or self.changed:
            return None
        if tuple(size) != self._size:  # an empty slot marks the last from before the change
            self._size, self.changed = tuple(size), True
            self._before, self.kept = None, frozenset()
            return DecodedPicture(self._slots.popitem()[0], stamp, damaged=False, empty=True)
        self._fed.pop(0)
        slot = next(iter(self._slots))
        (memory,) = self._slots.pop(slot)
        if picture == DAMAGE:
            return DecodedPicture(slot, stamp, damaged=True, empty=False)
        if self._before is not None:
            with self._before[0].map() as view:
                assert set(view) == {self._before[1]}
        with memory.map() as view:
            view[:] = bytes([picture]) * len(view)
        if self._refers:
            self._before, self.kept = (memory, picture), frozenset({slot})
        if self._left is not None:
            self._left -= 1
        hidden = picture in self._hides
        return DecodedPicture(slot, stamp, damaged=False, empty=False, hidden=hidden)

    def _at_the_end(self):
        if self.ended or not self._slots:
            return None
        self.ended = True
        return DecodedPicture(self._slots.popitem()[0], 0, damaged=False, empty=True)
