"""A look at the machine by a process beside the host, so that it holds up nobody.

Reading sysfs and asking devices is a hundred milliseconds of Python, and each of a client's
requests would wait anew for the interpreter's lock if a thread of the host's did it.
"""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from heapwire.compositor_plugin.answering import give_way
from heapwire.kernel.description import Platform
from heapwire.kernel.discovery import TrialStore, local_platform, tried
from heapwire.kernel.drm import open_drm
from heapwire.protocol import MachineError, words_of

LONGEST: Final = 120.0
"""Seconds after which a device is taken to hang; a driver may make who asks it wait for some."""
_AS_SET: Final = "as-set"
# Isolated: the host's environment is for the host. Where it finds modules is handed on.
_BOOT: Final = (
    "import sys; _, how, *sys.path = sys.argv\n"
    "from heapwire.compositor_plugin.hosts.embed.machine_look import main; main(how)"
)


def look(*, as_set: bool = False) -> Platform:
    """The machine, with what its devices take when they are asked.

    With `as_set`, its planes convert YCbCr as they are set to do now, and in no other way that
    they could be set to.
    """
    drm = partial(open_drm, as_set=as_set)
    return tried(local_platform(drm=drm), TrialStore.of_user())


def look_beside(*, as_set: bool = False) -> Platform:
    """What `look` sees in a process of its own; blocks meanwhile, so it is a thread's.

    Raises `MachineError` if nothing comes of it.
    """
    if not sys.executable:  # a host that does not know its Python
        return look(as_set=as_set)
    command = [sys.executable, "-I", "-c", _BOOT, _AS_SET if as_set else "", *sys.path]
    nothing = subprocess.DEVNULL
    try:
        seen = subprocess.run(
            command,
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=nothing,
            start_new_session=True,  # Ctrl-C is for the host
            timeout=LONGEST,
            check=False,  # how it ended, the host's own handler of SIGCHLD may have been told
        ).stdout
    except OSError as error:
        raise MachineError(f"no process can be started: {words_of(error)}") from error
    except subprocess.TimeoutExpired:
        raise MachineError(f"no answer within {LONGEST:.0f} seconds") from None
    if not seen:
        raise MachineError("the process that looks has ended without a word")
    found = pickle.loads(seen)
    if isinstance(found, str):
        raise MachineError(found)
    assert isinstance(found, Platform)
    return found


def main(how: str) -> None:
    """In the process beside the host: look, and hand on what was seen, or what went wrong."""
    give_way()
    told = os.dup(1)
    os.dup2(2, 1)  # what libraries of drivers print is for nobody
    try:
        seen = _encoded(look(as_set=how == _AS_SET))
    except Exception as error:  # the host logs it, and stays with what it knows
        seen = _encoded(f"{type(error).__name__}: {error}")
    with os.fdopen(told, "wb") as pipe:
        pipe.write(seen)


def _encoded(seen: Platform | str) -> bytes:
    body = io.BytesIO()
    pickler = pickle.Pickler(body, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: _mapping}
    pickler.dump(seen)
    return body.getvalue()


def _mapping(view: Mapping[object, object]) -> tuple[type[dict[object, object]], tuple[object]]:
    """A view of a mapping travels as the mapping."""
    return dict, (dict(view),)
