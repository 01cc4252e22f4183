"""In the guest: what `heapwire list` says to root, and to somebody who may open nothing.

usage: listed.py MODULES     (the folder that kernel/vm/fetch stock prints)

Prints a JSON object: of a machine with nothing, with memory alone, and with a display and a GPU,
for each of them what was printed, and the document of `--json`.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
LIST = [sys.executable, "-m", "heapwire.cli.main", "list"]
CLASSES = ("/sys/class/dma_heap", "/sys/class/misc")
NODES = (Path("/dev/dma_heap"), Path("/dev/udmabuf"))
WAYS = {"root": {}, "ordinary": {"user": NOBODY, "group": NOBODY, "extra_groups": []}}


def told(*arguments, **who):
    done = subprocess.run([*LIST, *arguments], capture_output=True, text=True, check=False, **who)
    if done.returncode or done.stderr:
        sys.exit(f"list ended with {done.returncode}: {done.stderr}")
    return done.stdout


def looked():
    return {
        name: {"text": told(**who), "document": json.loads(told("--json", **who))}
        for name, who in WAYS.items()
    }


@contextlib.contextmanager
def without_memory():
    """While it lasts the kernel shows neither heaps nor udmabuf, as one that has none built in."""
    for folder in CLASSES:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    moved = [(node, node.with_name(f"hidden-{node.name}")) for node in NODES]
    for node, hidden in moved:
        node.rename(hidden)
    yield
    for node, hidden in moved:
        hidden.rename(node)
    for folder in CLASSES:
        subprocess.run(["umount", folder], check=True)


def main():
    # Whoever is not root needs a way to the interpreter; what is changed here stays in the guest.
    for folder in (*Path(sys.prefix).parents, *Path(os.path.realpath(sys.executable)).parents):
        folder.chmod(0o755)
    os.environ["XDG_CACHE_HOME"] = "/nowhere"
    with without_memory():
        nothing = looked()
    memory = looked()
    subprocess.run(["modprobe", "-d", sys.argv[1], "virtio_gpu"], check=True)
    print(json.dumps({"nothing": nothing, "memory": memory, "desktop": looked()}))


if __name__ == "__main__":
    main()
