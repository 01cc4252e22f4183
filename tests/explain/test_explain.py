"""What is said of an answer: sentences, verdicts, documents, and the text made from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from problem_building import (
    CMA,
    NV12,
    SYSTEM,
    XRGB,
    YUV420,
    ask,
    device_source,
    display,
    heap,
    heap_id,
    need,
    of,
    pair,
    part,
)

from heapwire.protocol.explain import (
    explain_document,
    plan_document,
    render_explain,
    solve,
    value_document,
)
from heapwire.protocol.explain.answer_document import bare_names
from heapwire.protocol.solver import listed, planes_text, requirement
from heapwire.protocol.values import (
    Answer,
    Constraint,
    Content,
    DeviceId,
    Goal,
    Problem,
    Provenance,
    Reason,
)

DECODER = part(
    "decoder",
    of(NV12, need("pitch-alignment", 256), need("scanline-alignment", 16)),
)
SCREEN = display(
    of([NV12, XRGB], need("pitch-alignment", 64), need("contiguous"), need("max-pitch", 8192))
)
PROBLEM = ask(DECODER, shown=(SCREEN,))


def reasons(answer: Answer, subject: str) -> list[Reason]:
    return [one for one in answer.plans[0].reasons if one.subject == subject]


def texts(answer: Answer, subject: str) -> list[str]:
    return [one.text for one in reasons(answer, subject)]


class TestSentences:
    @pytest.mark.parametrize(
        ("constraint", "sentence"),
        [
            (need("contiguous"), "ann needs memory that is contiguous"),
            (need("contiguous", 1, 1), "ann needs memory that is contiguous for plane 1"),
            (
                need("pitch-alignment", 64, 0, 2),
                "ann needs a pitch that is a multiple of 64 bytes for planes 0 and 2",
            ),
            (need("max-segments", 1), "ann needs memory that is in at most 1 run"),
            (
                need("address-range", (0, 0x3FFFFFFF)),
                "ann needs memory that is at addresses 0x0 to 0x3fffffff",
            ),
            (
                need("permitted-sources", (heap_id(1), heap_id(9))),
                "ann needs memory that is from heap cma or heap 254:9",
            ),
            (need("protected", 0), "ann needs memory that is not protected"),
            (need("protected", 1), "ann needs memory that is protected"),
            (need("different-source", 1, 0, 1), "ann needs planes 0 and 1 from different sources"),
            (need("same-buffer"), "ann needs all planes in one object"),
            (need("fences", 0b110), "ann needs fences that are one of implicit or explicit"),
            (
                need("max-hops", ((DeviceId(226, 0), 1), (DeviceId(226, 1), 3))),
                "ann needs memory that is at most 1 hop from device 226:0"
                " and at most 3 hops from device 226:1",
            ),
        ],
        ids=lambda value: "" if isinstance(value, str) else hex(value.type),
    )
    def test_a_requirement_reads_as_one(self, constraint: Constraint, sentence: str) -> None:
        assert requirement("ann", constraint, {CMA.id: "heap cma"}) == sentence

    def test_lists(self) -> None:
        assert [listed("abc"[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
        assert [planes_text(mask) for mask in (0, 2, 5, 15)] == [
            "", "plane 1", "planes 0 and 2", "planes 0, 1, 2 and 3",
        ]  # fmt: skip


class TestReasons:
    def test_no_plane_is_said_to_begin_behind_one_before_plane_0(self) -> None:
        packed = part("decoder", of(NV12, need("adjacent-planes"), need("same-buffer")))
        told = reasons(solve(ask(packed, shown=(SCREEN,))), "offset")
        assert [(one.plane, one.text.partition(": ")[2]) for one in told] == [
            (1, "where the plane before it ends for decoder")
        ]

    def test_every_property_says_who_demanded_it(self) -> None:
        answer = solve(PROBLEM)
        assert (
            texts(answer, "pitch")
            == [
                "pitch 2048: a multiple of 256 bytes for decoder,"
                " a multiple of 64 bytes for display, at most 8192 bytes for display"
            ]
            * 2
        )
        assert texts(answer, "source") == ["heap cma: contiguous for display"]
        assert texts(answer, "size") == [
            f"size {2048 * 1088 * 3 // 2}: a multiple of 16 rows for decoder"
        ]
        assert texts(answer, "format") == ["NV12 LINEAR: known to decoder and display"]
        assert texts(answer, "count") == [
            "4 buffers: 1 for the producer, 1 in flight, 2 held by the compositor"
        ]

    def test_two_who_ask_for_the_same_are_named_together(self) -> None:
        both = replace(SCREEN, name="second")
        answer = solve(ask(DECODER, shown=(SCREEN, both)))
        assert texts(answer, "source") == ["heap cma: contiguous for display and second"]

    def test_a_plane_hears_only_what_is_said_of_it(self) -> None:
        decoder = part("decoder", of(NV12, need("pitch-alignment", 128, 1)))
        answer = solve(ask(decoder))
        assert texts(answer, "pitch") == [
            "pitch 1920: the bytes of a row",
            "pitch 1920: a multiple of 128 bytes for decoder",
        ]

    def test_objects_say_which_planes_they_hold(self) -> None:
        decoder = part(
            "decoder",
            of(
                NV12,
                need("permitted-sources", (SYSTEM.id,), 0),
                need("permitted-sources", (CMA.id,), 1),
            ),
        )
        assert texts(solve(ask(decoder)), "source") == [
            "heap system for plane 0: from heap system for decoder",
            "heap cma for plane 1: from heap cma for decoder",
        ]

    def test_an_object_of_several_planes_is_told_at_the_first(self) -> None:
        decoder = part(
            "decoder",
            of(YUV420, need("different-source", 1, 0, 1), need("same-source", 1, 1, 2)),
        )
        told = reasons(solve(ask(decoder)), "source")
        assert sorted(reason.plane for reason in told if reason.plane is not None) == [0, 1]

    def test_that_ordinary_content_is_in_ordinary_memory_goes_without_saying(self) -> None:
        any_ = part("any", of(XRGB))
        safe = heap("safe", 7, protected=True)
        assert texts(solve(ask(any_)), "source") == ["heap system: nobody asks for more"]
        protected = ask(any_, sources=(SYSTEM, safe), content=Content(protected=True))
        assert texts(solve(protected), "source") == ["heap safe: protected for the content"]

    def test_a_list_of_all_that_there_is_is_no_demand(self) -> None:
        every = part("any", of(XRGB, need("permitted-sources", (SYSTEM.id, CMA.id))))
        assert texts(solve(ask(every)), "source") == ["heap system: nobody asks for more"]
        only = part("any", of(XRGB, need("permitted-sources", (SYSTEM.id,))))
        assert texts(solve(ask(only)), "source") == ["heap system: from heap system for any"]

    def test_an_offset_of_0_that_nobody_asks_for_is_not_told(self) -> None:
        answer = solve(ask(part("any", of(NV12))))
        assert [reason.plane for reason in reasons(answer, "offset")] == [1]

    def test_who_says_the_same_twice_is_named_once(self) -> None:
        twice = part("any", of(XRGB, need("pitch-alignment", 64), need("pitch-alignment", 64, 0)))
        assert texts(solve(ask(twice)), "pitch") == ["pitch 7680: a multiple of 64 bytes for any"]


def verdicts(answer: Answer) -> dict[str, str]:
    return {verdict.name: verdict.text for verdict in answer.verdicts}


class TestVerdicts:
    def test_a_source_that_fails_says_at_what(self) -> None:
        answer = solve(PROBLEM)
        assert verdicts(answer) == {
            "system": "display needs memory that is contiguous; heap system is not",
            "cma": "heap cma is chosen",
        }
        (system,) = [one for one in answer.verdicts if not one.chosen]
        assert (system.participant, system.constraint) == ("display", need("contiguous"))

    def test_a_source_that_would_do_says_why_another_is_chosen(self) -> None:
        answer = solve(ask(part("any", of(XRGB))))
        assert verdicts(answer)["cma"] == "heap cma would do; heap system is less scarce"
        listed_ = part("any", of(XRGB, need("permitted-sources", (CMA.id, SYSTEM.id))))
        assert verdicts(solve(ask(listed_)))["system"] == (
            "heap system would do; heap cma is preferred"
        )

    def test_a_source_without_room_says_how_much_is_needed(self) -> None:
        tiny = heap("tiny", 4, capacity=1 << 20)
        answer = solve(ask(part("any", of(XRGB)), sources=(tiny, CMA)))
        needed = 4 * 1920 * 1080 * 4
        assert (
            verdicts(answer)["tiny"]
            == f"heap tiny has {1 << 20} bytes, and the buffers need {needed}"
        )

    def test_a_source_in_too_many_pieces_says_so(self) -> None:
        answer = solve(ask(part("strict", of(XRGB, need("max-segments", 1)))))
        assert verdicts(answer)["system"] == (
            "strict needs fewer runs of addresses than heap system promises"
        )

    def test_without_a_plan_every_source_still_has_a_verdict(self) -> None:
        answer = solve(ask(DECODER, shown=(SCREEN,), sources=(SYSTEM,)))
        assert verdicts(answer) == {
            "system": "display needs memory that is contiguous; heap system is not"
        }

    def test_what_meets_every_demand_on_memory_is_told_what_else_is_in_the_way(self) -> None:
        pitches = solve(
            ask(
                part("wide", of(XRGB, need("pitch-alignment", 100))),
                part("narrow", of(XRGB, need("max-pitch", 7690))),
            )
        )
        assert set(verdicts(pitches).values()) == {
            f"heap {name} meets what is asked of a source; in the way: "
            "narrow needs a pitch that is at most 7690 bytes; "
            "wide needs a pitch that is a multiple of 100 bytes"
            for name in ("cma", "system")
        }
        formats = solve(ask(part("reader", of(NV12)), part("writer", of(XRGB))))
        assert verdicts(formats)["cma"].endswith(
            "in the way: reader can use only NV12 LINEAR; writer can use only XRGB8888 LINEAR"
        )
        # A long list is cut short: a multiple of 7, 11 and 13 is one of 1001.
        primes = [part(f"p{n}", of(XRGB, need("pitch-alignment", n))) for n in (7, 11, 13)]
        most = part("most", of(XRGB, need("max-pitch", 8000)))
        told = verdicts(solve(ask(*primes, most)))["cma"]
        assert told.count("needs a pitch") == 3
        assert told.endswith("; 1 more")


UNSATISFIABLE = ask(DECODER, shown=(SCREEN,), sources=(SYSTEM,))


class TestDocuments:
    def test_a_plan_has_the_keys_of_the_contract(self) -> None:
        plan = solve(PROBLEM).plans[0]
        document = plan_document(plan, bare_names(PROBLEM))
        assert document["fourcc"] == "NV12"
        assert document["modifier"] == "0x0"
        assert document["scanout"] is True
        assert document["layout"] == "exact"
        size = 2048 * 1088 * 3 // 2
        assert document["objects"] == [
            {"source": {"kind": "heap", "name": "cma", "major": 254, "minor": 1}, "size": size}
        ]
        assert document["planes"] == [
            {"object": 0, "offset": 0, "pitch": 2048},
            {"object": 0, "offset": 2048 * 1088, "pitch": 2048},
        ]

    def test_an_explanation_has_the_keys_of_the_contract(self) -> None:
        document = explain_document(PROBLEM, solve(PROBLEM))
        assert document["schema_version"] == 1
        assert document["satisfiable"] is True
        assert document["conflict"] == []
        sources = document["sources"]
        assert isinstance(sources, list)
        assert sources[0]["name"] == "system"
        assert {"name", "major", "minor", "chosen", "reason"} <= set(sources[0])

    def test_a_conflict_names_participant_constraint_plane_value_and_provenance(self) -> None:
        screen = display(of(NV12, need("contiguous", 1, 1, provenance=Provenance.KERNEL)))
        problem = ask(DECODER, shown=(screen,), sources=(SYSTEM,))
        document = explain_document(problem, solve(problem))
        assert document["satisfiable"] is False
        assert document["plans"] == []
        (member,) = document["conflict"]
        assert isinstance(member, dict)
        text = member.pop("text")
        assert text == "display needs memory that is contiguous for plane 1; no source is"
        assert member == {
            "participant": "display",
            "constraint": "contiguous",
            "plane": 1,
            "planes": [1],
            "value": 1,
            "provenance": "kernel",
        }

    @pytest.mark.parametrize("problem", [PROBLEM, UNSATISFIABLE, ask(DECODER, sources=())])
    def test_documents_are_json(self, problem: Problem) -> None:
        document = explain_document(problem, solve(problem))
        assert json.loads(json.dumps(document)) == document

    def test_values_of_every_kind(self) -> None:
        names = {CMA.id: "cma"}
        assert value_document(7, names) == 7
        assert value_document((1, 2), names) == [1, 2]
        assert value_document(b"\x01\xff", names) == "01ff"
        assert value_document((CMA.id,), names) == [
            {"kind": "heap", "name": "cma", "major": 254, "minor": 1}
        ]
        assert value_document((CMA.id,), {}) == [
            {"kind": "heap", "name": "254:1", "major": 254, "minor": 1}
        ]
        assert value_document(((DeviceId(226, 1), 3),), names) == [{"device": "226:1", "value": 3}]

    def test_an_allocators_plan_carries_the_constraints(self) -> None:
        tiled = pair("NV12", "ARM_AFBC(16x16)")
        driver = device_source("driver", DeviceId(226, 0))
        asked = part("a", of(tiled, need("pitch-alignment", 64)))
        problem = ask(asked, sources=(SYSTEM, driver))
        document = plan_document(solve(problem).plans[0], bare_names(problem))
        assert document["layout"] == "allocator"
        assert document["planes"] == []
        constraints = document["constraints"]
        assert isinstance(constraints, list)
        assert any(one["constraint"] == "pitch-alignment" for one in constraints)


class TestText:
    def test_a_plan_is_a_tree_with_its_reasons_and_the_sources(self) -> None:
        text = render_explain(explain_document(PROBLEM, solve(PROBLEM)))
        lines = text.splitlines()
        assert lines[0] == "scanout: NV12 LINEAR from cma"
        assert "├─── object 0: heap cma (254:1), 3342336 bytes" in lines
        assert any(line.endswith("heap system is not (profile)") for line in lines)
        assert not text.endswith("\n")

    def test_a_failure_shows_the_conflict_with_provenance(self) -> None:
        text = render_explain(explain_document(UNSATISFIABLE, solve(UNSATISFIABLE)))
        assert text.splitlines()[0].startswith("no plan: display needs memory that is contiguous")
        assert "(profile)" in text

    def test_a_goal_that_is_not_met_is_told_beside_the_plan(self) -> None:
        problem = ask(
            DECODER,
            goals=(
                Goal(name="scanout", participants=(SCREEN,), scanout=True),
                Goal(name="sampled"),
            ),
            sources=(SYSTEM,),
        )
        text = render_explain(explain_document(problem, solve(problem)))
        assert "not scanout" in text.splitlines()
        assert "display needs memory that is contiguous; no source is (profile)" in text

    def test_other_plans_are_counted(self) -> None:
        """The one that is shown is not among them."""
        plan = solve(PROBLEM).plans[0]
        for plans, line in (
            ((plan,), None),
            ((plan, plan), "1 more plan"),
            ((plan, plan, plan), "2 more plans"),
        ):
            document = explain_document(PROBLEM, Answer(plans=plans, verdicts=()))
            lines = render_explain(document).splitlines()
            assert [one for one in lines if "more plan" in one] == ([line] if line else [])

    def test_a_failure_is_told_once(self) -> None:
        text = render_explain(explain_document(UNSATISFIABLE, solve(UNSATISFIABLE)))
        assert "not scanout" not in text
        assert text.count("├───") + text.count("└───") == len(UNSATISFIABLE.sources) + 1

    def test_an_allocators_object_has_no_size(self) -> None:
        driver = device_source("driver", DeviceId(226, 0))
        problem = ask(part("a", of(pair("NV12", "ARM_AFBC(16x16)"))), sources=(SYSTEM, driver))
        text = render_explain(explain_document(problem, solve(problem)))
        assert "as its driver decides" in text
        assert "decides no layout, and only a driver knows that of NV12 ARM_AFBC(16x16)" in text
        assert " 0 bytes" not in text

    def test_lists_of_formats_and_amounts_of_buffers_come_from_nowhere_else(self) -> None:
        problem = ask(part("a", of(NV12)), shown=(display(of(XRGB)),))
        document = explain_document(problem, solve(problem))
        assert "─── a can use only NV12 LINEAR\n" in render_explain(document)
        conflict = document["conflict"]
        assert isinstance(conflict, list)
        assert [one["constraint"] for one in conflict if isinstance(one, dict)] == ["formats"] * 2
        tiny = ask(part("a", of(NV12)), sources=(replace(CMA, capacity=1),))
        (stream,) = explain_document(tiny, solve(tiny))["conflict"]  # type: ignore[misc]
        assert (stream["participant"], stream["constraint"]) == ("the stream", "buffers")

    def test_a_demand_for_several_planes_has_no_plane_of_its_own(self) -> None:
        problem = ask(
            part("a", of(YUV420, need("contiguous", 1, 0, 2))),
            sources=(SYSTEM,),
        )
        (member,) = explain_document(problem, solve(problem))["conflict"]  # type: ignore[misc]
        assert (member["plane"], member["planes"]) == (None, [0, 2])
