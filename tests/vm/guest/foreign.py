"""In the guest: what `heapwire check` finds of a compositor that is not ours.

    foreign.py weston          Weston on vkms, without the module
    foreign.py sway PRELOAD    sway without a display, rendering on vgem, with egl_device.c

Prints one JSON object: its version, the cases that fail, how many there are of each outcome, and
whether it has outlived them.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys

from limits import PATIENCE
from sway import Sway
from weston import Weston, seat

from heapwire.client_lib.compliance import (
    Outcome,
    cases_named,
    result_document,
    result_line,
    run_cases,
    totals,
)
from heapwire.kernel.discovery import local_platform

NOUNS = ["dmabuf", "params", "descriptors", "feedback", "surface"]


@contextlib.contextmanager
def running(name, *preload):
    """The compositor of that name."""
    if name == "sway":
        with Sway(*preload) as sway:
            yield sway
    else:
        with seat(), Weston("checked", shell="desktop") as weston:
            yield weston


def cases_of(compositor):
    """Those of linux-dmabuf in the versions that are on offer; others would only be skipped."""
    with compositor.connect() as connection:
        offered = connection.globals()["zwp_linux_dmabuf_v1"].version
    named = ((case, re.search(r"/v(\d+)", case.name)) for case in cases_named(NOUNS))
    return [case for case, version in named if version is None or int(version[1]) <= offered]


def main():
    name, *preload = sys.argv[1:]
    said = subprocess.run([name, "--version"], capture_output=True, text=True, check=True)
    results = []
    with running(name, *preload) as compositor:
        cases, platform = cases_of(compositor), local_platform()
        for result in run_cases(cases, compositor.socket, platform, timeout=PATIENCE):
            print(result_line(result), file=sys.stderr, flush=True)
            results.append(result)
        told = {"alive": compositor.alive, "log": compositor.log[-2000:]}
    failed = [result_document(one) for one in results if one.outcome is Outcome.FAIL]
    told |= {"version": said.stdout.split()[-1], "failed": failed, "totals": totals(results)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
