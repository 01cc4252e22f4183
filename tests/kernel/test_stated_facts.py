"""What somebody states about a machine is added to it, and nothing else of it changes."""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import replace

import pytest

from heapwire.kernel.description import (
    DeviceFact,
    MemoryFact,
    Platform,
    TomlTable,
    read_device_facts,
    read_memory_facts,
    with_facts,
)
from heapwire.kernel.description.file_constraint import FileConstraint
from heapwire.kernel.description.memory_properties import MemoryProperties
from heapwire.kernel.description.toml.toml_table import key_name
from heapwire.protocol.values import (
    ANY_FOURCC,
    ANY_MODIFIER,
    BY_NAME,
    Constraint,
    FormatModifier,
    Provenance,
    Usage,
)

CONTIGUOUS = FileConstraint(type=BY_NAME["contiguous"], value=1)


def tables(text):
    return TomlTable(tomllib.loads(textwrap.dedent(text)), (), [])


def added(platform, text):
    """The platform with the facts of a text, in which nothing is wrong."""
    top = tables(text)
    memory, devices = read_memory_facts(top), read_device_facts(top)
    top.close()
    assert top.faults == []
    return with_facts(
        platform,
        memory=memory,
        devices=devices,
        tell=lambda fault: f"{key_name(fault.path)}: {fault.text}",
    )


def constraint(name, value, **more):
    return Constraint(type=BY_NAME[name].type, value=value, provenance=Provenance.USER, **more)


@pytest.fixture(scope="module")
def pi():
    return Platform.load("raspberry-pi-4")


def test_what_a_device_needs_comes_on_top_of_what_is_known(pi):
    found = added(
        pi,
        """
        [[device]]
        name = "hvs"
        [[device.use]]
        usage = "scanout"
        constraints = [{ type = "pitch-alignment", value = 64, planes = [1] }]
        """,
    )
    more = constraint("pitch-alignment", 64, planes=0b10)
    before, after = pi.device("hvs"), found.device("hvs")
    assert after.sets[Usage.SCANOUT] != before.sets[Usage.SCANOUT]
    for old, new in zip(before.sets[Usage.SCANOUT], after.sets[Usage.SCANOUT], strict=True):
        assert new.constraints == (*old.constraints, more)
        assert new.formats == old.formats
    on_planes = dict.fromkeys(one for plane in after.planes for one in plane.sets)
    assert tuple(on_planes) == after.sets[Usage.SCANOUT]
    others = [device for device in found.devices if device.name != "hvs"]
    assert others == [device for device in pi.devices if device.name != "hvs"]
    assert found.sources == pi.sources
    assert found.notes == pi.notes


def test_a_driver_stands_for_all_its_devices_that_have_the_use():
    gpus = Platform.load("two-gpus")
    drivers = {device.driver for device in gpus.devices if Usage.SAMPLING in device.sets}
    driver = sorted(drivers)[0]
    fact = DeviceFact(driver=driver, usage=Usage.SAMPLING, constraints=(CONTIGUOUS,))
    found = with_facts(gpus, devices=[fact], tell=str)
    for device in found.devices:
        for usage, sets in device.sets.items():
            stated = device.driver == driver and usage == Usage.SAMPLING
            for one in sets:
                assert (constraint("contiguous", 1) in one.constraints) is stated, device.name
    assert found.notes == gpus.notes


def test_a_name_and_a_driver_have_to_fit_both(pi):
    fact = DeviceFact(name="hvs", driver="v3d", usage=Usage.SCANOUT, constraints=(CONTIGUOUS,))
    found = with_facts(pi, devices=[fact], tell=lambda fault: fault.text)
    assert found.devices == pi.devices
    assert found.notes == (
        "this machine has no device 'hvs' of the driver 'v3d': did you mean 'hvs'?",
    )


def test_a_device_that_can_use_anything_gets_a_set_for_any_format():
    gpu = Platform.parse('[[device]]\nname = "gpu"\nkind = "gpu"\n[[device.use]]\nusage="sampling"')
    assert gpu.device("gpu").sets[Usage.SAMPLING] == ()
    fact = DeviceFact(name="gpu", usage=Usage.SAMPLING, constraints=(CONTIGUOUS,))
    (one,) = with_facts(gpu, devices=[fact], tell=str).device("gpu").sets[Usage.SAMPLING]
    assert one.formats == (FormatModifier(ANY_FOURCC, ANY_MODIFIER),)
    assert one.constraints == (constraint("contiguous", 1),)


def test_a_constraint_without_iommu_is_lifted_by_one(pi):
    text = """
        [[device]]
        name = "{}"
        [[device.use]]
        usage = "{}"
        constraints = [{{ type = "contiguous", without-iommu = true }}]
        """
    assert pi.device("v3d").iommu
    assert pi.device("hvs").iommu is False
    assert added(pi, text.format("v3d", "sampling")).devices == pi.devices
    assert added(pi, text.format("hvs", "scanout")).devices != pi.devices
    unknown = replace(pi, devices=tuple(replace(one, iommu=None) for one in pi.devices))
    assert added(unknown, text.format("v3d", "sampling")).devices != unknown.devices


def test_names_in_a_value_are_those_of_the_machine():
    gpus = Platform.load("two-gpus")
    first, second = [d for d in gpus.devices if Usage.SAMPLING in d.sets][:2]
    heap = gpus.sources[-1]
    found = added(
        gpus,
        f"""
        [[device]]
        name = "{first.name}"
        [[device.use]]
        usage = "sampling"
        constraints = [
            {{ type = "permitted-sources", value = ["{heap.name}"] }},
            {{ type = "max-hops", value = {{ "{second.name}" = 3 }} }},
        ]
        """,
    )
    stated = found.device(first.name).sets[Usage.SAMPLING][0].constraints[-2:]
    assert stated == (
        constraint("permitted-sources", (heap.id,)),
        constraint("max-hops", ((second.id, 3),)),
    )
    assert found.notes == gpus.notes


def test_memory_that_is_not_there_is_noted_and_still_the_only_one_that_will_do(pi):
    found = added(
        pi,
        """
        [[device]]
        name = "hvs"
        [[device.use]]
        usage = "scanout"
        constraints = [{ type = "permitted-sources", value = ["video", "video"] }]
        """,
    )
    (id_,) = found.absent
    assert found.absent[id_] == "video"
    assert id_ not in {source.id for source in found.sources}
    stated = found.device("hvs").sets[Usage.SCANOUT][0].constraints[-1]
    assert stated == constraint("permitted-sources", (id_, id_))
    where = "device[0].use[0].constraints[0].value"
    assert found.notes == (f"{where}: this machine has no memory 'video'",)


def test_a_device_that_is_not_there_is_noted_and_not_spoken_of(pi):
    found = added(
        pi,
        """
        [[device]]
        name = "hvs"
        [[device.use]]
        usage = "scanout"
        constraints = [
            { type = "max-hops", value = { gpu = 2 } },
            { type = "same-buffer", planes = [0, 1] },
        ]
        """,
    )
    before = pi.device("hvs").sets[Usage.SCANOUT][0].constraints
    after = found.device("hvs").sets[Usage.SCANOUT][0].constraints
    assert after == (*before, constraint("same-buffer", 1, planes=0b11))
    (note,) = found.notes
    assert note.startswith("device[0].use[0].constraints[0].value: max-hops: there is no device")


def test_a_use_that_a_device_does_not_have_is_noted(pi):
    fact = DeviceFact(name="v3d", usage=Usage.SCANOUT, constraints=(CONTIGUOUS,))
    found = with_facts(pi, devices=[fact], tell=lambda fault: fault.text)
    assert found.devices == pi.devices
    assert found.notes == ("v3d: not known to be for scanout",)


def test_what_is_stated_of_memory_goes_before_what_was_known(pi):
    found = added(
        pi,
        """
        [[memory]]
        name = "system"
        contiguous = true
        addresses = { base = "0x1000", size = "4 KiB" }
        numa-node = 1
        """,
    )
    system, before = found.source("system"), pi.source("system")
    assert (system.contiguous, system.address_range) == (True, (0x1000, 0x1FFF))
    assert system.numa_node == 1
    assert (system.id, system.cached, system.alignment) == (
        before.id,
        before.cached,
        before.alignment,
    )
    assert system.provenance == dict.fromkeys(
        ("contiguous", "address_range", "numa_node"), Provenance.USER
    )
    assert found.source("linux,cma") == pi.source("linux,cma")


def test_memory_that_is_stated_and_not_there_is_noted(pi):
    fact = MemoryFact(name="linux.cma", properties=MemoryProperties(contiguous=True))
    found = with_facts(pi, memory=[fact], tell=lambda fault: fault.text)
    assert found.sources == pi.sources
    assert found.notes == ("this machine has no memory 'linux.cma': did you mean 'linux,cma'?",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[memory]]\ncontiguous = true", "'name' is missing"),
        ('[[memory]]\nname = "system"', "this states nothing"),
        ('[[memory]]\nname = "system"\nalignment = 0', "nothing is a multiple of 0"),
        ('[[memory]]\nname = "system"\nkind = "heap"', "this key is unknown here"),
        ('[[device]]\nname = "card0"', "this states nothing"),
        ("[[device]]\n[[device.use]]", "'name' is missing, or 'driver'"),
        ('[[device]]\nname = "a"\n[[device.use]]\nconstraints = []', "'usage' is missing"),
        ('[[device]]\nname = "a"\n[[device.use]]\nusage = "scanout"', "'constraints' is missing"),
        ('[[device]]\nname = "a"\nkind = "gpu"', "this key is unknown here"),
        (
            '[[device]]\nname = "a"\n[[device.use]]\nusage = "scanout"\n'
            'constraints = [{ type = "permitted-sources", value = [] }]',
            "permitted-sources: the list is empty",
        ),
        (
            '[[device]]\nname = "a"\n[[device.use]]\nusage = "scanout"\n'
            'constraints = [{ type = "not-local", value = [] }]',
            "not-local: no device is named",
        ),
    ],
)
def test_what_is_written_wrongly_is_a_fault(text, complaint):
    top = tables(text)
    read_memory_facts(top)
    read_device_facts(top)
    assert any(complaint in fault.text for fault in top.faults), top.faults
