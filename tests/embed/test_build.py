"""What is compiled for a compositor is written, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from heapwire.compositor_plugin.hosts.embed import compile_shared
from heapwire.protocol import FileError

pytestmark = pytest.mark.system("cc")


@pytest.mark.parametrize("place", ["/proc/heapwire.so", "/proc/folder/heapwire.so"])
def test_a_file_that_cannot_be_is_not_the_compilers_fault(place: str) -> None:
    """Nobody, root neither, makes a file there."""
    with pytest.raises(FileError, match=f"^{place}: "):
        compile_shared(Path(place), (), what="the library")
