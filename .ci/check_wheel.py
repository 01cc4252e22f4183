"""Look into a wheel, install as docs/install.md says, put the wheel there, and import all of it.

The page has two ways to install: with pip, and with pipx, which has an environment of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ended import unwind_when_ended

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/install.md"

WANTED = (
    "heapwire/protocol/wire/xml/xx-dmabuf-negotiation-v1.xml",
    "heapwire/kernel/platforms/raspberry-pi-4.toml",
    "heapwire/kernel/platforms/rockchip-rk3399.toml",
    "heapwire/kernel/profiles/drm-gem-dma.toml",
    "heapwire/kernel/platforms/exynos4-mfc-v5.toml",
    "heapwire/cli/schemas/list.json",
    "heapwire/cli/install/files/70-heapwire.rules",
    "heapwire/cli/install/files/weston.ini",
    "heapwire/client_lib/c/heapwire-client.h",
    "heapwire/client_lib/c/heapwire-client.c",
    "heapwire/client_lib/gstreamer/heapwiresink.c",
    "heapwire/client_lib/gstreamer/sink.h",
    "heapwire/docs/policy.md",
    "heapwire/docs/examples/compositor.c",
    *(f"heapwire/{room}/py.typed" for room in ("protocol", "kernel", "compositor_plugin")),
    *(f"heapwire/{room}/py.typed" for room in ("client_lib", "cli")),
)
UNWANTED = ("heapwire/kernel/vm/", "heapwire/kernel/patches/", "heapwire/__init__.py", "tests/")
UNWANTED += ("heapwire/docs/site/", "heapwire/docs/upstream/")

IMPORT_ALL = """
import importlib, pkgutil, heapwire
count = 0
def fail(name):
    raise
for module in pkgutil.walk_packages(heapwire.__path__, "heapwire.", onerror=fail):
    if module.name.rpartition(".")[2] != "__main__":
        importlib.import_module(module.name)
        count += 1
from heapwire.kernel.description.platform import Platform
from heapwire.protocol.wire.generate import parse, protocol_xml
assert parse(protocol_xml())
print(f"imported {count} modules from {list(heapwire.__path__)[0]}")
"""


def main(wheel: Path) -> int:
    """Check one wheel; the exit status."""
    names = zipfile.ZipFile(wheel).namelist()
    faults = [f"{name} is missing" for name in WANTED if name not in names]
    faults += [f"{name} must not be in it" for name in names if name.startswith(UNWANTED)]
    for fault in faults:
        print(f"{wheel.name}: {fault}", file=sys.stderr)
    if faults:
        return 1
    with tempfile.TemporaryDirectory() as folder:
        programs = installed_programs(Path(folder))
        again = ("install", "-qq", "--force-reinstall", "--no-deps", wheel.resolve())
        subprocess.run([programs / "python", "-m", "pip", *again], check=True)
        subprocess.run([programs / "python", "-I", "-c", IMPORT_ALL], check=True, cwd=folder)
        for program in (programs / "heapwire", program_by_pipx(Path(folder))):
            command = (program, "list", "--platform", "exynos4-mfc-v5")
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return 0


def installed_programs(home: Path) -> Path:
    """What the page has a person type, as somebody who lives in `home`; where the programs are."""
    [block] = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    typed(block, home)
    return home / "heapwire/bin"


def program_by_pipx(home: Path) -> Path:
    """The same of the line for pipx, which is installed first; where the program is."""
    [line] = re.findall(r"`(pipx install [^`]*)`", PAGE.read_text("utf-8"))
    environment = home / "pipx"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run([environment / "bin/pip", "install", "-qq", "pipx"], check=True)
    typed(f"{environment}/bin/{line} --quiet", home)
    return home / ".local/bin/heapwire"


def typed(lines: str, home: Path) -> None:
    """Have a shell do some lines in the checkout, as somebody who lives in `home`."""
    kept = {
        # How pip is set up here stays as it is.
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config")),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIPX_")}
    environment = {**others, **kept, "HOME": str(home)}
    subprocess.run(["bash", "-euc", lines], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    unwind_when_ended()
    try:
        sys.exit(main(Path(sys.argv[1])))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd))}: exit status {error.returncode}")
