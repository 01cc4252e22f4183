"""What counts as a change of the machine, and that looking never blocks."""

import gc
import os
import select
from types import SimpleNamespace

import pytest
from patience import turns

from heapwire.kernel.discovery import HotPlug
from heapwire.protocol import UsageError


class Events:
    """A monitor with some events queued."""

    def __init__(self, *events):
        self.events = list(events)
        self.asked = []

    def fileno(self):
        return 7

    def poll(self, timeout=None):
        self.asked.append(timeout)
        return self.events.pop(0) if self.events else None


def event(subsystem, **properties):
    return SimpleNamespace(subsystem=subsystem, properties=properties)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], False),
        ([event("dma_heap", ACTION="add")], True),
        ([event("video4linux", ACTION="remove")], True),
        ([event("drm", ACTION="change", HOTPLUG="1")], True),
        ([event("input", ACTION="add")], False),
        ([event("usb", ACTION="change")], False),
        ([event("usb", ACTION="change", DMA_HEAP_LINKS="1")], True),
        ([event("platform", ACTION="change", DMA_HEAP_LINKS="0")], True),
        ([event("input"), event("block"), event("dma_heap")], True),
        ([event(None)], False),
    ],
)
def test_what_counts(events, expected):
    monitor = Events(*events)
    watch = HotPlug(monitor)
    assert watch.changed() is expected
    assert monitor.events == []  # all are read, whatever the first was
    assert set(monitor.asked) == {0}  # and never waited for
    assert watch.changed() is False


def test_a_storm_of_events_is_read_in_parts():
    monitor = Events(*(event("drm") for _ in range(3000)))
    watch = HotPlug(monitor)
    parts = [watch.changed()]
    for _ in turns(3001, "the last event"):
        if not parts[-1]:
            break
        parts.append(watch.changed())
    assert len(parts) > 2


def test_a_closed_watch_says_so():
    with HotPlug(Events()) as watch:
        assert watch.fileno() == 7
    assert watch.changed() is False
    with pytest.raises(UsageError, match="closed"):
        watch.fileno()


def test_the_real_one_is_quiet_here_and_closes_its_socket():
    watch = HotPlug()
    fd = watch.fileno()
    watch.changed()
    assert select.select([fd], [], [], 0) == ([], [], [])
    watch.close()
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
