"""The arithmetic decoder of VP8: RFC 6386, section 7."""

from __future__ import annotations

from heapwire.protocol import InputError


class BoolDecoder:
    """Reads booleans of known probabilities out of one partition.

    Raises `InputError` where the partition is over: a decoder would go on with zeros, and what it
    reads then means nothing. Likewise for one that begins as no encoder can begin it.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next = 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self.range = 255
        if self.value >= self.range:
            raise InputError("a header of VP8 begins with what is none")
        self.shifts = 0
        """How many bits have been read."""

    @property
    def value(self) -> int:
        """The eight bits that are compared next."""
        return self._value >> 8

    def read(self, probability: int) -> int:
        """0 with a probability in 256ths, else 1."""
        split = 1 + ((self.range - 1) * probability >> 8)
        bit = self._value >= split << 8
        if bit:
            self._value -= split << 8
            self.range -= split
        else:
            self.range = split
        while self.range < 128:
            self.range <<= 1
            self._value <<= 1
            self.shifts += 1
            if self.shifts % 8 == 0:
                self._load()
        return int(bit)

    def _load(self) -> None:
        if self._next > len(self._data) + 1:
            raise InputError("a header of VP8 breaks off")
        if self._next < len(self._data):
            self._value |= self._data[self._next]
        self._next += 1

    def flag(self) -> bool:
        """One bit."""
        return bool(self.read(128))

    def number(self, bits: int) -> int:
        """So many bits, the highest first."""
        number = 0
        for _ in range(bits):
            number = number << 1 | self.read(128)
        return number

    def signed(self, bits: int) -> int:
        """So many bits, and then the sign."""
        number = self.number(bits)
        return -number if self.flag() else number

    def signed_if_there(self, bits: int) -> int:
        """The same after a bit that says whether it is there; else 0."""
        return self.signed(bits) if self.flag() else 0
