"""The plugin that `heapwire gstreamer build` makes, and what it says where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from heapwire.cli.main import main
from heapwire.client_lib.gstreamer import ELEMENT, build_gstreamer_plugin
from heapwire.protocol import FileError, MachineError

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
    *("gstreamer-video-1.0.pc", "gstreamer-allocators-1.0.pc", "gst-inspect-1.0"),
)


def test_the_command_says_how_to_look_at_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gstreamer", "build", "--output", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(one) for one in told["files"]] == list(tmp_path.iterdir())


def test_gst_inspect_shows_the_element(plugin: Path) -> None:
    environment = {
        **os.environ,
        "GST_PLUGIN_PATH": str(plugin),
        "GST_PLUGIN_SYSTEM_PATH": "",  # of others there are some that complain
        "GST_REGISTRY": str(plugin / "registry.bin"),
        "GST_DEBUG": "2",
    }
    done = subprocess.run(
        ["gst-inspect-1.0", ELEMENT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == "", "it is loaded without a complaint"
    assert {"video/x-raw", "fullscreen", "copies", "stats"} <= set(done.stdout.split())


def test_nothing_but_the_plugin_itself_is_seen(plugin: Path) -> None:
    command = ["nm", "-D", "--defined-only", str(plugin / "libgstheapwire.so")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in listed.splitlines()}
    assert names == {"gst_plugin_heapwire_get_desc", "gst_plugin_heapwire_register"}


def test_headers_that_are_missing_are_named_with_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKG_CONFIG_LIBDIR", str(tmp_path))
    with pytest.raises(MachineError, match=r"gstreamer-1\.0: .*Debian: libgstreamer1\.0-dev"):
        build_gstreamer_plugin(tmp_path)


def test_what_does_not_compile_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "cc -include /nowhere.h")
    with pytest.raises(MachineError, match=r"nowhere\.h"):
        build_gstreamer_plugin(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="file"):
        build_gstreamer_plugin(tmp_path / "file" / "folder")
