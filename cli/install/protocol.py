"""Show the protocols: where their XML is, its text, or the C that is made of it."""

from __future__ import annotations

import argparse
import tempfile
from importlib import resources
from pathlib import Path

from heapwire.cli.arguments import add_json, output_file
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, ArgumentParser, say, show, texts
from heapwire.kernel.system import tool_output
from heapwire.protocol.explain import Document
from heapwire.protocol.wire import protocol_xml

_SIDES = {"client": "client-header", "server": "server-header", "code": "private-code"}


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of `heapwire protocol`."""
    actions = parser.add_choice(title="what to do", metavar="ACTION", dest="action")
    names = [*_files()]
    summary = "Say where the XML is: of one protocol, or of each."
    path = actions.add_parser("path", help=summary, description=summary)
    path.add_argument("protocol", metavar="NAME", nargs="?", choices=names, help=", ".join(names))
    add_json(path)
    for action, summary in (
        ("xml", "Print the XML of a protocol."),
        ("header", "Print what wayland-scanner makes of a protocol."),
    ):
        made = actions.add_parser(action, help=summary, description=summary)
        made.add_argument("protocol", metavar="NAME", choices=names, help=", ".join(names))
        made.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            type=output_file,
            help="where to write it (default: print it)",
        )
        if action == "header":
            made.add_argument(
                "--for",
                dest="side",
                choices=[*_SIDES],
                default="client",
                help="the header of a client or of a server, or the code that both link "
                "(default: %(default)s)",
            )


def run(options: argparse.Namespace) -> int:
    """Print or write what was asked for."""
    if options.action == "path":
        files = _files()
        paths = [files[options.protocol]] if options.protocol else [*files.values()]
        document: Document = {
            "schema_version": SCHEMA_VERSION,
            "paths": [str(path) for path in paths],
        }
        show(document, lambda told: "\n".join(texts(told["paths"])), as_json=options.json)
        return DONE
    xml = protocol_xml(options.protocol)
    text = _scanned(xml, options.side) if options.action == "header" else xml
    if options.output is None:
        say(text, end="")
    else:
        options.output.write_text(text)
    return DONE


def _files() -> dict[str, Path]:
    """The files of the protocols, by name."""
    folder = Path(str(resources.files("heapwire.protocol").joinpath("wire/xml")))
    return {file.stem: file for file in sorted(folder.glob("*.xml"))}


def _scanned(xml: str, side: str) -> str:
    with tempfile.TemporaryDirectory(prefix="heapwire-") as folder:
        files = Path(folder, "protocol.xml"), Path(folder, "made")
        files[0].write_text(xml, "utf-8")
        tool_output("wayland-scanner", _SIDES[side], *map(str, files))
        return files[1].read_text("utf-8")
