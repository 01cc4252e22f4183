"""The file of a format_table event, read without trusting its sender."""

from __future__ import annotations

import os
import stat

from heapwire.protocol import PeerError
from heapwire.protocol.wire import TABLE_BYTES


def read_format_table(fd: int, size: int) -> bytes:
    """The first `size` bytes of the file; closes the fd in any case.

    The table is read and not mapped: a mapping of a file that is shorter than
    announced, or is cut later, kills its reader with SIGBUS. Raises
    `PeerError` for a table that cannot be one.
    """
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise PeerError("the format table is not a file that can be mapped")
        if size > TABLE_BYTES:
            raise PeerError(f"a format table of {size} bytes, more than it can have")
        content = bytearray()
        while len(content) < size:
            part = os.pread(fd, size - len(content), len(content))
            if not part:
                raise PeerError(
                    f"the format table is announced with {size} bytes and has {len(content)}"
                )
            content += part
        return bytes(content)
    except OSError as error:
        raise PeerError(f"the format table cannot be read: {error.strerror}") from None
    finally:
        os.close(fd)
