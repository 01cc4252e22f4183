"""The commands that put heapwire where it is needed, and say what is needed there."""
