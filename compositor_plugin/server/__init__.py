"""libwayland-server from Python: displays, globals, resources, in cffi ABI mode."""
