"""What the kernel tells of a dma-buf that somebody passed, in /proc/self/fdinfo.

The lines are those of drivers/dma-buf/dma-buf.c, dma_buf_show_fdinfo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from heapwire.protocol.late_dataclasses import dataclass

_DMA_BUF = "/dmabuf:"  # how /proc/self/fd shows one (drivers/dma-buf/dma-buf.c), then its name


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferInfo:
    """Size in bytes, references, exporter and name of a dma-buf.

    `references` counts the open files and mappings of all processes. The kernel
    sets `exporter`; for a heap's buffer it is the heap's name. `name` is what
    anyone who held the fd has called it.
    """

    size: int
    references: int
    exporter: str
    name: str = ""

    @classmethod
    def of(cls, fd: int) -> Self | None:
        """What is told of an fd; None if it is not a dma-buf or the kernel does not tell."""
        try:
            if not str(Path(f"/proc/self/fd/{fd}").readlink()).startswith(_DMA_BUF):
                return None
            text = Path(f"/proc/self/fdinfo/{fd}").read_text("utf-8", "replace")
        except OSError:
            return None
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What the lines say that a dma-buf adds; None where they are not there."""
        lines = (line.partition(":") for line in text.splitlines())
        entries = {key: value.strip() for key, colon, value in lines if colon}
        try:
            return cls(
                size=int(entries["size"]),
                references=int(entries["count"]),
                exporter=entries["exp_name"],
                name=entries.get("name", ""),
            )
        except (KeyError, ValueError):
            return None
