"""Reading platform files: every kind of value, and every fault with its line and key."""

import re
import textwrap
from pathlib import Path as FilePath

import pytest

from heapwire.kernel.description import DeviceKind, LinkKind, PlaneType, Platform
from heapwire.kernel.description.platform_file import PlatformFileError
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    BY_NAME,
    LINEAR,
    ROWS,
    DeviceId,
    FormatModifier,
    SourceKind,
    Usage,
    ValueKind,
    fourcc,
)
from heapwire.protocol.values.pixels.modifier import INTEL_X_TILED

HEAD = """\
[[memory]]
name = "cma"
[[memory]]
name = "system"
[[device]]
name = "display"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["XRGB8888"]
"""


def parse(text):
    return Platform.parse(textwrap.dedent(text), file="board.toml")


def faults(text):
    with pytest.raises(PlatformFileError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def constraint(row, *, device=""):
    """The one constraint of a display that a file with this row has."""
    platform = parse(
        f"""
        [[memory]]
        name = "cma"
        [[memory]]
        name = "system"
        [[device]]
        name = "gpu"
        kind = "gpu"
        [[device]]
        name = "display"
        kind = "display"
        {device}
        [[device.use]]
        usage = "scanout"
        constraints = [{row}]
        [[device.use.set]]
        formats = ["NV12"]
        """
    )
    (one,) = platform.device("display").sets[Usage.SCANOUT]
    return one.constraints[0] if one.constraints else None


def test_memory_has_the_properties_of_its_row():
    platform = parse(
        """
        [[device]]
        name = "gpu"
        kind = "gpu"
        [[memory]]
        name = "video@42000000"
        contiguous = true
        addresses = { base = "0x42000000", size = "32 MiB" }
        alignment = "128 KiB"
        capacity = 33554432
        cached = false
        protected = true
        numa-node = 1
        substitutes-for = "system"
        source = "a datasheet"
        [[memory]]
        name = "vram"
        kind = "device"
        device = "gpu"
        addresses = ["0x0", 4095]
        [[memory]]
        name = "udmabuf"
        kind = "udmabuf"
        """
    )
    heap, vram, udmabuf = platform.sources
    assert heap.id.kind is SourceKind.HEAP
    assert heap.contiguous is True
    assert heap.address_range == (0x42000000, 0x43FFFFFF)
    assert heap.alignment == 128 << 10
    assert heap.capacity == 32 << 20
    assert heap.cached is False
    assert heap.protected is True
    assert heap.numa_node == 1
    assert heap.substitutes_for == ("system",)
    gpu = platform.device("gpu").id
    assert vram.id.kind is SourceKind.DEVICE
    assert (vram.id.major, vram.id.minor) == (gpu.major, gpu.minor)
    assert vram.device_local == gpu
    assert vram.address_range == (0, 4095)
    assert udmabuf.id.kind is SourceKind.UDMABUF
    # What nobody says is unknown, not false.
    assert (udmabuf.contiguous, udmabuf.capacity, udmabuf.cached) == (None, None, None)


def test_a_device_has_its_place_planes_and_uses():
    platform = parse(
        """
        [[device]]
        name = "display"
        kind = "display"
        driver = "vc4"
        title = "Scaler"
        place = "pci0000:00/0000:00:02.0"
        numa-node = 1
        iommu = false
        kms-planes = [{ name = "p0", type = "primary" }, { name = "o1" }]
        [[device.use]]
        usage = "scanout"
        constraints = [{ type = "contiguous" }]
        [[device.use.set]]
        formats = ["XRGB8888", "RG16"]
        modifiers = ["LINEAR", "INTEL_X_TILED"]
        [[device.use.set]]
        formats = ["NV12"]
        kms-planes = ["o1"]
        cost = 7
        constraints = [{ type = "pitch-alignment", value = 64 }]
        [[device]]
        name = "cpu"
        kind = "cpu"
        [[device.use]]
        usage = ["cpu-read", "cpu-write"]
        """
    )
    display = platform.device("display")
    assert display.kind is DeviceKind.DISPLAY
    assert (display.driver, display.title, display.iommu) == ("vc4", "Scaler", False)
    assert display.place.path == ("pci0000:00", "0000:00:02.0")
    assert display.place.numa_node == 1
    assert platform.topology.places[display.id] == display.place
    both, nv12 = display.sets[Usage.SCANOUT]
    xrgb, rgb565 = fourcc("XR24"), fourcc("RG16")
    assert both.formats == tuple(
        FormatModifier(code, modifier)
        for code in (xrgb, rgb565)
        for modifier in (LINEAR, INTEL_X_TILED)
    )
    assert both.costs == ()
    assert nv12.costs == (7,)
    names = [constraint.type for constraint in nv12.constraints]
    assert names == [BY_NAME["contiguous"].type, BY_NAME["pitch-alignment"].type]
    primary, overlay = display.planes
    assert (primary.type, primary.sets) == (PlaneType.PRIMARY, (both,))
    assert (overlay.type, overlay.sets) == (PlaneType.OVERLAY, (both, nv12))
    cpu = platform.device("cpu")
    assert cpu.id is None
    assert cpu.sets == {Usage.CPU_READ: (), Usage.CPU_WRITE: ()}


def test_any_stands_for_what_the_others_name():
    platform = parse(
        """
        [[device]]
        name = "gpu"
        kind = "gpu"
        [[device.use]]
        usage = "sampling"
        [[device.use.set]]
        formats = ["ANY"]
        modifiers = ["ANY"]
        """
    )
    (one,) = platform.device("gpu").sets[Usage.SAMPLING]
    assert one.formats == (FormatModifier(ANY_FOURCC, ANY_MODIFIER),)


def test_the_majors_are_those_of_linux():
    platform = parse(
        """
        [[memory]]
        name = "a"
        [[memory]]
        name = "b"
        [[device]]
        name = "display"
        kind = "display"
        [[device]]
        name = "gpu"
        kind = "gpu"
        [[device]]
        name = "decoder"
        kind = "decoder"
        [[device]]
        name = "camera"
        kind = "camera"
        """
    )
    assert {source.id.major for source in platform.sources} == {254}
    assert [str(device.id) for device in platform.devices] == ["226:0", "226:128", "81:0", "81:1"]


@pytest.mark.parametrize(
    ("row", "value", "planes"),
    [
        ('{ type = "contiguous" }', 1, 0),
        ('{ type = "contiguous", value = true }', 1, 0),
        ('{ type = "pitch-alignment", value = 64, planes = [0, 1] }', 64, 0b11),
        ('{ type = "size-alignment", value = "128 KiB" }', 128 << 10, 0),
        ('{ type = "address-range", value = ["0x0", "0x3fffffff"] }', (0, 0x3FFFFFFF), 0),
        ('{ type = "address-range", value = { base = 4096, size = "4 KiB" } }', (4096, 8191), 0),
        ('{ type = "protected", value = true }', 1, 0),
        ('{ type = "protected", value = false }', 0, 0),
        ('{ type = "coherency-domains", value = ["cpu", "RAM"] }', 0b011, 0),
        ('{ type = "when-rotation", value = ["90", "270"] }', 0b1010, 0),
        ('{ type = "fences", value = 6 }', 6, 0),
        ('{ type = "max-hops", value = { display = 3, gpu = 0 } }',
         ((DeviceId(226, 0), 3), (DeviceId(226, 128), 0)), 0),
        ('{ type = "peer-link", value = ["gpu"] }', ((DeviceId(226, 128), 0),), 0),
        ('{ type = "same-buffer", planes = [0, 1] }', 1, 0b11),
    ],
)  # fmt: skip
def test_values_are_written_as_their_kind_is(row, value, planes):
    read = constraint(row)
    assert (read.value, read.planes) == (value, planes)
    assert read.must_understand


def test_sources_are_named_and_keep_their_order():
    read = constraint('{ type = "permitted-sources", value = ["system", "cma"], planes = [1] }')
    platform = parse(HEAD)
    assert [platform.source_name(source) for source in read.value] == ["system", "cma"]


def test_a_heap_has_the_same_number_in_every_file_that_speaks_of_it():
    """So that files which differ in what they have do not take one heap for another."""
    heaps = ("cma", "system", "bank")
    for missing in heaps:
        text = "".join(f'[[memory]]\nname = "{name}"\n' for name in heaps if name != missing)
        text += (
            '[[device]]\nname = "d"\nkind = "decoder"\n[[device.use]]\nusage = "decode"\n'
            '[[device.use.set]]\nformats = ["NV12"]\nconstraints = [{ type = "permitted-sources", '
            'value = ["cma", "system", "bank"] }]\n'
        )
        platform = parse(text)
        (one,) = platform.device("d").sets[Usage.DECODE]
        assert (
            one.constraints[0].value
            == constraint('{ type = "permitted-sources", value = ["cma", "system", "bank"] }').value
        )
        assert len(platform.notes) == 1


def test_heaps_whose_names_meet_have_numbers_of_their_own(monkeypatch):
    monkeypatch.setattr("heapwire.kernel.description.heap_number.crc32", lambda name: 4095)
    ids = [source.id.minor for source in parse(HEAD).sources]
    assert ids == [4095, 0]


def test_must_understand_can_be_let_go():
    assert not constraint('{ type = "contiguous", must-understand = false }').must_understand


@pytest.mark.parametrize("iommu", ["true", "false", ""])
def test_an_iommu_lifts_what_holds_without_one(iommu):
    row = '{ type = "contiguous", without-iommu = true }'
    device = f"iommu = {iommu}" if iommu else ""
    assert (constraint(row, device=device) is None) == (iommu == "true")


_SAMPLES = {
    ValueKind.UINT: "1",
    ValueKind.FLAG: "true",
    ValueKind.RANGE: "[1, 2]",
    ValueKind.MASK: "1",
    ValueKind.SOURCES: '["cma"]',
    ValueKind.PAIRS: "{ gpu = 1 }",
    ValueKind.BYTES: '"01 ff"',
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_of_the_registry_can_be_written(row):
    planes = ", planes = [0, 1]" if row.is_relation else ""
    value = _SAMPLES[row.kind]
    if row.kind is ValueKind.PAIRS and not row.unit:
        value = '["gpu"]'
    read = constraint(f'{{ type = "{row.name}", value = {value}{planes} }}')
    assert read.type == row.type


def test_links_costs_and_peers():
    platform = parse(
        HEAD
        + """
[[device]]
name = "gpu"
kind = "gpu"
[[link]]
device = "display"
memory = "cma"
rank = 1
kind = "supported"
[[peer-link]]
devices = ["display", "gpu"]
[[format-cost]]
formats = ["NV12"]
modifiers = ["LINEAR"]
cost = 3
"""
    )
    (link,) = platform.links
    assert (link.device, link.source, link.rank, link.kind) == (
        "display", "cma", 1, LinkKind.SUPPORTED,
    )  # fmt: skip
    assert platform.topology.linked(platform.device("display").id, platform.device("gpu").id)
    assert platform.format_costs == {FormatModifier(fourcc("NV12"), LINEAR): 3}


def test_memory_that_is_not_there_is_noted_and_never_matches():
    """A machine may lack what a driver asks for: that is for the solver to say."""
    platform = parse(
        """
        [[memory]]
        name = "system"
        [[device]]
        name = "codec"
        kind = "decoder"
        [[device.use]]
        usage = "decode"
        [[device.use.set]]
        formats = ["NV12"]
        constraints = [
          { type = "permitted-sources", value = ["bank"] },
        ]
        """
    )
    (one,) = platform.device("codec").sets[Usage.DECODE]
    (missing,) = one.constraints[0].value
    assert missing not in [source.id for source in platform.sources]
    assert platform.source_name(missing) == "bank"
    assert platform.notes == (
        "board.toml:12: device[0].use[0].set[0].constraints[0].value: "
        "this platform has no memory 'bank'",
    )


FAULTS = [
    ('memory = 3', 1, "memory: this is a list of tables: write [[memory]]"),
    ('[[memory]]\nnam = "cma"', 1, "memory[0]: 'name' is missing"),
    ('[[memory]]\nnam = "cma"', 2, "memory[0].nam: this key is unknown here: did you mean 'name'?"),
    ('[[memory]]\nname = ""', 2, "memory[0].name: '' says nothing"),
    ('[[memory]]\nname = "a"\n[[memory]]\nname = "a"', 4, "there is a memory 'a' already"),
    (f'[[memory]]\nname = "{"x" * 241}"', 2, "cannot be the name of a simulated heap"),
    ('[[memory]]\nname = "a"\nkind = "hep"', 3, "kind: 'hep' is unknown: did you mean 'heap'?"),
    ('[[memory]]\nname = "a"\nkind = "device"', 1, "'device' is missing"),
    ('[[memory]]\nname = "a"\ndevice = "gpu"', 3, "device: there is no such device"),
    ('[[memory]]\nname = "a"\ncapacity = "96 MB"', 3, "capacity: '96 MB' is not a number of bytes"),
    ('[[memory]]\nname = "a"\ncapacity = 0', 3, "capacity: a memory of 0 bytes"),
    ('[[memory]]\nname = "a"\nalignment = 0', 3, "alignment: nothing is a multiple of 0"),
    ('[[memory]]\nname = "a"\ncapacity = -1', 3, "capacity: -1 is negative"),
    ('[[memory]]\nname = "a"\nalignment = 0', 3, "alignment: nothing is a multiple of 0"),
    ('[[memory]]\nname = "a"\naddresses = [2, 1]', 3, "addresses: the range ends at 0x1"),
    ('[[memory]]\nname = "a"\naddresses = 3', 3, "addresses: a range is"),
    ('[[memory]]\nname = "a"\ncontiguous = "yes"', 3, "contiguous: 'yes' is neither true nor"),
    ('[[memory]]\nname = "a"\nnuma-node = -1', 3, "numa-node: -1 is not a whole number"),
    ('[[device]]\nname = "d"', 1, "device[0]: 'kind' is missing: one of display, gpu"),
    ('[[device]]\nname = "d"\nkind = "gpux"', 3, "'gpux' is unknown: did you mean 'gpu'?"),
    ('[[device]]\nname = "d"\nkind = "gpu"\n[[device]]\nname = "d"\nkind = "gpu"', 5,
     "device[1].name: there is a device 'd' already"),
    ('[[device]]\nname = "d"\nkind = "gpu"\nkms-planes = [{ name = "p" }]', 4,
     "kms-planes: only a display has planes"),
    ('[[device]]\nname = "d"\nkind = "gpu"\n[[device.use]]', 4, "use[0]: 'usage' is missing"),
    ('[[device]]\nname = "d"\nkind = "gpu"\n[[device.use]]\nusage = "watch"', 5,
     "usage[0]: 'watch' is not a use: there are decode"),
    ('[[device]]\nname = "d"\nkind = "gpu"\n[[device.use]]\nusage = "render"\n[[device.use]]\n'
     'usage = "render"', 7, "usage: render is described already"),
    ('[[device]]\nname = "d"\nkind = "gpu"\n[[device.use]]\nusage = "render"\n'
     'constraints = [{ type = "contiguous" }]', 4, "these constraints hold for no format"),
    (HEAD + 'formats = 3', 12, "this is not TOML"),
    (HEAD + 'modifiers = ["TWISTED"]', 12, "modifiers[0]: 'TWISTED' is not a format modifier"),
    (HEAD + 'modifiers = [\n"LINEAR",\n"INTEL_X",\n]', 14, "modifiers[1]: 'INTEL_X' is not"),
    (HEAD + '[[device.use.set]]\nformats = ["NV-12"]', 13, "formats[0]: 'NV-12' is not a pixel"),
    (HEAD + '[[device.use.set]]\nformats = ["NV12", "NV12"]', 13, "stands here twice"),
    (HEAD + '[[device.use.set]]\ncost = 1', 12, "set[1]: 'formats' is missing"),
    (HEAD + 'kms-planes = ["primary"]', 12, "kms-planes[0]: there is no such plane"),
    (HEAD + 'constraints = [{ type = "pitch-alignmnt", value = 1 }]', 12,
     "'pitch-alignmnt' is not a constraint type: did you mean 'pitch-alignment'?"),
    (HEAD + 'constraints = [{ value = 1 }]', 12, "constraints[0]: 'type' is missing"),
    (HEAD + 'constraints = ["contiguous"]', 12, "'contiguous' is not a table"),
    (HEAD + 'constraints = [\n{ type = "contiguous" },\n{ type = "pitch-alignment" },\n]', 14,
     "constraints[1].value: pitch-alignment: 'value' is missing: a number"),
    (HEAD + 'constraints = [{ type = "pitch-alignment", value = 0 }]', 12,
     "pitch-alignment: nothing is a multiple of 0"),
    (HEAD + 'constraints = [{ type = "pitch-alignment", value = 1.5 }]', 12,
     "1.5 is not a number of bytes"),
    (HEAD + 'constraints = [{ type = "min-width", value = true }]', 12,
     "True is not a number of pixels"),
    (HEAD + 'constraints = [{ type = "contiguous", value = 0 }]', 12, "its presence says it all"),
    (HEAD + 'constraints = [{ type = "address-range", value = 3 }]', 12, "a range is"),
    (HEAD + 'constraints = [{ type = "address-range", value = [9, 1] }]', 12, "range is empty"),
    (HEAD + 'constraints = [{ type = "fences", value = ["explicite"] }]', 12,
     "did you mean 'explicit'?"),
    (HEAD + 'constraints = [{ type = "fences", value = [] }]', 12, "the mask is empty"),
    (HEAD + 'constraints = [{ type = "permitted-sources", value = [] }]', 12, "list is empty"),
    (HEAD + 'constraints = [{ type = "permitted-sources", value = "cma" }]', 12,
     "'cma' is not a list of names"),
    (HEAD + 'constraints = [{ type = "max-hops", value = ["display"] }]', 12,
     "each device comes with its hops"),
    (HEAD + 'constraints = [{ type = "max-hops", value = { disply = 1 } }]', 12,
     "there is no device 'disply': did you mean 'display'?"),
    (HEAD + 'constraints = [{ type = "same-buffer" }]', 12, "'planes' is missing"),
    (HEAD + 'constraints = [{ type = "min-width", value = 1, planes = [0] }]', 12,
     "min-width is about the buffer as a whole"),
    (HEAD + 'constraints = [{ type = "pitch-alignment", value = 1, planes = [4] }]', 12,
     "planes: [4] is not a list of planes, from 0 to 3"),
    (HEAD + 'constraints = [{ type = "contiguous", sorce = "x" }]', 12, "did you mean 'source'?"),
    (HEAD + 'constraints = [{ type = "min-pitch", value = 9 }, { type = "max-pitch", value = 8 }]',
     10, "set[0]: nothing can meet all the constraints of this set"),
    ('[[link]]\ndevice = "d"\nmemory = "m"', 2, "link[0].device: there is no such device"),
    (HEAD + '[[link]]\ndevice = "display"', 12, "'memory' is missing"),
    (HEAD + '[[link]]\ndevice = "display"\nmemory = "cma"\nkind = "loose"', 15,
     "'loose' is unknown"),
    (HEAD + '[[peer-link]]\ndevices = ["display"]', 13, "a peer link has two ends"),
    (HEAD + '[[peer-link]]\ndevices = ["display", "display"]', 13, "a peer link has two ends"),
    (HEAD + '[[peer-link]]\ndevices = ["display", "gpu"]', 13, "there is no device 'gpu'"),
    ('[[format-cost]]\nformats = ["NV12"]', 1, "'cost' is missing"),
    ('title = 3', 1, "title: 3 is not a text in quotes"),
    ('titel = "x"', 1, "titel: this key is unknown here: did you mean 'title'?"),
    ('name = "x', 1, "this is not TOML"),
    ('\n\nname = = 1', 3, "this is not TOML"),
    ('\n[a\n', 2, "this is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), FAULTS)
def test_a_fault_is_found_at_its_line(text, line, what):
    found = faults(text)
    assert any(fault.startswith(f"board.toml:{line}: ") and what in fault for fault in found), found


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    found = faults(
        """
        [[memory]]
        name = "a"
        capacity = "lots"
        [[device]]
        name = "d"
        kind = "toaster"
        [[device.use]]
        usage = "scanout"
        [[device.use.set]]
        formats = ["XRGB8888", "NOTHING"]
        constraints = [{ type = "contiguos" }]
        """
    )
    lines = [int(re.match(r"board\.toml:(\d+): ", fault)[1]) for fault in found]
    assert lines == [4, 7, 11, 12]


def test_the_error_has_its_file_and_each_fault_with_its_line():
    with pytest.raises(PlatformFileError) as caught:
        Platform.parse('name = ""\nother = 1\n', file="boards/my.toml")
    error = caught.value
    assert (error.path, error.line) == (FilePath("boards/my.toml"), 1)
    assert [(fault.line, fault.text.split(":")[0]) for fault in error.faults] == [
        (1, "name"),
        (2, "other"),
    ]
    assert str(error).splitlines() == [
        f"boards/my.toml:{fault.line}: {fault.text}" for fault in error.faults
    ]


def test_what_is_not_toml_is_a_fault_of_its_line_and_at_the_end_of_the_last():
    for text, line in (("a = 1\nb = = 2\n", 2), ("a = 1\n\nb = [", 3)):
        with pytest.raises(PlatformFileError, match="this is not TOML") as caught:
            Platform.parse(text)
        assert [fault.line for fault in caught.value.faults] == [line]


def test_numbers_from_nothing_on_and_ranges_of_one_address():
    """The least of what may be written."""
    platform = parse(
        """
        [[memory]]
        name = "m"
        numa-node = 0
        addresses = ["0x1000", "0x1000"]
        [[memory]]
        name = "n"
        addresses = { base = 0, size = 1 }
        """
    )
    first, second = platform.sources
    assert (first.numa_node, first.address_range) == (0, (4096, 4096))
    assert second.address_range == (0, 0)
    assert "ends at 0xfff, before it begins at 0x1000" in "\n".join(
        faults('[[memory]]\nname = "m"\naddresses = ["0x1000", "0xfff"]')
    )
