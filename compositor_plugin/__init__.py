"""The compositor's side: the plugin that picks the heap, and the hosts it runs in.

    plugin = HeapPlugin(display_address, local_platform(), host)

`HeapPlugin` is all that a compositor in Python calls, and `Host` all that it answers
(docs/integrating.md). A compositor in C has `hosts.embed`, Weston `hosts.weston`; the
one that the tests and the demo use is `hosts.reference.Compositor`.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.clients import (
        EVERYTHING as EVERYTHING,
        NOTHING as NOTHING,
        Bound as Bound,
        ClientHolding as ClientHolding,
        ClientIdentity as ClientIdentity,
        ClientRule as ClientRule,
        Grant as Grant,
        HeapHolding as HeapHolding,
        Holder as Holder,
        HolderHolding as HolderHolding,
        Holdings as Holdings,
        Policy as Policy,
        PolicyFileError as PolicyFileError,
        SecurityContext as SecurityContext,
        Selection as Selection,
        allocatable_heaps as allocatable_heaps,
    )
    from heapwire.compositor_plugin.format_tables import FormatTables as FormatTables
    from heapwire.compositor_plugin.garbage import spare_the_loop as spare_the_loop
    from heapwire.compositor_plugin.host import (
        Host as Host,
        OutputState as OutputState,
        PlaneTest as PlaneTest,
        PlaneTester as PlaneTester,
        StatusReason as StatusReason,
        SurfaceState as SurfaceState,
    )
    from heapwire.compositor_plugin.plugin import HeapPlugin as HeapPlugin
    from heapwire.compositor_plugin.rehearsal import rehearse as rehearse
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "format_tables": "FormatTables",
            "garbage": "spare_the_loop",
            "host": "Host OutputState PlaneTest PlaneTester StatusReason SurfaceState",
            "plugin": "HeapPlugin",
            "rehearsal": "rehearse",
            "clients": (
                "Bound ClientHolding ClientIdentity ClientRule EVERYTHING Grant HeapHolding Holder "
                "HolderHolding Holdings NOTHING Policy PolicyFileError SecurityContext Selection "
                "allocatable_heaps"
            ),
        },
    )
