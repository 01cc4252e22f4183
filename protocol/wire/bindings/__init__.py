"""Generated from the protocol XML; see `heapwire.protocol.wire.generate`."""
