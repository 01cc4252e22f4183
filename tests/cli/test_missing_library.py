"""A command whose library is not installed says which it is, and the others work."""

from __future__ import annotations

import json
import subprocess
import sys

WITHOUT = """
import sys
sys.modules["pywayland"] = None
from heapwire.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_says_which_is_missing() -> None:
    done = run("feedback")
    assert (done.returncode, done.stderr) == (
        1,
        "heapwire: pywayland is missing: pip install pywayland\n",
    )
    assert json.loads(run("feedback", "--json").stdout)["error"]["status"] == 1


def test_the_others_work() -> None:
    assert run("list", "--platform", "raspberry-pi-4").returncode == 0


def test_the_manual_has_a_page_for_it_all_the_same() -> None:
    page = run("man", "feedback").stdout
    assert "needs pywayland" in page
    assert "HEAPWIRE_TIMEOUT" in page
    assert "needs pywayland" not in run("man", "list").stdout
