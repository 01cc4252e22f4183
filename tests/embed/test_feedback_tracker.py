"""What the embedded plugin learns of its host from the host's own linux-dmabuf feedback."""

from __future__ import annotations

from pathlib import Path

import pytest
from embedded import EmbeddedHost
from patience import PATIENCE, until

from heapwire.client_lib import Connection, ExtendedFeedback, LinuxDmabuf
from heapwire.compositor_plugin import Policy
from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.dmabuf import DmabufImporter, ZwpLinuxDmabufV1
from heapwire.compositor_plugin.server.libwayland_server import callback, ffi, library
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform
from heapwire.protocol import PeerError
from heapwire.protocol.values import Usage
from heapwire.protocol.wire import FeedbackDecoder

pytestmark = [pytest.mark.system("cc")]

FEEDBACK = b"zwp_linux_dmabuf_feedback_v1"
_heard: list[bytes] = []


@callback("void(void *, int, const struct wl_protocol_logger_message *)")
def _listen(_data, direction, message) -> None:
    """Which interfaces send events."""
    if direction == 1:
        _heard.append(ffi.string(library().wl_resource_get_class(message.resource)))


class Hosted:
    """A compositor with linux-dmabuf only, and the embedded plugin on its display."""

    def __init__(self, file: Path, platform: str, renderer: str = "") -> None:
        self.machine = Platform.load(platform)
        policy = Policy(renderer=renderer, debounce=1)
        self.compositor = Compositor(self.machine, extension=False, policy=policy)
        self.host = EmbeddedHost(file, self.compositor._display)
        self.logger = library().wl_display_add_protocol_logger(
            self.compositor._display.pointer, _listen, ffi.NULL
        )
        self.host.join(platform)
        [self.attachment] = attachment_file._attachments.values()
        until(lambda: self.attachment._host.formats, "formats", self.turn)

    def turn(self) -> None:
        self.compositor.dispatch(10)

    def close(self) -> None:
        self.host.leave()
        library().wl_protocol_logger_destroy(self.logger)
        self.compositor.close()
        _heard.clear()


@pytest.fixture
def hosted(monkeypatch, library_file):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    made: list[Hosted] = []

    def begin(platform="raspberry-pi-4", **options):
        made.append(Hosted(library_file, platform, **options))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def told(hosted):
    """The feedback that a client is told, with what the plugin adds."""
    with hosted.compositor.running(), Connection(hosted.compositor.connect()) as connection:
        batches = []
        ExtendedFeedback(LinuxDmabuf(connection), None, batches.append)
        connection.wait(lambda: bool(batches), timeout=PATIENCE, what="feedback")
        return batches[0]


def test_the_host_s_tranches_say_which_formats_it_takes(hosted):
    """And nobody has it list them once more."""
    one = hosted()
    formats = one.attachment._host.importable_formats(0, None)
    assert formats == DmabufImporter(one.machine).formats
    assert one.attachment._host.importable_formats(0, None) is formats, "put together once"
    assert FEEDBACK in _heard
    assert b"zwp_linux_dmabuf_v1" not in _heard


def test_a_host_without_feedback_lists_them(hosted, monkeypatch):
    monkeypatch.setattr(ZwpLinuxDmabufV1, "VERSION", 3)
    one = hosted()
    assert one.attachment._host.importable_formats(0, None) == DmabufImporter(one.machine).formats
    assert FEEDBACK not in _heard


def test_the_device_that_composites_is_the_one_that_the_host_names(hosted):
    """Of two GPUs the second, which nobody would have guessed."""
    first, second = [
        one for one in Platform.load("two-gpus").devices if Usage.SAMPLING in one.sets
    ][:2]
    one = hosted("two-gpus", renderer=second.name)
    assert one.attachment.plugin._state.broker.renderer == second.id
    assert first.id != second.id


def test_a_client_of_the_host_is_told_of_its_tranches(hosted):
    one = hosted()
    [tranche] = told(one).tranches
    names = {one.machine.source(source).name for source in tranche.memory.sources}
    assert {"system", "linux,cma"} <= names


def test_a_host_that_breaks_the_rules_is_passed_over(hosted, monkeypatch):
    def refuse(self):
        raise PeerError("a tranche that is none")

    one = hosted()
    monkeypatch.setattr(FeedbackDecoder, "done", refuse)
    one.attachment._feedback._batch_ends = None  # is not to be called
    with one.compositor.running():
        for _ in range(2):
            with Connection(one.compositor.connect()) as connection:
                LinuxDmabuf(connection).feedback(None)
                connection.roundtrip(timeout=PATIENCE)
    lines = [line for _, line in one.host.lines if "is not understood" in line]
    assert len(lines) <= 1
    assert one.attachment._feedback._complained


def test_what_a_client_was_told_goes_with_it_and_not_with_its_objects(hosted):
    one = hosted()
    tracker = one.attachment._feedback
    with one.compositor.running(), Connection(one.compositor.connect()) as connection:
        dmabuf = LinuxDmabuf(connection)
        feedback = dmabuf.feedback(None)
        connection.roundtrip(timeout=PATIENCE)
        [client] = {one.client for one in live_resources() if isinstance(one, ZwpLinuxDmabufV1)}
        said = tracker.said_to(client.address)
        assert said.version == dmabuf.version
        feedback.destroy()
        connection.roundtrip(timeout=PATIENCE)
        assert tracker.said_to(client.address) is said
    until(lambda: not live_resources(), "the end of the client", one.turn)
    assert tracker.said_to(0) is said  # what anybody was told counts for those to come
