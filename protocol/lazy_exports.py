"""The face of a room: names that a package exports, each imported when it is first asked for.

Who wants three exception classes should not load a compositor's library, and who wants
to know which commands there are should not load a solver. A face says what it exports
twice: to type checkers and readers as imports, to Python as a table (a test holds the
two together):

    if TYPE_CHECKING:
        from heapwire.kernel.memory.dma_buf import CpuAccess as CpuAccess, DmaBuf as DmaBuf
    else:
        __getattr__, __dir__, __all__ = lazy_exports(__name__, {"dma_buf": "CpuAccess DmaBuf"})

A name is never that of a module in the same package: importing that module by anybody
would put the module in the name's place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

Exports = tuple[Callable[[str], object], Callable[[], list[str]], list[str]]


def lazy_exports(package: str, names: Mapping[str, str]) -> Exports:
    """`__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    `names` has for each module the names that it gives, separated by spaces. A module goes by
    its name in the package, or by its full one, which begins with `heapwire.`, where a face
    passes on what another room exports. What has been asked for once is an ordinary
    attribute from then on.
    """
    homes = {name: module for module, given in names.items() for name in given.split()}

    def getattr_(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = home if home.startswith("heapwire.") else f"{package}.{home}"
        value: object = getattr(import_module(module), name)
        setattr(sys.modules[package], name, value)
        return value

    exported = sorted(homes)
    return getattr_, lambda: [*exported, "__doc__", "__name__"], exported
