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
- `errors.ProtocolError`, raised in a handler, is posted once and ends the
  client. Any other exception is logged and ends that client alone. Nothing
  ever propagates into C; a `KeyboardInterrupt` comes out of
  `OwnDisplay.dispatch`.

A `Resource` is kept until libwayland destroys the `wl_resource`, and let go of
then, whatever the reason; what others own appears as `ForeignResource`. All of
a display's objects are used on the thread that runs its loop; several displays
may run on several threads.
"""
