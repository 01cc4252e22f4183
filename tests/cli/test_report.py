"""`heapwire report`: one file with all that can be asked, and nothing that is private."""

from __future__ import annotations

import json
import pwd
import socket

import pytest

from heapwire.cli.pages import discreet, private_words
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

PLANTED = {
    "home": "/home/zaphod",
    "user": "zaphod",
    "full name": "Beeblebrox",
    "host": "heartofgold",
}


@pytest.fixture
def somebody(monkeypatch, tmp_path):
    """A person with a name, on a machine with one."""
    entry = pwd.struct_passwd(
        ("zaphod", "x", 1000, 1000, "Zaphod Beeblebrox,,", "/home/zaphod", "")
    )
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    monkeypatch.setattr(socket, "gethostname", lambda: "heartofgold.example.org")
    for name, value in (("HOME", "/home/zaphod"), ("USER", "zaphod"), ("LOGNAME", "zaphod")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "screen")


def written(heapwire, tmp_path, *arguments):
    path = tmp_path / "report.json"
    outcome = heapwire("report", "--output", path, *arguments)
    assert outcome.status == 0, outcome.err
    text = path.read_text()
    for word in PLANTED.values():
        assert word.lower() not in text.lower()
        assert word.lower() not in outcome.err.lower()
    told = json.loads(text)
    failed = f"; what failed: {', '.join(told['failed'])}" if told["failed"] else ""
    assert outcome.out.startswith(f"wrote {path}: what there is here{failed}\n")
    return told


def machine(tmp_path):
    """A platform whose file has in it who its owner is."""
    path = tmp_path / "machine.toml"
    path.write_text(
        'name = "zaphod-desk"\n'
        'title = "the desk of Zaphod Beeblebrox in /home/zaphod/attic on heartofgold"\n'
        "[[memory]]\n"
        'name = "system"\n'
    )
    return path


def test_it_has_the_machine_and_what_failed(heapwire, somebody, tmp_path):
    told = written(heapwire, tmp_path, "--platform", machine(tmp_path))
    assert told["machine"]["platform"] == "USER-desk"
    assert told["machine"]["title"] == "the desk of USER in ~/attic on HOST"
    assert [heap["name"] for heap in told["machine"]["heaps"]] == ["system"]
    assert told["failed"].keys() == {"compositor"}
    assert told["failed"]["compositor"].startswith("NoCompositorError")
    assert told["versions"].keys() >= {"heapwire", "python", "kernel", "machine", "pywayland"}


def test_it_has_the_negotiation_which_can_be_replayed(heapwire, somebody, tmp_path):
    platform = Platform.load("raspberry-pi-4")
    with Compositor(platform, socket="screen") as compositor, compositor.running():
        told = written(heapwire, tmp_path, "--platform", "raspberry-pi-4")
    assert told["failed"] == {}
    assert told["globals"]["zwp_linux_dmabuf_v1"] >= 4
    assert told["feedback"]["tranches"]
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(told["negotiation"]))
    assert "the same answer" in heapwire("replay", trace).out


def test_a_compositor_without_negotiation_is_a_part_that_failed(heapwire, somebody, tmp_path):
    platform = Platform.load("raspberry-pi-4")
    made = Compositor(platform, socket="screen", extension=False)
    with made as compositor, compositor.running():
        told = written(heapwire, tmp_path, "--platform", "raspberry-pi-4")
    assert told["failed"].keys() == {"negotiation"}
    assert told["feedback"]["tranches"]


def test_a_platform_that_cannot_be_read_is_a_part_that_failed(heapwire, somebody, tmp_path):
    told = written(heapwire, tmp_path, "--platform", "/home/zaphod/none.toml")
    assert "~/none.toml" in told["failed"]["machine"]
    assert told["machine"] is None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("HD Webcam (SN: 0A1B2C3D)", "HD Webcam (SN: SERIAL)"),
        ("serial number 4711-X", "serial number SERIAL"),
        ("at 52:54:00:12:34:56", "at ADDRESS"),
        ("disk 123e4567-e89b-12d3-a456-426614174000", "disk UUID"),
        (
            "/home/ford/clip.mkv and /run/user/1000/wayland-0",
            "~/clip.mkv and /run/user/UID/wayland-0",
        ),
        ("/dev/dma_heap/linux,cma of 254:0", "/dev/dma_heap/linux,cma of 254:0"),
        ("zaphods are no Zaphod", "zaphods are no USER"),
    ],
)
def test_what_looks_private_goes_and_nothing_else(somebody, said, left):
    document = {"a": [{"b": said}], "serial_number": "4711", "serial": 7, said: 1}
    told = discreet(document, private_words())
    assert told == {"a": [{"b": left}], "serial": 7, left: 1}


def test_names_that_are_everybodys_stay(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    entry = pwd.struct_passwd(("root", "x", 0, 0, "root", "/root", ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    words = private_words({"HOME": "/root", "USER": "root"})
    assert not words.keys() & {"root", "localhost", "/root", ""}
