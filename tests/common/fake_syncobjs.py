"""DRM's synchronisation objects, as the kernel keeps them, without a kernel.

What is refused, and with which errno, is that of drivers/gpu/drm/drm_syncobj.c in Linux 6.12.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from dataclasses import dataclass, field

from heapwire.kernel.drm import SyncobjTimelines

CREATE, DESTROY, EXPORT, IMPORT = 0xBF, 0xC0, 0xC1, 0xC2
WAIT, SIGNAL, EVENTFD = 0xCA, 0xCD, 0xCF


@dataclass
class Syncobj:
    """The point that it has come to, and who is told of later ones."""

    reached: int | None = None
    told: list[tuple[int, int]] = field(default_factory=list)  # point, and an eventfd to keep

    def come(self, point: int) -> bool:
        return self.reached is not None and self.reached >= point

    def signal(self, point: int) -> None:
        self.reached = max(point, self.reached or 0)
        due = [eventfd for wanted, eventfd in self.told if self.come(wanted)]
        self.told = [one for one in self.told if not self.come(one[0])]
        for eventfd in due:
            os.eventfd_write(eventfd, 1)
            os.close(eventfd)


class FakeKernel:
    """All objects by the file that stands for them; a device of it has handles of its own."""

    def __init__(self, *, eventfds: bool = True) -> None:
        self.eventfds = eventfds
        self.by_file: dict[int, Syncobj] = {}
        self.handles: dict[int, Syncobj] = {}
        self.gone = False
        self._next = 1

    def close(self) -> None:
        """Forget who is told of points that never came."""
        for syncobj in {id(one): one for one in self.by_file.values()}.values():
            for _, eventfd in syncobj.told:
                os.close(eventfd)
            syncobj.told.clear()

    def open(self) -> SyncobjTimelines:
        """A device node of it."""
        return SyncobjTimelines(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), self.call)

    def call(self, _fd: int, request: int, data: bytearray) -> int:
        assert request >> 16 & 0x3FFF == len(data)
        if self.gone:
            raise OSError(errno.ENODEV, "gone")
        self._ask(request & 0xFF, data)
        return 0

    def _ask(self, number: int, data: bytearray) -> None:
        first, second = struct.unpack_from("=II", data)
        if number == CREATE:
            struct.pack_into("=I", data, 0, self._handle(Syncobj()))
        elif number == DESTROY:
            self._find(first)
            del self.handles[first]
        elif number == EXPORT:
            found = self._find(first)
            fd = os.memfd_create("syncobj")
            self.by_file[os.fstat(fd).st_ino] = found
            struct.pack_into("=i", data, 8, fd)
        elif number == IMPORT:
            fd = struct.unpack_from("=i", data, 8)[0]
            known = self.by_file.get(os.fstat(fd).st_ino)
            if known is None:
                raise OSError(errno.EINVAL, "no syncobj")
            struct.pack_into("=I", data, 0, self._handle(known))
        elif number == EVENTFD:
            if not self.eventfds:
                raise OSError(errno.EINVAL, "no such ioctl")
            found = self._find(first)
            point, eventfd = struct.unpack_from("=Qi", data, 8)
            if found.come(point):
                os.eventfd_write(eventfd, 1)
            else:
                found.told.append((point, os.dup(eventfd)))
        else:
            handles, points = struct.unpack_from("=QQ", data)
            found = self._find(ctypes.c_uint32.from_address(handles).value)
            point = ctypes.c_uint64.from_address(points).value
            if number == SIGNAL:
                found.signal(point)
            elif number == WAIT:
                assert struct.unpack_from("=qII", data, 16) == (0, 1, 2), second
                if not found.come(point):
                    raise OSError(errno.ETIME, "not yet")
            else:
                raise OSError(errno.EINVAL, f"ioctl {number:#x}")

    def _handle(self, found: Syncobj) -> int:
        self._next += 1
        self.handles[self._next] = found
        return self._next

    def _find(self, handle: int) -> Syncobj:
        if handle not in self.handles:
            raise OSError(errno.ENOENT, "no such handle")
        return self.handles[handle]
