"""What takes more than a few lines: explain's page, a batch, the core's feedback, a player."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.cli.pages.asked_feedback import feedback_document as feedback_document
    from heapwire.cli.pages.asked_surface import surface_to_ask as surface_to_ask
    from heapwire.cli.pages.batch_answer import (
        batch_document as batch_document,
        conflict_members as conflict_members,
    )
    from heapwire.cli.pages.device_uses import use_document as use_document, use_lines as use_lines
    from heapwire.cli.pages.discretion import (
        discreet as discreet,
        private_words as private_words,
    )
    from heapwire.cli.pages.dot_graph import explain_dot as explain_dot
    from heapwire.cli.pages.frame_statistics import FrameStatistics as FrameStatistics
    from heapwire.cli.pages.html_page import explain_page as explain_page
    from heapwire.cli.pages.layout_drawing import (
        DRAWING_STYLE as DRAWING_STYLE,
        drawn_objects as drawn_objects,
    )
    from heapwire.cli.pages.memory_feedback import (
        memory_lines as memory_lines,
    )
    from heapwire.cli.pages.playing import (
        Meter as Meter,
        add_player as add_player,
        play_document as play_document,
        played as played,
        render_play as render_play,
        run_player as run_player,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "asked_feedback": "feedback_document",
            "asked_surface": "surface_to_ask",
            "device_uses": "use_document use_lines",
            "discretion": "discreet private_words",
            "batch_answer": "batch_document conflict_members",
            "dot_graph": "explain_dot",
            "frame_statistics": "FrameStatistics",
            "html_page": "explain_page",
            "layout_drawing": "DRAWING_STYLE drawn_objects",
            "memory_feedback": "memory_lines",
            "playing": "Meter add_player play_document played render_play run_player",
        },
    )
