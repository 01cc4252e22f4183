"""A tool that is ended while it works leaves no folder behind."""

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from patience import PATIENCE

CI = Path(__file__).parents[2] / ".ci"
# check-facts on a source of one file; the comparison says where it is, and takes for ever.
PROGRAM = """
import pathlib, sys
import check_facts, ended
check_facts.TARBALL, check_facts.FOLDERS = pathlib.Path(sys.argv.pop()), ("drivers",)
def check(profiles, source):
    print(source.root, flush=True)
    sys.stdin.read()
check_facts.check = check
ended.unwind_when_ended()
sys.exit(check_facts.main())
"""


@pytest.fixture
def comparing(tmp_path):
    """The program at work, and the folder that it has unpacked the source to."""
    driver = tmp_path / "linux-source-6.12/drivers/acme.c"
    driver.parent.mkdir(parents=True)
    driver.write_text("int acme;\n")
    tarball = tmp_path / "linux-source-6.12.tar.xz"
    with tarfile.open(tarball, "w:xz") as tar:
        tar.add(driver, driver.relative_to(tmp_path))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, program, tarball],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CI), "TMPDIR": str(temporary)},
    ) as process:
        root = Path(process.stdout.readline().strip())
        assert root.joinpath("drivers/acme.c").is_file()
        assert root.is_relative_to(temporary)
        try:
            yield process, temporary
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_was_unpacked_is_removed(comparing, number):
    process, temporary = comparing
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert told == ""
    assert list(temporary.iterdir()) == []


MAKING = [
    path
    for path in sorted(CI.glob("*.py"))
    if "tempfile." in path.read_text("utf-8") and "__main__" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", MAKING, ids=lambda path: path.stem)
def test_each_tool_that_makes_a_folder_is_ended_so(path):
    _, _, run = path.read_text("utf-8").partition('if __name__ == "__main__":\n')
    assert run.startswith("    unwind_when_ended()\n")


def test_the_tools_are_found():
    assert "check_facts" in {path.stem for path in MAKING}
