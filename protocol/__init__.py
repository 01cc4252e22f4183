"""What both sides of the protocol share: values, the solver, explanations, and the wire.

Opens nothing.
"""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if __name__ != "heapwire.protocol":
    raise ImportError("this package is heapwire.protocol; it has no bare name")

if TYPE_CHECKING:
    from heapwire.protocol.errors import (
        FileError as FileError,
        HeapwireError as HeapwireError,
        InputError as InputError,
        LocalError as LocalError,
        MachineError as MachineError,
        NotPossibleError as NotPossibleError,
        PeerError as PeerError,
        UsageError as UsageError,
        words_of as words_of,
    )
    from heapwire.protocol.explain import (
        Document as Document,
        Json as Json,
        capture_document as capture_document,
        constraint_document as constraint_document,
        differences as differences,
        explain_document as explain_document,
        parse_capture as parse_capture,
        plan_document as plan_document,
        render_explain as render_explain,
        solve as solve,
        solve_plans as solve_plans,
        source_document as source_document,
        to_json as to_json,
        value_document as value_document,
    )
    from heapwire.protocol.values import (
        ALL_PLANES as ALL_PLANES,
        ANY_FOURCC as ANY_FOURCC,
        ANY_MODIFIER as ANY_MODIFIER,
        BY_NAME as BY_NAME,
        FORMATS as FORMATS,
        INVALID as INVALID,
        LINEAR as LINEAR,
        MAX_BUFFER_COUNT as MAX_BUFFER_COUNT,
        MAX_EXTENT as MAX_EXTENT,
        MAX_PLANES as MAX_PLANES,
        PAGE_SIZE as PAGE_SIZE,
        REGISTRY as REGISTRY,
        ROWS as ROWS,
        TILINGS as TILINGS,
        VENDORS as VENDORS,
        Answer as Answer,
        BufferCount as BufferCount,
        BufferObject as BufferObject,
        CoherencyDomain as CoherencyDomain,
        Colour as Colour,
        ColourEncoding as ColourEncoding,
        ColourRange as ColourRange,
        ConflictMember as ConflictMember,
        Constraint as Constraint,
        ConstraintSet as ConstraintSet,
        ConstraintType as ConstraintType,
        Content as Content,
        DeviceId as DeviceId,
        DeviceNumber as DeviceNumber,
        Extent as Extent,
        Extents as Extents,
        FailureReason as FailureReason,
        Fence as Fence,
        FixedBuffer as FixedBuffer,
        Format as Format,
        FormatModifier as FormatModifier,
        Goal as Goal,
        GoalFailure as GoalFailure,
        HeapId as HeapId,
        Layout as Layout,
        LayoutKind as LayoutKind,
        MergeRule as MergeRule,
        Participant as Participant,
        Place as Place,
        Plan as Plan,
        PlaneFormat as PlaneFormat,
        PlaneLayout as PlaneLayout,
        Problem as Problem,
        Provenance as Provenance,
        Reason as Reason,
        Source as Source,
        SourceId as SourceId,
        SourceKind as SourceKind,
        Tiling as Tiling,
        Topology as Topology,
        Usage as Usage,
        Value as Value,
        ValueKind as ValueKind,
        Verdict as Verdict,
        agreed_colour as agreed_colour,
        domains_of as domains_of,
        format_of as format_of,
        fourcc as fourcc,
        fourcc_name as fourcc_name,
        modifier_name as modifier_name,
        parse_fourcc as parse_fourcc,
        parse_modifier as parse_modifier,
        preferred_domain as preferred_domain,
        preferred_fence as preferred_fence,
    )
    from heapwire.protocol.wire import (
        Access as Access,
        Batch as Batch,
        BatchParticipant as BatchParticipant,
        ConflictEntry as ConflictEntry,
        Offer as Offer,
        Refusal as Refusal,
        Tranche as Tranche,
        TrancheDevice as TrancheDevice,
        TrancheFlags as TrancheFlags,
        TrancheSet as TrancheSet,
        TrancheSource as TrancheSource,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "errors": (
                "FileError HeapwireError InputError LocalError MachineError "
                "NotPossibleError PeerError UsageError words_of"
            ),
            "explain": (
                "Document Json capture_document constraint_document differences "
                "explain_document parse_capture plan_document render_explain solve "
                "solve_plans source_document to_json value_document"
            ),
            "values": (
                "ALL_PLANES ANY_FOURCC ANY_MODIFIER Answer BY_NAME BufferCount BufferObject "
                "CoherencyDomain Colour ColourEncoding ColourRange ConflictMember "
                "Constraint ConstraintSet ConstraintType Content DeviceId DeviceNumber "
                "Extent Extents FORMATS FailureReason Fence FixedBuffer Format "
                "FormatModifier Goal GoalFailure HeapId INVALID LINEAR Layout LayoutKind "
                "MAX_BUFFER_COUNT MAX_EXTENT MAX_PLANES MergeRule PAGE_SIZE Participant Place "
                "Plan PlaneFormat PlaneLayout Problem Provenance REGISTRY ROWS Reason "
                "Source SourceId SourceKind TILINGS Tiling Topology Usage VENDORS Value "
                "ValueKind Verdict agreed_colour domains_of format_of fourcc fourcc_name "
                "modifier_name parse_fourcc parse_modifier preferred_domain preferred_fence"
            ),
            "wire": (
                "Access Batch BatchParticipant ConflictEntry Offer Refusal Tranche "
                "TrancheDevice TrancheFlags TrancheSet TrancheSource"
            ),
        },
    )
