"""Check whether a compositor keeps to linux-dmabuf, and to what extends it."""

from __future__ import annotations

import argparse

from heapwire.cli.arguments import (
    add_json,
    add_platform,
    add_schema,
    add_timeout,
    is_local,
    output_file,
)
from heapwire.cli.terminal import DONE, FAILED, SCHEMA_VERSION, say, show, slip
from heapwire.client_lib.compliance import (
    Case,
    Outcome,
    Result,
    cases_named,
    junit,
    result_document,
    result_line,
    run_cases,
    socket_path,
    total_line,
    totals,
)
from heapwire.kernel.description import Platform
from heapwire.protocol import InputError
from heapwire.protocol.explain import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire check`."""
    parser.add_argument(
        "cases",
        metavar="CASE",
        nargs="*",
        help="names of cases, or patterns such as 'params/*' or '*/v5' (default: all)",
    )
    parser.add_argument("--list", action="store_true", help="say what the cases are, and end")
    parser.add_argument(
        "--junit", metavar="FILE", type=output_file, help="write the results as JUnit XML as well"
    )
    add_platform(parser)
    add_timeout(parser)
    add_json(parser)
    add_schema(parser, "check")


def run(options: argparse.Namespace) -> int:
    """Run the cases against the compositor of `$WAYLAND_DISPLAY`; 1 if one failed."""
    try:
        cases = cases_named(options.cases)
    except InputError as error:
        raise slip(options, str(error)) from None
    if options.list:
        show(_list_document(cases), _render_list, as_json=options.json)
        return DONE
    path, platform = socket_path(), _platform(options.platform)
    results: list[Result] = []
    try:
        for result in run_cases(cases, path, platform, timeout=options.timeout):
            results.append(result)
            if not options.json:
                say(result_line(result))
    finally:  # after Ctrl-C as well, which says what was seen so far
        if results:
            _end(results, len(cases), options)
    return FAILED if any(one.outcome is Outcome.FAIL for one in results) else DONE


def _platform(name: str | None) -> Platform:
    """Whose memory the buffers come from: this machine's heaps, or simulated ones."""
    if name is not None and not is_local(name):
        return Platform.load(name)
    from heapwire.kernel.discovery import local_platform

    return local_platform()


def _end(results: list[Result], planned: int, options: argparse.Namespace) -> None:
    if options.junit is not None:
        options.junit.write(junit(results))
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "planned": planned,
        "totals": totals(results),
        "results": [result_document(one) for one in results],
    }
    show(document, lambda _: total_line(results), as_json=options.json)


def _list_document(cases: tuple[Case, ...]) -> Document:
    return {
        "schema_version": SCHEMA_VERSION,
        "cases": [{"case": case.name, "says": case.says} for case in cases],
    }


def _render_list(document: Document) -> str:
    listed = document["cases"]
    assert isinstance(listed, list)
    return "\n".join(f"{one['case']}: {one['says']}" for one in listed if isinstance(one, dict))
