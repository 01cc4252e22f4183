"""A player that is used at random, for as many actions as take some seconds."""

from __future__ import annotations

import numpy as np
import pytest
from random_use import MOST_GROWN, PATTERN, Counted, RandomUse, Sample, grown

from heapwire.client_lib.player.pattern.drawing import Drawing
from heapwire.protocol.values import Extent

EXTENT = Extent(160, 96)
ROUNDS, ACTIONS = 8, 10


@pytest.mark.parametrize("seed", [3, 4])
def test_whatever_is_done_the_pictures_are_those_that_were_drawn(
    no_fd_leak, monkeypatch, tmp_path, caplog, seed
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    use = RandomUse(seed, extent=EXTENT, rate=60, socket="random")
    samples = []
    for _ in range(ROUNDS):
        for _ in range(ACTIONS):
            use.act()
        samples.append(use.settle())
    use.end()
    assert [*use.faults, *grown(samples)] == []
    assert use.pictures > ROUNDS
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_torn_picture_is_seen():
    counted, drawing = Counted(EXTENT), Drawing(PATTERN, EXTENT)
    one, other = drawing.picture(4711), drawing.picture(4712)
    assert counted.number(one) == 4711
    torn = np.concatenate([other[:48], one[48:]])
    with pytest.raises(AssertionError, match="of picture 4711"):
        counted.number(torn)


@pytest.mark.parametrize("name", MOST_GROWN)
def test_what_becomes_more_and_more_is_seen(name):
    more = 2 * MOST_GROWN[name]
    steady = [{"fds": 30, "kib": 80_000, "objects": 90_000 + turn % 3} for turn in range(ROUNDS)]
    leaking = [one | {name: one[name] + turn * more} for turn, one in enumerate(steady)]
    assert grown([Sample(**one) for one in steady]) == []
    (told,) = grown([Sample(**one) for one in leaking])
    assert told.startswith(f"{name}: ")
