"""The compositor as a whole: its socket, its loop, its threads, its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from host_stage import OUTPUT, HostStage
from open_files import open_fds
from patience import PATIENCE

from heapwire.compositor_plugin.hosts.reference import STATUS_SUFFIX, Compositor
from heapwire.compositor_plugin.hosts.reference.scene import OutputMode
from heapwire.compositor_plugin.hosts.reference.scene.desktop import KEPT_FRAMES
from heapwire.compositor_plugin.server.resource import live_resources
from heapwire.kernel.description import Platform
from heapwire.protocol import MachineError, UsageError
from heapwire.protocol.values import Extent

RED, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture
def runtime(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("xdg")
    folder.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def platform() -> Platform:
    return Platform.load("raspberry-pi-4")


def test_the_globals(client):
    assert set(client.registry()) == {
        "wl_compositor",
        "wl_data_device_manager",
        "wl_output",
        "wl_seat",
        "wl_shm",
        "wl_subcompositor",
        "wp_color_manager_v1",
        "wp_color_representation_manager_v1",
        "wp_linux_drm_syncobj_manager_v1",
        "wp_presentation",
        "wp_security_context_manager_v1",
        "wp_single_pixel_buffer_manager_v1",
        "wp_viewporter",
        "xdg_wm_base",
        "xx_dmabuf_allocation_manager_v1",
        "xx_dmabuf_buffer_status_manager_v1",
        "xx_dmabuf_negotiation_manager_v1",
        "xx_dmabuf_sources_v1",
        "zwp_linux_dmabuf_v1",
    }
    assert client.registry()["zwp_linux_dmabuf_v1"][1] == 6


def test_a_socket_has_the_name_that_was_asked_for(nothing_left, runtime, platform):
    with Compositor(platform, socket="reference-test") as compositor:
        assert compositor.socket == "reference-test"
        assert (runtime / "reference-test").is_socket()
        with pytest.raises(MachineError, match="reference-test"):
            Compositor(platform, socket="reference-test")
    assert not (runtime / "reference-test").exists()


def test_without_a_name_a_free_one_is_taken(nothing_left, runtime, platform):
    with Compositor(platform) as first, Compositor(platform) as second:
        assert first.socket != second.socket
        assert (runtime / first.socket).is_socket()


def test_without_a_folder_for_sockets_there_is_none(nothing_left, platform, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with Compositor(platform) as compositor:
        assert compositor.socket is None
    with pytest.raises(MachineError, match="socket"):
        Compositor(platform, socket="somewhere")


def test_it_closes_with_clients_connected_and_leaves_nothing(stage):
    client = stage.client()
    window = client.window()
    client.shm(window.surface, 10, 10)
    stage.compositor.close()
    stage.compositor.close()
    assert live_resources() == ()
    client.read()
    assert client.closed


def test_it_runs_on_a_thread_and_answers_others(nothing_left, platform, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    before = threading.active_count()
    with Compositor(platform, size=Extent(30, 20)) as compositor:
        with compositor.running():
            threads = {compositor.call(threading.current_thread) for _ in range(3)}
            assert threads != {threading.current_thread()}
            assert compositor.screenshot().shape == (20, 30, 3)
            with pytest.raises(ZeroDivisionError):
                compositor.call(lambda: 1 // 0)
            with socket.socket(fileno=compositor.connect()) as ours:
                # wl_display.sync(2), and its answer: wl_callback.done, delete_id.
                ours.sendall(bytes.fromhex("0100000000000c0002000000"))
                assert ours.recv(12)[:4] == bytes.fromhex("02000000")
        assert threading.active_count() == before
        with compositor.running():  # it can be started again
            assert compositor.call(lambda: 7) == 7


def test_stop_before_run_is_not_lost(nothing_left, platform, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with Compositor(platform) as compositor:
        compositor.stop()
        compositor.run()


def test_a_socket_can_be_a_path(nothing_left, monkeypatch, platform, tmp_path):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    path = tmp_path / "w"
    with Compositor(platform, socket=str(path)) as compositor:
        assert compositor.socket == str(path)
        assert path.is_socket()
        assert Path(f"{path}{STATUS_SUFFIX}").is_socket()


def test_an_output_that_is_not_there(stage):
    with pytest.raises(UsageError, match="SIM-1"):
        stage.compositor.screenshot("HDMI-7")


def test_outputs_are_side_by_side(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    left = OutputMode(name="left", extent=Extent(40, 30))
    right = OutputMode(name="right", extent=Extent(50, 20), refresh=50_000)
    stage = HostStage(outputs=(left, right))
    client = stage.client()
    client.registry()
    numbers = [e.args[0] for e in client.of(client._registry) if e.args[1:2] == ("wl_output",)]
    bound = [client.bind_number(number, "wl_output", 4) for number in numbers]
    places = [next(e.args[:2] for e in client.of(one) if e.name == "geometry") for one in bound]
    assert places == [(0, 0), (40, 0)]
    window = client.window(configure=False)
    client.request(window.toplevel, "set_fullscreen", bound[1])
    client.request(window.surface, "commit")
    assert window.configured()[:2] == (50, 20)
    client.shm(window.surface, 50, 20, GREEN)
    client.settle(window.surface)
    assert client.take(window.surface) == [("enter", bound[1])]
    assert not stage.compositor.screenshot("left").any()
    assert (stage.compositor.screenshot("right") == GREEN).all()
    assert stage.frames[-1].output == "right"
    stage.close()


def test_an_output_with_a_scale_shows_more_pixels(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    stage = HostStage(outputs=(OutputMode(extent=Extent(40, 30), scale=2),))
    client = stage.client()
    window = client.window(fullscreen=True)
    pixels = np.zeros((30, 40, 4), np.uint8)
    pixels[..., 2] = np.arange(40)
    client.request(window.surface, "set_buffer_scale", 2)
    client.show(window.surface, client.shm_buffer(pixels))
    assert client.error is None
    assert (stage.compositor.screenshot() == pixels[..., 2::-1]).all()
    stage.close()


def test_what_was_shown_is_forgotten_unless_it_records(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    for record in (False, True):
        stage = HostStage(record=record)
        client = stage.client()
        window = client.window()
        shown = 0
        while shown < KEPT_FRAMES + 8:
            client.shm(window.surface, 4, 4)
            client.settle(window.surface)
            shown += 1
        assert len(stage.frames) == (shown if record else KEPT_FRAMES)
        stage.close()


def test_a_hook_that_fails_stops_nothing(nothing_left, monkeypatch, caplog):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(HostStage, "_shown", lambda *_: 1 // 0)
    stage = HostStage()
    client = stage.client()
    window = client.window()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)
    assert len(stage.frames) == 1
    assert "the frame hook failed" in caplog.text
    stage.close()


@pytest.mark.parametrize("factor", [1 << 20, (1 << 31) - 1])
def test_a_surface_that_is_stretched_beyond_reason_disturbs_nobody(stage, client, factor):
    window = client.window()
    view = client.make(client.the("wp_viewporter"), "get_viewport", "wp_viewport", window.surface)
    client.request(view, "set_destination", factor, factor)
    client.shm(window.surface, 4, 4, RED)
    client.settle(window.surface)
    assert client.error is None
    assert (stage.compositor.screenshot() == RED).all()
    other = stage.client()
    above = other.window()
    other.shm(above.surface, 4, 4, GREEN)
    other.settle(above.surface)
    assert other.error is None


def test_a_surface_that_cannot_be_shown_ends_its_client_only(stage, client, monkeypatch):
    window = client.window()
    client.shm(window.surface, 4, 4)
    client.settle(window.surface)
    other = stage.client()
    bad = other.window()
    show = type(stage.compositor._desktop)._show

    healthy = set(stage.compositor._desktop.surfaces.values()) - {newest(stage)}

    def failing(self, surface, *rest):
        if surface not in healthy:
            raise RuntimeError("a fault")
        show(self, surface, *rest)

    monkeypatch.setattr(type(stage.compositor._desktop), "_show", failing)
    other.shm(bad.surface, 4, 4)
    stage.until(lambda: other.error)
    other.request(bad.surface, "commit")
    assert other.closed
    client.settle(window.surface)
    assert client.error is None


def test_the_last_picture_can_be_kept(nothing_left, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    for keep in (False, True):
        stage = HostStage(keep_last=keep)
        client = stage.client()
        window = client.window(fullscreen=True)
        client.show(window.surface, client.dmabuf(OUTPUT.width, OUTPUT.height))
        client.settle(window.surface)
        client.close()
        stage.clients.remove(client)
        stage.until(lambda: live_resources() == ())
        assert (stage.compositor.screenshot() == (0x40 if keep else 0)).all()
        other = stage.client()
        window = other.window()
        other.shm(window.surface, 10, 10, RED)
        other.settle(window.surface)
        assert (stage.compositor.screenshot()[:10, :10] == RED).all()
        assert not stage.compositor.screenshot()[10:].any()
        stage.close()


def newest(stage):
    return max(stage.compositor._desktop.surfaces.values(), key=lambda surface: surface.number)


def test_a_process_ends_cleanly_at_a_signal(runtime):
    """The loop is interrupted while it waits, and everything is closed."""
    program = (
        "import signal\n"
        # A shell's background jobs are started with it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from heapwire.compositor_plugin.hosts.reference.compositor import Compositor\n"
        "from heapwire.kernel.description.platform import Platform\n"
        "with Compositor(Platform.load('raspberry-pi-4')) as compositor:\n"
        "    try:\n"
        "        print(compositor.socket, flush=True)\n"
        "        compositor.run()\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted', flush=True)\n"
        "print('closed', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        name = process.stdout.readline().strip()
        assert (runtime / name).is_socket()
        os.kill(process.pid, signal.SIGINT)
        output, errors = process.communicate()
    assert (output.split(), process.returncode, errors) == (["interrupted", "closed"], 0, "")
    assert not (runtime / name).exists()


def test_a_signal_that_another_thread_gets_ends_the_wait_too():
    program = (
        "import signal, threading\n"
        "from heapwire.compositor_plugin.hosts.reference.compositor import Compositor\n"
        "from heapwire.kernel.description.platform import Platform\n"
        "signal.signal(signal.SIGTERM, lambda *_: compositor.stop())\n"
        "with Compositor(Platform.load('raspberry-pi-4')) as compositor:\n"
        "    def send():\n"
        "        compositor.call(lambda: None)\n"  # the loop runs, and soon waits again
        "        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "    threading.Timer(0.5, send).start()\n"
        "    compositor.run()\n"
        "print('closed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.stdout, done.returncode, done.stderr) == ("closed\n", 0, "")


def test_nothing_stays_open(platform, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    Compositor(platform).close()
    before = open_fds()
    for _ in range(3):
        with Compositor(platform) as compositor:
            os.close(compositor.connect())
            compositor.dispatch(0)
    assert len(open_fds()) == len(before)
