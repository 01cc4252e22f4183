"""`explain --dot`: a graph that Graphviz reads, with all who take part and all memory."""

from __future__ import annotations

import re

import pytest

from heapwire.cli.pages.dot_graph import _quoted

STRING = r'"(?:[^"\\]|\\.)*"'
NAME = rf"(?:{STRING}|\w+)"
VALUE = rf"(?:{STRING}|[\w.]+)"
ATTRIBUTES = rf"\[\w+={VALUE}(?:, \w+={VALUE})*\]"
LINE = re.compile(
    rf"digraph heapwire \{{|\}}|  {NAME}(?: -> {NAME})?(?: {ATTRIBUTES})?;"
    rf"|  \{{rank=sink;(?: {NAME};)+\}}"
)


@pytest.fixture
def graph(heapwire, tmp_path):
    def graph(*arguments):
        file = tmp_path / "graph.dot"
        heapwire("explain", "--dot", file, *arguments)
        return file.read_text("utf-8")

    return graph


def test_every_line_is_one_of_dots(graph):
    for platform in ("raspberry-pi-4", "exynos4-mfc-v5", "mediatek-mt8183"):
        for line in graph("--platform", platform).splitlines():
            assert LINE.fullmatch(line), line


def test_a_plan_leads_from_those_who_take_part_to_memory(graph):
    text = graph("--platform", "exynos4-mfc-v5", "--format", "NV12")
    edges = re.findall(rf"^  ({NAME}) -> ({NAME})", text, re.MULTILINE)
    assert ('"who mfc:decode"', "plan") in edges
    assert ("plan", "object0") in edges
    assert ("object0", '"source mfc-right"') in edges
    assert ("object1", '"source mfc-left"') in edges
    # Whatever an edge leads to is told of.
    told = set(re.findall(rf"^  ({NAME}) \[", text, re.MULTILINE))
    assert {end for edge in edges for end in edge} <= told


def test_who_is_not_needed_has_no_part_in_the_plan(graph):
    wanted = ("--participant", "cpu:cpu-write", "--participant", "v3d:sampling")
    text = graph("--platform", "raspberry-pi-4", "--format", "XRGB8888", *wanted)
    assert "sampled, not scanned out" in text
    assert '"who v3d:sampling" -> plan;' in text
    assert '"who hvs:scanout" -> plan;' not in text


def test_who_contradicts_is_marked_where_there_is_no_plan(graph):
    wanted = ("--participant", "codec:decode", "--format", "XRGB8888")
    text = graph("--platform", "raspberry-pi-4", *wanted)
    assert '"who codec:decode" -> plan [color=red];' in text
    assert "no plan" in text


@pytest.mark.parametrize(
    ("lines", "quoted"),
    [(('a"b',), '"a\\"b"'), (("a\\n", "b"), '"a\\\\n\\nb"'), (("a\nb",), '"a b"')],
)
def test_no_text_ends_a_string(lines, quoted):
    assert _quoted(*lines) == quoted
