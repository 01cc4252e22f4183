"""A policy for vkms: what the kernel cannot know of a display that has no hardware.

Its memory has to be one run here, as that of a display without an IOMMU.
"""

from __future__ import annotations

from pathlib import Path

from heapwire.compositor_plugin import Policy
from heapwire.kernel.discovery import local_platform

POLICY_FILE = Path("/tmp/policy.toml")
ENVIRONMENT = {"HEAPWIRE_POLICY": str(POLICY_FILE)}
"""What the module of Weston's reads it by."""

_TEXT = """
[[device]]
driver = "vkms"

[[device.use]]
usage = "scanout"
constraints = [{ type = "contiguous" }]
"""


def write_policy():
    """Put it where it is looked for."""
    POLICY_FILE.write_text(_TEXT)


def contiguous_platform():
    """What there is here, as the policy has it."""
    return Policy.load(POLICY_FILE).apply(local_platform())
