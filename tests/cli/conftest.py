"""Running the command inside the test's process."""

from __future__ import annotations

import json

import pytest

from heapwire.cli.main import main


class Outcome:
    """What a run of the command came to."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def heapwire(capsys, monkeypatch):
    """Run the command; usage errors come back as the status that argparse exits with."""
    for name in ("HEAPWIRE_PLATFORM", "HEAPWIRE_POLICY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        try:
            status = main([str(one) for one in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run
