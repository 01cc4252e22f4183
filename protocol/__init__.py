"""What both sides of the protocol share: the model and the wire. Opens nothing."""

if __name__ != "heapwire.protocol":
    raise ImportError("this package is heapwire.protocol; it has no bare name")
