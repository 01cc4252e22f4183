"""What the tests of this room share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from open_files import open_fds

from heapwire.kernel.memory import local_memory

CARD = "platform/soc/display"


@pytest.fixture(autouse=True)
def no_fd_left_over() -> Iterator[None]:
    """Every test of this room gives back the file descriptors that it took."""
    before = open_fds()
    yield
    left = open_fds() - before
    assert not left, f"left open: {left}"


@pytest.fixture(scope="session")
def platform_text() -> Callable[[str], str]:
    """The text of a shipped platform's file."""
    folder = Path(__file__).parents[2] / "kernel" / "platforms"
    return lambda name: (folder / f"{name}.toml").read_text("utf-8")


class Tree:
    """A machine made of files: /sys, /dev and /proc below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "sys" / "devices").mkdir(parents=True)
        (root / "proc").mkdir()

    def device(
        self,
        path: str,
        subsystem: str = "",
        *,
        dev: str = "",
        node: str = "",
        driver: str = "",
        **attributes: str | int,
    ) -> Path:
        """A device directory at a path below /sys/devices, and its entry in /sys/class."""
        folder = self.root / "sys" / "devices" / path
        folder.mkdir(parents=True, exist_ok=True)
        if subsystem:
            home = self.root / "sys" / "class" / subsystem
            home.mkdir(parents=True, exist_ok=True)
            (folder / "subsystem").symlink_to(home)
            (home / folder.name).symlink_to(folder)
        if dev:
            (folder / "dev").write_text(f"{dev}\n")
        if node:
            major, minor = dev.split(":")
            text = f"MAJOR={major}\nMINOR={minor}\nDEVNAME={node}\n"
            (folder / "uevent").write_text(text)
            (self.root / "dev" / node).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "dev" / node).touch()
        if driver:
            home = self.root / "sys" / "bus" / "any" / "drivers" / driver
            home.mkdir(parents=True, exist_ok=True)
            (folder / "driver").symlink_to(home)
        for name, value in attributes.items():
            (folder / name).write_text(f"{value}\n")
        return folder

    def heap(self, name: str, minor: int, **attributes: str | int) -> Path:
        """A DMA heap with major 251."""
        return self.device(
            f"virtual/dma_heap/{name}",
            "dma_heap",
            dev=f"251:{minor}",
            node=f"dma_heap/{name}",
            **attributes,
        )

    def bus(self, path: str, driver: str = "", **attributes: str | int) -> Path:
        """A device on a bus, without a node."""
        folder = self.device(path, driver=driver, **attributes)
        home = self.root / "sys" / "bus" / path.split("/")[0].rstrip("0123456789:")
        home.mkdir(parents=True, exist_ok=True)
        if not (folder / "subsystem").is_symlink():
            (folder / "subsystem").symlink_to(home)
        return folder

    def write(self, path: str, data: str | bytes) -> None:
        """A file anywhere."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty machine."""
    return Tree(tmp_path)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The heaps and the udmabuf of a tree, made of memfds that have their names."""
    made: list[int] = []

    def allocate(node: str, size: int, *, name: str = "") -> int:
        fd = os.memfd_create(node.rsplit("/", 1)[1])
        os.ftruncate(fd, size)
        made.append(size)
        return fd

    monkeypatch.setattr(local_memory.dma_heap, "allocate", allocate)
    monkeypatch.setattr(local_memory.udmabuf, "create", allocate)
    return made


@pytest.fixture
def board(tree: Tree, memory: list[int]) -> Tree:
    """A display of a driver that nobody knows, two heaps and a udmabuf."""
    tree.heap("reserved", 0)
    tree.heap("system", 1)
    tree.device("virtual/misc/udmabuf", "misc", dev="10:125", node="udmabuf")
    tree.bus("platform/soc")
    tree.bus(CARD, driver="vendor-drm")
    tree.device(f"{CARD}/drm/card0", "drm", dev="226:0", node="dri/card0")
    return tree
