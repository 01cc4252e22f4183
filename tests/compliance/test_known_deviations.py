"""The list of what other compositors do: well-formed, and no difference to it is missed."""

from __future__ import annotations

import tomllib

import pytest
from known_deviations import FILE, Deviation, differences, known_deviations

from heapwire.client_lib.compliance import cases_named

SHORT = Deviation("params/pitch-short/v3", "failed", "created")
LONG = Deviation("params/pitch-long/v3", "failed", "created")


def test_what_is_new_and_what_is_gone_is_told() -> None:
    known = frozenset((SHORT,))
    assert differences(known, [SHORT]) == []
    assert differences(known, [SHORT, LONG]) == [f"new: {LONG}"]
    assert differences(known, []) == [f"gone: {SHORT}"]
    otherwise = Deviation(SHORT.case, SHORT.expected, "nothing within 5 s")
    assert differences(known, [otherwise]) == [f"new: {otherwise}", f"gone: {SHORT}"]


def test_a_version_that_nobody_has_looked_at_has_no_list() -> None:
    assert known_deviations("weston", "0.1") is None


def test_each_case_that_is_listed_is_one_and_once() -> None:
    cases = {case.name for case in cases_named([])}
    listed = tomllib.loads(FILE.read_text("utf-8"))["compositor"]
    assert len({(one["name"], one["version"]) for one in listed}) == len(listed)
    for one in listed:
        named = [row["case"] for row in one["deviation"]]
        assert set(named) <= cases
        assert len(set(named)) == len(named)
        assert one["renderer"]


@pytest.mark.parametrize("missing", ["case", "expected", "seen"])
def test_a_row_says_all_of_it(missing: str, tmp_path) -> None:
    row = {"case": "a", "expected": "b", "seen": "c"}
    del row[missing]
    lines = [f'{key} = "{value}"' for key, value in row.items()]
    head = ["[[compositor]]", 'name = "one"', 'version = "1"', "[[compositor.deviation]]"]
    file = tmp_path / "known.toml"
    file.write_text("\n".join([*head, *lines]), "utf-8")
    with pytest.raises(TypeError, match=missing):
        known_deviations("one", "1", file)
