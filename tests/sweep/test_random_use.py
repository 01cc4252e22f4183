"""A player that is used at random, for as many actions as take some seconds."""

from __future__ import annotations

import numpy as np
import pytest
from random_use import PATTERN, Counted, RandomUse

from heapwire.client_lib.player.pattern.drawing import Drawing
from heapwire.protocol.values import Extent

EXTENT = Extent(160, 96)
ROUNDS, ACTIONS = 3, 25


@pytest.mark.parametrize("seed", [3, 4])
def test_whatever_is_done_the_pictures_are_those_that_were_drawn(
    no_fd_leak, monkeypatch, tmp_path, caplog, seed
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    use = RandomUse(seed, extent=EXTENT, rate=60, socket="random")
    for _ in range(ROUNDS):
        for _ in range(ACTIONS):
            use.act()
        use.settle()
    use.end()
    assert use.faults == []
    assert use.pictures > ROUNDS
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_torn_picture_is_seen():
    counted, drawing = Counted(EXTENT), Drawing(PATTERN, EXTENT)
    one, other = drawing.picture(4711), drawing.picture(4712)
    assert counted.number(one) == 4711
    torn = np.concatenate([other[:48], one[48:]])
    with pytest.raises(AssertionError, match="of picture 4711"):
        counted.number(torn)
