"""A compositor in a process of its own, which must come out of each test as it went in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import signatures
from fuzzing import Fuzzer, Tally
from target import reference


@pytest.fixture(scope="session")
def session(tmp_path_factory) -> Iterator[Fuzzer]:
    """One compositor for all tests: what one of them does must not matter to the next."""
    target = reference(tmp_path_factory.mktemp("fuzz"))
    try:
        fuzzer = Fuzzer(target, signatures.read())
        yield fuzzer
        fuzzer.close()
        target.stop()
    finally:
        target.kill()


@pytest.fixture
def fuzzer(session: Fuzzer) -> Iterator[Fuzzer]:
    """The one that all share, as it was at the beginning."""
    session.tally = Tally()
    yield session
    session.check()
