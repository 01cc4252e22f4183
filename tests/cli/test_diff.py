"""`heapwire diff`: what two machines do not have in common."""

from __future__ import annotations

import json

import pytest

from heapwire.kernel.description import shipped


def differences(run):
    return {(one["place"], one["fact"]): one for one in run.document["differences"]}


def test_a_machine_and_what_was_printed_of_it_are_the_same(heapwire, tmp_path):
    printed = tmp_path / "machine.json"
    printed.write_text(heapwire("list", "--platform", "raspberry-pi-4", "--json").out)
    run = heapwire("diff", "raspberry-pi-4", printed)
    assert (run.status, run.out) == (0, "the same machine\n")
    assert heapwire("diff", "raspberry-pi-4", printed, "--json").document["same"] is True


def test_facts_that_differ_are_told_with_both(heapwire):
    words = ("diff", "rockchip-rk3399", "rockchip-rk3399-no-iommu")
    run = heapwire(*words)
    assert run.status == 1
    assert run.out.startswith("rockchip-rk3399 -> rockchip-rk3399-no-iommu\n")
    assert "    decoder vpu: iommu: yes -> no\n" in run.out
    needs = (
        "    decoder vpu, used for decode: requires\n        + needs memory that is contiguous\n"
    )
    assert needs in run.out
    iommu = differences(heapwire(*words, "--json"))["decoder vpu", "iommu"]
    assert (iommu["first"], iommu["second"]) == (True, False)


def test_the_other_way_round_it_is_the_opposite(heapwire):
    there = differences(heapwire("diff", "raspberry-pi-4", "two-gpus", "--json"))
    back = differences(heapwire("diff", "two-gpus", "raspberry-pi-4", "--json"))
    assert there.keys() == back.keys()
    assert all(there[one]["first"] == back[one]["second"] for one in there)


def test_memory_of_a_device_is_told_from_the_device(heapwire):
    out = heapwire("diff", "raspberry-pi-4", "rockchip-rk3399").out
    assert "    memory of gpu: only in rockchip-rk3399\n" in out
    assert "    gpu gpu: only in rockchip-rk3399\n" in out
    assert (
        "    udmabuf: only in generic-desktop\n"
        in heapwire("diff", "two-gpus", "generic-desktop").out
    )


def test_of_what_only_one_has_it_is_said_once(heapwire):
    run = heapwire("diff", "raspberry-pi-4", "two-gpus", "--json")
    missing = {place for place, fact in differences(run) if fact == "there"}
    assert any(place.startswith("gpu ") for place in missing)
    for place, fact in differences(run):
        around = place.partition(", used for ")[0]
        assert around not in missing or (place, fact) == (around, "there")


def test_a_heap_of_another_name_is_another_heap(heapwire, tmp_path):
    file = tmp_path / "other.json"
    printed = heapwire("list", "--platform", "raspberry-pi-4", "--json").document
    changed = json.loads(json.dumps(printed).replace("linux,cma", "reserved"))
    file.write_text(json.dumps(changed))
    run = heapwire("diff", "raspberry-pi-4", file)
    assert "    heap linux,cma: only in raspberry-pi-4\n" in run.out
    assert f"    heap reserved: only in {file}\n" in run.out
    assert run.status == 1


@pytest.mark.parametrize("name", shipped())
def test_every_machine_is_the_same_as_itself(heapwire, name):
    assert heapwire("diff", name, name).status == 0


def test_a_machine_that_is_not_there_is_told(heapwire):
    run = heapwire("diff", "raspberry-pi-4", "nowhere", "--json")
    assert (run.status, run.document["error"]["kind"]) == (1, "InputError")
