"""Allocate one buffer by a plan, show it, and fill or write it if asked."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from heapwire.cli.arguments import (
    MOST_ASKED,
    add_json,
    add_question,
    add_schema,
    asked_problem,
    load_platform,
    output_file,
)
from heapwire.cli.terminal import DONE, FAILED, documents, show
from heapwire.client_lib import AllocationError
from heapwire.client_lib.buffers import Buffer, allocate, check_planes
from heapwire.kernel.memory import Memory
from heapwire.protocol import FileError, shown, words_of
from heapwire.protocol.explain import Document, Json, explain_document, render_explain, solve
from heapwire.protocol.values import FORMATS, LINEAR, Answer, Extent, Plan

_BYTE = 0xFF


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire allocate`."""
    add_question(
        parser,
        such_as="codec:decode",
        default="the platform's decoder, display and GPU",
        most_buffers=MOST_ASKED,
    )
    parser.add_argument(
        "--fill",
        metavar="BYTE|FILE",
        type=_filling,
        help="write this number, 0 to 255, to each byte of the picture, or the raw picture of a "
        "file: the rows of plane 0, then those of the next, without padding",
    )
    parser.add_argument(
        "--dump", metavar="FILE", type=output_file, help="write the raw picture that is in it then"
    )
    add_json(parser)
    add_schema(parser, "allocate")


def run(options: argparse.Namespace) -> int:
    """Plan, allocate from this process's own memory, and let go of it; 1 if there is no plan."""
    platform = load_platform(options.platform)
    problem = asked_problem(options, platform)
    answer = solve(problem)
    document = explain_document(problem, answer)
    if not answer.plans:
        show(document, render_explain, as_json=options.json)
        return FAILED
    rows = options.fill is not None or options.dump is not None
    with _allocated(answer, platform.memory, rows=rows) as buffer:
        size: Extent = options.size
        if options.fill is not None:
            _fill(buffer, size, _content(options.fill, _picture_bytes(buffer.plan, size)))
        if options.dump is not None:
            options.dump.write(_picture(buffer, size))
        number = answer.plans.index(buffer.plan)
        plan = documents(document["plans"])[number]
        told: Document = {
            "schema_version": document["schema_version"],
            "plan": plan,
            "plan_number": number,
            "picture_bytes": _picture_bytes(buffer.plan, size) if rows else None,
            "buffers": _objects(buffer, plan),
        }
        show(told, _render, as_json=options.json)
    return DONE


def _allocated(answer: Answer, memory: Memory, *, rows: bool) -> Buffer:
    """A buffer of the best plan that can be followed; raises what the best one met with."""
    first: AllocationError | None = None
    for plan in answer.plans:
        try:
            if rows:
                _check_rows(plan)
            return allocate(plan, memory)
        except AllocationError as error:
            first = first or error
    assert first is not None, "there is a plan"
    raise first


def _check_rows(plan: Plan) -> None:
    """`AllocationError` if the pixels of a plan are not in rows that its layout tells."""
    check_planes(plan)
    if plan.modifier != LINEAR:
        raise AllocationError("only rows can be filled and written, and the plan has tiles")


def _picture_bytes(plan: Plan, size: Extent) -> int:
    """Bytes of a raw picture: its rows without padding."""
    return sum(
        kind.rows(size.height) * kind.row_bytes(size.width) for kind in FORMATS[plan.fourcc].planes
    )


def _filling(text: str) -> int | str:
    """A byte, or the name of a file."""
    digits = text.removeprefix("-")
    if not digits.isdecimal() and not digits.lower().startswith("0x"):
        return text
    with contextlib.suppress(ValueError):
        number = int(text, 0)
        if 0 <= number <= _BYTE:
            return number
    raise argparse.ArgumentTypeError(f"{shown(text)}: a byte is a number from 0 to {_BYTE}")


def _content(fill: int | str, size: int) -> bytes:
    """What to fill a picture of `size` bytes with."""
    if isinstance(fill, int):
        return bytes((fill,)) * size
    try:
        with Path(fill).open("rb") as file:
            content = file.read(size + 1)
    except OSError as error:
        raise FileError(fill, words_of(error)) from None
    if len(content) != size:
        what = "more" if len(content) > size else f"only {len(content)}"
        raise FileError(fill, f"the picture has {size} bytes, and the file has {what}")
    return content


def _rows(buffer: Buffer, size: Extent) -> Iterator[memoryview]:
    """The rows of the picture in the mapped planes, in the order of a raw picture."""
    kinds = FORMATS[buffer.plan.fourcc].planes
    with buffer.planes() as planes:
        for plane, kind in zip(planes, kinds, strict=True):
            length = kind.row_bytes(size.width)
            for row in range(kind.rows(size.height)):
                start = row * plane.pitch
                yield plane.memory[start : start + length]


def _fill(buffer: Buffer, size: Extent, content: bytes) -> None:
    start = 0
    for row in _rows(buffer, size):
        row[:] = content[start : start + len(row)]
        start += len(row)


def _picture(buffer: Buffer, size: Extent) -> bytes:
    return b"".join(bytes(row) for row in _rows(buffer, size))


def _objects(buffer: Buffer, plan: Document) -> list[Json]:
    """The dma-bufs: what the plan says, and what came of it."""
    return [
        {
            **said,
            "allocated": dma_buf.size,
            "inode": os.fstat(dma_buf.fd).st_ino,
            "name": dma_buf.name,
        }
        for dma_buf, said in zip(buffer.objects, documents(plan["objects"]), strict=True)
    ]


def _render(document: Document) -> str:
    """The buffer for people: its plan as explain shows it, and what was allocated."""
    plan: Document = {"plans": [document["plan"]], "conflict": [], "failures": [], "sources": []}
    lines = [render_explain(plan)]
    for index, one in enumerate(documents(document["buffers"])):
        lines.append(f"allocated object {index}: {one['allocated']} bytes, inode {one['inode']}")
    return "\n".join(lines)
