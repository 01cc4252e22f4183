"""Results go where a person says: into what stands there, whole, and with a word beforehand."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from heapwire.cli.main import main
from heapwire.cli.terminal import OutputFile, Written, output_file
from heapwire.protocol import FileError

EXPLAIN = ["explain", "--platform", "raspberry-pi-4", "--format", "NV12"]


def test_a_new_file_is_written(tmp_path) -> None:
    OutputFile(tmp_path / "new").write(b"content")
    assert (tmp_path / "new").read_bytes() == b"content"
    assert [entry.name for entry in tmp_path.iterdir()] == ["new"]


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path) -> None:
    old = tmp_path / "old"
    old.write_text("a longer content than the new one")
    old.chmod(0o604)
    reader = old.open()  # has the old content to its end
    OutputFile(old).write(b"new")
    assert old.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o604
    with reader:
        assert reader.read() == "a longer content than the new one"


def test_a_link_is_written_through(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(target)
    OutputFile(link).write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_link_to_nothing_makes_what_it_names(tmp_path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    OutputFile(link).write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = bytes(range(256)) * 1024  # more than a pipe holds
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    OutputFile(pipe).write(content)
    reader.join()
    assert received == [content]
    assert pipe.is_fifo()


def test_a_pipe_that_nobody_reads_is_not_waited_for_without_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(output_file, "READER", 0.05)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match="pipe: nobody reads this pipe"):
        OutputFile(pipe).write(b"content")


def test_a_device_stays_a_device(tmp_path) -> None:
    OutputFile("/dev/null").write(b"content")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(FileError, match="/dev/full: No space left on device"):
        OutputFile("/dev/full").write(b"content")
    assert Path("/dev/full").is_char_device()


def test_a_hyphen_is_standard_output(capfdbinary) -> None:
    OutputFile("-").write(b"content")
    assert capfdbinary.readouterr().out == b"content"


@pytest.mark.parametrize(
    ("where", "told"),
    [("folder", "this is a directory"), ("nowhere/file", "there is no directory")],
)
def test_what_cannot_work_is_said_beforehand(tmp_path, where, told) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=told):
        OutputFile(tmp_path / where)


def test_a_file_that_cannot_be_written_whole_stands_as_it_was(tmp_path, monkeypatch) -> None:
    old = tmp_path / "old"
    old.write_text("old")
    file = OutputFile(old)
    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(FileError, match="old: Input/output error"):
        file.write(b"new")
    assert old.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["old"]


def refuse(*_: object) -> None:
    raise OSError(5, os.strerror(5))


def test_each_is_written_whatever_became_of_the_others() -> None:
    written, done, told = Written(), [], []
    for number in range(3):
        with written.each():
            if number != 1:
                raise FileError("file", f"fault {number}")
            done.append(number)
    with pytest.raises(FileError, match="fault 2"):
        written.check(told.append)
    assert done == [1]
    assert told == ["file: fault 0"]


def test_the_command_writes_one_file_though_the_other_failed(tmp_path, capsys) -> None:
    page = tmp_path / "page.html"
    assert main([*EXPLAIN, "--capture", "/dev/full", "--html", str(page)]) == 1
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "/dev/full: No space left on device" in capsys.readouterr().err


def test_the_command_refuses_a_folder_before_it_works(tmp_path, capsys) -> None:
    assert main([*EXPLAIN, "--html", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert "this is a directory" in told.err
    assert told.out == ""


def test_a_capture_goes_to_standard_output() -> None:
    command = [sys.executable, "-m", "heapwire.cli.main", *EXPLAIN, "--capture", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"kind": "heapwire capture"' in done.stdout


@pytest.mark.parametrize(
    ("both", "named"),
    [
        (["--json", "--html", "-"], "--html and --json"),
        (["--html", "-", "--dot", "-"], "--html and --dot"),
        (["--capture=-", "--json"], "--capture and --json"),
        (["--html", "-", "--dot", "-", "--capture", "-"], "--html and --dot and --capture"),
    ],
)
def test_two_documents_do_not_stand_on_one_standard_output(both, named, capsys):
    assert main([*EXPLAIN, *both]) == 2
    assert f"{named} would stand on one standard output" in capsys.readouterr().err


@pytest.mark.parametrize("one", [["--html", "-"], ["--json"], ["--json", "--html"]])
def test_one_document_does(one, tmp_path, capfd):
    file = [str(tmp_path / "page.html")] if one[-1:] == ["--html"] else []
    assert main([*EXPLAIN, *one, *file]) == 0
    assert capfd.readouterr().out[0] in "<{"
