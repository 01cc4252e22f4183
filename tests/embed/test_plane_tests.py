"""Tests of planes that a C host has done: what it is asked, and what its answers come to."""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from c_host import PLATFORM, CHost, the_plugin
from patience import until

from heapwire.compositor_plugin.hosts.embed import attachment as attachment_file
from heapwire.compositor_plugin.hosts.embed.host_table import ffi
from heapwire.compositor_plugin.machine import host_trials
from heapwire.kernel.description import KmsPlane, PlaneType, Platform
from heapwire.protocol.values import PERMITTED_SOURCES, Provenance, Usage

TEST = "int(void *, uint32_t, const struct heapwire_test *)"
REFUSED = errno.EINVAL


class TestingHost(CHost):
    """Answers as `says` does, which is given a question; None is answered by nobody."""

    __test__ = False

    def __init__(self):
        super().__init__()
        self.questions = []
        self.says = lambda question: 0
        self.can = 0
        self.at_once = True
        self.callbacks.append(ffi.callback(TEST, self.ask))
        self.table.test = self.callbacks[-1]
        self.calls.size = ffi.sizeof("struct heapwire_calls")

    def ask(self, _data, number, test):
        link = str(Path(f"/proc/self/fd/{test.fd}").readlink())
        question = {
            "number": number,
            "plane": test.plane,
            "fourcc": test.fourcc,
            "size": (test.width, test.height),
            "bytes": os.fstat(test.fd).st_size,
            "source": link.split(":")[-1].removesuffix(" (deleted)"),
            "rows": [(test.offsets[i], test.pitches[i]) for i in range(test.plane_count)],
        }
        self.questions.append(question)
        if self.at_once and self.can == 0:
            self.answer(question)
        return self.can

    def answer(self, question):
        error = self.says(question)
        if error is not None:
            self.calls.tested(self.calls.plugin, question["number"], error)

    def settle(self):
        """Until the host has been asked all there is."""
        trials = the_plugin()._trials
        until(lambda: trials._platform is None, "all tests", lambda: self.display.dispatch(20))


def planes_of(sets):
    kinds = ((31, PlaneType.PRIMARY), (32, PlaneType.OVERLAY), (33, PlaneType.CURSOR))
    return tuple(KmsPlane(name=f"plane-{one}", id=one, type=kind, sets=sets) for one, kind in kinds)


@pytest.fixture
def machine(monkeypatch):
    """The shipped board with planes such as KMS would name."""
    platform = Platform.load(PLATFORM)
    devices = tuple(
        replace(device, planes=planes_of(device.sets[Usage.SCANOUT]))
        if Usage.SCANOUT in device.sets
        else device
        for device in platform.devices
    )
    platform = replace(platform, devices=devices)
    monkeypatch.setattr(attachment_file, "_platform", lambda name, host: platform)
    return platform


@pytest.fixture
def host():
    made = TestingHost()
    yield made
    for number in tuple(attachment_file._attachments):
        attachment_file._detach(number)
    made.display.destroy()


def shown_from(platform):
    """For each plane of the display the sources that a host's tests leave, None for all."""
    display = platform.device(platform.first_display)
    return {
        plane.id: {
            frozenset(platform.source_name(one) for one in constraint.value)
            for each in plane.sets
            for constraint in each.constraints
            if constraint.type == PERMITTED_SOURCES.type
            and constraint.provenance is Provenance.TRIAL
        }
        for plane in display.planes
    }


def test_a_host_is_asked_for_each_plane_memory_and_kind_of_format(host, machine):
    assert host.attach()
    before = the_plugin().platform
    host.settle()
    planes = [
        plane
        for device in machine.devices
        for plane in device.planes
        if plane.type is not PlaneType.CURSOR and Usage.SCANOUT in device.sets
    ]
    assert {one["plane"] for one in host.questions} == {plane.id for plane in planes}
    asked = Counter((one["plane"], one["source"], one["fourcc"]) for one in host.questions)
    assert set(asked.values()) == {1}
    assert len(host.questions) <= host_trials.MOST_TESTS
    for one in host.questions:
        assert one["size"] == (640, 480)
        assert one["rows"][-1][0] + one["rows"][-1][1] * 240 <= one["bytes"]
    assert the_plugin().platform is before  # all of it was taken


def test_what_a_plane_refuses_is_offered_to_nobody(host, machine):
    """Only the first plane refuses the one heap that the display may have."""
    host.says = lambda one: REFUSED if one["plane"] == 31 and one["source"] == "linux,cma" else 0
    assert host.attach()
    host.settle()
    told = shown_from(the_plugin().platform)
    assert told[31]
    assert all("linux,cma" not in names for names in told[31])
    assert all("linux,cma" in names for names in told[32])


@pytest.mark.parametrize("says", [lambda one: -1, lambda one: errno.EBUSY, lambda one: REFUSED])
def test_what_says_nothing_of_the_memory_changes_nothing(host, machine, says):
    """No answer, an answer of the moment, and a plane that takes nothing at all."""
    host.says = says
    assert host.attach()
    before = the_plugin().platform
    host.settle()
    assert len(host.questions) > 1
    assert the_plugin().platform is before


def test_a_host_that_cannot_test_a_device_is_asked_once(host, machine):
    host.can = -1
    assert host.attach()
    host.settle()
    assert len(host.questions) == 1


def test_answers_may_come_later_and_those_of_nobody_are_ignored(host, machine):
    host.at_once = False
    assert host.attach()
    trials = the_plugin()._trials
    answered = 0

    def asked_or_done():
        return len(host.questions) > answered or trials._platform is None

    while trials._platform is not None:
        until(asked_or_done, "a question", lambda: host.display.dispatch(20))
        if len(host.questions) > answered:
            assert len(host.questions) == answered + 1  # one at a time
            assert answered < 1000, "the questions do not end"
            answered += 1
            question = host.questions[-1]
            host.calls.tested(host.calls.plugin, question["number"] + 7, REFUSED)
            host.answer(question)
            host.answer(question)  # twice is once
    assert answered > 1
    host.calls.tested(host.calls.plugin, 1, REFUSED)
    host.calls.tested(host.calls.plugin + 99, 1, REFUSED)


def test_an_answer_that_never_comes_costs_one_buffer_until_the_end(host, machine):
    host.says = lambda one: None
    assert host.attach()
    until(lambda: host.questions, "a question", lambda: host.display.dispatch(20))
    for _ in range(5):
        host.display.dispatch(5)
    assert len(host.questions) == 1
    memory = the_plugin().platform.memory
    assert memory.live() > 0
    attachment_file._detach(host.calls.plugin)
    assert memory.live() == 0
    host.calls.tested(host.calls.plugin, host.questions[0]["number"], 0)  # too late


def test_a_machine_that_changes_meanwhile_is_asked_about_next(host, machine):
    """What was learned of a device is kept: nobody asks the same twice."""
    host.says = lambda one: REFUSED if one["plane"] == 31 and one["source"] == "linux,cma" else 0
    assert host.attach()
    plugin = the_plugin()
    again = replace(machine, title="looked at again")
    plugin._looked(again)
    host.settle()
    asked = len(host.questions)
    assert plugin.platform.title == again.title
    plugin._looked(replace(again, title="and again"))
    host.settle()
    assert len(host.questions) == asked
    assert plugin.platform.title == "and again"
    assert all("linux,cma" not in names for names in shown_from(plugin.platform)[31])


def test_a_library_of_before_has_no_answer_to_give(host, machine):
    host.calls.size = ffi.offsetof("struct heapwire_calls", "tested")
    assert host.attach()
    assert host.calls.tested == ffi.NULL
