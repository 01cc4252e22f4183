"""The garbage collector of an interpreter that is the compositor's own."""

from __future__ import annotations

import gc

_YOUNG = 1000  # objects that are looked at together: about 0.1 ms
_RARELY = 10_000  # such collections before one of all that has come since the start

_spared = False


def spare_the_loop() -> None:
    """Keep collections short from now on: for interpreters that were started for the plugin.

    What is there already is looked at no more: modules, tables and the platform, which stay.
    Nor is it the first time: of 42,000 objects a thousand are garbage, old classes mostly, and
    to find them took a tenth of what attaching takes.
    What comes is looked at once, and little at a time: the usual 700 objects times 10, looked
    at again, take milliseconds, in the middle of a slice. A collection of all that has come
    takes tens of them. It is hardly needed: what a client leaves behind is in no circle
    (tests/plugin/test_object_lifetimes.py).
    """
    global _spared
    if _spared:
        gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _RARELY, 0)
    _spared = True


def look_at_what_came() -> None:
    """Look at what has come since the last time, where the interpreter is the plugin's.

    Python begins by itself when a number of objects more have come than have gone. Where an
    answer is kept and an old one makes room, that is never, and then of tens of thousands at once.
    """
    if _spared:
        gc.collect(0)
