"""A stock Weston, headless, with the module in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from stock_weston import PLATFORM, Weston, build_dmabuf, build_strictly

from heapwire.compositor_plugin.hosts.weston import MODULE


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_strictly(tmp_path_factory.mktemp("module") / MODULE)


@pytest.fixture(scope="session")
def dmabuf_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module that gives a headless Weston linux-dmabuf."""
    return build_dmabuf(tmp_path_factory.mktemp("dmabuf"))


Start = Callable[..., Weston]


@pytest.fixture
def start(module: Path) -> Iterator[Start]:
    """Start a Weston; by default with the module and a simulated platform."""
    started: list[Weston] = []

    def begin(
        *,
        environment: Mapping[str, str] | None = None,
        ini: str | None = None,
        shell: str = "desktop",
        module: Path = module,
        wrapper: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
    ) -> Weston:
        given = {"HEAPWIRE_PLATFORM": PLATFORM} if environment is None else environment
        weston = Weston(
            module, environment=given, ini=ini, shell=shell, wrapper=wrapper, options=options
        )
        started.append(weston)
        weston.wait_for_socket()
        return weston

    yield begin
    for weston in started:
        weston.clean_up()


@pytest.fixture
def weston(start: Start) -> Weston:
    return start()
