"""debian/ says what pyproject.toml and the licences say."""

from __future__ import annotations

import re
import tomllib

from source_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONTROL = (ROOT / "debian/control").read_text("utf-8")


def test_the_version_is_the_project_s() -> None:
    changelog = (ROOT / "debian/changelog").read_text("utf-8")
    assert changelog.startswith(f"heapwire ({PROJECT['version']}) ")


def test_what_is_needed_is_named() -> None:
    for needed in PROJECT["dependencies"]:
        assert f"python3-{re.split('[><=]', needed)[0]}" in CONTROL
    lowest = PROJECT["requires-python"]
    assert f"X-Python3-Version: {lowest.replace('>=', '>= ')}" in CONTROL


def test_the_licences_are_those_of_reuse() -> None:
    reuse = tomllib.loads((ROOT / "REUSE.toml").read_text("utf-8"))["annotations"]
    licences = {one["SPDX-License-Identifier"] for one in reuse}
    stanzas = (ROOT / "debian/copyright").read_text("utf-8").split("\n\n")
    told = {
        found[1]
        for stanza in stanzas
        if stanza.startswith("Files:") and (found := re.search(r"^License: (\S+)$", stanza, re.M))
    }
    assert told == licences == {file.stem for file in (ROOT / "LICENSES").iterdir()}
    assert PROJECT["license"] in licences


def test_what_the_rules_copy_is_there() -> None:
    rules = (ROOT / "debian/rules").read_text("utf-8")
    [copied] = re.findall(r"^\tcp (\w.*) \$\(COPY\)$", rules, re.MULTILINE)
    [rule] = re.findall(r"install -D -m 644 (\S+)", rules)
    for name in [*copied.split(), rule]:
        assert (ROOT / name).is_file(), name
    # What sed changes in a copy of pyproject.toml is there to be changed.
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for line in ('license = "', "license-files", "dependencies = [", '"setuptools>=77"'):
        assert re.search(rf"^.*{re.escape(line)}", text, re.MULTILINE), line
