"""Running the command inside the test's process."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from json_schema import faults

from heapwire.cli.main import main
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

SCHEMAS = Path(__file__).parents[2] / "cli/schemas"
SHARED = {"camera": "play"}  # commands that have another one's


class Outcome:
    """What a run of the command came to."""

    def __init__(self, command: str, status: int, out: str, err: str) -> None:
        self.command, self.status, self.out, self.err = command, status, out, err

    @property
    def document(self):
        """What was printed for programs, which is as the command's schema says if it has one."""
        document = json.loads(self.out)
        schema = SCHEMAS / f"{SHARED.get(self.command, self.command)}.json"
        if schema.exists() and "schema_version" in document and "error" not in document:
            whole = json.loads(schema.read_text("utf-8"))
            assert list(faults(document, whole, whole)) == []
        return document


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
        command = next((str(one) for one in arguments if not str(one).startswith("-")), "")
        return Outcome(command, status, captured.out, captured.err)

    return run


@pytest.fixture
def serving(tmp_path, monkeypatch):
    """Serve a platform on the socket that the command connects to."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "asked")

    @contextmanager
    def serve(platform, **options):
        with Compositor(Platform.load(platform), socket="asked", **options) as made, made.running():
            yield made

    return serve
