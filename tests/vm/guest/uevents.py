"""The kernel's own uevents, without udevd between."""

import select
import socket
import time
from pathlib import Path

from limits import PATIENCE

NETLINK_KOBJECT_UEVENT = 15
# An event on request: it comes behind all that were sent before.
MARKER = Path("/sys/class/mem/null/uevent")


class Listener:
    """Collects events from its creation on."""

    def __init__(self):
        self.socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT
        )
        self.socket.bind((0, 1))
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def wait_for(self, wanted, seconds=PATIENCE):
        """All events up to the first that `wanted` accepts; False if none came."""
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], remaining)[0]:
                break
            head, *pairs = self.socket.recv(8192).rstrip(b"\0").split(b"\0")
            if b"@" not in head:
                continue
            event = dict(pair.decode().split("=", 1) for pair in pairs)
            self.events.append(event)
            if wanted(event):
                return True
        return False

    def drain(self):
        """All events that are here already."""
        MARKER.write_text("change")
        if not self.wait_for(lambda event: event["DEVPATH"].endswith("/mem/null")):
            raise SystemExit("the kernel's uevents do not arrive")
        return self.events[:-1]


def device(event):
    return f"{event.get('SUBSYSTEM', '')}:{Path(event['DEVPATH']).name}"
