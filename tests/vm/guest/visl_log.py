"""What visl says that it was told of each frame: it decodes none, and prints that.

So it does where the kernel was booted for it, as the fixture `visl_tells` says
(drivers/media/test-drivers/visl/visl-dec.c, visl_tpg_fill).
"""

from __future__ import annotations

import contextlib
import os
import re


class VislLog:
    """What it has said since the log was opened; a context manager."""

    def __enter__(self):
        self._kernel = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._kernel, 0, os.SEEK_END)
        return self

    def __exit__(self, *_):
        os.close(self._kernel)

    def frames(self):
        """A dictionary for each: its stamp, what was coded, and by the names of visl's the rest.

        Stamps are in nanoseconds; `dpb` are those of the pictures that are held to be referred to,
        `order` is what H.264 and HEVC say of the order in which pictures are shown.
        """
        texts = re.split(r"(?=sequence:\d+ timestamp:)", "\n".join(self._lines()))
        return [_frame(text) for text in texts[1:]]

    def _lines(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                text = os.read(self._kernel, 8192).decode("utf-8", "replace")
                if "visl" in text:
                    yield text


def _frame(text):
    coded = re.search(r"OUTPUT pixelformat: (\w+), resolution: (\d+x\d+)", text)
    order = re.search(r"(?:H264|HEVC): (-?\d+)", text)
    return {
        "stamp": int(re.search(r"timestamp:(\d+)", text)[1]),
        "coded": list(coded.groups()),
        "order": None if order is None else int(order[1]),
        "dpb": [int(one) for one in re.findall(r"dpb\[\d+\]:(\d+)", text)],
        "references": {name: int(stamp) for name, stamp in re.findall(r"(\w+_ts): (\d+)", text)},
    }
