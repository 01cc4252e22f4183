"""The wire: message tables made from the XML, and the codec to model values."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.wire.array import (
        decode_formats as decode_formats,
        decode_source as decode_source,
        encode_table as encode_table,
    )
    from heapwire.protocol.wire.batch import (
        FIRST_COMPOSITOR_ID as FIRST_COMPOSITOR_ID,
        Access as Access,
        Agreement as Agreement,
        Batch as Batch,
        BatchParticipant as BatchParticipant,
        ConflictCause as ConflictCause,
        ConflictEntry as ConflictEntry,
        ConflictFlag as ConflictFlag,
        Explanation as Explanation,
        Offer as Offer,
        PlanSubject as PlanSubject,
        Refusal as Refusal,
        RefusalCause as RefusalCause,
        Tranche as Tranche,
        TrancheFlags as TrancheFlags,
    )
    from heapwire.protocol.wire.batch_decoder import (
        BatchDecoder as BatchDecoder,
    )
    from heapwire.protocol.wire.batch_encoder import (
        Event as Event,
        batch_events as batch_events,
    )
    from heapwire.protocol.wire.constraint_set_builder import (
        ConstraintSetBuilder as ConstraintSetBuilder,
        Request as Request,
        set_requests as set_requests,
    )
    from heapwire.protocol.wire.conversation import (
        answer_lines as answer_lines,
        question_line as question_line,
    )
    from heapwire.protocol.wire.dmabuf_feedback import (
        DmabufFeedback as DmabufFeedback,
        DmabufTranche as DmabufTranche,
        FeedbackDecoder as FeedbackDecoder,
    )
    from heapwire.protocol.wire.event_trace import (
        TRACE_KIND as TRACE_KIND,
        parse_trace as parse_trace,
        trace_differences as trace_differences,
        trace_document as trace_document,
    )
    from heapwire.protocol.wire.fixed_buffer import (
        decode_buffer as decode_buffer,
        encode_buffer as encode_buffer,
    )
    from heapwire.protocol.wire.generate import protocol_xml as protocol_xml
    from heapwire.protocol.wire.interface import (
        Argument as Argument,
        ArgumentKind as ArgumentKind,
        Interface as Interface,
        Message as Message,
    )
    from heapwire.protocol.wire.limits import (
        ALLOCATIONS as ALLOCATIONS,
        ALTERNATIVES as ALTERNATIVES,
        ARRAY_FACTOR as ARRAY_FACTOR,
        BUFFERS as BUFFERS,
        CLIENT_OBJECTS as CLIENT_OBJECTS,
        CLIENT_SET_BYTES as CLIENT_SET_BYTES,
        COMMITS as COMMITS,
        FEEDBACKS as FEEDBACKS,
        KNOWN_BATCHES as KNOWN_BATCHES,
        MANAGERS as MANAGERS,
        MAX_SERIAL as MAX_SERIAL,
        NEGOTIATIONS as NEGOTIATIONS,
        REQUEST_OVERHEAD as REQUEST_OVERHEAD,
        SET_OVERHEAD as SET_OVERHEAD,
        STATUSES as STATUSES,
        TABLE_ENTRIES as TABLE_ENTRIES,
        clip as clip,
    )
    from heapwire.protocol.wire.linux_dmabuf import (
        DMABUF_FEEDBACK as DMABUF_FEEDBACK,
        DMABUF_PLANES as DMABUF_PLANES,
        TABLE_BYTES as TABLE_BYTES,
        BufferFlags as BufferFlags,
        BufferParamsError as BufferParamsError,
        DmabufVersion as DmabufVersion,
        decode_device as decode_device,
        encode_device as encode_device,
        halves as halves,
        whole as whole,
    )
    from heapwire.protocol.wire.machine_view import MachineView as MachineView
    from heapwire.protocol.wire.misuse import MisuseError as MisuseError
    from heapwire.protocol.wire.negotiation_state import (
        Inquiry as Inquiry,
        NegotiationState as NegotiationState,
        inquiry_requests as inquiry_requests,
    )
    from heapwire.protocol.wire.tranche_memory import (
        DeviceSet as DeviceSet,
        MemoryDecoder as MemoryDecoder,
        ToldTranche as ToldTranche,
        TrancheMemory as TrancheMemory,
        covered as covered,
        memory_events as memory_events,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "array": "decode_formats decode_source encode_table",
            "batch": (
                "Access Agreement Batch BatchParticipant ConflictCause ConflictEntry ConflictFlag "
                "Explanation FIRST_COMPOSITOR_ID Offer PlanSubject Refusal RefusalCause Tranche "
                "TrancheFlags"
            ),
            "batch_decoder": "BatchDecoder",
            "batch_encoder": "Event batch_events",
            "constraint_set_builder": "ConstraintSetBuilder Request set_requests",
            "conversation": "answer_lines question_line",
            "dmabuf_feedback": "DmabufFeedback DmabufTranche FeedbackDecoder",
            "event_trace": "TRACE_KIND parse_trace trace_differences trace_document",
            "fixed_buffer": "decode_buffer encode_buffer",
            "generate": "protocol_xml",
            "interface": "Argument ArgumentKind Interface Message",
            "limits": (
                "ALLOCATIONS ALTERNATIVES ARRAY_FACTOR BUFFERS CLIENT_OBJECTS CLIENT_SET_BYTES "
                "COMMITS FEEDBACKS KNOWN_BATCHES MANAGERS MAX_SERIAL NEGOTIATIONS "
                "REQUEST_OVERHEAD SET_OVERHEAD STATUSES TABLE_ENTRIES clip"
            ),
            "linux_dmabuf": (
                "BufferFlags BufferParamsError DMABUF_FEEDBACK DMABUF_PLANES DmabufVersion "
                "TABLE_BYTES decode_device encode_device halves whole"
            ),
            "machine_view": "MachineView",
            "misuse": "MisuseError",
            "negotiation_state": "Inquiry NegotiationState inquiry_requests",
            "tranche_memory": (
                "DeviceSet MemoryDecoder ToldTranche TrancheMemory covered memory_events"
            ),
        },
    )
