"""Real display drivers on emulated hardware: what heapwire foretells against what they do.

The driver and its checks are the kernel's own; only the hardware behind it is QEMU's. Three
guests: a PC with Debian's own kernel, a PC with the patched one, and an ARM board with the
display PL111, which needs contiguous memory. In each, guest/displays.py asks for every kind of
memory that is there, for several formats and sizes.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from oracle import PICTURE, Row, otherwise, rows_of, table, unjudged

HERE = Path(__file__).parent
VM = HERE.parents[1] / "kernel" / "vm"
GUEST = HERE / "guest"
# Two cameras for their memory: vivid's queue allocates with vmalloc, or contiguously.
VIVID = ("n_devs=2", "allocators=0,1", "node_types=0x1,0x1")
# vmwgfx finds that QEMU's adapter "has no pitchlock" and gives up; a later QEMU may please it.
MODULES = ("bochs", "qxl", "virtio_gpu", "cirrus", "vmwgfx", " ".join(("vivid", *VIVID)))
ADAPTERS = ("bochs-display", "qxl", "virtio-gpu-pci", "cirrus-vga", "vmware-svga")

# What each driver says to a picture of a format that it knows, as it was found on 6.12.117:
# the step that refuses and its errno, or that it is shown. `reserved` is the CMA heap.
SHOWN = "taken"
ANSWERS = {
    ("arm", "pl111"): {
        "system": "import EINVAL",
        "reserved": SHOWN,
        "udmabuf": "import EINVAL",
        "dumb": SHOWN,
    },
    ("stock", "bochs-drm"): {
        "system": "import EINVAL",
        "udmabuf": "import EINVAL",
        "vmalloc of vivid": "import EINVAL",
        "dma-contig of vivid": "import EINVAL",
        "dumb": SHOWN,
    },
    ("stock", "qxl"): {
        "system": "import ENOSYS",
        "udmabuf": "import ENOSYS",
        "vmalloc of vivid": "import ENOSYS",
        "dma-contig of vivid": "import ENOSYS",
        "dumb": SHOWN,
    },
    ("stock", "virtio_gpu"): {
        "system": "import ENODEV",
        "udmabuf": "import ENODEV",
        "vmalloc of vivid": "import ENODEV",
        "dma-contig of vivid": "import ENODEV",
        "dumb": SHOWN,
    },
    # It copies what it shows, and so takes everything.
    ("stock", "cirrus"): {
        "system": SHOWN,
        "udmabuf": SHOWN,
        "vmalloc of vivid": SHOWN,
        "dma-contig of vivid": SHOWN,
        "dumb": SHOWN,
    },
    ("patched", "bochs-drm"): {
        "system": "import EINVAL",
        "reserved": "import EINVAL",
        "udmabuf": "import EINVAL",
        "vmalloc of vivid": "import EINVAL",
        "dma-contig of vivid": "import EINVAL",
        "dumb": SHOWN,
    },
    ("patched", "virtio_gpu"): {
        "system": "import ENODEV",
        "reserved": "import ENODEV",
        "udmabuf": "import ENODEV",
        "vmalloc of vivid": "import ENODEV",
        "dma-contig of vivid": "import ENODEV",
        "dumb": SHOWN,
    },
    ("patched", "vkms"): {
        "system": SHOWN,
        "reserved": SHOWN,
        "udmabuf": SHOWN,
        "vmalloc of vivid": SHOWN,
        "dma-contig of vivid": SHOWN,
        "dumb": SHOWN,
    },
}

KNOWN = [
    (guest, driver, memory) for (guest, driver), memories in ANSWERS.items() for memory in memories
]


def adapters(*names: str) -> list[str]:
    return [f"--qemu={part}" for name in names for part in ("-device", name)]


@pytest.fixture(scope="module")
def guests(run_guest: Callable[..., Any], arm_environment: dict[str, str]) -> dict[str, Any]:
    """What each guest saw. Two run at a time: a guest keeps one processor busy, hardly more."""
    script = str(GUEST / "displays.py")
    stock = subprocess.run([VM / "fetch", "stock"], stdout=subprocess.PIPE, text=True, check=True)
    boots = {
        "stock": (
            [
                *(sys.executable, script, "--modules", stock.stdout.strip()),
                *(f"--load={module}" for module in MODULES),
            ],
            ["--machine=stock", *adapters(*ADAPTERS)],
            {},
        ),
        "patched": (
            [sys.executable, script],
            [
                *(f"--append=vivid.{parameter}" for parameter in VIVID),
                *adapters("bochs-display", "virtio-gpu-pci"),
            ],
            {},
        ),
        "arm": (["python3", script], ["--machine=arm"], {"env": arm_environment}),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        started = {
            name: pool.submit(run_guest, command, *options, **settings)
            for name, (command, options, settings) in boots.items()
        }
        seen = {}
        for name, future in started.items():
            done = future.result()
            if done.returncode:
                pytest.fail(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
            seen[name] = json.loads(done.stdout)
    return seen


@pytest.fixture(scope="module")
def rows(guests: dict[str, Any], record: Callable[[str, list[str]], None]) -> list[Row]:
    found = [row for name, seen in guests.items() for row in rows_of(name, seen)]
    record("what is foretold of displays, and what their drivers do", table(found))
    return found


def card(guests: dict[str, Any], guest: str, driver: str) -> dict[str, Any]:
    (one,) = (
        card
        for card in guests[guest]["cards"].values()
        if card["driver"] == driver and "rows" in card
    )
    return one


@pytest.mark.parametrize(("guest", "driver"), ANSWERS)
def test_a_display_came_up_with_a_mode_for_the_picture(guests, guest, driver):
    assert card(guests, guest, driver)["mode"]


@pytest.mark.parametrize(("guest", "driver", "memory"), KNOWN)
def test_a_driver_says_what_is_known_of_it(rows, guest, driver, memory):
    (row,) = (
        row
        for row in rows
        if (row.guest, row.driver, row.memory, row.format) == (guest, driver, memory, "XR24")
        and list(row.size) == PICTURE
    )
    assert row.answer == ANSWERS[guest, driver][memory]


@pytest.mark.parametrize(("guest", "driver"), ANSWERS)
def test_pitches_are_multiples_of_four_bytes_and_no_more(guests, guest, driver):
    pitches = card(guests, guest, driver)["pitches"]["32"]
    assert math.gcd(*pitches.values()) == 4


def test_nothing_takes_a_picture_that_is_too_large_or_of_a_format_that_it_does_not_list(
    guests, rows
):
    for row in rows:
        seen = card(guests, row.guest, row.driver)
        too_large = row.size[0] > seen["limits"]["most"][0]
        if too_large or row.format not in seen["formats"]:
            assert not row.taken, str(row)


def test_a_picture_that_is_too_small_is_refused_and_planned_nowhere(guests, rows):
    """Virtio_gpu wants 32x32 at least: a larger buffer around the picture is no way out."""
    small = [
        row
        for row in rows
        if any(
            side < least
            for side, least in zip(
                row.size, card(guests, row.guest, row.driver)["limits"]["least"], strict=True
            )
        )
    ]
    assert {row.driver for row in small} == {"virtio_gpu"}
    for row in small:
        assert not row.taken, str(row)
        assert True not in (row.foretold, row.after_trial), str(row)


def test_everything_that_is_known_of_a_display_was_asked_for(rows):
    assert unjudged(rows, ANSWERS) == []


def test_what_drivers_do_is_what_was_foretold(rows):
    """All of it after a trial; without one almost all, and never a plan that is refused."""
    assert otherwise(rows) == []


@pytest.mark.parametrize(("guest", "driver"), ANSWERS)
def test_after_a_trial_a_display_is_known_to_allocate_what_it_shows(rows, guest, driver):
    (row,) = (
        row
        for row in rows
        if (row.guest, row.driver, row.memory, row.format) == (guest, driver, "dumb", "XR24")
        and list(row.size) == PICTURE
    )
    assert row.after_trial is True
