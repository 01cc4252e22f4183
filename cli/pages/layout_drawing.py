"""A plan's layout drawn in HTML: a box for each object, with its planes in their places."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from heapwire.cli.terminal import documents
from heapwire.protocol.explain import Document
from heapwire.protocol.values import FORMATS, LINEAR, PlaneFormat, parse_fourcc

DRAWING_STYLE = """
.bar { display: flex; height: 2.2rem; margin: .5rem 0; border: 1px solid var(--line);
  border-radius: .25rem; overflow: hidden; }
.bar span { min-width: 2px; padding: .35rem 0; overflow: hidden; text-align: center;
  white-space: nowrap; font-size: .875rem; border-right: 1px solid var(--card); }
.bar .plane { background: var(--mark); color: var(--card); }
.bar .gap { background: repeating-linear-gradient(45deg, var(--line) 0 4px, var(--card) 4px 8px); }
"""
"""What `drawn_objects` wants of a page's style, which has the colours --line, --card and --mark."""


def drawn_objects(plan: Document) -> str:
    """The objects of a plan, each as a card."""
    planes = [*enumerate(documents(plan["planes"]))]
    cards = []
    for number, entry in enumerate(documents(plan["objects"])):
        inner = [(index, plane) for index, plane in planes if plane["object"] == number]
        inner.sort(key=lambda one: _number(one[1], "offset"))
        size = _number(entry, "size")
        cards.append(
            f'<div class="card chosen object"><h3>{escape(source_name(entry))}</h3>'
            f'<p class="dim">object {number}, {size} bytes</p>'
            f"{_bar(plan, size, inner)}<ul>{''.join(_lines(plan, inner))}</ul></div>"
        )
    return "".join(cards)


def _bar(plan: Document, size: int, planes: list[tuple[int, Document]]) -> str:
    """What lies where in an object, each part as wide as it has bytes."""
    edges = [_number(plane, "offset") for _, plane in planes] + [size]
    parts = [_part("gap", edges[0], "")] if edges[0] else []
    for (index, plane), (start, end) in zip(planes, pairwise(edges), strict=True):
        used = min(_bytes(plan, index, plane) or end - start, end - start)
        parts.append(_part("plane", used, f"plane {index}"))
        if used < end - start:
            parts.append(_part("gap", end - start - used, ""))
    return f'<div class="bar" aria-hidden="true">{"".join(parts)}</div>'


def _part(kind: str, size: int, text: str) -> str:
    return f'<span class="{kind}" style="flex:{size} 1 0" title="{size} bytes">{text}</span>'


def _lines(plan: Document, planes: list[tuple[int, Document]]) -> Iterator[str]:
    for index, plane in planes:
        pitch = _number(plane, "pitch")
        text = f"plane {index}: offset {plane['offset']}, pitch {pitch}"
        format_ = _format(plan, index)
        if format_ is not None:
            width, _ = _extent(plan)
            spare = pitch - format_.row_bytes(width)
            text += f", of which {spare} are padding" if spare > 0 else ""
        yield f"<li>{text}</li>"


def _bytes(plan: Document, index: int, plane: Document) -> int | None:
    """Those of a plane in rows; None for any other, which has all up to the next."""
    format_ = _format(plan, index)
    return None if format_ is None else _number(plane, "pitch") * format_.rows(_extent(plan)[1])


def _format(plan: Document, index: int) -> PlaneFormat | None:
    """How a plane's pixels lie, where they lie in rows."""
    if plan["modifier"] != f"{LINEAR:#x}":
        return None
    known = FORMATS.get(parse_fourcc(str(plan["fourcc"])))
    return None if known is None else known.planes[index]


def _extent(plan: Document) -> tuple[int, int]:
    extent = plan["extent"]
    assert isinstance(extent, dict)
    return _number(extent, "width"), _number(extent, "height")


def _number(document: Document, key: str) -> int:
    number = document[key]
    assert isinstance(number, int)
    return number


def source_name(entry: Document) -> str:
    """Of which source an object of a plan is."""
    source = entry["source"]
    assert isinstance(source, dict)
    return str(source["name"])
