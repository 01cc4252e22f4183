"""The line of every key, beside tomllib's values."""

import tomllib

import pytest

from heapwire.kernel.description import key_lines, shipped
from heapwire.kernel.description.toml.toml_position import line_of

TEXT = '''# a comment with [brackets] and = signs
top = 1
"quoted key" = "a # no comment"
dotted.'inner key' = """
two = 2
[not a header]
"""

[table]   # a comment
list = [
  "one",  # first ]
  [2, 3],

  { name = "four", deep = { five = [5] } },
]
escaped = "a \\" quote"
literal = 'back\\slash'
many = """quotes ""inside"" and one more\""""

[[array]]
name = "first"
[[array.inner]]
x = 1
[[array.inner]]
x = 2
[array.table]
y = 3

[[array]]
name = "second"
  [[array.inner]]
  x = 1979-05-27T07:32:00Z
[table.sub."a.b"]
z = -inf
'''

EXPECTED = {
    ("top",): 2,
    ("quoted key",): 3,
    ("dotted",): 4,
    ("dotted", "inner key"): 4,
    ("table",): 9,
    ("table", "list"): 10,
    ("table", "list", 0): 11,
    ("table", "list", 1): 12,
    ("table", "list", 1, 1): 12,
    ("table", "list", 2): 14,
    ("table", "list", 2, "name"): 14,
    ("table", "list", 2, "deep", "five", 0): 14,
    ("table", "escaped"): 16,
    ("table", "literal"): 17,
    ("table", "many"): 18,
    ("array",): 20,
    ("array", 0): 20,
    ("array", 0, "name"): 21,
    ("array", 0, "inner", 0): 22,
    ("array", 0, "inner", 0, "x"): 23,
    ("array", 0, "inner", 1, "x"): 25,
    ("array", 0, "table", "y"): 27,
    ("array", 1): 29,
    ("array", 1, "name"): 30,
    ("array", 1, "inner", 0, "x"): 32,
    ("table", "sub"): 33,
    ("table", "sub", "a.b"): 33,
    ("table", "sub", "a.b", "z"): 34,
}


@pytest.mark.parametrize(("path", "line"), EXPECTED.items(), ids=str)
def test_a_path_has_its_line(path, line):
    assert key_lines(TEXT)[path] == line


def paths(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def test_every_path_is_found_and_no_other():
    assert set(key_lines(TEXT)) == set(paths(tomllib.loads(TEXT)))


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_ends_of_either_kind(ending):
    text = ending.join(["a = 1", "", "[b]", "c = [", "  1,", "]"])
    assert key_lines(text)["b", "c", 0] == 5


@pytest.mark.parametrize("name", shipped())
def test_shipped_files_are_found_whole(name, platform_text):
    text = platform_text(name)
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_what_is_not_there_has_the_line_of_what_is_around_it():
    lines = key_lines(TEXT)
    assert line_of(lines, ("array", 1, "nothing", 3)) == 29
    assert line_of(lines, ("nothing",)) == 1
