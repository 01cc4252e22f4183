"""The compiler of this machine, and what else builds C here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

from heapwire.protocol import MachineError


def c_compiler() -> list[str]:
    """The C compiler and its first arguments: `$CC`, or cc; `MachineError` if there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    if not command or shutil.which(command[0]) is None:
        raise MachineError(
            f"there is no C compiler {' '.join(command) or 'in $CC'}: install one (Debian: gcc)"
        )
    return command


# The packages of tools that may be missing.
_DEBIAN = {"wayland-scanner": "libwayland-bin", "pkg-config": "pkg-config", "ar": "binutils"}


def tool_output(program: str, *arguments: str) -> str:
    """What a tool prints; `MachineError` if it is not there, or with what it says if it fails."""
    if shutil.which(program) is None:
        package = f" (Debian: {_DEBIAN[program]})" if program in _DEBIAN else ""
        raise MachineError(f"{program} is not there: install it{package}")
    done = subprocess.run((program, *arguments), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(f"{program} failed:\n{done.stderr.strip()}")
    return done.stdout
