"""The program that asks EGL, in a process of its own: prints what `egl_report.py` reads.

usage: python -m heapwire.kernel.discovery.gpu.egl_query [FD]

FD is the descriptor of a small dma-buf that it inherits, to try an import with.
"""

from __future__ import annotations

import json
import sys

from heapwire.kernel.discovery.gpu.egl_library import EglLibrary
from heapwire.protocol import MachineError


def main(arguments: list[str]) -> int:
    """Print one JSON list of devices; 1 with a sentence where EGL tells nothing."""
    try:
        devices = EglLibrary().devices(int(arguments[0]) if arguments else None)
    except MachineError as error:
        print(error, file=sys.stderr)
        return 1
    report = [
        {
            "nodes": device.nodes,
            "vendor": device.vendor,
            "refusal": device.refusal,
            "pairs": [[*entry.pair, entry.external_only] for entry in device.pairs],
        }
        for device in devices
    ]
    json.dump(report, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
