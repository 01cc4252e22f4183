"""No compositor can make the client in C touch memory that it must not."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_compositor import FakeCompositor
from patience import PATIENCE
from telling_compositor import VECTORS, TellingCompositor, client_socket, events

from heapwire.protocol.wire import ArgumentKind
from heapwire.protocol.wire.bindings import XX_DMABUF_NEGOTIATION_V1

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "negotiation_vectors.json").read_text("utf-8"))
SEEDS = range(4)
OBJECTS = 300  # feedback objects of one connection; each ends with a fault

pytestmark = pytest.mark.system(
    *("wayland-scanner", "cc", "pkg-config", "wayland-protocols.pc", "wayland-client.pc"),
)


class Garbage(TellingCompositor):
    """Says of each feedback object what could be said, in no order, and at last what cannot."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        super().__init__([self._source() for _ in range(40)] + [["done"]] * 3, [])

    def on_zwp_linux_dmabuf_v1_get_default_feedback(self, _id: int, new: int) -> None:
        self._ids["feedback"] = new

    def on_xx_dmabuf_sources_v1_extend_feedback(self, _id: int, new: int, _feedback: int) -> None:
        self._ids["extension"] = new
        wanted = self._random.randrange(1, 60)
        good = self._random.random()  # how often it says what makes sense
        self._events = self._bent() if good < 0.7 else []
        self._events += [self._event(good) for _ in range(wanted)]
        self._events.append(["feedback", "main_device", "00" * 3])
        self._tell()

    def _bent(self) -> list[list[Any]]:
        """What some compositor says, with one array of it changed."""
        case = self._random.choice(VECTORS["feedback"])
        said = [list(event) for event in events(case) if event != ["settle"]]
        event = self._random.choice(said)
        for place in range(2, len(event)):
            if isinstance(event[place], str):
                event[place] = self._array(0, 8)
        return said

    def _source(self) -> list[Any]:
        if self._random.random() < 0.3:
            return ["source_gone", 0, 250, self._random.randrange(8)]
        name = "x" * self._random.choice((0, 1, 300))
        numbers = [self._number() for _ in range(4)]
        return ["source", 0, 250, self._random.randrange(8), *numbers, name]

    def _number(self) -> int:
        return self._random.choice((0, 1, 2, 3, 255, 4096, 1 << 31, (1 << 32) - 1))

    def _array(self, good: float, size: int) -> str:
        if self._random.random() < good:
            return self._random.randbytes(size).hex()
        return self._random.randbytes(
            self._random.choice((0, 1, 2, 7, 8, 16, 24, 1024, 2000))
        ).hex()

    def _indices(self, good: float) -> str:
        if self._random.random() < good:
            count = self._random.randrange(5)
            return struct.pack(
                f"={count}H", *(self._random.randrange(4) for _ in range(count))
            ).hex()
        return self._array(0, 2)

    def _event(self, good: float) -> list[Any]:
        some = self._random
        value = struct.pack("=Q", some.choice((0, 1, 64, (1 << 64) - 1))).hex()
        return some.choice(
            (
                ["feedback", "format_table", [[1, 0], [2, 0], [3, 5], [4, 0]]]
                + ([] if some.random() < max(good, 0.5) else [self._number()]),
                ["feedback", "main_device", self._array(max(good, 0.9), 8)],
                ["feedback", "tranche_target_device", self._array(max(good, 0.9), 8)],
                ["feedback", "tranche_flags", self._number()],
                ["feedback", "tranche_formats", self._indices(good)],
                ["feedback", "tranche_done"],
                ["feedback", "done"],
                ["extension", "tranche_source", some.choice((0, 1, 2)), 250, some.randrange(9)],
                ["extension", "tranche_set", some.randrange(3), self._indices(good)],
                [
                    *("extension", "tranche_constraint", some.choice((1, 8, 16, 17, 18, 200))),
                    *(self._number(), self._number()),
                    value if some.random() < good else self._array(0, 8),
                ],
                ["extension", "tranche_done"],
                ["extension", "done", some.choice((0, 1, 1, self._number()))],
            )
        )


class GarbageAnswers(FakeCompositor):
    """Answers each commit with what some compositor says, bent, and at last with what none says."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        super().__init__()

    def on_xx_dmabuf_negotiation_v1_commit(self, id_: int, _cookie: int) -> None:
        for _ in range(self._random.randrange(4)):
            case = self._random.choice(ANSWERS)
            bend = self._random.randrange(2 * len(case["events"]))  # half of the time nowhere
            for place, (name, *values) in enumerate(case["events"]):
                if place == bend:
                    values[self._random.randrange(len(values))] = None
                self._send(id_, name, values)
        self._send(id_, "plan", [9] * 9)
        self._send(id_, "done", [9, 9])

    def _send(self, id_: int, name: str, values: list[Any]) -> None:
        (event,) = [one for one in XX_DMABUF_NEGOTIATION_V1.events if one.name == name]
        pairs = zip(event.arguments, values, strict=True)
        self.event(id_, name, *(self._raw(argument.kind, value) for argument, value in pairs))

    def _raw(self, kind: ArgumentKind, value: Any) -> Any:
        some = self._random
        if kind is ArgumentKind.UINT:
            odd = (0, 1, 2, 3, 4, 255, 4096, 1 << 31, (1 << 32) - 1)
            return some.choice(odd) if value is None else value
        if kind is ArgumentKind.STRING:
            return "x" * some.choice((0, 1, 300, 2000)) if value is None else value
        size = some.choice((0, 1, 7, 8, 12, 16, 1024, 2000))
        return some.randbytes(size) if value is None else bytes.fromhex(value)


@pytest.fixture(scope="session", params=["decode", "plan"])
def checked(request: pytest.FixtureRequest, library: Path, program: Callable[..., Path]) -> Path:
    """A program with the library in it, where what is wrong in memory ends it."""
    code = HERE / f"{request.param}.c"
    program(code)
    codes = [code, *library.glob("*.c")]
    codes = [code for code in codes if not code.name.startswith("xdg-shell")]
    out = library / f"{request.param}-checked"
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g"]
    command = ["cc", *sanitizers, f"-I{library}", *codes, "-o", out, "-lwayland-client"]
    subprocess.run(command, check=True)
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_a_compositor_says(seed: int, checked: Path) -> None:
    asks = checked.name.startswith("plan")
    compositor = GarbageAnswers(seed) if asks else Garbage(seed)
    socket = client_socket(compositor)
    compositor.socket.close()
    try:
        done = subprocess.run(
            [checked, *["64", "0"] * asks, str(OBJECTS)],
            env={"WAYLAND_SOCKET": str(socket)},
            pass_fds=[socket],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(socket)
        compositor.close()
    assert (done.returncode, done.stderr) == (0, "")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum("fault" in line for line in said) == OBJECTS
