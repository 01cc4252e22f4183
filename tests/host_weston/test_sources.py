"""What the module adds to Weston's own linux-dmabuf feedback, which another module provides."""

from __future__ import annotations

from pathlib import Path

import pytest
from patience import PATIENCE
from stock_weston import DMABUF_DEVICES, PLATFORM
from windows import DECODER, HEADLESS, SIZE, Client

from heapwire.client_lib import ExtendedFeedback, LinuxDmabuf
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, Extents, FormatModifier
from heapwire.protocol.wire import DmabufFeedback

MACHINE = Platform.load(PLATFORM)

pytestmark = [
    pytest.mark.system(
        *("weston", "libweston-*.pc", "cc", "pkg-config", "wayland-scanner"),
        "wayland-protocols.pc",
    ),
]


@pytest.fixture
def weston(start, module, dmabuf_module):
    return start(
        module=Path(f"{module},{dmabuf_module}"),
        environment={
            "HEAPWIRE_PLATFORM": PLATFORM,
            **DMABUF_DEVICES,
        },
    )


class Player(Client):
    """A window, and what it is told of where its memory is to come from."""

    def __init__(self, connection, *, fullscreen=False, objects=1):
        super().__init__(connection, fullscreen=fullscreen, extension=False)
        self.dmabuf = LinuxDmabuf(connection, timeout=PATIENCE)
        self.told: list[list[DmabufFeedback]] = []
        self.feedbacks: list[ExtendedFeedback] = []
        for _ in range(objects):
            self.listen()

    def listen(self):
        told: list[DmabufFeedback] = []
        self.told.append(told)
        surface = self.window.surface
        self.feedbacks.append(ExtendedFeedback(self.dmabuf, surface, told.append))

    def be(self, extent):
        self.show(self.shm_buffer(extent), extent)

    def wait_for(self, batches):
        self.wait(lambda: all(len(told) >= batches for told in self.told), "feedback")
        self.connection.roundtrip(timeout=PATIENCE)
        return self.told


def memory_names(feedback):
    """The names of the sources of each tranche; not told is None."""
    return [
        tranche.memory and [MACHINE.source(one).name for one in tranche.memory.sources]
        for tranche in feedback.tranches
    ]


@pytest.mark.parametrize("objects", [1, 200])
def test_each_tranche_has_its_sources_when_a_batch_ends(weston, objects):
    """For objects made before and after, through a window as large as the output and back."""
    with weston.connect() as connection:
        player = Player(connection, objects=objects)
        player.wait_for(1)
        player.be(HEADLESS)
        player.wait_for(2)
        player.listen()
        player.wait(lambda: bool(player.told[-1]), "feedback of a later object")
        player.be(SIZE)
        player.wait(lambda: all(len(told[-1].tranches) == 1 for told in player.told), "feedback")
        *early, late = player.told
    for told in early:
        window, fullscreen, again = map(memory_names, told)
        assert fullscreen[0] == ["linux,cma"]
        assert "system" in fullscreen[1]
        assert window == again == fullscreen[1:]
        assert {one.device for one in told[1].tranches[0].memory.sets} == {0, 1}
    assert [len(one.tranches) for one in late] == [2, 1]
    assert all(None not in memory_names(one) for one in late)
    assert "was not followed" not in weston.log


def test_what_weston_s_linux_dmabuf_takes_is_what_is_planned_with(weston):
    """Three pairs, and no other: what the platform's GPU could sample counts not."""
    with weston.connect() as connection:
        negotiation = NegotiationManager(connection, timeout=PATIENCE).default_negotiation()
        negotiation.set_participant(DECODER)
        negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        offers = negotiation.negotiate(timeout=PATIENCE).offers
        told: list[DmabufFeedback] = []
        feedback = ExtendedFeedback(LinuxDmabuf(connection), None, told.append)
        connection.wait(lambda: bool(told), timeout=PATIENCE, what="feedback")
        feedback.close()
    taken = set(told[-1].formats)
    assert len(taken) == 3
    assert {FormatModifier(one.plan.fourcc, one.plan.modifier) for one in offers} <= taken
    assert "the formats are those of" not in weston.log


def test_a_module_that_is_loaded_twice_is_one(start, module, tmp_path):
    twin = tmp_path / "twin.so"
    twin.write_bytes(module.read_bytes())
    weston = start(module=Path(f"{module},{twin}"))
    with weston.connect() as connection:
        connection.globals(timeout=PATIENCE)
        for name in ("xx_dmabuf_sources_v1", "xx_dmabuf_negotiation_manager_v1"):
            assert len(connection._globals[name]) == 1
        manager = NegotiationManager(connection, timeout=PATIENCE)
        negotiation = manager.default_negotiation()
        negotiation.set_participant(DECODER)
        negotiation.set_extents(Extents(coded=Extent(1920, 1080)))
        assert negotiation.negotiate(timeout=PATIENCE).offers
    assert "attached once more" in weston.log
    assert weston.stop() == 0
