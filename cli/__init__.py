"""The `heapwire` command."""
