"""Answers in words and as documents: who demanded what, what became of each source, captures."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.explain.answer_document import (
        Document as Document,
        Json as Json,
        constraint_document as constraint_document,
        explain_document as explain_document,
        plan_document as plan_document,
        source_document as source_document,
        value_document as value_document,
    )
    from heapwire.protocol.explain.answer_memory import AnswerMemory as AnswerMemory
    from heapwire.protocol.explain.capture import (
        CapturedProblem as CapturedProblem,
        canonical as canonical,
        capture_document as capture_document,
        differences as differences,
        parse_capture as parse_capture,
    )
    from heapwire.protocol.explain.explained_answer import (
        solve as solve,
        solve_within as solve_within,
    )
    from heapwire.protocol.explain.explanation_text import render_explain as render_explain
    from heapwire.protocol.explain.problem_document import to_json as to_json
    from heapwire.protocol.explain.requirements import (
        format_lines as format_lines,
        format_rungs as format_rungs,
        formats_document as formats_document,
        founded as founded,
        founded_document as founded_document,
        holds_always as holds_always,
        pair_groups as pair_groups,
        pair_name as pair_name,
        required as required,
        requirement_lines as requirement_lines,
        requirements_document as requirements_document,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "answer_document": (
                "Document Json constraint_document explain_document plan_document "
                "source_document value_document"
            ),
            "answer_memory": "AnswerMemory",
            "capture": "CapturedProblem canonical capture_document differences parse_capture",
            "explained_answer": "solve solve_within",
            "explanation_text": "render_explain",
            "problem_document": "to_json",
            "requirements": (
                "format_lines format_rungs formats_document founded founded_document holds_always "
                "pair_groups pair_name required requirement_lines requirements_document"
            ),
        },
    )
