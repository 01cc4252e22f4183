"""`heapwire doctor` on machines made of files: what is missing, in order, and gone when mended."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace

import pytest

from heapwire.cli.install.finding import State
from heapwire.cli.install.machine_checks import Reader, _contiguous, machine_findings
from heapwire.cli.install.setup import APPLY_RULE
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.description import Platform

HEAP_OPTIONS = "CONFIG_DMABUF_HEAPS=y\nCONFIG_DMABUF_HEAPS_SYSTEM=y\n"
CMA_OPTIONS = (
    "CONFIG_HAVE_DMA_CONTIGUOUS=y\nCONFIG_CMA=y\nCONFIG_DMA_CMA=y\nCONFIG_DMABUF_HEAPS_CMA=y\n"
)


class Machine:
    """A root of files, and whether its nodes may be opened."""

    def __init__(self, root):
        self.root = root
        self.open = set()
        (root / "sys/devices").mkdir(parents=True)

    def write(self, path, data):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return file

    def node(self, subsystem, name, number, path):
        folder = f"sys/devices/virtual/{subsystem}/{name}"
        self.write(f"{folder}/dev", number)
        self.write(f"{folder}/uevent", f"DEVNAME={path}\n")
        entry = self.root / "sys/class" / subsystem / name
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.symlink_to(self.root / folder)
        return self.write(f"dev/{path}", "")

    def heap(self, name="system", minor=0):
        return self.node("dma_heap", name, f"251:{minor}", f"dma_heap/{name}")

    def udmabuf(self):
        return self.node("misc", "udmabuf", "10:125", "udmabuf")

    def findings(self, groups=frozenset()):
        reader = Reader(
            root=self.root,
            may_open=lambda node: node in self.open,
            groups=groups,
            user="anna",
            release="6.12",
        )
        return {one.name: one for one in machine_findings(reader)}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_kernel_without_heaps_is_told_what_to_configure(machine):
    has = ("DMABUF_HEAPS=y", "HAVE_DMA_CONTIGUOUS=y", "CMA=y", "UDMABUF=m")
    config = "".join(f"CONFIG_{option}\n" for option in has)
    machine.write("proc/config.gz", gzip.compress(config.encode()))
    found = machine.findings()
    assert list(found) == ["heaps", "udmabuf"]  # nothing to open, and no rule for it yet
    assert found["heaps"].state is State.MISSING
    assert "/proc/config.gz" in found["heaps"].says
    [where, command] = found["heaps"].mend
    assert where.startswith("# in the kernel's source")
    options = command.removeprefix("scripts/config ").partition(" && ")[0]
    assert options == "-e DMABUF_HEAPS_SYSTEM -e DMA_CMA -e DMABUF_HEAPS_CMA"  # others it has
    assert found["udmabuf"].mend[0] == "sudo modprobe udmabuf"


@pytest.mark.parametrize(
    ("config", "enabled"),
    [
        # What the heap depends on is not selected by it, and has to be asked for.
        ("CONFIG_HAVE_DMA_CONTIGUOUS=y\n" + HEAP_OPTIONS, "-e CMA -e DMA_CMA -e DMABUF_HEAPS_CMA"),
        # An architecture that has no such allocator drops all three.
        ("CONFIG_DMABUF_HEAPS=y\n", "-e DMABUF_HEAPS_SYSTEM"),
    ],
    ids=["no CMA", "none for this architecture"],
)
def test_what_is_to_be_configured_is_kept(machine, config, enabled):
    machine.write("boot/config-6.12", config)
    [_, command] = machine.findings()["heaps"].mend
    assert command == f"scripts/config {enabled} && make olddefconfig && make"


def test_a_configuration_beside_the_kernel_is_read_too(machine):
    machine.write("boot/config-6.12", HEAP_OPTIONS + CMA_OPTIONS)
    found = machine.findings()
    assert "/boot/config-6.12 has them" in found["heaps"].says
    assert found["udmabuf"].mend[-1] == "scripts/config -e UDMABUF && make olddefconfig && make"


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", gzip.compress(b"\xff")],
    ids=["empty", "no gzip", "no text"],  # gzip puts the time into what it makes
)
def test_a_configuration_that_cannot_be_read_is_not_here(machine, data):
    machine.write("proc/config.gz", data)
    assert "is not here" in machine.findings()["heaps"].says


def test_heaps_that_only_root_may_open_want_a_rule_and_then_a_group(heapwire, machine):
    node = machine.heap()
    node.chmod(0o600)
    found = machine.findings()
    assert [found[name].state for name in ("heaps", "udev rule")] == [State.OK, State.MISSING]
    assert "/dev/dma_heap/system" in found["udev rule"].says
    write, *udevadm = found["udev rule"].mend
    assert all(command.startswith("sudo udevadm ") for command in udevadm)
    # What it says to write is taken for a rule when it stands there.
    printed, place = write.split(" | sudo tee ")
    rule = heapwire(*printed.split()[1:]).out
    machine.write(place.removeprefix("/"), rule)
    found = machine.findings()
    assert found["udev rule"].state is State.OK
    assert found["access"].state is State.MISSING  # the rule has to be applied
    node.chmod(0o660)
    if os.getuid() == 0:
        os.chown(node, -1, 44)  # root's own group says nothing
    group = node.stat().st_gid
    found = machine.findings()
    assert found["group"].state is State.MISSING
    assert found["group"].mend[0].startswith("sudo usermod -aG ")
    assert found["group"].mend[0].endswith(" anna")
    machine.open.add(node)
    found = machine.findings(frozenset({group}))
    assert list(found) == ["heaps", "access", "udmabuf"]
    assert {one.state for one in found.values()} <= {State.OK, State.UNNEEDED}


def test_a_comment_is_no_rule(machine):
    machine.heap()
    machine.write("etc/udev/rules.d/1.rules", '# SUBSYSTEM=="dma_heap"\nSUBSYSTEM=="drm"\n')
    assert machine.findings()["udev rule"].state is State.MISSING


def test_udmabuf_is_needed_only_where_no_heap_may_be_opened(machine):
    udmabuf = machine.udmabuf()
    udmabuf.chmod(0o600)
    assert machine.findings()["udmabuf"].mend == APPLY_RULE
    udmabuf.chmod(0o660)
    if os.getuid() == 0:
        os.chown(udmabuf, -1, 108)
    assert machine.findings()["udmabuf"].state is State.MISSING
    assert machine.findings()["udmabuf"].mend[0].startswith("sudo usermod -aG ")
    machine.open.add(machine.heap())
    assert machine.findings()["udmabuf"].state is State.UNNEEDED
    machine.open.add(udmabuf)
    assert machine.findings()["udmabuf"].state is State.OK


def test_a_display_that_reads_one_piece_wants_a_heap_that_has_it():
    board = Platform.load("raspberry-pi-4")
    [there] = _contiguous(board)
    assert (there.state, "linux,cma" in there.says) == (State.OK, True)
    scattered = tuple(source for source in board.sources if not source.contiguous)
    [lacking] = _contiguous(replace(board, sources=scattered))
    assert lacking.state is State.MISSING
    assert any("cma=" in command for command in lacking.mend)
    assert list(_contiguous(Platform.load("generic-desktop"))) == []


def test_the_command_shows_what_mends_it_and_ends_in_1(heapwire, machine):
    run = heapwire("doctor", "--root", machine.root)
    document = heapwire("doctor", "--root", machine.root, "--json").document
    assert run.status == 1
    assert not document["ready"]
    checks = {one["check"]: one for one in document["checks"]}
    assert list(checks) == ["heaps", "udmabuf", "policy"]
    assert "    missing  heaps: " in run.out
    for command in checks["heaps"]["mend"]:
        assert f"\n                 {command}\n" in run.out


def test_nothing_is_missing_when_all_is_mended(heapwire, machine):
    machine.heap()  # who runs the tests may open it
    run = heapwire("doctor", "--root", machine.root)
    assert run.out.startswith("nothing is missing\n")
    assert run.status == 0


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("modules=screen-share.so, /usr/lib/heapwire-weston.so", "ok"),
        ("modules=/opt/heapwire-weston.so", "missing"),
        ("modules=screen-share.so", "missing"),
        ("# modules=/usr/lib/heapwire-weston.so", "missing"),
    ],
)
def test_the_module_of_weston_is_looked_for_where_weston_is_told(heapwire, machine, line, state):
    machine.write("etc/xdg/weston/weston.ini", f"[core]\n{line}\n")
    machine.write("usr/lib/heapwire-weston.so", "")
    document = heapwire("doctor", "--root", machine.root, "--json").document
    [module] = [one for one in document["checks"] if one["check"] == "module"]
    assert module["state"] == state
    assert bool(module["mend"]) == (state == "missing")


@pytest.mark.parametrize(("text", "state"), [("[offer]\n", "ok"), ("budget = 'much'", "missing")])
def test_the_policy_that_weston_is_told_is_read(heapwire, machine, text, state):
    machine.write("etc/xdg/weston/weston.ini", "[heapwire]\npolicy=/etc/heapwire/policy.toml\n")
    machine.write("etc/heapwire/policy.toml", text)
    document = heapwire("doctor", "--root", machine.root, "--json").document
    [policy] = [one for one in document["checks"] if one["check"] == "policy"]
    assert policy["state"] == state
    assert bool(policy["mend"]) == (state == "missing")


def test_what_is_no_root_is_refused(heapwire, tmp_path):
    assert heapwire("doctor", "--root", tmp_path).status == 1


@pytest.mark.parametrize("extension", [True, False])
def test_a_compositor_that_runs_is_asked(heapwire, tmp_path, monkeypatch, extension):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "examined")
    board = Platform.load("raspberry-pi-4")
    with Compositor(board, socket="examined", extension=extension) as made, made.running():
        document = heapwire("doctor", "--json").document
    states = {one["check"]: one["state"] for one in document["checks"]}
    assert states["linux-dmabuf"] == "ok"
    expected = "ok" if extension else "unneeded"
    assert states["xx_dmabuf_sources_v1"] == expected
    assert states["xx_dmabuf_negotiation_manager_v1"] == expected
