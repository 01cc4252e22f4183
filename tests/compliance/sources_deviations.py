"""Deviations of xx-dmabuf-sources-v1: what is announced, and what is told of feedback's batches."""

from __future__ import annotations

import os
from typing import Any

import pytest
from deviations import DEVIATIONS, Deviation, deviation, die, wrap

from heapwire.client_lib.compliance.sources_batch import LAST
from heapwire.compositor_plugin.hosts.reference.dmabuf import ZwpLinuxDmabufFeedbackV1 as Feedback
from heapwire.compositor_plugin.plugin import HeapPlugin
from heapwire.compositor_plugin.sources import DmabufSources
from heapwire.compositor_plugin.sources.feedback_sources import FeedbackSources

__all__ = ["DEVIATIONS"]  # with those that are added here

_EXTENSIONS = (
    *("sources/extend-at-once", "sources/extend-later", "sources/extend-surface"),
    *("sources/extend-twice", "sources/destroyed-extension"),
)


def _tells(name: str, *events: tuple[Any, ...], found_by: tuple[str, ...] = _EXTENSIONS) -> None:
    """A deviation that tells of each batch in some events of its own."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def describe(self: FeedbackSources, batch: int) -> None:
            for event in events:
                self.send(*(int(batch) if one is BATCH else one for one in event))

        patch.setattr(FeedbackSources, "describe", describe)

    DEVIATIONS.append(Deviation(name, plant, found_by))


BATCH = "the batch that is told of"
_DONE = ("done", BATCH)
_SET, _TRANCHE = ("tranche_set", 0, b""), ("tranche_done",)
_tells("no batch is told of")
_tells("no tranche of a batch is told of", _DONE)
_tells("a tranche too many", _TRANCHE, _TRANCHE, _TRANCHE, _DONE)
_tells("a source that nobody announced", ("tranche_source", 0, 99, 99), _TRANCHE, _DONE)
_tells("a source twice", *[("tranche_source", 0, 1, 1)] * 2, _TRANCHE, _DONE)
_tells("half an index of a set", ("tranche_set", 0, b"\0"), _TRANCHE, _DONE)
_tells("pairs of no tranche", ("tranche_set", 0, b"\xff\xff"), _TRANCHE, _DONE)
_tells("a constraint of no set", ("tranche_constraint", 1, 0, 1, bytes(8)), _TRANCHE, _DONE)
_tells("half a value", _SET, ("tranche_constraint", 1, 0, 1, bytes(4)), _TRANCHE, _DONE)
_tells("a value too long", _SET, ("tranche_constraint", 18, 0, 1, bytes(1200)), _TRANCHE, _DONE)
_tells("a plane too far", _SET, ("tranche_constraint", 1, 16, 1, bytes(8)), _TRANCHE, _DONE)
_tells("a flag of no constraint", _SET, ("tranche_constraint", 1, 0, 4, bytes(8)), _TRANCHE, _DONE)
_tells("done within a tranche", _TRANCHE, _SET, _DONE)
_tells("a batch of no kind", _TRANCHE, ("done", 2))
_tells("the next batch, which never comes", _TRANCHE, ("done", 1))


@deviation("only the first batch is told of", "sources/extend-changes")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HeapPlugin, "batch_ends", lambda self, feedback: None)


def _told_late(patch: pytest.MonkeyPatch) -> None:
    """Have each later batch told of behind its `done`."""
    ends = HeapPlugin.batch_ends

    def send(method, self, event, *values):
        method(self, event, *values)
        if event == "done":
            ends(self._desktop.plugin, self.address)

    patch.setattr(HeapPlugin, "batch_ends", lambda self, feedback: None)
    wrap(patch, Feedback, "send", send)


deviation("a batch is told of behind its end", "sources/extend-changes")(_told_late)


@deviation("a batch is told of behind its end, as the last one", "sources/extend-changes")
def _(patch: pytest.MonkeyPatch) -> None:
    _told_late(patch)
    wrap(patch, FeedbackSources, "describe", lambda method, self, batch: method(self, LAST))


@deviation(
    "the extension goes with an error when its feedback object does", "sources/destroyed-feedback"
)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FeedbackSources, "_feedback_gone", die)


@deviation("other memory for each extension", "sources/extend-twice")
def _(patch: pytest.MonkeyPatch) -> None:
    def describe(self: FeedbackSources, batch: int) -> None:
        self.send("tranche_set", 0, b"")
        self.send("tranche_constraint", 1, 0, 1, os.urandom(8))
        self.send("tranche_done")
        self.send("done", int(batch))

    patch.setattr(FeedbackSources, "describe", describe)


def _announces(name: str, *events: tuple[Any, ...]) -> None:
    """A deviation that sends some events after the others."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def init(method: Any, self: DmabufSources, *arguments: Any) -> None:
            method(self, *arguments)
            for event in events:
                self.send(*event)

        wrap(patch, DmabufSources, "__init__", init)

    DEVIATIONS.append(Deviation(name, plant, ("sources/announced",)))


_SOURCE = ("source", 0, 250, 1, 0, 0, 0, 0, "made-up")
_announces("a source announced twice", _SOURCE, _SOURCE, ("done",))
_announces("a kind of no source", ("source", 9, 250, 1, 0, 0, 0, 0, "made-up"), ("done",))
_announces("a number of no device", ("source", 0, 1 << 13, 1, 0, 0, 0, 0, "made-up"), ("done",))
_announces("properties true and unknown", ("source", 0, 250, 1, 1, 0, 0, 0, "made-up"), ("done",))
_announces("a property of no kind", ("source", 0, 250, 1, 0, 64, 0, 0, "made-up"), ("done",))
_announces("the end of what never was", ("source_gone", 0, 250, 1), ("done",))
_announces("no end of the announcements", _SOURCE)
