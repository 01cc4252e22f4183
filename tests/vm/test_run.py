"""kernel/vm/run: what a command in the guest has of the host, and how its end is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PACE

RUN = Path(__file__).resolve().parents[2] / "kernel" / "vm" / "run"

HUNG_AFTER = round(10 * PACE)  # seconds: it has begun to boot by then

SCRIPT = """
echo "to stdout"
echo "to stderr" >&2
pwd
printf '%s\\n' "$HEAPWIRE_TEST"
echo "guest" >"$1/written" && cat "$1/written"
cat
sleep 1000 &
exit 7
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def done(run_guest, folder):
    environment = os.environ | {"HEAPWIRE_TEST": 'it\'s "quoted" $HOME'}
    return run_guest(
        ["sh", "-c", SCRIPT, "name", str(folder)], cwd=folder, env=environment, input="unread"
    )


def test_exit_status_is_the_commands(done):
    assert done.returncode == 7, done.stderr


def test_output_streams_stay_apart(done):
    assert done.stdout.splitlines()[0] == "to stdout"
    assert done.stderr == "to stderr\n"


def test_directory_and_environment_are_the_callers(done, folder):
    assert done.stdout.splitlines()[1:3] == [str(folder), 'it\'s "quoted" $HOME']


def test_what_the_guest_writes_stays_there(done, folder):
    assert done.stdout.splitlines()[3:] == ["guest"]
    assert not (folder / "written").exists()


def test_user_of_the_host(run_guest):
    script = 'id -un; touch "$XDG_RUNTIME_DIR/mine" && kill -KILL $$'
    done = run_guest(["sh", "-c", script], "--user=nobody")
    assert done.stdout == "nobody\n", done.stderr
    assert done.returncode == 128 + signal.SIGKILL


def test_much_output_arrives_whole(run_guest):
    done = run_guest(["sh", "-c", "seq 1 300000"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(number) for number in range(1, 300001)]


def test_output_is_live_and_ctrl_c_ends_the_guest():
    # A shell's background job ignores Ctrl-C, and so would all that it starts.
    command = ["env", "--default-signal=INT"]
    command += [str(RUN), "--", "sh", "-c", "echo started; sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 128 + signal.SIGINT


def test_hung_guest_is_a_failure_that_shows_the_console(run_guest):
    done = run_guest(["sleep", "1000"], f"--timeout={HUNG_AFTER}")
    assert done.returncode == 124
    assert f"the guest hung: no end after {HUNG_AFTER} seconds" in done.stderr
    assert len(done.stderr.splitlines()) > 10


def test_panic_is_a_failure_that_shows_the_console(run_guest):
    done = run_guest(["sh", "-c", "echo c >/proc/sysrq-trigger"])
    assert done.returncode == 125
    assert "the guest ended before its command did" in done.stderr
    assert "Kernel panic" in done.stderr


def test_a_stock_guest_has_debians_own_kernel(run_guest):
    done = run_guest(["sh", "-c", "uname -r; ls /dev/dma_heap; exit 7"], "--machine=stock")
    assert done.returncode == 7, done.stderr
    release, *heaps = done.stdout.split()
    assert release.endswith("-amd64")
    assert heaps == ["system"]


def test_an_arm_guest_has_a_root_of_its_own_and_the_callers_directory(run_guest, tmp_path):
    (tmp_path / "here").write_text("the host's\n")
    script = f"uname -m; ls /dev/dma_heap; cat here; test -e {RUN} && touch /written && exit 7"
    done = run_guest(["sh", "-c", script], "--machine=arm", cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == ["armv7l", "reserved", "system", "the host's"]


@pytest.mark.parametrize("machine", ["patched", "stock", "arm"])
def test_missing_qemu_is_named(tmp_path, machine):
    done = subprocess.run(
        [sys.executable, str(RUN), f"--machine={machine}", "--", "true"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert done.returncode == 125
    package = "qemu-system-arm" if machine == "arm" else "qemu-system-x86"
    assert done.stderr.strip().endswith(f"apt-get install {package}")


@pytest.mark.parametrize(
    ("machine", "script"), [("patched", "build"), ("stock", "fetch stock"), ("arm", "fetch armhf")]
)
def test_kernel_that_is_not_built_is_no_surprise(run_guest, tmp_path, machine, script):
    nothing = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    done = run_guest(["true"], f"--machine={machine}", env=nothing)
    assert done.returncode == 125
    assert f"run kernel/vm/{script}" in done.stderr


def test_unknown_user_is_named(run_guest):
    done = run_guest(["true"], "--user=nobody-of-this-name")
    assert done.returncode == 125
    assert "nobody-of-this-name" in done.stderr
