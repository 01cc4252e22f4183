"""The `heapwire` command: what runs first, so that Ctrl-C ends it in order from then on.

Importing the rest takes a while. So nothing is imported here that takes time and `main` does
not stand guard over.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # signal itself brings names that take time
import os
import sys

INTERRUPTED = 130  # 128 + SIGINT, as a shell says it


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 0 done, 1 failed, 2 usage, 3 no compositor, 130 Ctrl-C.

    `arguments` are those of the process, where none are given.
    """
    try:
        # An exception would be lost where Python is in a callback just then, as it often is
        # while it imports. There is nothing to put in order yet.
        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler:  # and not one that is ignored
            signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        try:
            from heapwire.cli.command_line import ready_command, run_command
            from heapwire.cli.terminal import open_standard_streams

            open_standard_streams()
            command = ready_command(sys.argv[1:] if arguments is None else arguments)
        finally:
            signal.signal(signal.SIGINT, before)

        return run_command(command)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
