"""How long the guest's scripts wait for what comes at once: by the speed that the guest has."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "common"))

from patience import PACE, PATIENCE

__all__ = ["PACE", "PATIENCE"]
