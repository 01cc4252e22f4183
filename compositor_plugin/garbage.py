"""The garbage collector of an interpreter that is the compositor's own."""

from __future__ import annotations

import gc

_YOUNG, _TURNS = 300, 5
_FULL = 1000  # collections of the middle generation before one of all there is: a rarity


def spare_the_loop() -> None:
    """Keep collections short from now on: for interpreters that were started for the plugin.

    What is there already is looked at no more: modules, tables and the platform, which stay.
    Of what comes, little is looked at at a time: the usual 700 objects times 10 take
    milliseconds, in the middle of a slice. A full collection takes tens of them. It is hardly
    needed: what a client leaves behind is in no circle (tests/plugin/test_object_lifetimes.py).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _TURNS, _FULL)
