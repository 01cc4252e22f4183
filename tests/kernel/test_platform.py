"""A Platform: loading, names, participants, and what links mean."""

from dataclasses import replace

import pytest

from heapwire.kernel.description import Platform, parse_usage, shipped, usage_name
from heapwire.kernel.description.platform_file import PlatformFileError
from heapwire.protocol import FileError, InputError, MachineError, UsageError
from heapwire.protocol.values import (
    BY_NAME,
    BufferCount,
    Content,
    Extent,
    Extents,
    FormatModifier,
    Goal,
    Provenance,
    Usage,
    fourcc,
)

BOARD = """\
[[memory]]
name = "one"
[[memory]]
name = "two"
[[memory]]
name = "three"
[[device]]
name = "display"
kind = "display"
[[device.use]]
usage = "scanout"
[[device.use.set]]
formats = ["XRGB8888"]
[[device.use.set]]
formats = ["NV12"]
[[device]]
name = "cpu"
kind = "cpu"
[[device.use]]
usage = ["cpu-read", "cpu-write"]
[[device.use.set]]
formats = ["NV12"]
[[device.use]]
usage = "render"
[[device.use.set]]
formats = ["XRGB8888"]
"""


COST = '[[format-cost]]\nformats = ["NV12"]\ncost = 3\n'
SIZE = Extents(coded=Extent(64, 48))


def link(memory, rank=0, kind="preferred"):
    return f'[[link]]\ndevice = "display"\nmemory = "{memory}"\nrank = {rank}\nkind = "{kind}"\n'


def permitted(text):
    """The names that the display's sets permit, in order; the same for each set."""
    platform = Platform.parse(text)
    found = set()
    for one in platform.participant("display", Usage.SCANOUT).sets:
        rows = [c for c in one.constraints if c.type == BY_NAME["permitted-sources"].type]
        found.add(tuple(platform.source_name(source) for row in rows for source in row.value))
    (names,) = found
    return names


def test_a_file_is_loaded_from_its_path(tmp_path):
    path = tmp_path / "my-board.toml"
    path.write_text(BOARD)
    for which in (path, str(path)):
        platform = Platform.load(which)
        assert platform.name == "my-board"
        assert platform.simulated


def test_a_shipped_platform_is_loaded_by_its_name():
    assert Platform.load("raspberry-pi-4").name == "raspberry-pi-4"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="'rasberry-pi-4': did you mean 'raspberry-pi-4'"):
        Platform.load("rasberry-pi-4")


def test_a_name_like_no_other_is_answered_with_all_of_them():
    with pytest.raises(InputError, match=r"there are allwinner-a20, .*, uvc-camera\. A file is"):
        Platform.load("xyzzy")


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError) as caught:
        Platform.load(str(tmp_path / "none.toml"))
    assert str(caught.value) == f"{tmp_path}/none.toml: No such file or directory"


def test_a_folder_and_a_binary_are_no_platforms(tmp_path):
    with pytest.raises(FileError, match="Is a directory"):
        Platform.load(tmp_path)
    path = tmp_path / "clip.toml"
    path.write_bytes(b"\x00\xff\xfe")
    with pytest.raises(FileError, match=r"clip\.toml:1: this is not text"):
        Platform.load(path)


def test_faults_name_the_file_as_it_was_given(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("titel = 1\n")
    with pytest.raises(PlatformFileError, match=f"^{path}:1: titel: "):
        Platform.load(path)


def test_two_loads_agree():
    assert Platform.parse(BOARD).devices == Platform.parse(BOARD).devices
    assert Platform.parse(BOARD).sources == Platform.parse(BOARD).sources


def test_sources_and_devices_go_by_name_and_by_id():
    platform = Platform.parse(BOARD)
    for source in platform.sources:
        assert platform.source(source.name) is platform.source(source.id) is source
        assert platform.source_name(source.id) == source.name
    display = platform.device("display")
    assert platform.device(display.id) is display
    with pytest.raises(InputError, match="no device displai: did you mean 'display'"):
        platform.device("displai")
    with pytest.raises(InputError, match="no memory tow: did you mean 'two'"):
        platform.source("tow")


def test_its_memory_is_there():
    platform = Platform.parse(BOARD)
    source = platform.source("two").id
    with platform.memory.allocate(source, 100) as buffer:
        assert platform.memory.identify(buffer.fd) == source


def test_a_participant_has_its_device_and_a_name_of_its_own():
    platform = Platform.parse(BOARD)
    display = platform.participant("display", Usage.SCANOUT)
    assert display.device == platform.device("display").id
    assert display.name == "display:scanout"
    assert display.sets == platform.device("display").sets[Usage.SCANOUT]
    assert platform.participant("display", Usage.SCANOUT, name="left").name == "left"
    cpu = platform.participant("cpu", Usage.CPU_READ | Usage.CPU_WRITE)
    assert (cpu.name, cpu.device) == ("cpu:cpu-read+cpu-write", None)


@pytest.mark.parametrize(
    ("usage", "error", "what"),
    [
        (
            Usage.DECODE,
            MachineError,
            "cpu is not for decode: it is for render, cpu-read, cpu-write",
        ),
        (Usage.CPU_READ | Usage.DECODE, MachineError, "cpu is not for decode"),
        (Usage.CPU_READ | Usage.RENDER, MachineError, "take part once for each use"),
        (Usage(0), UsageError, "no use is given"),
    ],
)
def test_a_device_is_good_for_what_it_has_sets_for(usage, error, what):
    with pytest.raises(error, match=what):
        Platform.parse(BOARD).participant("cpu", usage)


def test_without_links_any_source_is_permitted():
    assert permitted(BOARD) == ()


def test_a_preferred_link_comes_first_and_shuts_nothing_out():
    assert permitted(BOARD + link("three")) == ("three", "one", "two")


def test_preferred_links_are_in_order_of_rank():
    assert permitted(BOARD + link("three", 1) + link("two", 0)) == ("two", "three", "one")


def test_supported_links_are_all_that_is_permitted():
    text = BOARD + link("two", 1, "supported") + link("three", 0, "supported")
    assert permitted(text) == ("three", "two")


def test_a_link_to_memory_that_is_not_there_permits_nothing_else():
    assert permitted(BOARD + link("four", 0, "supported")) == ("four",)


@pytest.mark.parametrize("usage", [*Usage, Usage.CPU_READ | Usage.CPU_WRITE])
def test_the_name_of_a_use_reads_back(usage):
    assert parse_usage(usage_name(usage)) == usage


def test_the_shipped_names_are_sorted_and_distinct():
    names = shipped()
    assert list(names) == sorted(set(names))


def test_of_pairs_that_cost_the_same_those_go_first_that_a_display_scans_out():
    platform = Platform.load("raspberry-pi-4")
    shown = platform.device("hvs").sets[Usage.SCANOUT][0].formats[0]
    hidden = FormatModifier(fourcc("????"), 0)
    assert platform.pair_costs[shown] < platform.pair_costs.get(hidden, 0)
    priced = replace(platform, format_costs={shown: 4, hidden: 3})
    assert priced.pair_costs[shown] > priced.pair_costs[hidden]  # the table goes before


def test_a_link_to_memory_that_has_gone_permits_nothing():
    """Of two that a display can read one is left, and then none."""
    text = BOARD + link("one", kind="supported") + link("two", kind="supported")
    platform = Platform.parse(text)
    for left in (["two"], []):
        sources = tuple(one for one in platform.sources if one.name in left)
        poorer = replace(platform, sources=sources)
        named = {one.id: one.name for one in sources}
        for one in poorer.participant("display", Usage.SCANOUT).sets:
            [value] = [
                c.value for c in one.constraints if c.type == BY_NAME["permitted-sources"].type
            ]
            assert [named[source] for source in value] == left


def test_a_problem_has_all_that_the_platform_knows():
    """What is absent is named, and pairs cost what they cost here, whoever asks."""
    platform = Platform.parse(BOARD + link("four", kind="supported") + COST)
    problem = platform.problem(
        participants=[platform.participant("cpu", Usage.RENDER)],
        goals=[Goal(name="shown")],
        extents=SIZE,
    )
    assert problem.sources == platform.sources
    assert problem.topology is platform.topology
    assert list(problem.absent.values()) == ["four"]
    assert problem.format_costs == platform.pair_costs
    assert (problem.extents, problem.content, problem.counts) == (SIZE, Content(), BufferCount())
    assert [one.name for one in problem.participants] == ["cpu:render"]
    assert [goal.name for goal in problem.goals] == ["shown"]
    assert problem.fixed is None


def test_a_problem_is_solved_with_the_sources_that_may_be_used():
    platform = Platform.parse(BOARD)
    two = platform.source("two").id
    problem = platform.problem(extents=SIZE, usable=lambda source: source != two)
    assert [source.name for source in problem.sources] == ["one", "three"]


def test_of_several_links_the_least_certain_says_where_the_list_is_from():
    platform = Platform.parse(BOARD + link("one") + link("two", rank=1))
    first, second = platform.links
    mixed = replace(platform, links=(replace(first, provenance=Provenance.KERNEL), second))
    (constraint,) = mixed.participant("display", Usage.SCANOUT).sets[0].constraints
    assert (second.provenance, constraint.provenance) == (Provenance.PROFILE,) * 2
