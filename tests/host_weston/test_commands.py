"""`heapwire weston build` and `heapwire embed build`."""

from __future__ import annotations

import json

import pytest

from heapwire.cli.main import main

pytestmark = [
    pytest.mark.system("libweston-*.pc", "cc", "pkg-config"),
]


def test_the_module_is_built_and_the_line_that_loads_it_is_told(tmp_path, capsys):
    module = tmp_path / "lib" / "module.so"
    assert main(["weston", "build", "--output", str(module)]) == 0
    assert module.read_bytes()[:4] == b"\x7fELF"
    assert f"weston --modules={module}" in capsys.readouterr().out
    assert list(module.parent.iterdir()) == [module]


def test_for_programs_it_is_json(tmp_path, capsys):
    assert main(["weston", "build", "--output", str(tmp_path / "m.so"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["module"] == str(tmp_path / "m.so")
    assert document["libweston"].count(".") >= 1


def test_the_library_comes_with_its_header_and_its_pkg_config_file(tmp_path, capsys):
    assert main(["embed", "build", "--output", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = {"libheapwire.so", "heapwire.h", "heapwire.pc"}
    assert set(document["files"]) == {str(tmp_path / name) for name in names}
    assert {entry.name for entry in tmp_path.iterdir()} == names


@pytest.mark.parametrize(
    ("compiler", "complaint"),
    [
        ("no-such-cc", "there is no C compiler no-such-cc: install one (Debian: gcc)"),
        ("cc -Dwl_list=5", "does not compile:"),
    ],
)
def test_what_is_there_stays_when_it_cannot_be_built(
    tmp_path, capsys, monkeypatch, compiler, complaint
):
    module = tmp_path / "module.so"
    module.write_text("the one before")
    monkeypatch.setenv("CC", compiler)
    assert main(["weston", "build", "--output", str(module)]) == 1
    assert complaint in capsys.readouterr().err
    assert module.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [module]


def test_a_libweston_that_is_not_installed(capsys):
    assert main(["weston", "build", "--libweston", "99"]) == 1
    assert "libweston-99 is not installed: install libweston-99-dev" in capsys.readouterr().err


def test_no_libweston_at_all(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PKG_CONFIG_LIBDIR", str(tmp_path))
    assert main(["weston", "build"]) == 1
    assert "no development package of libweston is installed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["weston"], ["embed"], ["weston", "load"]])
def test_usage(arguments, capsys):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err
