"""Every order in which a client may end what it has, and its death in every state."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterable
from random import Random

import pytest
from fuzzing import Fuzzer, Player
from raw_connection import RawConnection
from scripts import Script, Send

ORDERS = os.environ.get("ORDERS", "40")  # of each group; "all" takes minutes


def heaps(script: Script) -> list[int]:
    """One of each object that the extension gives, tied to each other as they can be."""
    surface = script.surface()
    set_ = script.constraint_set()
    manager = script.manager()
    creator = script.make(manager, "create_constraint_set", "xx_dmabuf_constraint_set_creator_v1")
    negotiation = script.make(
        manager, "get_surface_negotiation", "xx_dmabuf_negotiation_v1", surface
    )
    script.request(negotiation, "set_participant", 1, 1, 81, 3, b"decoder")
    script.request(negotiation, "add_alternative", 1, set_)
    script.request(negotiation, "set_extents", 64, 64, 0, 0, 0, 0)
    script.request(negotiation, "commit", 1)
    script.sync()  # now there are plans
    buffer = script.dmabuf_buffer()
    script.request(negotiation, "use_plan", 2, 0)
    status = script.watch(buffer)
    script.request(surface, "attach", buffer, 0, 0)
    script.request(surface, "commit")
    allocation = script.allocate()
    script.request(negotiation, "commit", 2)  # unanswered when the first of them ends
    return [surface, set_, manager, creator, negotiation, buffer, status, allocation]


def dmabuf(script: Script) -> list[int]:
    """One of each object that linux-dmabuf gives, and a negotiation of the same surface."""
    surface = script.surface()
    factory = script.bind("zwp_linux_dmabuf_v1")
    feedback = script.make(factory, "get_surface_feedback", "zwp_linux_dmabuf_feedback_v1", surface)
    params = script.make(factory, "create_params", "zwp_linux_buffer_params_v1")
    script.request(params, "add", 0, 0, 256, 0, 0, files=("heap",))
    buffer = script.dmabuf_buffer()
    script.request(surface, "attach", buffer, 0, 0)
    script.request(surface, "commit")
    negotiation = script.make(
        script.manager(), "get_surface_negotiation", "xx_dmabuf_negotiation_v1", surface
    )
    status = script.watch(buffer)
    return [surface, factory, feedback, params, buffer, negotiation, status]


def managers(script: Script) -> list[int]:
    """What each of the three managers has made, with the managers themselves."""
    manager = script.manager()
    negotiation = script.ask()
    script.sync()  # now there are plans
    allocator = script.bind("xx_dmabuf_allocation_manager_v1")
    allocation = script.allocate()
    watcher = script.bind("xx_dmabuf_buffer_status_manager_v1")
    buffer = script.dmabuf_buffer()
    status = script.watch(buffer)
    return [manager, negotiation, allocator, allocation, watcher, buffer, status]


def sources(script: Script) -> list[int]:
    """What the core adds to linux-dmabuf's feedback, of a surface and of none."""
    surface = script.surface()
    factory = script.bind("zwp_linux_dmabuf_v1")
    core = script.bind("xx_dmabuf_sources_v1")
    interface, extension = "zwp_linux_dmabuf_feedback_v1", "xx_dmabuf_feedback_sources_v1"
    found = [surface, factory, core]
    for request, *of in (("get_default_feedback",), ("get_surface_feedback", surface)):
        feedback = script.make(factory, request, interface, *of)
        found += [feedback, script.make(core, "extend_feedback", extension, feedback)]
    return found


def synced(script: Script) -> list[int]:
    """What linux-drm-syncobj gives, with a commit that waits for a point that never comes."""
    surface = script.surface()
    manager = script.bind("wp_linux_drm_syncobj_manager_v1")
    sync = script.make(manager, "get_surface", "wp_linux_drm_syncobj_surface_v1", surface)
    timelines = []
    for _ in range(2):
        timelines.append(script.new("wp_linux_drm_syncobj_timeline_v1"))
        script.request(manager, "import_timeline", timelines[-1], files=("timeline",))
    buffer = script.dmabuf_buffer()
    script.request(sync, "set_acquire_point", timelines[0], 0, 5)
    script.request(sync, "set_release_point", timelines[1], 0, 1)
    script.request(surface, "attach", buffer, 0, 0)
    script.request(surface, "commit")
    script.request(sync, "set_acquire_point", timelines[0], 0, 6)
    return [surface, manager, sync, *timelines, buffer]


def orders(things: int, random: Random) -> Iterable[tuple[int, ...]]:
    """All orders, or some of them; the first and the last of all are among these."""
    found = list(itertools.permutations(range(things)))
    if ORDERS == "all":
        return found
    return [found[0], found[-1], *random.sample(found, int(ORDERS) - 2)]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("things", [heaps, dmabuf, managers, sources, synced])
def test_everything_ends_in_any_order(
    fuzzer: Fuzzer, things: Callable[[Script], list[int]]
) -> None:
    random = Random(things.__name__)
    count = len(things(fuzzer.script(Random(0))))
    done = 0
    for order in orders(count, random):
        script = fuzzer.script(Random(0))
        objects = things(script)
        for position in order:
            script.request(objects[position], "destroy")
        script.sync()
        player = play(fuzzer, script)
        player.connection.close()
        done += 1
        if done % 20 == 0:
            fuzzer.healthy.check_answer()
            fuzzer.target.check_lives()
    print(f"{done} orders of {count} objects")


def play(fuzzer: Fuzzer, script: Script) -> Player:
    """Take all steps, of which none breaks a rule."""
    player = Player(RawConnection(fuzzer.target.socket), deque(script.steps), fuzzer.healthy)
    while player.steps:
        player.turn(fuzzer.tally)
        assert not player.done, f"ended after {player.last[-1]}"
        assert not player.unanswered, f"not answered after {player.last[-1]}"
    return player


def bare(script: Script) -> None:
    """Nothing but the connection."""


def building(script: Script) -> None:
    """A set that is not complete."""
    script.make(script.manager(), "create_constraint_set", "xx_dmabuf_constraint_set_creator_v1")


def asking(script: Script) -> None:
    """An answer that has not been read, nor perhaps been made."""
    script.ask()


def solving(script: Script) -> None:
    """A question that is solved beside the loop."""
    script.heavy()


def holding(script: Script) -> None:
    """All kinds of objects, memory among them."""
    heaps(script)
    script.sync()


def allocating(script: Script) -> None:
    """Memory that is on its way."""
    heaps(script)


def showing(script: Script) -> None:
    """A window with a buffer on it."""
    script.show()


def creating(script: Script) -> None:
    """Planes of a buffer that is not made."""
    dmabuf(script)


def describing(script: Script) -> None:
    """Feedback that is described, and changes."""
    sources(script)
    script.show()


def interrupted(script: Script) -> None:
    """Half a message."""
    negotiation = script.negotiation()
    message = script.interfaces["xx_dmabuf_negotiation_v1"].request("set_openable")
    data = message.encode(negotiation, (script.sources(),))
    script.steps.append(Send(data[:-8], (), 1, "half a message"))


def waiting_for_a_file(script: Script) -> None:
    """A message whose descriptor has not come."""
    params = script.make(
        script.bind("zwp_linux_dmabuf_v1"), "create_params", "zwp_linux_buffer_params_v1"
    )
    message = script.interfaces["zwp_linux_buffer_params_v1"].request("add")
    data = message.encode(params, (0, 0, 256, 0, 0))
    script.steps.append(Send(data[:8], ("heap",), 1, "half a message, with its descriptor"))


def waiting_for_a_point(script: Script) -> None:
    """A buffer that its client never gets ready."""
    synced(script)
    script.sync()


STATES = (
    *(bare, building, asking, solving, holding, allocating, showing, creating),
    *(describing, interrupted, waiting_for_a_file, waiting_for_a_point),
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_client_is_killed(fuzzer: Fuzzer, state: Callable[[Script], None]) -> None:
    """By SIGKILL, in a process of its own that holds all it was sent."""
    for number in range(3):
        script = fuzzer.script(Random(number))
        state(script)
        connection = play(fuzzer, script).connection
        with subprocess.Popen(["sleep", "infinity"], pass_fds=[connection.socket.fileno()]) as held:
            connection.close()  # the other process has it now, with what was not read
            fuzzer.healthy.tick()
            held.send_signal(signal.SIGKILL)
        fuzzer.check()
