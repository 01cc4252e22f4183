"""Compare the displays that import nothing with the profiles that say so.

A driver imports a dma-buf of another by a callback of its `struct drm_driver`, or by a macro
that sets it; without one `drm_gem_prime_import_dev` refuses all but the device's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from check_members import body_of, names_of
from check_strides import Table
from kernel_source import KernelSource

_DRM = "drivers/gpu/drm"
_IMPORTS = re.compile(
    r"\.gem_prime_import\w*\s*=|\.prime_fd_to_handle\s*=|"
    # include/drm/drm_gem_dma_helper.h and drm_gem_shmem_helper.h: they set the callback.
    r"\bDRM_GEM_(?:DMA|SHMEM)_DRIVER_OPS"
)
_REFUSAL = "drm_gem_prime_import_dev: if (!dev->driver->gem_prime_import_sg_table)"


def import_faults(source: KernelSource, profiles: Iterable[Table]) -> list[str]:
    """The displays of the source that import nothing and have no such row, and the other way."""
    said = {name for table in profiles if _refuses(table) for name in table.get("api-drivers", ())}
    there = set(_without_import(source))
    return [
        *(f"no row says that {name} imports nothing" for name in sorted(there - said)),
        *(f"a row says that {name} imports nothing" for name in sorted(said - there)),
    ]


def _refuses(table: Table) -> bool:
    return any(
        row["type"] == "permitted-sources" and _REFUSAL in row.get("source", "")
        for use in table.get("use", ())
        for row in use.get("constraints", ())
    )


def _without_import(source: KernelSource) -> Iterator[str]:
    """What DRM calls them."""
    for path in sorted((source.root / _DRM).rglob("*.c")):
        if "DRIVER_MODESET" not in path.read_text("utf-8", "replace"):
            continue
        file = str(path.relative_to(source.root))
        text = source.text(file)
        for found in re.finditer(r"\bstruct drm_driver\s+\w+\s*=\s*\{", text):
            body = body_of(text, found.end() - 1)
            if "DRIVER_MODESET" in body and not _IMPORTS.search(body):
                yield from names_of(source, file, body)
