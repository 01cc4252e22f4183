"""The compiler of this machine, for who builds C here."""

from __future__ import annotations

import os
import shlex
import shutil

from heapwire.protocol import MachineError


def c_compiler() -> list[str]:
    """The C compiler and its first arguments: `$CC`, or cc; `MachineError` if there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    if not command or shutil.which(command[0]) is None:
        raise MachineError(
            f"there is no C compiler {' '.join(command) or 'in $CC'}: install one (Debian: gcc)"
        )
    return command
