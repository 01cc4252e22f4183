"""What was learned, kept for the rest of this boot, so that nobody tries the same twice.

One file in the user's cache directory. It is believed for the kernel and the boot that it
was written under, and of a device only while its driver, its module and the memory that was
tried are the same; it is read strictly, and what is not as it was written counts for nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from heapwire.kernel.description import Device
from heapwire.kernel.discovery.sysfs import REAL
from heapwire.kernel.discovery.trial.verdict import DeviceRecord, Verdict
from heapwire.protocol.explain import Document, Json
from heapwire.protocol.values import FormatModifier

MOST_BYTES = 1 << 19
"""Of the file: 30 displays that list 128 formats come to less."""
MOST_RECORDS = 64
MOST_VERDICTS = 1024  # of one device
_MOST_PAIRS = 256
_MOST_TEXT = 4096
_VERSION = 2
_FORMAT_BITS, _MODIFIER_BITS = 32, 64


class TrialStore:
    """The records of one boot by what they are about. Reading and writing raise nothing."""

    def __init__(self, path: Path | None, boot: str) -> None:
        self._path = path if boot else None
        self._boot = boot
        self._records = _read(self._path, boot) if self._path is not None else {}
        self._changed = False

    @classmethod
    def of_user(cls, root: Path = REAL, environment: Mapping[str, str] = os.environ) -> TrialStore:
        """The store in the user's cache directory (`XDG_CACHE_HOME`), for the boot of `root`.

        Where there is no such directory, or no word of the boot, nothing is kept.
        """
        base = environment.get("XDG_CACHE_HOME", "")
        home = environment.get("HOME", "")
        if not base.startswith("/"):  # the specification: a relative path is ignored
            base = f"{home}/.cache" if home.startswith("/") else ""
        path = Path(base) / "heapwire" / "trials.json" if base else None
        release = _line(root / "proc" / "sys" / "kernel" / "osrelease")
        build = _line(root / "proc" / "sys" / "kernel" / "version")
        boot = _line(root / "proc" / "sys" / "kernel" / "random" / "boot_id")
        return cls(path, f"{boot} {release} {build}" if boot else "")

    def record(self, key: str) -> DeviceRecord | None:
        """What is known under a key of `device_key`."""
        return self._records.get(key)

    def keep(self, key: str, record: DeviceRecord) -> None:
        """Know something from now on; the oldest goes where there is too much."""
        self._records.pop(key, None)
        self._records[key] = record
        while len(self._records) > MOST_RECORDS:
            del self._records[next(iter(self._records))]
        self._changed = True

    def save(self) -> None:
        """Write what is new, in one step, for this user alone; without a place it is forgotten."""
        if self._path is None or not self._changed:
            return
        document: Document = {
            "version": _VERSION,
            "boot": self._boot,
            "devices": {key: _written(record) for key, record in self._records.items()},
        }
        text = json.dumps(document)
        if len(text) > MOST_BYTES:
            return
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "w", encoding="utf-8") as file:
                    file.write(text)
                beside.replace(self._path)
                self._changed = False
            finally:
                beside.unlink(missing_ok=True)


def device_key(device: Device, sources: Iterable[str], root: Path = REAL) -> str:
    """What a record of a device is good for: the same node, place, driver, module and memory.

    And the same model, where another can be plugged into the same place.
    """
    node = root / "sys" / "dev" / "char" / str(device.id)
    module = root / "sys" / "module" / device.driver.replace("-", "_")
    identity: list[Json] = [
        device.name,
        str(device.id),
        "/".join(device.place.path),
        device.driver,
        _line(node / "device" / "modalias"),
        _line(module / "version"),
        _line(module / "srcversion"),
        *sorted(sources),
    ]
    return json.dumps(identity)


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _read(path: Path, boot: str) -> dict[str, DeviceRecord]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            ours = status.st_uid == os.geteuid() and not status.st_mode & 0o022
            if not ours or not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                return {}
            data: object = json.loads(file.read(MOST_BYTES + 1))
        return _records(data, boot)
    except (OSError, ValueError, RecursionError):
        return {}


def _written(record: DeviceRecord) -> Document:
    return {
        "verdicts": [
            {
                "source": verdict.source,
                "taken": verdict.taken,
                "pairs": [[pair.fourcc, pair.modifier] for pair in verdict.pairs],
                "said": verdict.said,
                "plane": verdict.plane,
            }
            for verdict in record.verdicts
        ],
        "pitches": {str(bits): rule for bits, rule in record.pitches.items()},
        "own": record.own,
    }


def _records(data: object, boot: str) -> dict[str, DeviceRecord]:
    """Raises `ValueError` for all but what is written here under this boot."""
    top = _table(data, "version", "boot", "devices")
    if top["version"] != _VERSION or top["boot"] != boot:
        return {}
    devices = top["devices"]
    if not isinstance(devices, dict) or len(devices) > MOST_RECORDS:
        raise ValueError("devices")
    return {_text(key): _record(value) for key, value in devices.items()}


def _record(data: object) -> DeviceRecord:
    table = _table(data, "verdicts", "pitches", "own")
    pitches = table["pitches"]
    if not isinstance(pitches, dict) or len(pitches) > 8:
        raise ValueError("pitches")
    return DeviceRecord(
        verdicts=tuple(_verdict(one) for one in _list(table["verdicts"], MOST_VERDICTS)),
        pitches={_bits(key): _number(rule, 16, 1) for key, rule in pitches.items()},
        own=_flag(table["own"]),
    )


def _verdict(data: object) -> Verdict:
    table = _table(data, "source", "taken", "pairs", "said", "plane")
    pairs = []
    for entry in _list(table["pairs"], _MOST_PAIRS):
        fourcc, modifier = _list(entry, 2)
        pairs.append(
            FormatModifier(_number(fourcc, _FORMAT_BITS), _number(modifier, _MODIFIER_BITS))
        )
    return Verdict(
        source=_text(table["source"]),
        taken=_flag(table["taken"]),
        pairs=tuple(pairs),
        said=_text(table["said"]),
        plane=_text(table["plane"]),
    )


def _table(data: object, *keys: str) -> dict[str, object]:
    if not isinstance(data, dict) or set(data) != set(keys):
        raise ValueError("not a table of just these keys")
    return data


def _list(data: object, most: int) -> list[object]:
    if not isinstance(data, list) or len(data) > most:
        raise ValueError("not a list, or too long")
    return data


def _text(data: object) -> str:
    if not isinstance(data, str) or len(data) > _MOST_TEXT:
        raise ValueError("not a text, or too long")
    return data


def _flag(data: object) -> bool:
    if not isinstance(data, bool):
        raise ValueError("neither true nor false")
    return data


def _number(data: object, bits: int, least: int = 0) -> int:
    if type(data) is not int or not least <= data < 1 << bits:
        raise ValueError("not a number, or out of range")
    return data


def _bits(data: object) -> int:
    if data not in ("8", "16", "24", "32"):
        raise ValueError("no number of bits")
    return int(str(data))
