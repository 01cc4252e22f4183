"""`heapwire list` on a desktop as QEMU has it: virtio-gpu, Debian's own kernel, Mesa's llvmpipe.

What it says to root, who may ask the display and EGL, and to somebody who may open nothing; and
what it says on the same machine before it has a display, and before it has memory to offer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "guest" / "listed.py"
FETCH = Path(__file__).parents[2] / "kernel" / "vm" / "fetch"


@pytest.fixture(scope="module")
def machines(run_guest):
    stock = subprocess.run([FETCH, "stock"], stdout=subprocess.PIPE, text=True, check=True)
    done = run_guest(
        [sys.executable, str(SCRIPT), stock.stdout.strip()],
        *("--machine=stock", "--qemu=-device", "--qemu=virtio-gpu-pci"),
    )
    if done.returncode:
        pytest.fail(f"the guest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def said(machines):
    return machines["desktop"]


def device(said, who, kind):
    [one] = [one for one in said[who]["document"]["devices"] if one["kind"] == kind]
    return one


def usage(one, name):
    return next(use for use in one["usages"] if use["usage"] == name)


@pytest.mark.parametrize("who", ["root", "ordinary"])
def test_memory_is_what_the_kernel_has(said, who):
    heaps = {one["name"]: one for one in said[who]["document"]["heaps"]}
    assert heaps.keys() >= {"system", "udmabuf"}
    assert "    system (heap 25" in said[who]["text"]
    assert ", the same memory as udmabuf\n" in said[who]["text"]


@pytest.mark.parametrize("who", ["root", "ordinary"])
def test_the_display_is_virtio_gpus_and_not_what_carries_it(said, who):
    display = device(said, who, "display")
    assert display["driver"] == "virtio_gpu"


def test_a_display_that_imports_nothing_scans_out_its_own_memory_and_was_asked(said):
    display = device(said, "root", "display")
    needs = {one["constraint"]: one for one in usage(display, "scanout")["requirements"]}
    permitted = needs["permitted-sources"]
    assert [one["name"] for one in permitted["value"]] == [display["name"]]
    assert permitted["provenance"] == "trial"
    assert needs["pitch-alignment"]["provenance"] == "gauge"
    answers = {(one["source"], one["taken"]) for one in said["root"]["document"]["trials"]}
    assert answers == {("system", False), ("udmabuf", False), (display["name"], True)}
    assert f"tried: {display['name']} refuses system (PRIME import: ENODEV)" in said["root"]["text"]


def test_what_llvmpipe_samples_and_draws_is_what_egl_lists(said):
    gpu = device(said, "root", "gpu")
    sampled = usage(gpu, "sampling")["formats"]
    drawn = usage(gpu, "render")["formats"]
    assert {"XRGB8888", "NV12"} <= set(sampled)
    assert "XRGB8888" in drawn
    assert "NV12" not in drawn, "it is sampled by conversion, and cannot be drawn to"
    [note] = [note for note in said["root"]["document"]["notes"] if note.startswith(gpu["name"])]
    assert "EGL refused memory that is not the GPU's own (error 0x3003)" in note


def test_who_may_open_nothing_is_told_what_is_not_known_and_how_to_be_granted_it(said):
    display, gpu = (device(said, "ordinary", kind) for kind in ("display", "gpu"))
    assert said["ordinary"]["document"]["trials"] == []
    notes = "\n".join(said["ordinary"]["document"]["notes"])
    assert f"/dev/dri/{display['name']}: Permission denied: what can be done there" in notes
    assert f"{gpu['name']}: EGL tells nothing of it" in notes
    assert "this user may not allocate from system, udmabuf" in notes
    assert 'SUBSYSTEM=="dma_heap"' in notes
    assert 'KERNEL=="udmabuf"' in notes
    unknown = r"sampling\n +any format \(which ones is not known\)\n"
    assert re.search(unknown, said["ordinary"]["text"])


@pytest.mark.parametrize("who", ["root", "ordinary"])
def test_a_machine_with_nothing_is_said_to_have_nothing(machines, who):
    said = machines["nothing"][who]
    document = said["document"]
    assert document["heaps"] == document["trials"] == document["notes"] == []
    assert [one["kind"] for one in document["devices"]] == ["cpu"]
    title, *lines = said["text"].splitlines()
    assert title.startswith("local: ")
    assert lines == [
        "no memory: this machine has no DMA heap",
        "no display, GPU, codec or camera",
        "devices",
        "    cpu (cpu)",
        "        cpu-read",
        "            any format",
        "        cpu-write",
        "            any format",
        "no links between devices and memory",
    ]


@pytest.mark.parametrize("who", ["root", "ordinary"])
def test_a_machine_with_memory_alone_is_said_to_have_that(machines, who):
    said = machines["memory"][who]
    document = said["document"]
    assert {one["name"] for one in document["heaps"]} == {"system", "udmabuf"}
    assert [one["kind"] for one in document["devices"]] == ["cpu"]
    assert document["trials"] == []
    assert "no display, GPU, codec or camera\n" in said["text"]
    refused = [note for note in document["notes"] if "may not allocate" in note]
    assert len(refused) == (who == "ordinary")
