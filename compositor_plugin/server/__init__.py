"""libwayland-server from Python: displays, globals, resources, in cffi ABI mode.

It works on the copy of libwayland-server that the process already has
(library.py), so nothing is compiled and there is never a second copy.

- `display.Display(address)` is a host's `wl_display`, which is never destroyed
  from here; `display.OwnDisplay()` is one of our own.
- A class for each interface derives from `resource.Resource`, sets `INTERFACE`
  to its table and has a method for each request, named after it. `NewId`
  arguments become objects by being passed to such a class; `send` posts events.
- `global_.Global` advertises an interface; `event_loop.EventLoop` adds file
  descriptors, timers and idle callbacks to the display's loop.
- `errors.ViolationError`, raised in a handler, is posted once and ends the
  client. Any other exception is logged and ends that client alone. Nothing
  ever propagates into C; a `KeyboardInterrupt` comes out of
  `OwnDisplay.dispatch`.

A `Resource` is kept until libwayland destroys the `wl_resource`, and let go of
then, whatever the reason; what others own appears as `ForeignResource`. All of
a display's objects are used on the thread that runs its loop; several displays
may run on several threads.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.server.client import Client as Client
    from heapwire.compositor_plugin.server.display import (
        Display as Display,
        OwnDisplay as OwnDisplay,
    )
    from heapwire.compositor_plugin.server.encoded_events import (
        EncodedEvents as EncodedEvents,
        post_by as post_by,
        post_no_more_by as post_no_more_by,
    )
    from heapwire.compositor_plugin.server.errors import (
        ViolationError as ViolationError,
        is_shortage as is_shortage,
    )
    from heapwire.compositor_plugin.server.event_loop import (
        READABLE as READABLE,
        WRITABLE as WRITABLE,
        EventLoop as EventLoop,
        EventSource as EventSource,
        IdleCall as IdleCall,
    )
    from heapwire.compositor_plugin.server.global_ import Global as Global
    from heapwire.compositor_plugin.server.interface import (
        core_interface as core_interface,
        interface_struct as interface_struct,
    )
    from heapwire.compositor_plugin.server.libwayland_server import (
        CORE_INTERFACES as CORE_INTERFACES,
        CData as CData,
        ffi as ffi,
        library as library,
    )
    from heapwire.compositor_plugin.server.listener import Listener as Listener
    from heapwire.compositor_plugin.server.next_pass import NextPass as NextPass
    from heapwire.compositor_plugin.server.object_bound import ObjectBound as ObjectBound
    from heapwire.compositor_plugin.server.protocol_error_log import error_line as error_line
    from heapwire.compositor_plugin.server.ready_order import ReadyOrder as ReadyOrder
    from heapwire.compositor_plugin.server.received_fd import ReceivedFd as ReceivedFd
    from heapwire.compositor_plugin.server.resource import (
        ForeignResource as ForeignResource,
        NewId as NewId,
        Resource as Resource,
        requests_handled as requests_handled,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "client": "Client",
            "display": "Display OwnDisplay",
            "encoded_events": "EncodedEvents post_by post_no_more_by",
            "errors": "ViolationError is_shortage",
            "event_loop": "EventLoop EventSource IdleCall READABLE WRITABLE",
            "protocol_error_log": "error_line",
            "object_bound": "ObjectBound",
            "ready_order": "ReadyOrder",
            "received_fd": "ReceivedFd",
            "global_": "Global",
            "interface": "core_interface interface_struct",
            "libwayland_server": "CData CORE_INTERFACES ffi library",
            "listener": "Listener",
            "next_pass": "NextPass",
            "resource": "ForeignResource NewId Resource requests_handled",
        },
    )
