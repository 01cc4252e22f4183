"""`NamedTuple` as `typing` has it, and quicker to import.

To a type checker it is `typing`'s. That one looks at the kind of each field when the class is made,
and where annotations are text, as they are here, it compiles each: half of what two dozen such
classes took, for which a compositor waits. Here the text stays text, and the class is what
`collections.namedtuple` makes; `tests/house/test_dataclasses.py` compares all of the house's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple

    _TOLD = {"__module__", "__annotations__"}  # what the class has already

    class _Maker(type):
        """Has a class statement below `NamedTuple` make a tuple."""

        def __new__(cls, name: str, _bases: tuple[type, ...], given: dict[str, object]) -> type:
            kinds = given.get("__annotations__", {})
            defaults = [given[field] for field in kinds if field in given]
            made = namedtuple(name, kinds, defaults=defaults, module=given["__module__"])
            made.__annotations__ = made.__new__.__annotations__ = kinds
            for key, value in given.items():
                if key not in kinds and key not in _TOLD:
                    setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})


__all__ = ["NamedTuple"]
