"""What the host's own test commits say of planes and memory, asked one after the other.

The host is the master of its cards, so it alone can have a commit tested. It is asked when the
machine has been looked at: of each memory one buffer is allocated on the worker's thread, and each
plane is asked for one format of each kind that lies in it. The host answers when it likes, and one
that never does costs that buffer and nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable

from heapwire.compositor_plugin.host import PlaneTest, PlaneTester
from heapwire.compositor_plugin.machine.worker import Task, Worker
from heapwire.compositor_plugin.server import EventLoop
from heapwire.kernel.description import Device, KmsPlane, Platform
from heapwire.kernel.discovery import (
    DeviceRecord,
    Picture,
    Verdict,
    host_record,
    plane_pictures,
    triable_by,
    with_records,
)
from heapwire.kernel.memory import DmaBuf
from heapwire.protocol import MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import dataclass
from heapwire.protocol.values import Extent, Source

log = logging.getLogger(__name__)

MOST_TESTS = 256
"""Of a display; the rest is not asked."""
_PAUSE = 1  # millisecond between two tests, so that the host's loop has its turn


@dataclass(frozen=True, slots=True)
class _Asked:
    plane: KmsPlane
    picture: Picture


class HostTrials:
    """Asks `tester` about a platform's displays; `learned` gets the platform with what it said.

    `learned` is called on the loop's thread, if the host has refused anything. What was said of a
    device is kept, for the next look at the machine.
    """

    def __init__(
        self,
        loop: EventLoop,
        worker: Worker,
        tester: PlaneTester,
        learned: Callable[[Platform], None],
    ) -> None:
        self._worker = worker
        self._tester = tester
        self._learned = learned
        self._timer = loop.add_timer(self._ask)
        self._platform: Platform | None = None
        self._next: Platform | None = None
        self._memories: deque[tuple[Device, Source]] = deque()
        self._device: Device | None = None
        self._source: Source | None = None
        self._allocation: Task[tuple[DmaBuf, list[_Asked]]] | None = None
        self._buffer: DmaBuf | None = None
        self._tests: deque[_Asked] = deque()
        self._waiting: _Asked | None = None
        self._number = 0
        self._count: dict[str, int] = {}
        self._verdicts: dict[str, list[Verdict]] = {}
        self._known: dict[str, DeviceRecord] = {}

    def begin(self, platform: Platform) -> Platform:
        """Ask about this machine; after what is under way, which was another.

        The platform with what is known of its devices already is returned.
        """
        if self._platform is not None:
            self._next = platform
            return self._with_known(platform)
        self._platform, self._next = platform, None
        self._count, self._verdicts = {}, {}
        for device in platform.devices:
            sources = triable_by(platform, device)
            if device.id is not None and _key(device, sources) not in self._known:
                self._memories.extend((device, source) for source in sources)
        known = self._with_known(platform)
        self._go_on()
        return known

    def close(self) -> None:
        """Ask nothing more; the buffer of a test that is not answered is let go of."""
        self._timer.remove()
        self._number += 1
        self._memories.clear()
        if self._allocation is not None:
            self._allocation.cancel()
        self._let_go()

    def _with_known(self, platform: Platform) -> Platform:
        records = {
            device.name: record
            for device in platform.devices
            if (record := self._known.get(_key(device, triable_by(platform, device))))
        }
        return with_records(platform, records) if records else platform

    def _go_on(self) -> None:
        if self._tests:
            self._timer.arm(_PAUSE)
            return
        self._let_go()
        if self._memories:
            self._device, self._source = self._memories.popleft()
            device, source, platform = self._device, self._source, self._platform
            if platform is not None:
                self._allocation = self._worker.submit(
                    lambda: _prepared(platform, device, source),
                    self._allocated,
                    discard=lambda made: made[0].close(),
                )
            return
        self._finish()

    def _allocated(self, outcome: tuple[DmaBuf, list[_Asked]] | Exception) -> None:
        self._allocation = None
        if isinstance(outcome, tuple):
            self._buffer, tests = outcome
            self._tests.extend(tests)
        elif not isinstance(outcome, (MachineError, NotPossibleError, OSError)):
            log.error("memory for a test cannot be had", exc_info=outcome)
        self._go_on()

    def _ask(self) -> None:
        device, buffer = self._device, self._buffer
        if device is None or device.id is None or buffer is None:
            return
        asked = self._tests.popleft()
        self._count[device.name] = self._count.get(device.name, 0) + 1
        self._number += 1
        number = self._number
        self._waiting = asked
        test = PlaneTest(
            device=device.id,
            plane=asked.plane.id,
            fourcc=asked.picture.fourcc,
            modifier=asked.picture.modifier,
            size=Extent(asked.picture.width, asked.picture.height),
            fd=buffer.fd,
            planes=asked.picture.planes,
        )
        try:
            can = self._count[device.name] <= MOST_TESTS and self._tester(
                test, lambda error: self._answered(number, error)
            )
        except Exception:
            log.exception("the host failed to test a plane")
            can = False
        if not can and self._number == number and self._waiting is asked:
            self._waiting = None
            self._tests.clear()
            self._memories = deque(one for one in self._memories if one[0] is not device)
            self._go_on()

    def _answered(self, number: int, error: int | None) -> None:
        """The host's answer to a test; a late one, or a second, is nobody's."""
        asked = self._waiting
        if number != self._number or asked is None or self._device is None or not self._source:
            return
        self._waiting = None
        verdict = asked.picture.verdict(self._source.name, asked.plane, error)
        if verdict is not None:
            self._verdicts.setdefault(self._device.name, []).append(verdict)
        self._go_on()

    def _let_go(self) -> None:
        self._tests.clear()
        self._waiting = None
        if self._buffer is not None:
            self._buffer.close()
            self._buffer = None

    def _finish(self) -> None:
        platform, self._platform = self._platform, None
        if platform is None:
            return
        news = False
        for device in platform.devices:
            if device.name in self._verdicts:
                record = host_record(self._verdicts[device.name])
                self._known[_key(device, triable_by(platform, device))] = record
                news = news or any(not verdict.taken for verdict in record.verdicts)
        if self._next is not None:
            platform = self._next
            self.begin(platform)
        if news:
            self._learned(self._with_known(platform))


def _key(device: Device, sources: Iterable[Source]) -> str:
    """What an answer is good for: this device and this memory."""
    names = sorted(source.name for source in sources)
    return f"{device.id} {device.driver} {'/'.join(device.place.path)} {names}"


def _prepared(platform: Platform, device: Device, source: Source) -> tuple[DmaBuf, list[_Asked]]:
    """On the worker's thread: a buffer, and what is asked of it."""
    tests = [_Asked(plane, picture) for plane, picture in plane_pictures(platform, device)]
    if not tests:
        raise NotPossibleError(f"{device.name} shows nothing to test with")
    size = max(test.picture.size for test in tests)
    return platform.memory.allocate(source.id, size, name="heapwire trial"), tests
