"""In the guest: what the check finds of the reference compositor, on this machine's own memory."""

from __future__ import annotations

import os
import tempfile

from limits import PATIENCE

from heapwire.client_lib.compliance import cases_named, result_line, run_cases
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform


def results():
    """The line of each result."""
    platform = local_platform()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with Compositor(platform, socket="checked") as compositor, compositor.running():
            path = f"{folder}/checked"
            ran = run_cases(cases_named([]), path, platform, timeout=PATIENCE)
            return [result_line(result) for result in ran]
