"""What is off is one line in Weston's log, and Weston runs without the extension."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from headers import headers_of_another_version
from patience import PATIENCE
from stock_weston import PLATFORM, build_strictly

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.compositor_plugin.hosts.embed import build as embed_build
from heapwire.kernel.discovery import local_platform

pytestmark = [
    pytest.mark.system("weston", "libweston-*.pc", "cc", "pkg-config"),
]


def only_line(weston):
    """The one line that the module has logged; Weston offers nothing and ends well."""
    assert not weston.offers
    assert weston.stop() == 0
    [line] = weston.lines
    return line


def test_a_platform_that_is_not_there(start):
    line = only_line(start(environment={"HEAPWIRE_PLATFORM": "raspbery-pi-4"}))
    assert line.startswith("error: not available: there is no platform 'raspbery-pi-4'")


def test_a_platform_file_that_is_broken(start, tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("[[heap]]\nname = \n")
    line = only_line(start(environment={"HEAPWIRE_PLATFORM": str(file)}))
    assert line.startswith(f"error: not available: {file}")


def test_a_policy_that_is_broken(start, tmp_path):
    """All its faults are one line, wherever it was named."""
    file = tmp_path / "policy.toml"
    file.write_text('[offer]\nnever = 3\n[allocation]\nbudget = "much"\n')
    ini = f"[heapwire]\nplatform={PLATFORM}\npolicy={file}\n"
    by_file = only_line(start(environment={}, ini=ini))
    assert by_file.startswith(f"error: not available: {file}:2: offer.never[0]: ")
    assert f" {file}:4: allocation.budget: " in by_file
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_POLICY": str(file)}
    assert only_line(start(environment=environment)) == by_file


def test_a_policy_that_is_not_there(start):
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_POLICY": "/no/policy.toml"}
    line = only_line(start(environment=environment))
    assert line == "error: not available: /no/policy.toml: No such file or directory"


def test_a_log_level_that_is_none(start):
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_LOG_LEVEL": "loud"}
    line = only_line(start(environment=environment))
    assert (
        line == "error: not available: the log level 'loud' is none of error, warning, info, debug"
    )


def test_a_python_that_is_not_there(start):
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_PYTHON": "/nowhere/bin/python"}
    line = only_line(start(environment=environment))
    assert line == "error: not available: there is no Python at /nowhere/bin/python"


def test_an_environment_without_the_package(start, tmp_path):
    environment = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = str(environment / "bin" / "python")
    line = only_line(start(environment={"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_PYTHON": python}))
    assert line == f"error: not available: No module named 'heapwire' (Python of {python})"


def test_a_libpython_that_is_gone(start, tmp_path, monkeypatch):
    gone = tmp_path / "libpython3.so"
    python = dataclasses.replace(embed_build.BuiltPython.running(), library=gone)
    monkeypatch.setattr(embed_build.BuiltPython, "running", lambda: python)
    line = only_line(start(module=build_strictly(tmp_path / "module.so")))
    assert line.startswith(
        "error: not available: the Python that it was built for cannot be loaded"
    )
    assert str(gone) in line


def test_the_library_of_another_python(start, tmp_path, monkeypatch):
    """A libpython that says that it is of another version."""
    source = tmp_path / "other.c"
    source.write_text('const char *Py_GetVersion(void) { return "2.7.18 (default)"; }\n')
    other = tmp_path / "libother.so"
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", other], check=True)
    python = dataclasses.replace(embed_build.BuiltPython.running(), library=other)
    monkeypatch.setattr(embed_build.BuiltPython, "running", lambda: python)
    line = only_line(start(module=build_strictly(tmp_path / "module.so")))
    assert re.fullmatch(
        r"error: not available: it was built for Python 3\.\d+\.\* and the process has "
        r"Python 2\.7\.18; build it again",
        line,
    )


@pytest.mark.parametrize("field", ["MAJOR", "MICRO"])
def test_a_module_for_another_libweston(start, tmp_path, field):
    libweston = headers_of_another_version(tmp_path / "include", field)
    line = only_line(start(module=build_strictly(tmp_path / "module.so", libweston)))
    assert re.fullmatch(
        r"not available: it was built for libweston 99\.[\d.]+ and this is [\d.]+; "
        r'run "heapwire weston build" again',
        line,
    )


def test_two_copies_of_libwayland_server(start):
    """The wheel of pywayland has one; loaded into Weston, it makes the process unfit."""
    [second] = wheel_copies()
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "LD_PRELOAD": str(second)}
    weston = start(environment=environment)
    assert not weston.offers
    assert second.name in weston.maps
    [line] = weston.lines
    assert "copies of libwayland-server" in line


def wheel_copies() -> list[Path]:
    import pywayland

    folder = Path(pywayland.__file__).parent.with_name("pywayland.libs")
    found = list(folder.glob("libwayland-server*"))
    if not found:
        pytest.skip("pywayland was built against the system's libwayland")
    return found


def test_the_environment_goes_before_the_file(start):
    ini = "[heapwire]\nplatform=exynos4-mfc-v5\nlog-level=info\n"
    by_file = start(environment={}, ini=ini)
    assert by_file.offers
    assert "ready: exynos4-mfc-v5 has" in by_file.log
    by_environment = start(environment={"HEAPWIRE_PLATFORM": PLATFORM}, ini=ini)
    assert by_environment.offers
    assert f"ready: {PLATFORM} has" in by_environment.log


def test_a_policy_is_kept_to_and_that_of_the_environment_goes_before(start, tmp_path):
    files = {}
    for heap in ("system", "linux,cma"):
        files[heap] = tmp_path / f"no-{heap}.toml"
        files[heap].write_text(f'[offer]\nnever = ["{heap}", "secure*"]\n')
    ini = f"[heapwire]\nplatform={PLATFORM}\npolicy={files['system']}\n"
    by_file = start(environment={}, ini=ini)
    assert announced(by_file) == {"linux,cma"}
    assert by_file.lines[:2] == [
        f"ready: {PLATFORM} has linux,cma, by the policy {files['system']}",
        f"warning: {files['system']}:2: offer.never[1]: 'secure*' matches no memory here: "
        "there are linux,cma, system",
    ]
    by_environment = start(environment={"HEAPWIRE_POLICY": str(files["linux,cma"])}, ini=ini)
    assert announced(by_environment) == {"system"}


def announced(weston) -> set[str]:
    with weston.connect() as connection:
        manager = NegotiationManager(connection, timeout=PATIENCE)
        return {source.name for source in manager.sources.values()}


def test_a_quiet_log_level_is_kept_to(start):
    environment = {"HEAPWIRE_PLATFORM": PLATFORM, "HEAPWIRE_LOG_LEVEL": "error"}
    weston = start(environment=environment)
    assert weston.offers
    assert weston.lines == []


def test_without_a_platform_it_is_this_machine_with_whatever_it_has(start):
    """Most machines that run tests have no DMA heap and no display; Weston runs all the same."""
    weston = start(environment={})
    assert weston.offers
    assert weston.lines[0].startswith("ready: local has ")
    assert "Traceback" not in weston.log
    with weston.connect() as connection:
        manager = NegotiationManager(connection, timeout=PATIENCE)
        announced = {source.name for source in manager.sources.values()}
        assert manager.default_negotiation().negotiate(timeout=PATIENCE).reason is None
    assert announced == {source.name for source in local_platform().sources}
    assert weston.stop() == 0
