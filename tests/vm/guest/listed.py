"""In the guest: what `heapwire list` says to root, and then to somebody who may open nothing.

usage: listed.py MODULES     (the folder that kernel/vm/fetch stock prints)

Prints a JSON object: for each of them what was printed, and the document of `--json`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
LIST = [sys.executable, "-m", "heapwire.cli.main", "list"]
WAYS = {"root": {}, "ordinary": {"user": NOBODY, "group": NOBODY, "extra_groups": []}}


def told(*arguments, **who):
    done = subprocess.run([*LIST, *arguments], capture_output=True, text=True, check=False, **who)
    if done.returncode or done.stderr:
        sys.exit(f"list ended with {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    subprocess.run(["modprobe", "-d", sys.argv[1], "virtio_gpu"], check=True)
    # Whoever is not root needs a way to the interpreter; what is changed here stays in the guest.
    for folder in (*Path(sys.prefix).parents, *Path(os.path.realpath(sys.executable)).parents):
        folder.chmod(0o755)
    os.environ["XDG_CACHE_HOME"] = "/nowhere"
    seen = {
        name: {"text": told(**who), "document": json.loads(told("--json", **who))}
        for name, who in WAYS.items()
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
