"""In the guest: a real clip through a decoder and a stock Weston to a display.

    weston_play.py MODULE BLIND_MODULE CLIP

Encodes the clip with vicodec, and plays it with `heapwire play`, decoded by vicodec into
negotiated buffers, on a Weston with the module and on one without. The blind module is one
that was built without the fields of libweston that tell of scanout. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import reference_decoder
from clip import pictures
from contiguous_display import ENVIRONMENT, POLICY_FILE, contiguous_platform, write_policy
from display_state import Crcs, crc_of, framebuffer
from limits import PATIENCE
from m2m_encoder import M2mEncoder
from played import played
from step_limit import step_limit
from weston import Weston, seat
from weston_scanout import scanned_out

from heapwire.client_lib.buffers import Window
from heapwire.client_lib.negotiation import NegotiationManager
from heapwire.client_lib.player import AUTO, Player, PlayOptions
from heapwire.client_lib.wayland import Connection
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.kernel.discovery import local_platform
from heapwire.protocol.values import Extent, Usage

SIZE = Extent(640, 480)
FRAMES = 24
FWHT = int.from_bytes(b"FWHT", "little")
STATELESS_FWHT = int.from_bytes(b"SFWH", "little")
XR24 = int.from_bytes(b"XR24", "little")  # V4L2's name for what DRM calls XRGB8888
CLIP, LONG_CLIP = Path("/tmp/clip.fwht"), Path("/tmp/long.fwht")
MANY_LOOPS = 100
IDLE_CLIENTS = 8
PHASE = 8  # frames in a way of being shown before it is changed
HEAPWIRE = [sys.executable, "-m", "heapwire.cli.main", "play", "--unpaced"]


def vicodec(usage, coded):
    """The node of the codec that writes or reads this bitstream."""
    return next(
        one.node
        for one in local_platform().devices
        if usage in one.sets and one.driver == "vicodec" and coded in one.bitstreams
    )


def encode(path):
    """The clip as files of FWHT; how its pictures are laid out, and their bytes."""
    with M2mEncoder(vicodec(Usage.ENCODE, FWHT)) as encoder:
        packets = list(
            encoder.encode(pictures(path, SIZE, FRAMES), raw=XR24, extent=SIZE, coded=FWHT)
        )
    CLIP.write_bytes(b"".join(packets))
    LONG_CLIP.write_bytes(b"".join(packets) * MANY_LOOPS)
    layout, decoded = reference_decoder.decode(
        vicodec(Usage.DECODE, FWHT), packets, coded=FWHT, raw=XR24, extent=SIZE
    )
    return layout.pitches[0], decoded


def dma_bufs():
    """How many dma-bufs there are in the kernel."""
    text = Path("/sys/kernel/debug/dma_buf/bufinfo").read_text()
    return int(re.search(r"Total (\d+) objects", text)[1])


def command(weston, *arguments):
    """What `heapwire play` says, as JSON."""
    done = subprocess.run(
        [*HEAPWIRE, "--json", *map(str, arguments)],
        env={**os.environ, "WAYLAND_DISPLAY": weston.socket},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"exit": done.returncode, "error": done.stderr + weston.log[-2000:]}
    return json.loads(done.stdout)


def settled(before):
    """How many dma-bufs are left of what was made since; the compositor has a moment to let go."""
    deadline = time.monotonic() + PATIENCE
    while dma_bufs() > before and time.monotonic() < deadline:
        time.sleep(0.2)
    return dma_bufs() - before


def fullscreen(weston, *arguments):
    """The command, as fast as it goes, with Weston's own log of its planes."""
    before = dma_bufs()
    with weston.watched() as repaints:
        played = command(weston, "--fullscreen", *arguments, CLIP)
    return {
        "played": played,
        "repaints": len(repaints),
        "plane_only": repaints.plane_only,
        "left": settled(before),
    }


def stepped(weston, expected, decoder=AUTO):
    """Picture by picture: each is waited for, until the display itself says that it shows it."""
    seen = []

    def progress(now):
        number = now.counts.decoded - 1
        if number == len(seen) and number < FRAMES:
            shown = crcs.wait_for(expected[number])
            seen.append({"shown": shown, "framebuffer": framebuffer()})

    player = Player(
        CLIP,
        display=weston.socket,
        platform=local_platform(),
        options=PlayOptions(
            fullscreen=True, paced=False, frames=FRAMES, timeout=PATIENCE, decoder=decoder
        ),
        on_progress=progress,
    )
    with Crcs() as crcs:
        player.play()
    return seen


def stateless(weston, expected, node):
    """All of it once more, by the decoder whose driver parses nothing."""
    told = fullscreen(weston, "--decoder", node)
    return {**told, "node": node, "stepped": stepped(weston, expected, node)}


def on_reference(pitch, decoded, node):
    """The reference compositor, picture by picture: whether each is as it was decoded."""
    platform = contiguous_platform()
    wanted = [
        np.frombuffer(one, np.uint8)[: pitch * SIZE.height].reshape(SIZE.height, pitch // 4, 4)[
            :, : SIZE.width, 2::-1
        ]
        for one in decoded
    ]
    alike = []

    def look(record, pixels):
        number = len(alike)
        alike.append(number < FRAMES and np.array_equal(pixels()[..., :3], wanted[number]))

    with tempfile.TemporaryDirectory() as folder:
        compositor = Compositor(platform, size=SIZE, socket=f"{folder}/screen", on_frame=look)
        with compositor, compositor.running():
            result = Player(
                CLIP,
                display=compositor.connect(),
                platform=platform,
                options=PlayOptions(
                    fullscreen=True, paced=False, frames=FRAMES, timeout=PATIENCE, decoder=node
                ),
            ).play()
    return {
        **played(result),
        "alike": alike,
    }


class Turns:
    """Makes a window of a fullscreen player, and the other way round, until all was seen.

    `ways` are True for fullscreen. A way is done when PHASE more frames were shown in it as
    they should be, by a plan that is for it.
    """

    def __init__(self, platform, ways):
        self.seen = []
        self.player = None
        self._platform = platform
        self._ways = list(ways)
        self._begun = 0

    def progress(self, now):
        counts, plan = now.counts, now.plan
        way = self._ways[0]
        shown_so = counts.scanned_out if way else counts.shown - counts.scanned_out
        source = self._platform.source_name(plan.layout.objects[0].source)
        seen = {"fullscreen": way, "for_scanout": plan.scanout, "source": source}
        if not self.seen or self.seen[-1] != seen:
            self.seen.append(seen)
            self._begun = shown_so
        if plan.scanout is way and shown_so - self._begun >= PHASE:
            self._ways.pop(0)
            if not self._ways:
                self.player.stop()
                self._ways = [way]
            self.player.set_fullscreen(self._ways[0])


def toggled(weston, platform, *ways):
    """One stream in several ways, one after the other: what was seen, and what came of it."""
    before = dma_bufs()
    turns = Turns(platform, ways)
    turns.player = Player(
        LONG_CLIP,
        display=weston.socket,
        platform=platform,
        options=PlayOptions(fullscreen=ways[0], paced=False, timeout=PATIENCE),
        on_progress=turns.progress,
    )
    result = turns.player.play()
    return {
        **played(result),
        "seen": turns.seen,
        "decoder": result.decoder,
        "decoded": result.frames.decoded,
        "dropped": result.frames.dropped,
        "left": settled(before),
    }


def fallback(weston):
    """The command where the compositor cannot plan, and a stream in both ways."""
    platform = contiguous_platform()
    return {
        "command": command(weston, "--fullscreen", "--policy", POLICY_FILE, CLIP),
        "toggled": toggled(weston, platform, False, True, False),
    }


def crowd(weston, stack):
    """Two players and idle clients; one player is killed."""
    idle = []
    for number in range(IDLE_CLIENTS):
        connection = stack.enter_context(weston.connect())
        manager = NegotiationManager(connection, timeout=PATIENCE)
        window = Window(connection, title=f"idle {number}", timeout=PATIENCE)
        negotiation = manager.surface_negotiation(window.surface)
        negotiation.negotiate(timeout=PATIENCE)
        idle.append(connection)
    players = [
        subprocess.Popen(
            [sys.executable, __file__, "--player", weston.socket], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for player in players:
        stack.callback(player.wait)
        stack.callback(player.kill)
    shown = [frames_of(player, PHASE) for player in players]
    players[0].send_signal(signal.SIGKILL)
    players[0].wait()
    after = frames_of(players[1], shown[1] + 2 * PHASE)
    for connection in idle:
        connection.roundtrip(timeout=PATIENCE)
    with weston.connect() as late:
        sources = NegotiationManager(late, timeout=PATIENCE).sources
    return {
        "shown": shown,
        "after": after,
        "alive": weston.alive,
        "late": sorted(one.name for one in sources.values()),
    }


def frames_of(player, least):
    """Read a player's words until it has shown so many frames."""
    for line in player.stdout:
        if int(line) >= least:
            return int(line)
    return -1


def drawn(name, module):
    """A client that draws by itself, on a Weston with this module."""
    with Weston(f"vm-{name}", shell="kiosk", module=module, size=SIZE) as weston:
        return scanned_out(weston, SIZE)


def unprivileged(module):
    """A headless Weston of a user who may open no heap: what it logs, and what it announces."""
    home = Path("/run/nobody")
    home.mkdir(mode=0o700)
    shutil.chown(home, "nobody")
    for folder in Path(sys.base_prefix).resolve().parents:
        folder.chmod(folder.stat().st_mode | 0o111)  # Python may be in a private folder
    own, log = home / "module.so", home / "log"
    shutil.copy(module, own)  # where it was may be private
    command = ["weston", "--backend=headless-backend.so", "--socket=vm-3", "--no-config"]
    command += [f"--modules={own}", f"--log={log}"]
    weston = subprocess.Popen(
        ["setpriv", "--reuid=nobody", "--clear-groups", *command],
        env={**os.environ, "XDG_RUNTIME_DIR": str(home)},
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (home / "vm-3").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        with Connection(str(home / "vm-3")) as connection:
            sources = NegotiationManager(connection, timeout=PATIENCE).sources
            text = log.read_text()
            return {
                "announced": sorted(one.name for one in sources.values()),
                "module": re.findall(r"heapwire: (.*)", text),
                "alive": weston.poll() is None,
            }
    finally:
        weston.kill()
        weston.wait()


def play_for_ever(socket):
    """A player that says how many frames it has shown."""
    Player(
        LONG_CLIP,
        display=socket,
        platform=local_platform(),
        options=PlayOptions(paced=False, timeout=PATIENCE),
        on_progress=lambda now: print(now.counts.shown, flush=True),
    ).play()


def main():
    module, blind, clip = sys.argv[1:]
    began = time.monotonic()
    times = {}

    def timed(name, step, *arguments):
        with step_limit(name):
            told[name] = step(*arguments)
        times[name] = round(time.monotonic() - began, 1)
        print(name, times[name], file=sys.stderr, flush=True)
        return told[name]

    write_policy()
    told = {}
    pitch, decoded = timed("encode", encode, clip)
    del told["encode"]
    expected = [crc_of(one, pitch, SIZE.width, SIZE.height) for one in decoded]
    parses_nothing = vicodec(Usage.DECODE, STATELESS_FWHT)
    timed("reference", on_reference, pitch, decoded, vicodec(Usage.DECODE, FWHT))
    timed("reference_stateless", on_reference, pitch, decoded, parses_nothing)
    with seat():
        with (
            Weston(
                "vm-1", shell="desktop", module=module, size=SIZE, environment=ENVIRONMENT
            ) as weston,
            ExitStack() as stack,
        ):
            timed("fullscreen", fullscreen, weston)
            timed("stepped", stepped, weston, expected)
            timed("stateless", stateless, weston, expected, parses_nothing)
            timed("toggled", toggled, weston, local_platform(), True, False, True)
            timed("crowd", crowd, weston, stack)
            told["module"] = weston.module_log
        with Weston("vm-2", shell="desktop", size=SIZE) as weston:
            timed("fallback", fallback, weston)
        for name, one in (("drawn", module), ("blind", blind)):
            timed(name, drawn, name, one)
    timed("unprivileged", unprivileged, module)
    told["times"] = times
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1] == "--player":
        play_for_ever(sys.argv[2])
    else:
        main()
