"""`dataclass`, `field` and `replace` as the standard library has them, and quicker to import.

To a type checker they are the standard library's. What takes their place is told in
`late_class.py`. Annotations are text there, so `from __future__ import annotations` is at the head
of every file that uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass, field as field, replace as replace
else:
    from heapwire.protocol.late_class import dataclass, field, replace

__all__ = ["dataclass", "field", "replace"]
