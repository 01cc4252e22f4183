"""The ways in which a client may behave, each a step or a few of its script."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from random import Random

from scripts import DISPLAY, FILES, REGISTRY, SERVER_IDS, MissingGlobalError, Read, Script, Send
from signatures import Interface


def valid(script: Script) -> None:
    """What the rules allow."""
    script.random.choice(VALID)(script)


def arbitrary(script: Script) -> None:
    """A request that an object has, with values of the right shape."""
    object_, name = script.random.choice(list(script.live.items()))
    requests = script.interfaces[name].requests
    if object_ == REGISTRY or not requests:
        return
    message = script.random.choice(requests)
    # An object that is made and unmade in one breath is as good as any.
    values = tuple(script.arbitrary(argument) for argument in message.plain)
    files = tuple(script.random.choice(FILES) for _ in range(message.fds))
    data = message.encode(object_, values)
    script.steps.append(Send(data, files, 1, f"{name}@{object_}.{message.name} {values}"[:300]))
    for argument in message.arguments:
        if argument.kind == "new_id" and argument.interface:
            script.new(argument.interface)
    if message.destructor:
        script.destroyed(object_)


def mutated(script: Script) -> None:
    """A valid step with some bytes changed."""
    first = len(script.steps)
    valid(script)
    sends = [n for n, one in enumerate(script.steps[first:], first) if isinstance(one, Send)]
    if not sends:
        return
    place = script.random.choice(sends)
    old = script.steps[place]
    assert isinstance(old, Send)
    data = bytearray(old.data)
    for _ in range(script.random.randrange(1, 4)):
        how, at = script.random.randrange(4), script.random.randrange(len(data))
        if how == 0:
            data[at] ^= 1 << script.random.randrange(8)
        elif how == 1:
            data[at] = script.random.choice((0, 0x7F, 0x80, 0xFF))
        elif how == 2 and len(data) >= 16:
            word = script.random.randrange(2, len(data) // 4)
            struct.pack_into("=I", data, 4 * word, script.random.choice((0, 2**32 - 1, 2**31)))
        else:
            size = script.random.choice((0, 4, 7, 8, len(data) + 4, 4096, 65532))
            struct.pack_into("=H", data, 6, size % 65536)
    script.steps[place] = Send(bytes(data), old.files, 1, f"mutated {old.words}")


def truncated(script: Script) -> None:
    """A message whose end never comes."""
    object_ = script.any("xx_dmabuf_negotiation_v1", script.negotiation)
    message = script.interfaces["xx_dmabuf_negotiation_v1"].request("set_participant")
    data = message.encode(object_, (1, 1, 0, 0, b"x" * 100))
    cut = script.random.randrange(1, len(data))
    script.steps.append(Send(data[:cut], (), 1, "a message without its end"))


def out_of_order(script: Script) -> None:
    """Objects that are gone, that are not there yet, or that the compositor would make."""
    random = script.random
    gone = random.choice(script.dead) if script.dead else script.next
    object_ = random.choice((gone, script.next, script.next + 100, SERVER_IDS, 0, DISPLAY))
    body = random.randbytes(4 * random.randrange(6))
    word = (8 + len(body)) << 16 | random.randrange(12)
    script.steps.append(Send(struct.pack("=II", object_, word) + body, (), 1, f"@{object_}"))


def starved(script: Script) -> None:
    """A request that needs a descriptor, without one."""
    dmabuf = script.bind("zwp_linux_dmabuf_v1")
    params = script.make(dmabuf, "create_params", "zwp_linux_buffer_params_v1")
    script.request(params, "add", 0, 0, 256, 0, 0)


def flooded(script: Script) -> None:
    """Descriptors that nothing asks for."""
    message = script.interfaces["wl_display"].request("sync")
    data = message.encode(DISPLAY, (script.new("wl_callback"),))
    files = tuple(script.random.choices(FILES, k=script.random.randrange(1, 28)))
    script.steps.append(Send(data, files, 1, f"{len(files)} descriptors with a sync"))


def bound_wrong(script: Script) -> None:
    """A global in a version that it has or has not, or by another's name."""
    random = script.random
    name = random.choice(list(script.globals))
    number, highest = script.globals[name]
    if random.random() < 0.7:
        script.bind(name, random.randrange(1, highest + 1))
        return
    wrong = random.choice((b"wl_surface", b"", name.encode()[:-1], name.encode()))
    version = random.choice((0, highest + 1, 2**32 - 1, 1))
    script.request(REGISTRY, "bind", random.choice((number, 999)), wrong, version, script.new(name))


def reading(script: Script) -> None:
    """Look at what has come."""
    script.steps.append(Read())


def waiting(script: Script) -> None:
    """Wait until everything is handled."""
    script.sync()


VALID: tuple[Callable[[Script], object], ...] = (
    *(Script.ask, Script.ask, Script.ask, Script.show, Script.allocate, Script.allocate),
    *(Script.constraint_set, Script.negotiation, Script.surface, Script.dmabuf_buffer),
    *(Script.shm_buffer, Script.dmabuf_feedback, Script.extended_feedback, Script.destroy_any),
    *(Script.destroy_any, Script.destroy_any, Script.heavy, Script.dmabuf_trial),
    *(Script.light, Script.explicit_sync, Script.any_global),
)
# What a client is like: its habits, each with how often it follows them.
CHARACTERS: tuple[Mapping[Callable[[Script], None], int], ...] = (
    {valid: 20, reading: 2, waiting: 2},
    {valid: 20, arbitrary: 3, reading: 2, waiting: 1},
    {valid: 5, arbitrary: 20, reading: 1},
    {valid: 20, mutated: 2, reading: 2},
    {valid: 20, out_of_order: 1, reading: 2},
    {valid: 20, bound_wrong: 4, reading: 2},
    {valid: 20, flooded: 4, reading: 1},
    {valid: 20, starved: 1, flooded: 1},
    {valid: 20},  # never reads
)


def script_of(
    random: Random,
    interfaces: Mapping[str, Interface],
    globals_: Mapping[str, tuple[int, int]],
    values: Mapping[int, Sequence[bytes]],
) -> Script:
    """A client's whole life."""
    script = Script(random, interfaces, globals_, values)
    character = random.choice(CHARACTERS)
    habits, weights = list(character), list(character.values())
    for _ in range(random.choice((3, 10, 40))):
        with contextlib.suppress(MissingGlobalError):  # what came before it is sent
            random.choices(habits, weights)[0](script)
    if random.random() < 0.2:
        truncated(script)
    return script
