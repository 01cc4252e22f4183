"""The house's dataclasses and named tuples are those that the standard library would make."""

from __future__ import annotations

import ast
import copy
import dataclasses
import operator
import pickle
import re
import subprocess
import sys
import weakref
from types import FunctionType

import pytest
from source_tree import ROOMS, dotted, sources

from heapwire.protocol import late_class, late_dataclasses, late_tuples

MAKERS = pytest.mark.parametrize("maker", [dataclasses, late_dataclasses], ids=["library", "house"])
MODULES = [
    dotted(path)
    for path in sources(*ROOMS)
    if re.search("late_(dataclasses|tuples) import ", path.read_text("utf-8"))
    and path.name not in ("late_dataclasses.py", "late_tuples.py")
]

# Run with the names of modules: what can be told of each class there without a value of it.
FACTS = """
import dataclasses, inspect, re, sys, typing
from importlib import import_module
if sys.argv[1] == "library":
    sys.modules["heapwire.protocol.late_dataclasses"] = dataclasses
    sys.modules["heapwire.protocol.late_tuples"] = typing
METHODS = ("__init__ __repr__ __eq__ __hash__ __lt__ __le__ __gt__ __ge__ __setattr__ __delattr__"
           " __getstate__ __setstate__ __dataclass_fields__ __dataclass_params__").split()
facts = {}
for name in sys.argv[2:]:
    module = import_module("heapwire." + name)
    for cls in vars(module).values():
        if not isinstance(cls, type) or cls.__module__ != module.__name__:
            continue
        if hasattr(cls, "_fields"):
            kinds = cls.__annotations__.items()
            facts[f"{name}.{cls.__name__}"] = [
                cls._fields,
                re.sub(" at 0x[0-9a-f]+", "", repr(cls._field_defaults)),
                {key: getattr(kind, "__forward_arg__", kind) for key, kind in kinds},
                cls.__new__.__annotations__ == dict(kinds),
                sorted(vars(cls).keys() - {"__orig_bases__"}),
                [cls.__bases__ == (tuple,), cls.__doc__, cls.__qualname__],
            ]
            continue
        if not dataclasses.is_dataclass(cls):
            continue
        facts[f"{name}.{cls.__name__}"] = [
            [
                (one.name, one.type, one.init, one.repr, one.hash, one.compare, one.kw_only,
                 re.sub(" at 0x[0-9a-f]+", "", repr(one.default)),
                 one.default_factory is not dataclasses.MISSING)
                for one in dataclasses.fields(cls)
            ],
            [getattr(cls.__dataclass_params__, flag) for flag in ("eq", "order", "frozen")],
            [(one.name, one.kind.name, one.annotation, one.default is not one.empty)
             for one in inspect.signature(cls).parameters.values()],
            cls.__init__.__annotations__,
            cls.__match_args__,
            cls.__dict__.get("__slots__"),
            cls.__weakrefoffset__ > 0,
            [method for method in METHODS if method in cls.__dict__],
            cls.__hash__ is None,
            cls.__qualname__,
        ]
print(facts)
"""


def facts(maker: str) -> dict[str, object]:
    command = [sys.executable, "-c", FACTS, maker, *MODULES]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = ast.literal_eval(said)
    assert isinstance(found, dict)
    return found


def test_each_class_of_the_house_is_what_the_library_would_make_of_it():
    made, by_library = facts("house"), facts("library")
    assert len(made) > 180
    assert {name: made[name] for name in made if made[name] != by_library.get(name)} == {}
    assert made.keys() == by_library.keys()


def values(maker):
    """Classes of each kind that the house has."""

    @maker.dataclass(frozen=True, slots=True, order=True)
    class Point:
        x: int
        y: int = 2

    @maker.dataclass(frozen=True, slots=True, kw_only=True)
    class Named(Point):
        name: str = maker.field(default="", compare=False)
        more: list[object] = maker.field(default_factory=list, hash=False, repr=False)

    @maker.dataclass(slots=True)
    class Count:
        one: int
        double: int = maker.field(init=False)
        all: dict[str, int] = maker.field(default_factory=dict, init=False)

        def __post_init__(self):
            self.double = 2 * self.one

    @maker.dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
    class Thing:
        inner: object

        def __hash__(self):
            return 5

    @maker.dataclass
    class Open:
        value: int = maker.field(default=3)

        def __eq__(self, other):
            return True

    return Point, Named, Count, Thing, Open


@MAKERS
def test_values_are_made_compared_and_shown_alike(maker):
    point, named, count, thing, open_ = values(maker)
    assert (point(1), point(1) == point(1, 2), point(1) == named(x=1)) == (point(1, 2), True, False)
    assert hash(point(1)) == hash((1, 2))
    assert hash(named(1, more=[])) == hash((1, 2))
    assert named(1, name="a") == named(1, name="b") != named(1, more=[1])
    assert repr(named(1, 3, name="a", more=[2])).endswith("Named(x=1, y=3, name='a')")
    assert (count(4).double, count(4).all, count(4) == count(4)) == (8, {}, True)
    assert count(1).all is not count(1).all
    assert (open_(), open_.value, open_(9).value) == (open_(1), 3, 9)
    assert thing(1) != thing(1)
    assert hash(thing(1)) == 5
    kept = thing(1)
    assert weakref.ref(kept)() is kept
    around = []
    around.append(thing(around))
    assert repr(around[0]).endswith("Thing(inner=[...])") or "inner=[" in repr(around[0])
    with pytest.raises(TypeError):
        named(1, 2, "a")
    for cls in (count, open_):
        with pytest.raises(TypeError, match="unhashable"):
            hash(cls(1))
    with pytest.raises(TypeError):
        count(1, 2)


@MAKERS
@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge"])
def test_what_has_an_order_has_that_of_its_fields(maker, name):
    point, named, *_ = values(maker)
    compare = getattr(operator, name)
    for other in ((1, 2), (0, 9), (1, 3)):
        assert compare(point(1, 2), point(*other)) == compare((1, 2), other)
    with pytest.raises(TypeError):
        compare(point(1), 1)
    with pytest.raises(TypeError):
        compare(point(1), named(1))


@MAKERS
def test_what_is_frozen_stays_as_it_is(maker):
    point, named, *_ = values(maker)
    for value in (point(1), named(1)):
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
            value.x = 1
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
            del value.x


def test_a_class_below_one_that_is_frozen_may_have_what_changes():
    point, *_ = values(late_dataclasses)  # the library of Python 3.11 refuses it with another error

    class More(point):
        pass

    more = More(1)
    more.z = 3
    assert more.z == 3
    del more.z
    with pytest.raises(dataclasses.FrozenInstanceError):
        more.x = 3


@MAKERS
def test_the_library_knows_the_values(maker):
    point, named, count, *_ = values(maker)
    assert dataclasses.is_dataclass(point)
    assert dataclasses.asdict(named(1, name="a")) == {"x": 1, "y": 2, "name": "a", "more": []}
    for replace in (dataclasses.replace, maker.replace):
        assert replace(named(1, more=[7]), y=5) == named(1, 5, more=[7])
        with pytest.raises((TypeError, ValueError), match="double"):  # by the version
            replace(count(1), double=3)
        with pytest.raises(TypeError):
            replace(point(1), z=3)

    @dataclasses.dataclass
    class Foreign:
        a: int = 1

    assert maker.replace(Foreign(), a=2) == Foreign(2)
    with pytest.raises(TypeError):
        maker.replace(3, a=2)

    @dataclasses.dataclass(frozen=True)
    class Below(named):
        last: int = 0

    assert dataclasses.asdict(Below(1, last=4))["last"] == 4
    with pytest.raises(TypeError, match="frozen"):
        dataclasses.dataclass(type("Thawed", (point,), {"__annotations__": {"a": "int"}}))
    match named(4, 5, name="b"):
        case named(x, y, name="b"):
            assert (x, y) == (4, 5)


@late_dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """Where pickle finds it."""

    a: int
    b: str = "b"


def test_values_are_copied_and_pickled():
    for made in (copy.copy(Kept(1)), copy.deepcopy(Kept(1)), pickle.loads(pickle.dumps(Kept(1)))):
        assert made == Kept(1)


def test_a_base_s_method_is_found_from_below():
    @late_dataclasses.dataclass(slots=True)
    class Above:
        a: int

    @late_dataclasses.dataclass(slots=True)
    class Below(Above):
        b: int = 0

        def again(self, a):
            super(type(self), self).__init__(a)
            return self

    assert Below(1, 2).again(5) == Below(5, 2)


def test_a_method_is_written_when_it_is_called_and_once(monkeypatch):
    written = []
    real = late_class._written

    def write(cls, name, *rest):
        written.append(name)
        return real(cls, name, *rest)

    monkeypatch.setattr(late_class, "_written", write)
    point, *_ = values(late_dataclasses)
    assert written == []
    assert isinstance(point(1), point)
    assert point(1) == point(1)
    assert written == ["__init__", "__eq__"]
    assert isinstance(point.__dict__["__init__"], FunctionType)


@MAKERS
@pytest.mark.parametrize("kw_only", [True, False])
def test_classes_that_are_alike_keep_their_names_and_defaults(maker, kw_only):
    """Also where one has been made before another is."""

    @maker.dataclass(frozen=True, slots=True, kw_only=kw_only)
    class Near:
        left: int
        right: int = 1
        more: list[int] = maker.field(default_factory=list)

    @maker.dataclass(frozen=True, slots=True, kw_only=kw_only)
    class Far:
        top: str
        bottom: str = "b"
        names: set[str] = maker.field(default_factory=set)

    for _ in range(2):
        near, far = Near(left=0), Far(top="t")
        assert (near.left, near.right, near.more) == (0, 1, [])
        assert (far.top, far.bottom, far.names) == ("t", "b", set())
        assert Far(names={"n"}, bottom="", top="") != far != Far(top="u")
        with pytest.raises(TypeError, match="left"):
            Far(left=0)
        with pytest.raises(TypeError, match="top"):
            Far(bottom="b")


@MAKERS
def test_a_default_that_all_would_share_is_refused(maker):
    with pytest.raises(ValueError, match="default"):
        maker.dataclass(type("Shared", (), {"__annotations__": {"a": "list[int]"}, "a": []}))


def test_nothing_of_the_house_makes_a_class_by_the_library():
    given = {
        (dotted(path), name.name)
        for path in sources(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("dataclasses", "typing")
        for name in node.names
    }
    own = {*late_dataclasses.__all__, *late_tuples.__all__}
    passed_on = ("protocol.late_dataclasses", "protocol.late_tuples")
    assert [
        (module, name) for module, name in sorted(given) if name in own and module not in passed_on
    ] == []


class Span(late_tuples.NamedTuple):
    """Where pickle finds it."""

    first: int
    last: int = 9

    @property
    def length(self) -> int:
        return self.last - self.first

    @classmethod
    def of(cls, count: int) -> Span:
        return cls(0, count)


def test_a_named_tuple_is_a_tuple_with_what_its_class_says():
    assert (Span(3), Span.of(4), Span(3).length) == ((3, 9), (0, 4), 6)
    assert (Span(last=5, first=1)._replace(first=2), repr(Span(3))) == (
        (2, 5),
        "Span(first=3, last=9)",
    )
    for made in (copy.copy(Span(1)), pickle.loads(pickle.dumps(Span(1)))):
        assert (made, type(made)) == ((1, 9), Span)
    with pytest.raises(TypeError):
        Span()
    with pytest.raises(AttributeError):
        Span(1).first = 2
