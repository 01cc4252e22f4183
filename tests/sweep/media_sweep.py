"""Play every video file of a folder, and compare what is shown with what FFmpeg decodes.

By hand, of files that nobody here wrote; say, the media tests of a browser's source package:

    python tests/sweep/media_sweep.py FOLDER --json results.jsonl

Each file goes through the player to the reference compositor, headless. FFmpeg (PyAV, without
this player) decodes it too, and its last picture is made into RGB here, by the equations of
H.273 and the nearest sample of chroma, in the light that it is stored in: the compositor is told
nothing of that. With `--json` there is a line for each file; those that are in it already are not
played again, and one that the sweep did not come back from is a crash. The status is 1 if
something failed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import resource
import sys
import tempfile
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "common"))
from open_files import open_fds

from heapwire.client_lib import Player, PlayOptions, Window
from heapwire.client_lib.player.decoding.video_file import open_container
from heapwire.compositor_plugin.hosts.reference import Compositor
from heapwire.compositor_plugin.hosts.reference.scene import OutputMode
from heapwire.kernel.description import Platform
from heapwire.protocol import HeapwireError
from heapwire.protocol.values import FORMATS, Extent, fourcc_name

ENDINGS = frozenset(
    f".{ending}"
    for endings in (
        ("mp4", "m4v", "mov", "m4s", "3gp", "3g2", "webm", "mkv", "ogv", "ogg", "avi", "flv"),
        ("wmv", "ts", "m2ts", "mpg", "mpeg", "ivf", "y4m", "h264", "h265", "obu"),
    )
    for ending in endings
)
PICTURES = frozenset((".gif", ".apng", ".webp", ".avif"))
LEVELS = 2  # of 255
SCREEN = OutputMode(extent=Extent(1920, 1080), refresh=1_000_000)  # mHz: nothing waits for it
TIMEOUT = 120.0  # seconds for an answer of the compositor, which is in this process
# Kr and Kb by AVColorSpace: BT.709, FCC, BT.601 twice, SMPTE 240M (shown as BT.709), BT.2020.
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.299, 0.114),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.2126, 0.0722),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
GOOD = ("equal", "converted", "no picture", "unsettled")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file.

    `verdict` is one of `GOOD`: equal; equal to the picture with as much chroma as the format on
    the screen has; FFmpeg has no picture; or FFmpeg itself has another one each time. Or it is what
    is wrong: `refused`, `count`, `differs`, `traceback`, `leak`, `crash`. `levels` is how far the
    worst sample of the last picture is off.
    """

    file: str
    platform: str
    verdict: str
    codec: str = ""
    picture: str = ""
    shown_as: str = ""
    decoded: int = 0
    played: int = 0
    shown: int = 0
    scanned_out: int = 0
    levels: int | None = None
    refusal: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Reference:
    """What FFmpeg makes of a file."""

    codec: str = ""
    count: int = 0
    last: av.VideoFrame | None = None
    fault: str = ""


def reference(path: Path, threads: str = "AUTO") -> Reference:
    """Decode a file as the command ffmpeg does: with threads, and past what cannot be decoded."""
    found = Reference()

    def take(packet: av.Packet) -> None:
        with contextlib.suppress(av.error.FFmpegError):
            for picture in packet.decode():
                found.count, found.last = found.count + 1, picture

    with contextlib.ExitStack() as stack:
        try:
            container = stack.enter_context(open_container(str(path)))
            stream = container.streams.best("video")
            if stream is None or stream.codec_context is None:
                return found
            found.codec = stream.codec_context.name
            stream.thread_type = threads
            try:
                for packet in container.demux(stream):
                    take(packet)
            except av.error.FFmpegError:
                rest = av.Packet()
                rest.stream = stream
                take(rest)
        except (av.error.FFmpegError, OSError) as error:
            found.fault = str(error)
    return found


def settled(path: Path) -> bool:
    """Whether FFmpeg makes the same of a file each time, with threads of each kind.

    It conceals what is damaged, or encrypted, with what happens to be there.
    """
    made = set()
    for threads in ("NONE", "SLICE", "FRAME", "AUTO", "AUTO"):
        found = reference(path, threads)
        pixels = b"" if found.last is None else b"".join(map(bytes, found.last.planes))
        made.add((found.count, pixels))
    return len(made) == 1


def rgb_of(picture: av.VideoFrame) -> np.ndarray:
    """A picture as (height, width, 3), upright."""
    if picture.format.is_rgb or len(picture.format.components) < 3:
        image = picture.reformat(
            format="rgb24", src_color_range=2, dst_color_range=2, threads=1
        ).to_ndarray()
    else:
        image = _rgb_of_yuv(picture)
    return np.rot90(image, picture.rotation // 90)


def _rgb_of_yuv(picture: av.VideoFrame) -> np.ndarray:
    form = picture.format
    planar = {"nv12": "yuv420p", "nv21": "yuv420p", "p010le": "yuv420p10le"}.get(form.name)
    if planar is not None:
        picture = picture.reformat(format=planar, threads=1)
        form = picture.format
    bits = form.components[0].bits
    item = np.dtype("u1") if bits == 8 else np.dtype("<u2")
    width, height = picture.width, picture.height
    samples = []
    for component, plane in zip(form.components[:3], picture.planes, strict=False):
        rows = np.frombuffer(plane, item).reshape(-1, plane.line_size // item.itemsize)
        rows = rows[: plane.height, : plane.width].astype(float)
        across, down = -(-width // component.width), -(-height // component.height)
        samples.append(rows.repeat(across, 1).repeat(down, 0)[:height, :width])
    large = width >= 1280 or height > 576
    guessed = 9 if int(picture.color_primaries) == 9 else 1 if large else 5
    kr, kb = WEIGHTS.get(int(picture.colorspace), WEIGHTS[guessed])
    full = form.name.startswith("yuvj") or int(picture.color_range) == 2
    unit = 1 << bits - 8
    most = (1 << bits) - 1
    black, steps, chroma = (0, most, most) if full else (16 * unit, 219 * unit, 224 * unit)
    luma, cb, cr = samples
    luma = (luma - black) / steps
    cb, cr = ((one - 128 * unit) / chroma for one in (cb, cr))
    red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1) * 255, 0, 255)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of two pictures in levels; 255 if they differ in size."""
    if one.shape != other.shape:
        return 255
    return round(float(np.abs(one.astype(float) - other.astype(float)).max()))


def as_shown(picture: av.VideoFrame, code: int) -> av.VideoFrame | None:
    """A picture reduced to what a format has: less chroma, fewer bits; None if it is that."""
    known = FORMATS[code]
    if not known.is_yuv:
        return picture.reformat(format="rgb24", threads=1) if known.name == "RGB565" else None
    ten = known.name.startswith("P01")
    name = next(
        (
            name
            for start, name in {"NV16": "yuv422p", "YUYV": "yuv422p", "UYVY": "yuv422p"}.items()
            if known.name == start
        ),
        "yuv420p10le" if ten else "yuv420p",
    )
    if picture.format.name in (name, name.replace("yuv", "yuvj")):
        return None
    guessed = 1 if picture.width >= 1280 or picture.height > 576 else 5
    space = int(picture.colorspace) if int(picture.colorspace) in WEIGHTS else guessed
    matrix = {4: 5, 6: 5, 7: 1, 10: 9}.get(space, space)
    is_rgb = picture.format.is_rgb
    full = 2 if picture.format.name.startswith("yuvj") or int(picture.color_range) == 2 else 1
    reduced = picture.reformat(
        format=name,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=2 if is_rgb else full,
        dst_color_range=1 if is_rgb else full,
        threads=1,
    )
    reduced.colorspace, reduced.color_range = matrix, 1 if is_rgb else full
    return reduced


class Sweep:
    """One platform, and what it has to do with each file."""

    def __init__(self, platform: str, *, fullscreen: bool) -> None:
        self._name = platform
        self._platform = Platform.load(platform)
        self._fullscreen = fullscreen
        self._raised: list[str] = []
        Window.describe = lambda _window, light: light is None
        threading.excepthook = lambda args: self._note(args.exc_value)
        sys.unraisablehook = lambda args: self._note(args.exc_value)

    def _note(self, error: BaseException | None) -> None:
        self._raised.append("".join(traceback.format_exception(error)))

    def outcome(self, path: Path, name: str) -> Outcome:
        """Play one file, and look again where it is not what FFmpeg has."""
        found = self._played(path, name)
        if found.verdict in ("count", "differs") and not settled(path):
            return replace(found, verdict="unsettled")
        return found

    def _played(self, path: Path, name: str) -> Outcome:
        wanted = reference(path)
        gc.collect()
        before = len(open_fds())
        self._raised.clear()
        shown: list[tuple[int, np.ndarray | None]] = []

        def frame(record, pixels) -> None:
            last = len(shown) + 1 >= wanted.count
            shown.append((record.fourcc, np.array(pixels()) if last else None))

        common = {
            "file": name,
            "platform": self._name,
            "codec": wanted.codec,
            "picture": wanted.last.format.name if wanted.last is not None else "",
            "decoded": wanted.count,
        }
        result, refusal = None, ""
        options = PlayOptions(fullscreen=self._fullscreen, paced=False, timeout=TIMEOUT)
        try:
            with (
                Compositor(self._platform, outputs=(SCREEN,), on_frame=frame) as made,
                made.running(),
            ):
                result = Player(
                    path, display=made.socket, platform=self._platform, options=options
                ).play()
        except HeapwireError as error:
            refusal = f"{type(error).__name__}: {error}"
        except Exception as error:
            self._note(error)
        gc.collect()
        if self._raised:
            return Outcome(**common, verdict="traceback", refusal="\n".join(self._raised))
        if len(open_fds()) > before:
            return Outcome(**common, verdict="leak", refusal=refusal)
        if result is None:
            verdict = "refused" if wanted.count else "no picture"
            return Outcome(**common, verdict=verdict, refusal=refusal or wanted.fault)
        common |= {
            "played": result.frames.decoded,
            "shown": len(shown),
            "scanned_out": result.frames.scanned_out,
            "notes": result.faults,
        }
        if not wanted.count == result.frames.decoded == len(shown):
            return Outcome(**common, verdict="count")
        code, image = shown[-1]
        assert image is not None
        assert wanted.last is not None
        common["shown_as"] = fourcc_name(code)
        levels = distance(image, rgb_of(wanted.last))
        verdict = "equal" if levels <= LEVELS else "differs"
        if verdict == "differs" and (reduced := as_shown(wanted.last, code)) is not None:
            turned = np.rot90(rgb_of(reduced), wanted.last.rotation // 90)
            if distance(image, turned) <= LEVELS:
                verdict = "converted"
        return Outcome(**common, verdict=verdict, levels=levels)


def media(folders: list[Path], endings: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """The files to play, each with its name below its folder."""
    for folder in folders:
        if folder.is_file():
            yield folder, folder.name
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in endings or not path.is_file():
                continue
            if path.suffix == ".ts" and path.read_bytes()[:1] != b"\x47":
                continue  # a program in TypeScript, not a transport stream
            yield path, str(path.relative_to(folder))


def done_before(file: Path | None) -> tuple[list[dict], set[tuple[str, str]]]:
    """What an earlier run wrote: its outcomes, and files that it did not come back from."""
    outcomes: dict[tuple[str, str], dict] = {}
    begun: set[tuple[str, str]] = set()
    for line in file.read_text().splitlines() if file is not None and file.exists() else ():
        entry = json.loads(line)
        key = entry["file"], entry["platform"]
        if "verdict" in entry:
            outcomes[key] = entry
        else:
            begun.add(key)
    return list(outcomes.values()), begun - outcomes.keys()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="+", help="a folder of files, or a file")
    parser.add_argument("--platform", action="append", help="default: raspberry-pi-4")
    parser.add_argument("--window", action="store_true", help="composited, not fullscreen")
    parser.add_argument("--pictures", action="store_true", help="GIF, APNG, WebP and AVIF too")
    parser.add_argument("--json", type=Path, help="a line for each file; a later run goes on")
    options = parser.parse_args()
    av.logging.set_level(None)
    files = list(media(options.folder, ENDINGS | (PICTURES if options.pictures else frozenset())))
    earlier, lost = done_before(options.json)
    sink = options.json.open("a") if options.json is not None else None

    def say(entry: dict) -> None:
        if sink is not None:
            sink.write(json.dumps(entry) + "\n")
            sink.flush()

    known = {(entry["file"], entry["platform"]) for entry in earlier}
    for platform in options.platform or ["raspberry-pi-4"]:
        sweep = Sweep(platform, fullscreen=not options.window)
        for number, (path, name) in enumerate(files, 1):
            if (name, platform) in known:
                continue
            if sys.stderr.isatty():
                print(f"\r\x1b[K{platform} {number}/{len(files)} {name}", end="", file=sys.stderr)
            if (name, platform) in lost:
                entry = asdict(Outcome(file=name, platform=platform, verdict="crash"))
            else:
                say({"file": name, "platform": platform})
                entry = asdict(sweep.outcome(path, name))
            say(entry)
            earlier.append(entry)
            if entry["verdict"] not in GOOD:
                what = {key: entry[key] for key in ("decoded", "shown", "levels", "refusal")}
                print(f"\r\x1b[K{platform} {name}: {entry['verdict']} {what}", flush=True)
    verdicts = Counter((entry["platform"], entry["verdict"]) for entry in earlier)
    for (platform, verdict), count in sorted(verdicts.items()):
        print(f"\r\x1b[K{platform}: {count} {verdict}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{sum(entry['shown'] for entry in earlier)} pictures shown; at most {peak} MiB of memory"
    )
    return int(any(verdict not in GOOD for _, verdict in verdicts))


if __name__ == "__main__":
    os.nice(15)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # where the compositor's socket is
        sys.exit(main())
