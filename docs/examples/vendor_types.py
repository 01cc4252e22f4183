"""ACME's constraint types. Who negotiates for ACME's devices imports this module."""

from heapwire.protocol import MaskType, MergeRule, Subject, UintType, Unit, register

ACME = 0x7F  # ACME's line of drm_fourcc.h

BANKS = Subject(name="banks", needs="banks that are", explains=("source",))
BURST = Subject(name="burst", needs="a burst that is", explains=("burst",))
BEATS = Unit(plural="beats", singular="beat")

ACME_BANK_COLOUR = MaskType(
    vendor=ACME,
    code=0x01,
    name="acme-bank-colour",
    merge=MergeRule.INTERSECTION,
    bits={0: "red", 1: "green", 2: "blue"},
    subject=BANKS,
    says="{value}",
    meaning="the memory lies in banks of one of these colours",
    source="ACME A7 reference manual, section 11.2",
)
ACME_BURST = UintType(
    vendor=ACME,
    code=0x02,
    name="acme-burst",
    merge=MergeRule.LCM,
    unit=BEATS,
    subject=BURST,
    says="a multiple of {value}",
    meaning="the engine reads bursts of a multiple of so many beats",
    source="ACME A7 reference manual, section 4.9",
)

register(ACME_BANK_COLOUR, ACME_BURST)
