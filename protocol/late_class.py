"""Dataclasses whose methods are written when they are first called.

When a class is made the standard library writes `__init__`, `__eq__`, `__repr__` and up to eight
more as text and compiles them one by one. That was two fifths of what importing the plugin took,
for which a compositor waits, and most of these methods are never called. Here a class is made with
the names of its fields, and a method is written and takes its place when somebody calls it.

This is as much of `dataclasses` as the house uses. A class made here is also the standard library's
to whoever asks for it there (`dataclasses.fields`, `dataclasses.is_dataclass`, `copy.replace`), and
`tests/house/test_dataclasses.py` makes every class of the house both ways and compares them
([why](../docs/decisions/0014-late-dataclasses.md)).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from types import CodeType, FunctionType, MemberDescriptorType

_NONE = object()  # no default
_FIELDS = "__heapwire_fields__"  # where a class has its fields by name, those of its bases first
_FLAGS = "__heapwire_flags__"  # where it has what `dataclass` was told
_ORDER = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}

Maker = Callable[[type, str], object]


class LateField:
    """What is known of a field; what `field` returns, before it is known which one it is."""

    __slots__ = ("compare", "default", "default_factory", "hash", "init", "kind", "kw_only", "repr")

    def __init__(
        self,
        *,
        default: object = _NONE,
        default_factory: object = _NONE,
        init: bool = True,
        repr: bool = True,  # noqa: A002  # the standard library's names
        hash: bool | None = None,  # noqa: A002
        compare: bool = True,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.hash = hash
        self.compare = compare
        self.kw_only = False
        self.kind = ""  # its annotation

    @property
    def hashed(self) -> bool:
        """Whether the hash of a value is also this field's."""
        return self.compare if self.hash is None else self.hash


field = LateField


def dataclass(
    cls: type | None = None,
    *,
    eq: bool = True,
    order: bool = False,
    frozen: bool = False,
    kw_only: bool = False,
    slots: bool = False,
    weakref_slot: bool = False,
) -> type | Callable[[type], type]:
    """Make a class one of values, as `dataclasses.dataclass` does."""
    flags = {"eq": eq, "order": order, "frozen": frozen, "kw_only": kw_only}

    def made(given: type) -> type:
        own = _own_fields(given, kw_only=kw_only)
        fields = _fields_with_bases(given, own)
        added = _added(given, fields, flags, slots=slots)
        if slots:
            return _with_slots(given, own, added, weakref_slot=weakref_slot)
        return _with_defaults(given, own, added)

    return made if cls is None else made(cls)


def replace(value: object, /, **changes: object) -> object:
    """The same value with other fields, as `dataclasses.replace` makes it; of any dataclass."""
    cls: type = type(value)
    fields: dict[str, LateField] | None = getattr(cls, _FIELDS, None)
    if fields is None:
        import dataclasses

        return dataclasses.replace(value, **changes)  # type: ignore[type-var]  # or a TypeError
    for name in changes:
        if name in fields and not fields[name].init:
            raise TypeError(f"field {name} is not given to {cls.__qualname__}")
    names, values_of = _given(cls)
    return cls(**dict(zip(names, values_of(value), strict=True), **changes))


@cache
def _given(cls: type) -> tuple[list[str], Callable[[object], tuple[object, ...]]]:
    """The names of what a class is given, and what takes these from a value."""
    names = [name for name, one in _fields(cls).items() if one.init]
    if len(names) < 2:  # of one name `attrgetter` gives no tuple
        return names, lambda value: tuple([getattr(value, name) for name in names])
    return names, attrgetter(*names)


class _Late:
    """Stands in a class for what is made when it is first asked for."""

    __slots__ = ("cls", "make", "name")

    def __init__(self, make: Maker) -> None:
        self.make = make

    def __set_name__(self, cls: type, name: str) -> None:
        self.cls = cls
        self.name = name

    def __get__(self, instance: object, owner: type) -> object:
        made = self.make(self.cls, self.name)
        setattr(self.cls, self.name, made)
        bind = getattr(type(made), "__get__", None)
        return made if bind is None else bind(made, instance, owner)


def _own_fields(cls: type, *, kw_only: bool) -> dict[str, LateField]:
    own = {}
    for name, kind in cls.__annotations__.items():
        if kind.startswith("ClassVar["):
            continue
        given = cls.__dict__.get(name, _NONE)
        one = given if isinstance(given, LateField) else LateField(default=given)
        if type(one.default).__hash__ is None:
            raise ValueError(f"all of {cls.__qualname__} would share one default of {name}")
        one.kind, one.kw_only = kind, kw_only
        own[name] = one
    return own


def _fields_with_bases(cls: type, own: dict[str, LateField]) -> dict[str, LateField]:
    fields: dict[str, LateField] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get(_FIELDS, {})
    return fields | own


def _with_slots(
    cls: type, own: dict[str, LateField], added: dict[str, object], *, weakref_slot: bool
) -> type:
    """The class once more, with a slot for each field that no base has one for.

    It is made with all that is added: what it is given afterwards, by a name that Python looks
    for in the class, has Python go through its own table of such names each time.
    """
    taken = {name for base in cls.__mro__[1:-1] for name in base.__dict__.get("__slots__", ())}
    names = [name for name in own if name not in taken]
    inner = {name: value for name, value in cls.__dict__.items() if name not in own}
    inner["__slots__"] = (*names, "__weakref__") if weakref_slot else tuple(names)
    inner.pop("__dict__", None)
    inner.pop("__weakref__", None)
    made = type(cls)(cls.__name__, cls.__bases__, inner | added)
    made.__qualname__ = cls.__qualname__
    return made


def _with_defaults(cls: type, own: dict[str, LateField], added: dict[str, object]) -> type:
    """The class, with the defaults of its fields where `field` said them."""
    for name, one in own.items():
        if one.default is not _NONE:
            setattr(cls, name, one.default)
        elif name in cls.__dict__:
            delattr(cls, name)
    for name, value in added.items():
        setattr(cls, name, value)
        if isinstance(value, _Late):
            value.__set_name__(cls, name)
    return cls


def _added(
    cls: type, fields: dict[str, LateField], flags: dict[str, bool], *, slots: bool
) -> dict[str, object]:
    """What a class is given besides its fields: what it has not said itself."""
    own = cls.__dict__
    taken = tuple([name for name, one in fields.items() if one.init and not one.kw_only])
    given: dict[str, object] = {"__match_args__": taken, "__replace__": replace}
    if flags["frozen"] and slots:
        given |= {"__getstate__": _state, "__setstate__": _set_state}
    given |= {name: _Late(make) for name, make in _makers(flags).items()}
    added = {name: value for name, value in given.items() if name not in own}
    if flags["eq"] and (
        "__hash__" not in own or (own["__hash__"] is None and "__eq__" in own)
    ):  # Python says None by itself where a class has __eq__ alone
        added["__hash__"] = _Late(_hash) if flags["frozen"] else None
    return added | {_FIELDS: fields, _FLAGS: flags}


def _makers(flags: dict[str, bool]) -> dict[str, Maker]:
    """Who makes the methods of a class."""
    makers: dict[str, Maker] = {"__init__": _init, "__repr__": _repr}
    if flags["eq"]:
        makers["__eq__"] = _eq
    if flags["order"]:
        makers |= dict.fromkeys(_ORDER, _ordered)
    if flags["frozen"]:
        makers |= {"__setattr__": _refusal, "__delattr__": _refusal}
    return makers | dict.fromkeys(("__dataclass_fields__", "__dataclass_params__"), _as_library)


def _fields(cls: type) -> dict[str, LateField]:
    fields: dict[str, LateField] = getattr(cls, _FIELDS)
    return fields


@cache
def _compiled(text: str) -> CodeType:
    """What a text says, compiled: that is most of what writing a method takes."""
    return compile(text, "<string>", "exec")


def _written(
    cls: type, name: str, parameters: str, lines: list[str], known: dict[str, object]
) -> FunctionType:
    """A method of a class, of its text; `known` is what that may name."""
    exec(_compiled("\n ".join((f"def {name}({parameters}):", *lines))), known)
    made = known[name]
    assert isinstance(made, FunctionType)
    made.__qualname__ = f"{cls.__qualname__}.{name}"
    made.__module__ = cls.__module__
    return made


def _init(cls: type, name: str) -> object:
    """In its text fields have numbers, so that classes which are alike have it in common."""
    frozen = getattr(cls, _FLAGS)["frozen"]
    known: dict[str, object] = {"_set": object.__setattr__, "_none": _NONE}
    lines: list[str] = []
    by_place, by_name = ["self"], list[str]()
    names: dict[str, str] = {}  # of the parameters, by those in the text
    defaults: dict[str, object] = {}  # of those by name
    for number, (one, of) in enumerate(_fields(cls).items()):
        here = value = f"_{number}"
        is_made, has_default = of.default_factory is not _NONE, of.default is not _NONE
        if is_made:
            known[f"_new{number}"] = of.default_factory
            value = f"_new{number}() if {here} is _none else {here}"
        elif has_default:
            known[f"_else{number}"] = of.default
        if of.init:
            names[here] = one
            if not of.kw_only:
                default = "=_none" if is_made else f"=_else{number}" if has_default else ""
                by_place.append(here + default)
            else:
                by_name.append(here)
                if is_made or has_default:
                    defaults[one] = of.default  # or none, and it is made
        elif is_made:
            value = f"_new{number}()"
        elif has_default:
            value = f"_else{number}"
        else:
            continue  # __post_init__ sets it, or nobody
        slot = getattr(cls, one, None)
        if not frozen:
            lines.append(f"self.{one} = {value}")
        elif isinstance(slot, MemberDescriptorType):  # half as long as by its name
            known[f"_set{number}"] = slot.__set__
            lines.append(f"_set{number}(self, {value})")
        else:
            lines.append(f"_set(self, {one!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join([*by_place, *(["*", *by_name] if by_name else [])])
    made = _written(cls, name, parameters, lines or ["pass"], known)
    code = made.__code__
    made.__code__ = code.replace(co_varnames=tuple(names.get(one, one) for one in code.co_varnames))
    made.__kwdefaults__ = defaults or None
    kinds = {one: of.kind for one, of in _fields(cls).items() if of.init}
    made.__annotations__ = {**kinds, "return": None}
    return made


def _compared(cls: type, name: str, sign: str) -> object:
    names = [one for one, of in _fields(cls).items() if of.compare]
    mine, theirs = (
        "(" + "".join(f"{whose}.{one}," for one in names) + ")" for whose in ("self", "other")
    )
    lines = ["if other.__class__ is self.__class__:", f" return {mine} {sign} {theirs}"]
    return _written(cls, name, "self, other", [*lines, "return NotImplemented"], {})


def _eq(cls: type, name: str) -> object:
    return _compared(cls, name, "==")


def _ordered(cls: type, name: str) -> object:
    return _compared(cls, name, _ORDER[name])


def _hash(cls: type, name: str) -> object:
    mine = "".join(f"self.{one}," for one, of in _fields(cls).items() if of.hashed)
    return _written(cls, name, "self", [f"return hash(({mine}))"], {})


def _repr(cls: type, name: str) -> object:
    shown = ", ".join(f"{one}={{self.{one}!r}}" for one, of in _fields(cls).items() if of.repr)
    line = f'return self.__class__.__qualname__ + f"({shown})"'
    return recursive_repr()(_written(cls, name, "self", [line], {}))


def _refusal(cls: type, name: str) -> object:
    """`__setattr__` or `__delattr__` of a class whose values stay as they are."""
    verb, passed_on = "assign to" if name == "__setattr__" else "delete", getattr(object, name)

    def refuse(self: object, name: str, *value: object) -> None:
        if type(self) is cls or name in _fields(cls):
            from dataclasses import FrozenInstanceError  # it reads `inspect`, and few meet this

            raise FrozenInstanceError(f"cannot {verb} field {name!r}")
        passed_on(self, name, *value)

    return refuse


def _state(self: object) -> list[object]:
    return [getattr(self, name) for name in _fields(type(self))]


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(_fields(type(self)), state, strict=True):
        object.__setattr__(self, name, value)


def _as_library(cls: type, name: str) -> object:
    """What the standard library keeps in a class of its own, for who asks there."""
    import dataclasses

    rows = []
    for one, of in _fields(cls).items():
        said = {key: getattr(of, key) for key in ("init", "repr", "hash", "compare", "kw_only")}
        for key in ("default", "default_factory"):
            if getattr(of, key) is not _NONE:
                said[key] = getattr(of, key)
        rows.append((one, of.kind, dataclasses.field(**said)))
    made = dataclasses.make_dataclass(cls.__name__, rows, **getattr(cls, _FLAGS))
    found: object = getattr(made, name)
    return found
