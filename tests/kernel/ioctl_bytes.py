"""What an ioctl is given, as bytes to read and write, so that tests hold structs to the byte."""

import ctypes


def ioctl_bytes(argument):
    """A view of the struct: what is written to it, the caller sees."""
    size = len(argument) if isinstance(argument, bytearray) else ctypes.sizeof(argument)
    return memoryview((ctypes.c_ubyte * size).from_buffer(argument)).cast("B")
