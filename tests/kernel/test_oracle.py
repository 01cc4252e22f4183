"""What the oracle of tests/vm makes of what a guest saw: each kind of fault is found.

The table here is made up, of a guest with three displays; what real drivers say is asked for in
tests/vm/test_displays.py.
"""

import json

import pytest
from oracle import MOST_WRONG, PICTURE, PICTURES, otherwise, rows_of, table, unjudged

CASES = [
    *((code, PICTURE) for code in ("XR24", "AR24", "XB24", "RG16", "XR30", "NV12")),
    *(("XR24", size) for size in ([641, 367], [16, 16], [8193, 64])),
]
LISTED = ("XR24", "AR24")
TAKEN, IMPORT, ADDFB2 = {}, {"import": "EINVAL"}, {"import": None, "addfb2": "EINVAL"}
CARDS = {
    "acme": {"system": IMPORT, "dumb": TAKEN},
    "copier": {"system": TAKEN, "dumb": TAKEN, "vmalloc of vivid": TAKEN},
    "own": {"system": IMPORT, "udmabuf": IMPORT, "dumb": TAKEN},
}
ANSWERS = {
    ("guest", driver): dict.fromkeys(memories, "import EINVAL")
    for driver, memories in CARDS.items()
}


def seen():
    """A guest in which all goes as it was foretold."""
    cards = {}
    for number, (driver, memories) in enumerate(CARDS.items()):
        rows = []
        for memory, answer in memories.items():
            for code, size in CASES:
                fits = code in LISTED and size[0] <= 8192
                steps = answer or ({"import": None, "addfb2": None} if fits else ADDFB2)
                taken = fits and not answer
                foreign = memory.endswith(" of vivid")
                rows.append(
                    {
                        "memory": memory,
                        "format": code,
                        "size": size,
                        "foretold": None if foreign else taken,
                        "foretold_after_trial": None if foreign else taken,
                        "why": "" if taken else "nothing contiguous",
                        "driver": steps,
                    }
                )
        cards[f"card{number}"] = {"driver": driver, "rows": rows}
    return {"cards": cards}


def rows_after(change):
    """The rows of a guest of which something is changed."""
    told = json.loads(json.dumps(seen()))
    change({card["driver"]: card["rows"] for card in told["cards"].values()})
    return list(rows_of("guest", told))


def of(rows, memory, code="XR24", size=PICTURE):
    """The one row of a display for a picture from some memory."""
    [row] = [r for r in rows if (r["memory"], r["format"], r["size"]) == (memory, code, size)]
    return row


def test_where_all_goes_as_was_foretold_there_is_no_fault():
    rows = rows_after(lambda cards: None)
    assert len(rows) == 8 * PICTURES
    assert unjudged(rows, ANSWERS) == []
    assert otherwise(rows) == []


@pytest.mark.parametrize("left", [0, 1, 5, PICTURES - 1])
def test_memory_that_was_asked_for_too_seldom_is_a_fault(left):
    def change(cards):
        cards["acme"][:] = [row for row in cards["acme"] if row["memory"] == "dumb"] + [
            row for row in cards["acme"] if row["memory"] == "system"
        ][:left]

    assert unjudged(rows_after(change), ANSWERS) == [
        f"guest: acme: system: {left} of {PICTURES} pictures were asked for"
    ]


def test_a_picture_that_is_asked_for_twice_is_one():
    def change(cards):
        cards["own"][8] = dict(cards["own"][0])

    assert len(unjudged(rows_after(change), ANSWERS)) == 1


def test_memory_that_could_not_be_had_was_not_asked_for():
    def change(cards):
        for row in cards["own"]:
            if row["memory"] == "udmabuf":
                row["driver"] = {"allocate": "ENOMEM"}

    [fault] = unjudged(rows_after(change), ANSWERS)
    assert fault == f"guest: own: udmabuf: 0 of {PICTURES} pictures were asked for"


def test_a_display_that_did_not_come_up_is_a_fault_for_each_memory():
    def change(cards):
        cards["copier"].clear()

    assert len(unjudged(rows_after(change), ANSWERS)) == len(CARDS["copier"])


@pytest.mark.parametrize(
    ("memory", "foretold", "after", "told"),
    [
        ("udmabuf", None, False, "nothing was foretold"),
        ("udmabuf", False, None, "it was not tried"),
        ("dumb", True, None, "it was not tried"),
        ("dumb", None, True, None),  # without a trial nobody knows that a display allocates
    ],
)
def test_memory_that_nothing_is_foretold_of_is_a_fault(memory, foretold, after, told):
    def change(cards):
        of(cards["own"], memory).update(foretold=foretold, foretold_after_trial=after)

    faults = unjudged(rows_after(change), ANSWERS)
    assert faults == ([] if told is None else [f"guest: own: {memory}: {told}"])


@pytest.mark.parametrize("key", ["foretold", "foretold_after_trial"])
def test_a_plan_that_is_refused_is_a_fault_be_it_the_only_one(key):
    def change(cards):
        of(cards["acme"], "system")[key] = True

    faults = otherwise(rows_after(change))
    [promised] = [one for one in faults if one.startswith("promised, and refused: ")]
    assert "acme: XR24 1024x768 from system" in promised


def test_what_was_taken_by_luck_may_not_be_planned():
    def change(cards):
        of(cards["acme"], "system", size=[16, 16]).update(driver={"import": None}, foretold=True)

    [promised] = otherwise(rows_after(change))
    assert promised.startswith("promised, and refused: ")
    assert promised.endswith("taken by luck")


def test_caution_after_a_trial_is_a_fault():
    def change(cards):
        of(cards["copier"], "system")["foretold_after_trial"] = False

    [fault] = otherwise(rows_after(change))
    assert fault.startswith("wrong after a trial: ")


def test_caution_without_a_trial_is_a_fault_where_it_is_much():
    known = sum(1 for row in rows_after(lambda cards: None) if row.foretold is not None)
    most = int(known * MOST_WRONG)
    taken = [
        (driver, row["memory"], row["format"], row["size"])
        for driver, card in (
            ("copier", seen()["cards"]["card1"]),
            ("own", seen()["cards"]["card2"]),
        )
        for row in card["rows"]
        if row["foretold"]
    ]

    def cautious(count):
        def change(cards):
            for driver, memory, code, size in taken[:count]:
                of(cards[driver], memory, code, size)["foretold"] = False

        return otherwise(rows_after(change))

    assert 0 < most < len(taken)
    assert cautious(most) == []
    assert len(cautious(most + 1)) == most + 1


def test_the_table_has_a_line_for_each_memory_and_its_sums():
    def change(cards):
        of(cards["acme"], "system").update(foretold=True, foretold_after_trial=None)

    rows = rows_after(change)
    told = table(rows)
    assert told[1].startswith("guest   acme       system              XR24!? AR24-- ")
    assert told[-3:] == [
        "72 rows; 1 promised and refused",
        "without a trial: 1 of 63 wrong (1.6 %)",
        "after a trial: 0 of 62 wrong (0.0 %)",
    ]
