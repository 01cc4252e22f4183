"""`--policy` of `heapwire list` and of `heapwire compositor`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from patience import PATIENCE

from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.wayland import Connection

TEXT = """\
[offer]
never = ["linux,*", "secure"]
[allocation]
budget = "96 MiB"
reserve = 0
[[client]]
engine = "org.flatpak"
app = ["org.example.*", "org.other"]
uid = 1000
only = ["system"]
budget = "8 MiB"
[[client]]
sandboxed = true
never = ["*"]
[compositor]
debounce = 250
[[memory]]
name = "system"
contiguous = true
[[device]]
driver = "vc4"
[[device.use]]
usage = "scanout"
constraints = [{ type = "address-range", value = ["0x0", "0x3fffffff"] }]
"""


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(TEXT)
    return file


def test_the_machine_is_listed_as_the_policy_leaves_it(heapwire, policy):
    run = heapwire("list", "--platform", "raspberry-pi-4", "--policy", policy, "--json")
    assert run.status == 0
    assert [heap["name"] for heap in run.document["heaps"]] == ["system"]
    [system] = run.document["heaps"]
    assert system["contiguous"] is True
    assert system["provenance"] == {"contiguous": "user"}
    assert run.document["policy"] == {
        "file": str(policy),
        "withheld": ["linux,cma"],
        "allocates_from": ["system"],
        "budget": 96 << 20,
        "share": 50,
        "reserve": 0,
        "clients": [
            {
                "sandboxed": None,
                "uid": 1000,
                "gid": None,
                "engine": ["org.flatpak"],
                "app": ["org.example.*", "org.other"],
                "instance": [],
                "allocates_from": ["system"],
                "budget": 8 << 20,
                "share": 25,
            },
            {
                "sandboxed": True,
                "uid": None,
                "gid": None,
                "engine": [],
                "app": [],
                "instance": [],
                "allocates_from": [],
                "budget": 48 << 20,
                "share": 25,
            },
        ],
        "renderer": "v3d",
        "debounce": 250,
        "stated": ["hvs:scanout needs memory that is at addresses 0x0 to 0x3fffffff"],
    }
    [note] = run.document["notes"]
    assert note.startswith(f"{policy}:2: offer.never[1]: 'secure' matches no memory here")


def test_people_read_the_same(heapwire, policy):
    text = heapwire("list", "--platform", "raspberry-pi-4", "--policy", policy).out
    assert "    system (heap 254:395): contiguous\n" in text
    assert "linux,cma (heap" not in text
    assert (
        f"""
policy {policy}
    not offered: linux,cma
    allocated for clients: from system, up to 96 MiB and 50 % of a heap each
    all together leave 0 % of a heap
    for clients with engine org.flatpak, app org.example.* or org.other, uid 1000: \
from system, up to 8 MiB and 25 % of a heap each
    for sandboxed clients: nothing
    composites: v3d
    a change for the better is told after 250 ms
    hvs:scanout needs memory that is at addresses 0x0 to 0x3fffffff
note: {policy}:2: offer.never[1]: 'secure' matches no memory here"""
        in text
    )


def test_a_compositor_that_allocates_nothing_is_listed_so(heapwire, policy):
    policy.write_text('[allocation]\nnever = ["*"]\n')
    text = heapwire("list", "--platform", "raspberry-pi-4", "--policy", policy).out
    assert "    not offered: nothing\n    allocated for clients: nothing\n" in text


def test_the_environment_names_a_policy_and_the_option_goes_before_it(
    heapwire, policy, tmp_path, monkeypatch
):
    monkeypatch.setenv("HEAPWIRE_POLICY", str(policy))
    listed = heapwire("list", "--platform", "raspberry-pi-4", "--json").document
    assert listed["policy"]["file"] == str(policy)
    other = tmp_path / "other.toml"
    other.write_text("")
    listed = heapwire("list", "--platform", "raspberry-pi-4", "--policy", other, "--json").document
    assert listed["policy"]["withheld"] == []


def test_without_a_policy_none_is_listed(heapwire):
    run = heapwire("list", "--platform", "raspberry-pi-4", "--json")
    assert "policy" not in run.document


@pytest.mark.parametrize("command", ["list", "compositor"])
def test_a_policy_with_a_fault_is_refused_with_its_line(heapwire, policy, command):
    policy.write_text("[offer]\nnevr = []\n")
    run = heapwire(command, "--platform", "raspberry-pi-4", "--policy", policy)
    assert run.status == 1
    assert run.out == ""
    assert run.err == (
        f"heapwire: {policy}:2: offer.nevr: this key is unknown here: did you mean 'never'?\n"
    )


def test_the_reference_compositor_keeps_to_it(policy, tmp_path):
    command = [sys.executable, "-m", "heapwire.cli.main", "compositor"]
    options = ["--platform", "raspberry-pi-4", "--policy", policy, "--socket", "test-0"]
    process = subprocess.Popen(
        [*command, *options],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "socket test-0\n"
        with Connection(str(tmp_path / "test-0")) as connection:
            manager = NegotiationManager(connection, timeout=PATIENCE)
            announced = {source.name for source in manager.sources.values()}
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert announced == {"system"}
    assert process.returncode == 0
    assert f"heapwire: note: {policy}:2: offer.never[1]: 'secure' matches no memory" in said
