"""The machines that kernel/vm/run can boot: QEMU's arguments, the kernel and its root."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
MOUNT = "trans=virtio,version=9p2000.L,cache=loose,msize=512000"


FAILED = 125
"""The exit status of kernel/vm/run where a guest failed, or could not be started."""


def made(script: str, *arguments: str) -> Path:
    """What a script of this folder has made of the sources as they are now.

    Exits where that is not there; the script has said why on standard error.
    """
    check = subprocess.run(
        [HERE / script, "--check", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if check.returncode != 0:
        raise SystemExit(FAILED)
    return Path(check.stdout.strip())


class Patched:
    """A PC with the kernel of kernel/vm/build, on the host's root."""

    qemu = "qemu-system-x86_64"
    package = "qemu-system-x86"
    """The Debian package of this QEMU."""
    board: tuple[str, ...] = ("-cpu", "max")
    bus = "pci"
    """The end of the names of virtio's devices on this board."""
    console = "ttyS0"
    memory = 2048
    """In MiB, where nobody asks for more or less."""
    # Whether the timer's interrupt comes is looked for in the time of ten ticks, and the kernel
    # panics where it does not: on a busy machine an emulated one may be that late (6.12,
    # arch/x86/kernel/apic/io_apic.c, timer_irq_works).
    parameters: tuple[str, ...] = ("no_timer_check",)
    """More parameters for the kernel."""

    def boot(self, image: str | None) -> list[str]:
        """QEMU's arguments that name the kernel; `image` is one to take in place of its own."""
        return ["-kernel", image or str(made("build"))]

    def shares(self) -> list[str]:
        """QEMU's arguments for the folders of the host that the guest mounts."""
        return self._share("/", "root")

    def root(self, init: Path, folders: Sequence[Path]) -> list[str]:
        """The kernel's parameters by which it finds its root and its first process.

        `folders` are the host's, and must be in the same place in the guest.
        """
        return [f'init="{init}"', "root=root", "rootfstype=9p", f"rootflags={MOUNT}"]

    def _share(self, path: Path | str, tag: str) -> list[str]:
        share = f"local,id={tag},path={path},security_model=none,readonly=on,multidevs=remap"
        return ["-fsdev", share, "-device", f"virtio-9p-{self.bus},fsdev={tag},mount_tag={tag}"]


class Stock(Patched):
    """A PC with Debian's own 6.12 kernel, whose initrd finds the host's root."""

    def boot(self, image: str | None) -> list[str]:
        """See `Patched.boot`."""
        folder = made("fetch", "stock")
        return ["-kernel", image or str(folder / "vmlinuz"), "-initrd", str(folder / "initrd")]

    def root(self, init: Path, folders: Sequence[Path]) -> list[str]:
        """Nothing: the initrd knows."""
        return []


class Arm(Patched):
    """A Versatile Express (Cortex-A9) with the display PL111, on a root of armhf packages."""

    qemu = "qemu-system-arm"
    package = "qemu-system-arm"
    board = ("-M", "vexpress-a9", "-audiodev", "none,id=none")
    bus = "device"
    console = "ttyAMA0"
    memory = 768  # what a kernel without high memory uses
    parameters = ()

    def boot(self, image: str | None) -> list[str]:
        """See `Patched.boot`; a device tree lies beside the image."""
        kernel = image or str(made("build", "arm"))
        return ["-kernel", kernel, "-dtb", f"{kernel}.dtb"]

    def shares(self) -> list[str]:
        """See `Patched.shares`: a root whose programs run there, and the host's beside it."""
        return [*self._share(made("fetch", "armhf"), "root"), *self._share("/", "host")]

    def root(self, init: Path, folders: Sequence[Path]) -> list[str]:
        """See `Patched.root`; kernel/vm/init puts the host's folders in their places."""
        shown = ":".join(str(folder) for folder in dict.fromkeys((CHECKOUT, *folders)))
        own = ["init=/init", "root=root", "rootfstype=9p", f"rootflags={MOUNT}"]
        return [*own, f'HEAPWIRE_FOLDERS="{shown}"']


MACHINES = {"patched": Patched(), "stock": Stock(), "arm": Arm()}
