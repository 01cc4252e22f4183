"""Playing where there is little memory that all can use: with fewer buffers, or fewer devices."""

from __future__ import annotations

from importlib import resources

import pytest
from coded_clip import coded_clip
from patience import PATIENCE

from heapwire.client_lib import Player, PlayOptions
from heapwire.client_lib.negotiation import ConflictError
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

SIZE = (320, 240)
PICTURE = 116  # KiB of a buffer for one picture: 320x240 in NV12, in whole pages
PICTURES = 6
ONE_POOL = """
name = "one pool"
[[memory]]
name = "pool"
capacity = "{} KiB"
[[device]]
name = "gpu"
kind = "gpu"
[[device.use]]
usage = "sampling"
[[device.use.set]]
formats = ["NV12"]
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return coded_clip(path, "libx264", {"preset": "ultrafast"}, size=SIZE, pictures=PICTURES)


def raspberry_pi(buffers):
    """Its display and decoder have contiguous memory for so many buffers."""
    file = resources.files("heapwire.kernel.platforms") / "raspberry-pi-4.toml"
    whole = file.read_text("utf-8")
    assert '"256 MiB"' in whole
    return whole.replace('"256 MiB"', f'"{int(buffers * PICTURE)} KiB"')


@pytest.fixture
def played(tmp_path, clip, no_fd_leak):
    """What comes of the clip, fullscreen on a machine, by plans of the compositor or the client."""

    def played(text, *, extension=True, decoder="auto"):
        file = tmp_path / "machine.toml"
        file.write_text(text)
        machine = Platform.load(file)
        options = PlayOptions(fullscreen=True, paced=False, timeout=PATIENCE, decoder=decoder)
        with Compositor(machine, extension=extension) as compositor, compositor.running():
            player = Player(clip, display=compositor.connect(), platform=machine, options=options)
            return player.play()

    return played


def memory(result):
    return {result.source_names[one.source] for one in result.plan.layout.objects}


@pytest.mark.parametrize("extension", [True, False])
def test_where_all_that_is_wanted_has_no_room_fewer_buffers_do(played, extension):
    result = played(raspberry_pi(3), extension=extension)
    assert (result.frames.shown, result.frames.scanned_out) == (PICTURES, PICTURES)
    assert (memory(result), result.plan.buffer_count) == ({"linux,cma"}, 3)
    assert any("codec:decode" in reason.text for reason in result.plan.reasons)
    [note] = result.faults
    assert note.startswith("done with as few buffers as will do: no memory suits everyone")
    assert "\n" not in note


@pytest.mark.parametrize("extension", [True, False])
@pytest.mark.parametrize("buffers", [0.1, 2])
def test_where_they_do_not_the_simulated_decoder_stands_in_nobodys_way(played, extension, buffers):
    result = played(raspberry_pi(buffers), extension=extension)
    assert (result.frames.shown, result.frames.scanned_out) == (PICTURES, 0)
    assert (memory(result), result.plan.buffer_count) == ({"system"}, 4)
    assert not any("codec:decode" in reason.text for reason in result.plan.reasons)
    [note] = result.faults
    assert note.startswith("done without codec:decode: no memory suits everyone")


def test_where_there_is_room_nothing_is_done_without(played):
    result = played(raspberry_pi(4))
    assert (memory(result), result.plan.buffer_count) == ({"linux,cma"}, 4)
    assert result.faults == ()
    assert result.negotiations == 1


def test_whoever_wants_no_decoder_does_with_fewer_buffers_too(played):
    result = played(ONE_POOL.format(2 * PICTURE), decoder="cpu")
    assert (result.frames.shown, result.plan.buffer_count) == (PICTURES, 2)


@pytest.mark.parametrize("decoder", ["auto", "cpu"])
def test_a_conflict_that_stays_is_told_of_all_that_was_wanted(played, decoder):
    poor = raspberry_pi(2).replace('name = "system"', 'name = "system"\ncapacity = "8 KiB"')
    with pytest.raises(ConflictError, match="needs 4 buffers"):
        played(poor, decoder=decoder)
