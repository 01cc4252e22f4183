"""Where the planes of a picture are: pitches, sizes and objects that a demand allows."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.solver.layout.column_height import (
        least_rows as least_rows,
        tells_column_height as tells_column_height,
        with_column_height as with_column_height,
    )
    from heapwire.protocol.solver.layout.exact_layout import (
        GeometryDemand as GeometryDemand,
        plane_rooms as plane_rooms,
        put_into_objects as put_into_objects,
    )
    from heapwire.protocol.solver.layout.fixed_layout import (
        changes as changes,
        meets_fixed as meets_fixed,
    )
    from heapwire.protocol.solver.layout.layout_class import (
        LayoutClass as LayoutClass,
        class_of as class_of,
        classes_of as classes_of,
    )
    from heapwire.protocol.solver.layout.picture_layout import least_layout as least_layout
    from heapwire.protocol.solver.layout.plane_demand import PlaneRoom as PlaneRoom
    from heapwire.protocol.solver.layout.whole_layout import whole_rooms as whole_rooms
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "column_height": "least_rows tells_column_height with_column_height",
            "exact_layout": "GeometryDemand plane_rooms put_into_objects",
            "fixed_layout": "changes meets_fixed",
            "layout_class": "LayoutClass class_of classes_of",
            "picture_layout": "least_layout",
            "plane_demand": "PlaneRoom",
            "whole_layout": "whole_rooms",
        },
    )
