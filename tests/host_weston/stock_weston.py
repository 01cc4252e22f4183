"""A stock Weston, headless, with the module in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from patience import PATIENCE, until

from heapwire.client_lib.wayland import Connection
from heapwire.compositor_plugin.hosts.weston import build_module, find_libweston
from heapwire.compositor_plugin.hosts.weston.build import Libweston
from heapwire.kernel.description import Platform
from heapwire.protocol.values import Usage

PLATFORM = "raspberry-pi-4"
_DEVICES = Platform.load(PLATFORM).devices
DMABUF_DEVICES = {
    variable: str(next(one.id.dev_t for one in _DEVICES if one.id and usage in one.sets))
    for variable, usage in (
        ("HEAPWIRE_TEST_DISPLAY", Usage.SCANOUT),
        ("HEAPWIRE_TEST_RENDERER", Usage.SAMPLING),
    )
}
"""What the module of `build_dmabuf` names in its feedback."""


def build_strictly(output: Path, libweston: Libweston | None = None) -> Path:
    """The module, compiled with every warning an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", "cc -Werror")
        build_module(output, libweston or find_libweston())
    return output


def build_dmabuf(folder: Path) -> Path:
    """A module, in a folder, that gives a headless Weston linux-dmabuf (dmabuf_module.c)."""
    command = ["pkg-config", "--variable=pkgdatadir", "wayland-protocols"]
    home = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    xml = Path(home) / "unstable/linux-dmabuf/linux-dmabuf-unstable-v1.xml"
    for mode in ("server-header", "private-code"):
        subprocess.run(["wayland-scanner", mode, xml, folder / f"{xml.stem}.{mode}"], check=True)
    module, source = folder / "dmabuf.so", Path(__file__).parent / "dmabuf_module.c"
    flags = ("-shared", "-fPIC", f"-I{folder}", *find_libweston().cflags)
    subprocess.run(["cc", *flags, source, "-o", module], check=True)
    return module


class Weston:
    """One running Weston; `log` is what it has logged so far."""

    def __init__(
        self,
        module: Path,
        *,
        environment: Mapping[str, str],
        ini: str | None,
        shell: str,
        wrapper: tuple[str, ...],
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="heapwire-"))
        self.socket = self.folder / "weston-0"
        self._log = self.folder / "log"
        config = ["--no-config"]
        if ini is not None:
            (self.folder / "weston.ini").write_text(ini)
            config = [f"--config={self.folder / 'weston.ini'}"]
        clean = {name: text for name, text in os.environ.items() if not name.startswith("HEAPWIRE")}
        # The long names of the backend and of the shell are those that every Weston knows.
        self.process = subprocess.Popen(
            [
                *wrapper,
                "weston",
                "--backend=headless-backend.so",
                f"--shell={shell}-shell.so",
                "--socket=weston-0",
                "--idle-time=0",
                f"--log={self._log}",
                f"--modules={module}",
                *config,
                *options,
            ],
            env={**clean, "XDG_RUNTIME_DIR": str(self.folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if wrapper else subprocess.DEVNULL,
        )

    def wait_for_socket(self) -> None:
        """Until it takes connections; the module is loaded before that."""
        until(lambda: self._accepts() or self.process.poll() is not None, "Weston to listen")
        assert self.process.poll() is None, f"Weston ended:\n{self.log}"

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def connect(self) -> Connection:
        return Connection(str(self.socket))

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def lines(self) -> list[str]:
        """What the module has logged, without time stamps."""
        return re.findall(r"^\[[^]]*\] heapwire: (.*)$", self.log, re.MULTILINE)

    @property
    def maps(self) -> str:
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    @property
    def open_fds(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @property
    def offers(self) -> bool:
        """Whether a client sees the extension; Weston lives, in any case."""
        with self.connect() as connection:
            return "xx_dmabuf_negotiation_manager_v1" in connection.globals(timeout=PATIENCE)

    def stop(self) -> int:
        """Ask it to end, as a user would; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        if self.process.stderr:
            self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
