"""The reference compositor with a policy: what is offered is one thing, what is shown another."""

from __future__ import annotations

import pytest
from host_stage import OUTPUT, HostStage

from heapwire.compositor_plugin import Policy, StatusReason

WITHHELD = '[offer]\nnever = ["linux,*"]\n'
LOW = """
[[device]]
driver = "vc4"
[[device.use]]
usage = "scanout"
constraints = [{ type = "address-range", value = ["0x0", "0xfffffff"] }]
"""


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        (WITHHELD, (True, StatusReason.NONE)),
        (LOW, (False, StatusReason.MEMORY)),
    ],
    ids=["not offered", "out of the display's reach"],
)
def test_a_buffer_is_shown_as_the_machine_can(text, fate) -> None:
    """linux-dmabuf and the planes are the compositor's: a policy only says what they are like."""
    stage = HostStage(policy=Policy.parse(text))
    try:
        client = stage.client()
        window = client.window(fullscreen=True)
        client.show(window.surface, client.dmabuf(OUTPUT.width, OUTPUT.height, "linux,cma"))
        stage.until(lambda: stage.frames)
        frame = stage.frames[-1]
        assert (frame.scanned_out, frame.reason) == fate
        assert frame.sources == ("linux,cma",)
    finally:
        stage.close()


def test_the_plugin_has_what_the_policy_says() -> None:
    text = f'{WITHHELD}[allocation]\nnever = ["*"]\nbudget = 8192\n[compositor]\ndebounce = 7\n'
    stage = HostStage(policy=Policy.parse(text))
    try:
        plugin = stage.compositor.plugin
        [system] = plugin.platform.sources
        assert system.name == "system"
        assert not plugin._state.broker.allocates_from(system.id)
        assert (plugin._state.accounts.quota.user.budget, plugin._state.answers._debounce) == (
            8192,
            7,
        )
        assert stage.compositor._desktop.debounce == 7
    finally:
        stage.close()
