"""What was learned is believed as long as the machine is the same, and only as it was written."""

import json
import os
import stat

import pytest

from heapwire.kernel.description import Device, DeviceKind
from heapwire.kernel.discovery.trial import DeviceRecord, TrialStore, Verdict
from heapwire.kernel.discovery.trial.trial_store import MOST_BYTES, MOST_RECORDS, device_key
from heapwire.protocol.values import LINEAR, DeviceId, FormatModifier, Place, fourcc

RECORD = DeviceRecord(
    verdicts=(
        Verdict(source="system", taken=False, said="PRIME import: EINVAL"),
        Verdict(source="cma", taken=True, pairs=(FormatModifier(fourcc("XR24"), LINEAR),)),
    ),
    pitches={32: 64, 16: 2},
    own=True,
)
CARD = Device(id=DeviceId(226, 0), name="card0", kind=DeviceKind.DISPLAY, driver="vendor-drm")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "heapwire" / "trials.json"


def kept(path, boot="boot one"):
    store = TrialStore(path, boot)
    store.keep("key", RECORD)
    store.save()
    return path


def read(path, boot="boot one"):
    return TrialStore(path, boot).record("key")


def test_what_is_kept_is_found_again_by_this_user_alone(path):
    kept(path)
    assert read(path) == RECORD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["trials.json"]


def test_another_boot_knows_nothing(path):
    kept(path)
    assert read(path, "boot two") is None
    assert TrialStore(path, "").record("key") is None  # nor does one that cannot tell


def machine(root, boot="b00t", release="6.12.1", build="#1"):
    for name, text in (
        ("random/boot_id", boot),
        ("osrelease", release),
        ("version", build),
    ):
        file = root / "proc/sys/kernel" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")


@pytest.mark.parametrize("change", [{"boot": "0ther"}, {"release": "6.12.2"}, {"build": "#2"}])
def test_a_changed_kernel_is_not_taken_for_the_old_one(tmp_path, change):
    machine(tmp_path)
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    store = TrialStore.of_user(tmp_path, environment)
    store.keep("key", RECORD)
    store.save()
    assert TrialStore.of_user(tmp_path, environment).record("key") == RECORD
    machine(tmp_path, **change)
    assert TrialStore.of_user(tmp_path, environment).record("key") is None


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "x/heapwire/trials.json"),
        ({"HOME": "/h"}, "h/.cache/heapwire/trials.json"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "h/.cache/heapwire/trials.json"),
        ({"HOME": "relative"}, None),
        ({}, None),
    ],
)
def test_where_it_is_kept(tmp_path, environment, where):
    machine(tmp_path)
    below = {name: f"{tmp_path}{v}" if v[0] == "/" else v for name, v in environment.items()}
    store = TrialStore.of_user(tmp_path, below)
    store.keep("key", RECORD)
    store.save()
    assert store.record("key") == RECORD
    files = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("trials.json")]
    assert files == ([where] if where else [])


def test_a_record_is_of_one_device_driver_module_and_memory(tmp_path):
    module = tmp_path / "sys/module/vendor_drm"
    module.mkdir(parents=True)
    (module / "srcversion").write_text("A\n")
    from dataclasses import replace

    key = device_key(CARD, ["system"], tmp_path)
    assert key == device_key(CARD, ["system"], tmp_path)
    others = [
        device_key(replace(CARD, id=DeviceId(226, 1)), ["system"], tmp_path),
        device_key(replace(CARD, driver="other"), ["system"], tmp_path),
        device_key(replace(CARD, place=Place(("pci", "0"))), ["system"], tmp_path),
        device_key(CARD, ["system", "cma"], tmp_path),
    ]
    node = tmp_path / "sys/dev/char/226:0/device"
    node.mkdir(parents=True)
    (node / "modalias").write_text("usb:v17E9p4321\n")
    others.append(device_key(CARD, ["system"], tmp_path))
    (module / "srcversion").write_text("B\n")
    others.append(device_key(CARD, ["system"], tmp_path))
    assert key not in others
    assert len(set(others)) == len(others)


def wrong(change):
    document = json.loads(json.dumps({
        "version": 2, "boot": "boot one",
        "devices": {"key": {
            "verdicts": [
                {"source": "a", "taken": True, "pairs": [[1, 0]], "said": "", "plane": "p"}
            ],
            "pitches": {"32": 64}, "own": False,
        }},
    }))  # fmt: skip
    change(document)
    return json.dumps(document).encode()


def into(*path, value):
    def change(document):
        *before, last = path
        for step in before:
            document = document[step]
        document[last] = value

    return change


VERDICT = ("devices", "key", "verdicts", 0)
CHANGES = [
    into("version", value=1),
    into("more", value=1),
    into("devices", value=[]),
    into("devices", "key", value=None),
    into("devices", "key", "more", value=1),
    into("devices", "key", "own", value=1),
    into("devices", "key", "pitches", value={"33": 64}),
    into("devices", "key", "pitches", value={"32": 0}),
    into("devices", "key", "pitches", value={"32": True}),
    into("devices", "key", "pitches", value={"32": 1 << 16}),
    into("devices", "key", "verdicts", value=[{}] * 1100),
    into(*VERDICT, "source", value=7),
    into(*VERDICT, "taken", value=None),
    into(*VERDICT, "said", value="x" * 5000),
    into(*VERDICT, "plane", value=31),
    into(*VERDICT, "pairs", value=[[1]]),
    into(*VERDICT, "pairs", value=[[1, 2, 3]]),
    into(*VERDICT, "pairs", value=[[-1, 0]]),
    into(*VERDICT, "pairs", value=[[1 << 32, 0]]),
    into(*VERDICT, "pairs", value=[[1.0, 0]]),
    into(*VERDICT, "pairs", value=[[1, 1 << 64]]),
]


@pytest.mark.parametrize(
    "data",
    [
        *(wrong(change) for change in CHANGES),
        *(b"", b"\xff", b"[" * 100_000, b"{}", b"null", b'{"a":' * 5000),
        wrong(lambda document: None) + b" " * MOST_BYTES,
    ],
)
def test_what_is_not_as_it_was_written_counts_for_nothing(path, data):
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert read(path) is None


def test_the_file_of_these_tests_is_right_but_for_the_fault(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(wrong(lambda document: None))
    assert read(path) is not None


def test_a_file_that_others_may_write_or_that_is_a_link_is_not_believed(path, tmp_path):
    kept(path)
    path.chmod(0o622)
    assert read(path) is None
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert read(path) is None
    path.unlink()
    os.mkfifo(path)
    assert read(path) is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = TrialStore(tmp_path / "file" / "heapwire" / "trials.json", "boot")
    store.keep("key", RECORD)
    store.save()
    assert store.record("key") == RECORD


def test_the_oldest_goes_where_there_is_too_much(path):
    store = TrialStore(path, "boot")
    for number in range(MOST_RECORDS + 3):
        store.keep(str(number), RECORD)
    store.save()
    again = TrialStore(path, "boot")
    assert again.record("2") is None
    assert again.record("3") == again.record(str(MOST_RECORDS + 2)) == RECORD
