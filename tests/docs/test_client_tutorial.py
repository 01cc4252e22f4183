"""docs/client-c.md, followed word by word, with the installed wheel, away from the checkout."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from installed import command_environment
from patience import PATIENCE, until
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "client-c.md").read_text("utf-8")
BUILD, COMPILE, SHOW, END = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
HEADER = DOCS.parent / "client_lib/c/heapwire-client.h"
GREY = (0xA0, 0xA0, 0xA0)

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


@pytest.mark.parametrize("source", re.findall(r"```c\n(.*?)```", TEXT, re.DOTALL))
def test_what_it_shows_compiles(source: str, tmp_path: Path) -> None:
    shown = tmp_path / "shown.c"
    shown.write_text(f'#include <wayland-client.h>\n#include "{HEADER}"\n{source}')
    strict = ("-std=c99", "-Wall", "-Werror", "-Wno-unused-function", "-fsyntax-only")
    subprocess.run(["cc", *strict, shown], check=True)


def test_from_nothing_to_a_buffer_on_the_screen(installed: Path, tmp_path: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="heapwire-"))  # the name of a socket must be short
    environment = command_environment(installed, home)
    command = ["sh", "-e", "-c", BUILD + COMPILE]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    try:
        # Nobody outside is told when a frame is on the screen: it may be interrupted too early.
        until(lambda: GREY in colours_shown(tmp_path, environment), "a grey window")
    finally:
        shutil.rmtree(home)


def colours_shown(folder: Path, environment: dict[str, str]) -> set[tuple[int, ...]]:
    """Those on the screen when the compositor was interrupted, after the client's last request."""
    compositor_line, client_line = SHOW.splitlines()
    compositor = begun(compositor_line.removesuffix("&"), folder, environment)
    socket = Path(environment["XDG_RUNTIME_DIR"]) / "example-client"
    until(socket.exists, "the compositor to listen")
    client = begun(client_line, folder, {**environment, "WAYLAND_DEBUG": "client"})
    assert client.stderr is not None
    for line in client.stderr:
        if ".attach(wl_buffer" in line:
            break
    else:
        raise AssertionError("the client ended and has shown nothing")
    assert END == "kill $!\n"
    compositor.send_signal(signal.SIGTERM)
    for process in (compositor, client):
        process.communicate(timeout=PATIENCE)
    with Image.open(folder / "screen.png") as picture:
        counted = picture.convert("RGB").getcolors(1 << 24)
    return {colour for _, colour in counted if isinstance(colour, tuple)}


def begun(line: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    words = dict(word.split("=", 1) for word in line.split() if re.match(r"[A-Z_]+=", word))
    command = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
    return subprocess.Popen(
        command, cwd=folder, env={**environment, **words}, stderr=subprocess.PIPE, text=True
    )
