"""What a person's file may not say, or not at such length: a line with its place for each."""

from __future__ import annotations

import os

import pytest

from heapwire.compositor_plugin import Policy
from heapwire.kernel.description import Platform, TomlFileError, json_excess, read_text_file
from heapwire.protocol import FileError, InputError
from heapwire.protocol.values import FormatModifier, Usage, parse_fourcc

DEVICE = """\
[[device]]
name = "display"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["NV12"]
"""


def faults(text, kind=Platform):
    with pytest.raises(TomlFileError) as caught:
        kind.parse(text, file="board.toml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("board.toml:") for line in lines)
    assert max(map(len, lines)) < 1000
    return lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "board.toml:1: the file is empty: a machine has [[memory]] and [[device]]"),
        ("# nothing\n", "board.toml:1: the file is empty"),
        ('name = ""\n' + DEVICE, ":1: name: '' says nothing"),
        ('name = " "\n' + DEVICE, ":1: name: ' ' says nothing"),
        (DEVICE.replace('"display"', '"\\t"', 1), "device[0].name: '\\t' says nothing"),
        (DEVICE.replace("NV12", ""), ":7: device[0].use[0].set[0].formats[0]: '' says nothing"),
        (DEVICE.replace('["NV12"]', '""'), ":7: device[0].use[0].set[0].formats[0]: '' says noth"),
        ('[[memory]]\nname = "a"\narea = "  "', ":3: memory[0].area: '  ' says nothing"),
        (
            DEVICE + 'constraints = [{ type = "pitch-alignment", value = 4, planes = [] }]',
            ":8: device[0].use[0].set[0].constraints[0].planes: the list is empty",
        ),
        (
            DEVICE.replace("[[device.use]]", "kms-planes = []\n[[device.use]]"),
            ":4: device[0].kms-planes: the list is empty",
        ),
        (DEVICE.replace('"scanout"', "[]"), ":5: device[0].use[0].usage: the list is empty"),
        (DEVICE.replace('["NV12"]', "[]"), ":7: device[0].use[0].set[0].formats: the list is em"),
        (DEVICE + "modifiers = []\n", ":8: device[0].use[0].set[0].modifiers: the list is empty"),
        (DEVICE.replace("NV12", "NV99"), "formats[0]: there is no format 'NV99' in drm_fourcc.h"),
        (DEVICE.replace("NV12", "nv99"), "formats[0]: there is no format 'nv99' in drm_fourcc.h"),
        (
            DEVICE + 'constraints = [{ type = "pitch-alignment", value = 4, planes = [0, 2] }]',
            ":8: device[0].use[0].set[0].constraints[0].planes[1]: no format here has a plane 2",
        ),
        (
            DEVICE.replace(
                "[[device.use.set]]",
                'constraints = [\n{ type = "padding", value = 4, planes = [3] }]\n'
                "[[device.use.set]]",
            ),
            ":7: device[0].use[0].constraints[0].planes[0]: no format here has a plane 3",
        ),
        (DEVICE.replace('"display"', '"dis/play"', 1), ":2: device[0].name: 'dis/play' has a '/'"),
        ('name = "a/b"\n' + DEVICE, ":1: name: 'a/b' has a '/'"),
        ('[[memory]]\nname = "../cma"', ":2: memory[0].name: '../cma' has a '/'"),
        (
            '[[memory]]\nname = "cma"\naddresses = { base = 4096, size = 0 }',
            ":3: memory[0].addresses: the range has a size of 0",
        ),
        (
            '[[memory]]\nname = "cma"\ncapacity = "96 MiB"\n'
            'addresses = { base = 0, size = "64 MiB" }',
            ":3: memory[0].capacity: 96 MiB is more than the 64 MiB of its addresses",
        ),
        ('[[memory]]\nname = "cma"\ncapacity = 0', ":3: memory[0].capacity: a memory of 0 bytes"),
        (
            '[[memory]]\nname = "cma"\ncapacity = "20000000 TiB"',
            ":3: memory[0].capacity: '20000000 TiB' does not fit 64 bits",
        ),
        ('[[memory]]\nname = "a"\ncapacity = "0x_"', ":3: memory[0].capacity: '0x_' has no digits"),
        ('[[memory]]\nname = "a"\nnuma-node = 1024', "1024 is not a whole number from 0 to 1023"),
        (
            '[[memory]]\nname = "a"\nkind = "udmabuf"\n[[memory]]\nname = "b"\nkind = "udmabuf"',
            ":6: memory[1].kind: there is a memory of udmabuf already",
        ),
        (
            DEVICE + 'constraints = [{ type = "peer-link", value = ["display", 3] }]',
            "constraints[0].value: peer-link: ['display', 3] is not a list of names of devices",
        ),
        *(
            (
                DEVICE + f'constraints = [{{ type = "{name}", value = {{ display = {number} }} }}]',
                f"{name}: {number} says nothing of display: write a list of devices",
            )
            for name, number in (("same-numa-node", 2), ("peer-link", 1), ("not-local", 99))
        ),
        (
            DEVICE.replace(
                '"display"\n[[', '"display"\nkms-planes = [{name = "p"}, {name = "p"}]\n[['
            ),
            ":4: device[0].kms-planes[1].name: there is a plane 'p' already",
        ),
    ],
)  # fmt: skip
def test_a_platform_file_says_something_that_can_be(text, said):
    (line,) = faults(text)
    assert said in line


def test_a_format_from_later_is_written_as_its_number():
    number = parse_fourcc("S010")
    assert f"written as its number, {number:#010x}" in faults(DEVICE.replace("NV12", "S010"))[0]
    platform = Platform.parse(DEVICE.replace("NV12", f"{number:#x}"))
    (one,) = platform.device("display").sets[Usage.SCANOUT]
    assert one.formats == (FormatModifier(number, 0),)


@pytest.mark.parametrize("planes", [2, 3])
def test_a_modifier_of_its_drivers_own_may_add_planes(planes):
    row = f'constraints = [{{ type = "pitch-alignment", value = 64, planes = [{planes}] }}]'
    Platform.parse(f'{DEVICE}modifiers = ["INTEL_Y_TILED_CCS"]\n{row}')
    Platform.parse(f"{DEVICE.replace('NV12', 'ANY')}{row}")


@pytest.mark.parametrize(("plane", "refused"), [(0, False), (1, False), (2, True)])
def test_what_compresses_has_a_plane_beside_the_pixels(plane, refused):
    row = f'constraints = [{{ type = "pitch-alignment", value = 64, planes = [{plane}] }}]'
    text = f'{DEVICE.replace("NV12", "XRGB8888")}modifiers = ["INTEL_YF_TILED_CCS"]\n{row}'
    if refused:
        assert "has a plane 2" in faults(text)[0]
    else:
        Platform.parse(text)


MIB = 1 << 20
MANY = {
    "a dotted key": (".".join(["a"] * 20_000) + " = 1", ":1: a dotted key has more than 64 parts"),
    "quoted parts": ("\n" + '"a" . ' * 9000 + "b = 1", ":2: a dotted key has more than 64 parts"),
    "a header": (f"[{'.'.join('a' * 9000)}]", ":1: a dotted key has more than 64 parts"),
    "brackets": ("\n\na = " + "[" * 200_000, ":3: brackets stand in more than 64 others"),
    "closed brackets": (f"a = {'[' * 90}{']' * 90}", ":1: brackets stand in more than 64 others"),
    "braces": ("a = " + "{b = " * 9000, ":1: brackets stand in more than 64 others"),
    "digits": ("a = " + "9" * 5000, ":1: a number or key has more than 1000 characters"),
    "hexadecimal digits": ("a = 0x" + "f" * 5000, "a number or key has more than 1000 characters"),
    "a key": ("a" * MIB, ":1: a number or key has more than 1000 characters"),
    "strings that nobody closes": ('"""\\' * 200_000, "this is not TOML"),
    "quotes": ('"' * (MIB - 1), "this is not TOML"),
    "zeros": ("\0" * MIB, ":1: this is not TOML"),
    "tables": ("[[memory]]\n" * 90_000, ":1: memory: there are 90000 tables: 256 is the most"),
    "keys": ("".join(f"k{n} = 1\n" for n in range(90_000)), ":1: k0: this key is unknown here"),
}


@pytest.mark.parametrize("kind", [Platform, Policy])
@pytest.mark.parametrize("text", MANY)
def test_more_than_anybody_writes_is_said_in_few_lines(text, kind):
    content, said = MANY[text]
    lines = faults(content, kind)
    assert said in lines[0]
    assert len(lines) <= 101


@pytest.mark.parametrize("kind", [Platform, Policy])
def test_what_looks_like_much_in_texts_and_remarks_is_fine(kind):
    for words in ("." * 999, "[" * 999, "9" * 9999):
        with pytest.raises(TomlFileError) as caught:
            kind.parse(f"""x = '{words}' # {words}\ny = ["{words}", '''\n{words}''']""")
        assert [fault.line for fault in caught.value.faults] == [1, 2]


def test_a_policy_has_so_many_patterns():
    patterns = ", ".join(f'"a{n}"' for n in range(100_000))
    said = faults(f"[offer]\nonly = [{patterns}]", Policy)
    assert said == ["board.toml:2: offer.only: there are 100000 entries: 256 is the most"]


def test_each_format_with_each_modifier_is_so_many_pairs():
    numbers = ", ".join(f'"{n:#x}"' for n in range(1, 4000))
    said = faults(DEVICE.replace('"NV12"', numbers) + f"modifiers = [{numbers}]")
    assert "formats: with the modifiers, more than 4096 pairs" in said[0]


def test_all_sets_together_are_so_many():
    rows = '{ type = "pitch-alignment", value = 4 },' * 256
    use = f'[[device.use]]\nusage = "%s"\nconstraints = [{rows}]\n'
    sets = '[[device.use.set]]\nformats = ["NV12"]\n' * 64
    text = "".join(
        use % usage + sets for usage in ("scanout", "render", "decode", "encode", "camera")
    )
    said = faults('[[device]]\nname = "d"\nkind = "display"\n' + text)
    assert "the sets of this file have more pairs and constraints than is read" in said[0]


def test_more_heaps_than_there_are_numbers_are_an_error():
    """A heap's number is looked for among 4096, and once there was no end to the search."""
    named = (", ".join(f'"{which}-{n}"' for n in range(1000)) for which in "abcdefg")
    lists = ", ".join(f'{{ type = "permitted-sources", value = [{names}] }}' for names in named)
    said = faults(f"{DEVICE}constraints = [{lists}]")
    assert any("no machine has so many heaps" in line for line in said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbfname = 'a'", ":1: it begins with a byte order mark"),
        (b"name = 'a'\n\xff", ":2: this is not text in UTF-8"),
        (b"a" * (MIB + 1), ": it has more than 1 MiB, the most that is read"),
    ],
)
@pytest.mark.parametrize("kind", [Platform, Policy])
def test_what_is_no_text_is_said(tmp_path, content, said, kind):
    file = tmp_path / "board.toml"
    file.write_bytes(content)
    with pytest.raises(FileError) as caught:
        kind.load(file)
    assert f"{file}{said}" in str(caught.value)


@pytest.mark.parametrize("kind", [Platform, Policy])
def test_a_file_without_an_end_is_read_no_further_than_its_limit(kind):
    with pytest.raises(FileError, match="/dev/zero: it has more than 1 MiB"):
        kind.load("/dev/zero")


def test_lines_end_as_they_like(tmp_path):
    file = tmp_path / "text"
    file.write_bytes(b"a\r\nb\rc\n")
    assert read_text_file(file) == "a\nb\nc\n"


def test_a_pipe_is_read_to_its_end():
    readable, writable = os.pipe()
    with os.fdopen(readable), os.fdopen(writable, "w") as writer:
        writer.write(DEVICE)
        writer.close()
        assert Platform.load(f"/dev/fd/{readable}").device("display").name == "display"


@pytest.mark.parametrize(
    ("text", "line"),
    [('["[[[[", "\\"["]', None), ("\n" + "[" * 65, 2), ("1" * 1001, 1), ('"' + "9" * 9000, None)],
)
def test_json_is_held_to_the_same(text, line):
    excess = json_excess(text)
    assert (excess and excess.line) == line


def test_what_a_message_quotes_is_short():
    with pytest.raises(InputError) as caught:
        parse_fourcc("x" * 100_000)
    assert len(str(caught.value)) < 250


def test_a_key_of_many_letters_is_quoted_on_one_line():
    (line,) = faults(DEVICE + '[link]\n"a\\nb" = 1\n')[:1]
    assert line.startswith("board.toml:8: link")
    assert r"'a\nb'" in faults(f'{DEVICE}"a\\nb" = 1\n')[0]
