"""What is asked and answered, for the log: a line each, and one for each reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from heapwire.protocol.values import SourceId
from heapwire.protocol.wire import Batch, Inquiry, answer_lines, question_line

LOG = logging.getLogger("heapwire.negotiation")


def log_question(cookie: int, inquiry: Inquiry) -> None:
    """Say what a commit asks."""
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%s", question_line(cookie, inquiry))


def log_answer(batch: Batch, source_names: Mapping[SourceId, str]) -> None:
    """Say what a batch answers: its plans, who stands in the way, what became of each source."""
    if LOG.isEnabledFor(logging.DEBUG):
        for line in answer_lines(batch, batch.cookie, source_names):
            LOG.debug("%s", line)
