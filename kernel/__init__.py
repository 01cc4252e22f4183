"""What a machine has: heaps, dma-bufs, displays, codecs, and how they are linked."""

if __name__ != "heapwire.kernel":
    raise ImportError("this package is heapwire.kernel; it has no bare name")
