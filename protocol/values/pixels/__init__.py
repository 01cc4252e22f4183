"""Pixels: formats, and modifiers with the layouts that can be computed."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.values.pixels.format import (
        FORMATS as FORMATS,
        ROWLESS as ROWLESS,
        Format as Format,
        PlaneFormat as PlaneFormat,
        format_of as format_of,
        fourcc as fourcc,
        fourcc_name as fourcc_name,
        parse_fourcc as parse_fourcc,
    )
    from heapwire.protocol.values.pixels.memory_planes import (
        plane_count as plane_count,
    )
    from heapwire.protocol.values.pixels.modifier import (
        ALLWINNER_TILED as ALLWINNER_TILED,
        INVALID as INVALID,
        LINEAR as LINEAR,
        MODIFIER_FAMILIES as MODIFIER_FAMILIES,
        SAMSUNG_64_32_TILE as SAMSUNG_64_32_TILE,
        VENDORS as VENDORS,
        Superblocks as Superblocks,
        columns_of as columns_of,
        columns_so_high as columns_so_high,
        family_of as family_of,
        modifier_name as modifier_name,
        parse_modifier as parse_modifier,
        superblocks_of as superblocks_of,
    )
    from heapwire.protocol.values.pixels.tiling import (
        TILINGS as TILINGS,
        Tiling as Tiling,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "format": (
                "FORMATS Format PlaneFormat ROWLESS format_of fourcc fourcc_name parse_fourcc"
            ),
            "memory_planes": "plane_count",
            "modifier": (
                "ALLWINNER_TILED INVALID LINEAR MODIFIER_FAMILIES SAMSUNG_64_32_TILE "
                "Superblocks VENDORS columns_of columns_so_high family_of modifier_name "
                "parse_modifier superblocks_of"
            ),
            "tiling": "TILINGS Tiling",
        },
    )
