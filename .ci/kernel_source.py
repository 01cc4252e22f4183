"""A tree of the kernel's source: where a symbol is, and what a C expression comes to.

No C compiler is asked, because drivers of all architectures are read. What is
understood is what tables are made of: definitions of macros, initialisers, and
the text of a function.
"""

from __future__ import annotations

import ast
import contextlib
import operator
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Where names that drivers share are defined.
_SHARED = (
    "include/uapi/drm/drm_fourcc.h",
    "include/drm/drm_fourcc.h",
    "include/uapi/linux/videodev2.h",
    "include/linux/sizes.h",
    "include/drm/drm_atomic_helper.h",
)
_BUILT_IN = {
    "BIT": (("n",), "(1 << (n))"),
    "BIT_ULL": (("n",), "(1 << (n))"),
    "INT_MAX": (None, "0x7fffffff"),
    "DMA_BIT_MASK": (("n",), "((1 << (n)) - 1)"),
    **dict.fromkeys(("ALIGN", "DIV_ROUND_UP", "round_up", "roundup"), (("x", "to"), "(to)")),
}
_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
_DEFINE = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?[ \t]*((?:.*\\\n)*.*)", re.MULTILINE
)
_NAME = re.compile(r"\b[A-Za-z_]\w*")
_MOST_STEPS = 40  # macros inside macros
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
PLACE = re.compile(r"([\w./+-]+\.(?:c|h|dtsi?)): ([\w-]+)(?:\[(\w+)\])?(?:: (.+))?", re.DOTALL)
"""How a row says where it was read: file, symbol, entry of a table, and text."""
_RELEASED = r"[\w-]+ \d[\w.]*|[\w-]+(?:/[\w.-]+)+(?: [\w.-]+)?"
ELSEWHERE = re.compile(rf"(?:{_RELEASED}), {PLACE.pattern}", re.DOTALL)
"""The same of another source, `Mesa 25.0.7, FILE: SYMBOL`: a release, or a repository."""

Macro = tuple[tuple[str, ...] | None, str]


class SourceError(Exception):
    """The source does not have what was looked for; the message says what."""


class KernelSource:
    """One unpacked tree."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.text = cache(self._text)
        self.macros = cache(self._macros)

    def _text(self, file: str) -> str:
        """A file without comments; raises `SourceError` if it is not there."""
        try:
            raw = (self.root / file).read_text("utf-8", "replace")
        except OSError as error:
            raise SourceError(f"{file} cannot be read: {error.strerror}") from error
        return _COMMENT.sub(lambda found: found[1] or " ", raw)

    def region(self, file: str, symbol: str, entry: str = "") -> str:
        """The text of a macro, function, table or node; of the one entry that has a word."""
        macro = self._own_macros(file).get(symbol)
        if macro is not None:
            return macro[1]
        text = self.text(file)
        best: tuple[int, str] | None = None
        for found in re.finditer(rf"\b{re.escape(symbol)}\b[^;{{}}]*\{{", text):
            depth = text.count("{", 0, found.start()) - text.count("}", 0, found.start())
            if best is None or depth < best[0]:
                end = _closing(text, found.end() - 1)
                best = depth, text[found.start() : end + 1]
                if depth == 0:
                    break
        if best is None:
            raise SourceError(f"{file} has no {symbol}")
        return _entry(best[1], entry, f"{symbol} of {file}") if entry else best[1]

    def quoted(self, file: str, symbol: str, entry: str, text: str) -> str:
        """What is quoted of a region; `SourceError` if the text does not stand there."""
        region = self.region(file, symbol, entry)
        if text and squeezed(text) not in squeezed(region):
            raise SourceError(f"{symbol} does not say {text!r}")
        return text or region

    def value(self, file: str, expression: str) -> int:
        """What a constant expression comes to; raises `SourceError` if it is none."""
        text = self.expanded(file, expression)
        plain = re.sub(r"\(\s*(?:__u64|__u32|u64|u32|int|unsigned int|unsigned)\s*\)", "", text)
        plain = re.sub(r"'(.)'", lambda char: str(ord(char[1])), plain)
        plain = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", plain).replace("/", "//")
        try:
            return _evaluated(ast.parse(plain.strip(), mode="eval").body)
        except (SyntaxError, ValueError, KeyError, MemoryError) as error:
            raise SourceError(f"{expression} is no number that can be worked out") from error

    def expanded(self, file: str, expression: str) -> str:
        """An expression with its macros put in."""
        macros = self.macros(file)
        text = expression
        for _ in range(_MOST_STEPS):
            for found in _NAME.finditer(text):
                macro = macros.get(found[0])
                if macro is None:
                    continue
                parameters, body = macro
                end = found.end()
                if parameters is not None:
                    if text[end : end + 1] != "(":
                        continue
                    close = _closing(text, end, "()")
                    arguments = _split(text[end + 1 : close])
                    body = _filled(body, parameters, arguments)
                    end = close + 1
                text = f"{text[: found.start()]}({body}){text[end:]}"
                break
            else:
                return text
        raise SourceError(f"{expression} does not end")

    def numbers(self, file: str, text: str) -> set[int]:
        """Every number that stands in a text: by itself, by a name, or by a constant expression.

        What a number is rounded to stands for the rounding, a mask for what it masks, what
        something is shifted by for what that divides by, each bound of a `min` for itself, and
        what is refused from a number on (`>=`) for the number below, and what holds above one
        (`>`) for the next.
        """
        parts = re.findall(r"\b0[xX][0-9a-fA-F]+\b|\b\d+\b|\b[A-Z_][A-Z0-9_]*\b", text)
        for found in re.finditer(r"=|\b\w+(?=\()|\breturn\b", text):
            start = found.end() if found[0] in ("=", "return") else found.start()
            clause = _split(text[start:], ",;{}")[0]
            parts.append(clause)
            if found[0] not in ("=", "return"):
                close = text.find("(", start)
                call = text[start : _closing(text, close, "()") + 1]
                parts.append(call)
                if found[0] in ("min", "max"):  # each is a bound by itself
                    parts += _split(call[len(found[0]) + 1 : -1])
        parts += [f"1 << {by}" for by in re.findall(r"(?:>>|<<)\s*(\w+)", text)]
        parts += [f"{refused} - 1" for refused in re.findall(r">=\s*(\w+)", text)]
        parts += [f"{above} + 1" for above in re.findall(r"(?<![->])>\s*(\w+)", text)]
        numbers: set[int] = set()
        for part in parts:
            with contextlib.suppress(SourceError):
                numbers.add(self.value(file, part))
        return numbers | {number + 1 for number in numbers if number & number + 1 == 0}

    def _own_macros(self, file: str) -> dict[str, Macro]:
        macros: dict[str, Macro] = {}
        for name, parameters, body in _DEFINE.findall(self.text(file)):
            named = tuple(p.strip() for p in parameters[1:-1].split(",")) if parameters else None
            macros[name] = named, " ".join(body.replace("\\\n", " ").split())
        return macros

    def _macros(self, file: str) -> dict[str, Macro]:
        """Macros that a file may use: the shared ones, its headers' and its own."""
        macros: dict[str, Macro] = dict(_BUILT_IN)
        for shared in _SHARED:
            macros.update(self._own_macros(shared))
        for header in self._headers(file, set()):
            macros.update(self._own_macros(header))
        macros.update(self._own_macros(file))
        return macros

    def _headers(self, file: str, seen: set[str]) -> Iterator[str]:
        folder = Path(file).parent
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', self.text(file), re.MULTILINE):
            for base in (folder, folder.parent, folder.parent / "common"):
                header = str(base / name)
                if header not in seen and (self.root / header).is_file():
                    seen.add(header)
                    yield from self._headers(header, seen)
                    yield header


def squeezed(text: str) -> str:
    """A text with blanks only where they tell words apart, so that line breaks do not count."""
    return re.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(text.split()))


def elements(table: str) -> list[str]:
    """The elements of the initialiser of an array."""
    start = table.index("{")
    return [one for one in _split(table[start + 1 : _closing(table, start)]) if one]


def statement_after(text: str, start: int) -> tuple[str, str]:
    """A condition, the bracket of which opens at `start`, and the statement that it is for."""
    close = _closing(text, start, "()")
    begin = close + 1 + len(text[close + 1 :]) - len(text[close + 1 :].lstrip())
    end = _closing(text, begin) if text[begin] == "{" else text.find(";", begin)
    return text[start + 1 : close], text[begin : end + 1]


def _entry(region: str, word: str, where: str) -> str:
    for found in re.finditer(rf"\b{re.escape(word)}\b", region):
        depth = 0
        for at in range(found.start(), -1, -1):
            depth += {"}": 1, "{": -1}.get(region[at], 0)
            if depth < 0:
                return region[at : _closing(region, at) + 1]
    raise SourceError(f"{where} has no entry with {word}")


def _closing(text: str, start: int, pair: str = "{}") -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += {pair[0]: 1, pair[1]: -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise SourceError("a bracket has no end")


def _split(text: str, ends: str = ",") -> list[str]:
    """At the commas that are in no bracket, or at other ends; up to one that nothing opened."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(char, 0)
        if depth < 0:
            return [*parts, text[start:at].strip()]
        if char in ends and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def _filled(body: str, parameters: tuple[str, ...], arguments: list[str]) -> str:
    if len(parameters) != len(arguments):
        raise SourceError(f"{body} takes {len(parameters)} arguments")
    values = dict(zip(parameters, arguments, strict=True))
    glued = re.sub(
        r"(\w+)\s*##\s*(\w+)",
        lambda pair: values.get(pair[1], pair[1]) + values.get(pair[2], pair[2]),
        body,
    )
    return _NAME.sub(lambda name: values.get(name[0], name[0]), glued)


def _evaluated(node: ast.AST) -> int:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_evaluated(left), _evaluated(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluated(operand)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return ~_evaluated(operand)
    raise ValueError(ast.dump(node))
