"""The example that the package's documentation begins with runs as it stands."""

from __future__ import annotations

import textwrap

from fake_compositor import FakeCompositor, plan, plans, replace

import heapwire.client_lib
from heapwire.client_lib import *  # noqa: F403 - what the example relies on
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Extent, Extents, Usage

PLATFORM = Platform.load("raspberry-pi-4")


class FullHd(FakeCompositor):
    def announce(self, manager):
        for source in PLATFORM.sources:
            numbers = (source.id.kind, source.id.major, source.id.minor)
            self.event(manager, "source", *numbers, 0, source.name)
        self.event(manager, "done")

    def answer(self, feedback, cookie):
        source = PLATFORM.source("linux,cma").id
        batch = plans(plan(size=(1920, 1088), source=source))
        self.send_batch(feedback, replace(batch, cookie=cookie))


def test_the_example_runs(no_fd_leak):
    lines = (heapwire.client_lib.__doc__ or "").splitlines()
    example = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    fake = FullHd()
    names = dict(globals())
    names |= {"display": fake.socket.detach(), "platform": PLATFORM}
    names |= {"Extent": Extent, "Extents": Extents, "Usage": Usage}
    exec(example, names)
    fake.close()
    assert fake.names("zwp_linux_buffer_params_v1").count("create") == 3
