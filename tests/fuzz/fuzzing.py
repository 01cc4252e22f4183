"""Playing scripts against the compositor, several at a time, while another client is served."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from habits import script_of
from patience import until
from raw_connection import MOST_FDS, HungUpError, RawConnection
from scripts import HUGE, SIZE, Read, Script, Send, Step, Sync
from signatures import Interface
from target import Healthy, Target

from heapwire.kernel.system import sealed_memfd

CONFIGURE = 0  # xdg_surface.configure
ACK = 12 << 16 | 4  # xdg_surface.ack_configure
MOST_CLIENTS = 4
MOST_TICKS = 10_000
TICK_EVERY = 8  # turns of the scripts
ANSWER_EVERY = 5  # episodes


@dataclass
class Tally:
    """What was done, for people."""

    messages: int = 0
    connections: int = 0
    ended: int = 0  # by the compositor, for breaking the rules
    descriptors: int = 0  # that it sent

    def __str__(self) -> str:
        return (
            f"{self.messages} messages on {self.connections} connections, of which the "
            f"compositor ended {self.ended}; {self.descriptors} descriptors received"
        )


@dataclass
class Player:
    """One script on its connection."""

    connection: RawConnection
    steps: deque[Step]
    healthy: Healthy
    done: bool = False
    unanswered: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def turn(self, tally: Tally) -> None:
        """Take a step; when there is none left, or no connection, hang up."""
        try:
            if self.steps:
                self._take(self.steps.popleft(), tally)
                return
        except HungUpError:
            tally.ended += 1
        tally.descriptors += self.connection.fds
        self.connection.close()
        self.done = True

    def _take(self, step: Step, tally: Tally) -> None:
        match step:
            case Read():
                self.connection.read()
            case Sync():
                tally.messages += 1
                self.connection.events.clear()
                self.connection.send(step.data)
                self._settle(step.id)
                for object_, opcode, body in self.connection.events:
                    if step.acknowledges and (object_, opcode) == (step.acknowledges, CONFIGURE):
                        self.connection.send(struct.pack("=II", object_, ACK) + body)
            case Send():
                tally.messages += step.messages
                self.last.append(step.words)
                with files(step.files) as fds:
                    self.connection.send(step.data, fds)

    def _settle(self, callback: int) -> None:
        """Wait for a callback as long as the compositor has something of ours to handle.

        It need not come: where a message says that it is longer than it is, the
        compositor waits for the rest, and rightly.
        """
        for _ in range(MOST_TICKS):
            taken = not self.connection.unread
            self.healthy.tick()
            self.connection.read()
            if any(one[:2] == (callback, 0) for one in self.connection.events):
                return
            if taken:
                self.unanswered += 1
                return
        raise AssertionError("the compositor serves others, and does not read from this one")


class Fuzzer:
    """Sends made-up clients at a target until enough messages have been sent."""

    def __init__(self, target: Target, interfaces: dict[str, Interface]) -> None:
        self.tally = Tally()
        self.target = target
        self.healthy = Healthy(target, interfaces)
        self._interfaces = interfaces
        self._before = target.files() + self._solver()

    def close(self) -> None:
        self.healthy.close()

    def _solver(self) -> Counter[str]:
        """What the compositor has open for the process that solves heavy questions.

        It comes when it is needed, and stays for a minute: nobody waits for its end.
        """
        script = self.script(Random(0))
        script.heavy()
        alone = self.target.files()
        player = Player(RawConnection(self.target.socket), deque(script.steps), self.healthy)
        until(lambda: bool(self.target.files() - alone), "the connection")
        asleep = self.target.files()
        while player.steps:
            player.turn(Tally())
        until(lambda: bool(self.target.files() - asleep), "a process that solves")
        self.healthy.tick()  # all that belongs to it is open
        solver = self.target.files() - asleep
        player.connection.close()
        self.healthy.check_answer()
        return solver

    def run(self, seed: str, messages: int) -> None:
        """Play so many messages of a seed; a failure says how to see it again."""
        started, number = self.tally.messages, 0
        players: list[Player] = []
        try:
            while self.tally.messages - started < messages:
                players = list(self._players(Random(f"{seed}/{number}")))
                self._episode(Random(f"{seed}/{number}/turns"), players)
                number += 1
                if number % ANSWER_EVERY == 0:
                    self.healthy.check_answer()
                    self.target.check_lives()
            self.check()
        except (AssertionError, HungUpError) as error:
            sent = self.tally.messages - started
            said = "\n\n".join("\n".join(one.last) for one in players)
            raise AssertionError(
                f"{error!r}\nepisode {number}; again: make fuzz SEED={seed} MESSAGES={sent}\n"
                f"what its clients sent last:\n{said}\nthe compositor:\n{self.target.tail}"
            ) from error
        finally:
            for player in players:
                player.connection.close()

    def check(self) -> None:
        """The compositor is as it was before."""
        self.target.check_lives()
        self.healthy.check_answer()
        self.target.check_holds(self._before)

    def script(self, random: Random) -> Script:
        """A client that has done nothing yet."""
        return Script(random, self._interfaces, self.healthy.globals, self.healthy.values)

    def made_up(self, random: Random) -> Script:
        """A client's whole life."""
        return script_of(random, self._interfaces, self.healthy.globals, self.healthy.values)

    def _players(self, random: Random) -> Iterator[Player]:
        for _ in range(random.randrange(1, MOST_CLIENTS + 1)):
            script = self.made_up(random)
            self.tally.connections += 1
            connection = RawConnection(self.target.socket)
            yield Player(connection, deque(script.steps), self.healthy)

    def _episode(self, random: Random, players: list[Player]) -> None:
        turns, playing = 0, list(players)
        while playing:
            one = random.choice(playing)
            for _ in range(random.choice((1, 1, 4, 16))):
                if not one.done:
                    one.turn(self.tally)
            playing = [one for one in playing if not one.done]
            turns += 1
            if turns % TICK_EVERY == 0:
                self.healthy.tick()
        self.healthy.tick()


@contextlib.contextmanager
def files(kinds: tuple[str, ...]) -> Iterator[list[int]]:
    """Open files of some kinds, to be sent."""
    fds: list[int] = []
    try:
        for kind in kinds[:MOST_FDS]:
            fds += _opened(kind)
        yield fds
    finally:
        for fd in fds:
            os.close(fd)


def _opened(kind: str) -> list[int]:
    match kind:
        case "heap" | "cma" | "memfd" | "shrunk" | "huge":
            name = {"heap": "heapwire:system", "cma": "heapwire:linux,cma"}.get(kind, "fuzz")
            fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.ftruncate(fd, {"shrunk": 100, "huge": HUGE}.get(kind, SIZE))
            if kind == "heap":
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
            return [fd]
        case "timeline":
            return [sealed_memfd("heapwire timeline", 16)]
        case "null":
            return [os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)]
        case "folder":
            return [os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
        case "pipe":
            reading, writing = os.pipe2(os.O_CLOEXEC)
            os.close(writing)
            return [reading]
        case "listening":
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.bind("")  # the kernel finds a name
            listening.listen()
            return [listening.detach()]
        case _:
            return [os.eventfd(0, os.EFD_CLOEXEC)]
