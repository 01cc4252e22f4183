"""A connection that is dropped with all that was made on it: pywayland alone crashes on that."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from patience import PATIENCE

PROGRAM = textwrap.dedent(
    """
    import gc, os
    from patience import until
    from test_connection import FakeCompositor, connect
    from heapwire.client_lib.negotiation import NegotiationManager

    def session():
        compositor = FakeCompositor()
        connection = connect(compositor)
        manager = NegotiationManager(connection)
        made = [manager.default_negotiation() for _ in range(5)]
        connection.roundtrip()
        return compositor, connection, manager, made

    def circle():
        compositor, connection, manager, made = session()
        connection.circle = (connection, manager, made)

    def no_circle():
        session()

    def only_the_objects_are_kept():
        kept.append(session()[3])

    def only_the_connection_is_kept():
        kept.append(session()[1])

    def an_early_end():
        connection = session()[1]
        connection.circle = connection
        connection.close()

    kept = []
    before = len(os.listdir("/proc/self/fd"))
    gc.set_threshold(THRESHOLD)
    for _ in range(5):
        ENDING()
        gc.collect()
    kept.clear()
    gc.collect()
    # The other ends are closed by threads, as they see the connections end.
    until(lambda: len(os.listdir("/proc/self/fd")) <= before, "the end of all connections")
    """
)


@pytest.mark.parametrize("threshold", [0, 1])
@pytest.mark.parametrize(
    "ending",
    [
        *("circle", "no_circle", "an_early_end"),
        *("only_the_objects_are_kept", "only_the_connection_is_kept"),
    ],
)
def test_the_collector_frees_it_in_order(ending: str, threshold: int) -> None:
    """Without an end of the process, and without a connection left."""
    program = PROGRAM.replace("ENDING", ending).replace("THRESHOLD", str(threshold))
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
