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
        MachineError as MachineError,
        NotPossibleError as NotPossibleError,
        PeerError as PeerError,
        UsageError as UsageError,
        shown as shown,
        words_of as words_of,
    )
    from heapwire.protocol.explain import (
        AnswerMemory as AnswerMemory,
        CapturedProblem as CapturedProblem,
        Document as Document,
        Json as Json,
        capture_document as capture_document,
        differences as differences,
        explain_document as explain_document,
        parse_capture as parse_capture,
        plan_document as plan_document,
        render_explain as render_explain,
        solve as solve,
    )
    from heapwire.protocol.solver import solve_plans as solve_plans
    from heapwire.protocol.values import (
        ADDRESS_ALIGNMENT as ADDRESS_ALIGNMENT,
        ADDRESS_RANGE as ADDRESS_RANGE,
        ADJACENT_PLANES as ADJACENT_PLANES,
        ALL_PLANES as ALL_PLANES,
        ALLOCATION_FLAGS as ALLOCATION_FLAGS,
        ALPHA as ALPHA,
        AMD_VRAM_CONTIGUOUS as AMD_VRAM_CONTIGUOUS,
        ANY_FOURCC as ANY_FOURCC,
        ANY_MODIFIER as ANY_MODIFIER,
        BY_NAME as BY_NAME,
        COHERENCY_DOMAINS as COHERENCY_DOMAINS,
        COLOURS as COLOURS,
        CONTIGUOUS as CONTIGUOUS,
        CPU_ACCESS as CPU_ACCESS,
        DIFFERENT_SOURCE as DIFFERENT_SOURCE,
        DIRTY_LINES as DIRTY_LINES,
        DMA_WIDTH as DMA_WIDTH,
        EXACT_PITCH as EXACT_PITCH,
        FENCES as FENCES,
        FORMATS as FORMATS,
        HEIGHT_ALIGNMENT as HEIGHT_ALIGNMENT,
        INVALID as INVALID,
        LEAST_HEIGHT as LEAST_HEIGHT,
        LEAST_WIDTH as LEAST_WIDTH,
        LINEAR as LINEAR,
        MACROBLOCK_PADDING as MACROBLOCK_PADDING,
        MAX_AREA as MAX_AREA,
        MAX_BUFFER_COUNT as MAX_BUFFER_COUNT,
        MAX_BUFFERS as MAX_BUFFERS,
        MAX_EXTENT as MAX_EXTENT,
        MAX_HEIGHT as MAX_HEIGHT,
        MAX_HOPS as MAX_HOPS,
        MAX_PITCH as MAX_PITCH,
        MAX_PLANES as MAX_PLANES,
        MAX_SEGMENTS as MAX_SEGMENTS,
        MAX_SIZE as MAX_SIZE,
        MAX_WIDTH as MAX_WIDTH,
        MIN_BUFFERS as MIN_BUFFERS,
        MIN_HEIGHT as MIN_HEIGHT,
        MIN_PITCH as MIN_PITCH,
        MIN_SIZE as MIN_SIZE,
        MIN_WIDTH as MIN_WIDTH,
        MUST_FIT_HEIGHT as MUST_FIT_HEIGHT,
        MUST_FIT_LEAST_HEIGHT as MUST_FIT_LEAST_HEIGHT,
        MUST_FIT_LEAST_WIDTH as MUST_FIT_LEAST_WIDTH,
        MUST_FIT_WIDTH as MUST_FIT_WIDTH,
        NEAR as NEAR,
        NO_SNOOP as NO_SNOOP,
        NO_SYNC as NO_SYNC,
        NOT_LOCAL as NOT_LOCAL,
        OFFSET_ALIGNMENT as OFFSET_ALIGNMENT,
        PADDING as PADDING,
        PAGE_SIZE as PAGE_SIZE,
        PEER_LINK as PEER_LINK,
        PERMITTED_SOURCES as PERMITTED_SOURCES,
        PITCH_ALIGNMENT as PITCH_ALIGNMENT,
        PIXEL_BOUNDARY_PITCH as PIXEL_BOUNDARY_PITCH,
        POWER_OF_TWO_PITCH as POWER_OF_TWO_PITCH,
        PROTECTED as PROTECTED,
        REGISTRY as REGISTRY,
        ROWS as ROWS,
        SAME_BUFFER as SAME_BUFFER,
        SAME_NUMA_NODE as SAME_NUMA_NODE,
        SAME_SOURCE as SAME_SOURCE,
        SCALING as SCALING,
        SCANLINE_ALIGNMENT as SCANLINE_ALIGNMENT,
        SHARED_BUFFERS as SHARED_BUFFERS,
        SIZE_ALIGNMENT as SIZE_ALIGNMENT,
        TIED_PITCH as TIED_PITCH,
        VENDORS as VENDORS,
        VISIBLE_HEIGHT_ALIGNMENT as VISIBLE_HEIGHT_ALIGNMENT,
        VISIBLE_WIDTH_ALIGNMENT as VISIBLE_WIDTH_ALIGNMENT,
        WHEN_HEIGHT as WHEN_HEIGHT,
        WHEN_INTERLACED as WHEN_INTERLACED,
        WHEN_ROTATION as WHEN_ROTATION,
        WHEN_WIDTH as WHEN_WIDTH,
        WIDTH_ALIGNMENT as WIDTH_ALIGNMENT,
        Answer as Answer,
        BufferCount as BufferCount,
        BufferObject as BufferObject,
        BytesType as BytesType,
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
        FlagType as FlagType,
        Format as Format,
        FormatModifier as FormatModifier,
        Goal as Goal,
        GoalFailure as GoalFailure,
        HeapId as HeapId,
        Layout as Layout,
        LayoutKind as LayoutKind,
        MaskType as MaskType,
        MergeRule as MergeRule,
        PairsType as PairsType,
        Participant as Participant,
        Place as Place,
        Plan as Plan,
        PlaneFormat as PlaneFormat,
        PlaneLayout as PlaneLayout,
        Problem as Problem,
        Provenance as Provenance,
        RangeType as RangeType,
        Reason as Reason,
        RelationType as RelationType,
        Source as Source,
        SourceId as SourceId,
        SourceKind as SourceKind,
        SourcesType as SourcesType,
        Subject as Subject,
        Topology as Topology,
        UintType as UintType,
        Unit as Unit,
        Usage as Usage,
        Value as Value,
        ValueKind as ValueKind,
        Verdict as Verdict,
        format_of as format_of,
        fourcc as fourcc,
        fourcc_name as fourcc_name,
        modifier_name as modifier_name,
        parse_fourcc as parse_fourcc,
        parse_modifier as parse_modifier,
        register as register,
    )
    from heapwire.protocol.wire import (
        Access as Access,
        Batch as Batch,
        BatchParticipant as BatchParticipant,
        ConflictEntry as ConflictEntry,
        DeviceSet as DeviceSet,
        DmabufFeedback as DmabufFeedback,
        DmabufTranche as DmabufTranche,
        Explanation as Explanation,
        Offer as Offer,
        Refusal as Refusal,
        RefusalCause as RefusalCause,
        Tranche as Tranche,
        TrancheFlags as TrancheFlags,
        TrancheMemory as TrancheMemory,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "errors": (
                "FileError HeapwireError InputError MachineError NotPossibleError "
                "PeerError UsageError shown words_of"
            ),
            "explain": (
                "AnswerMemory CapturedProblem Document Json capture_document differences "
                "explain_document parse_capture plan_document render_explain solve"
            ),
            "solver": "solve_plans",
            "values": (
                "ADDRESS_ALIGNMENT ADDRESS_RANGE ADJACENT_PLANES ALLOCATION_FLAGS ALL_PLANES ALPHA "
                "AMD_VRAM_CONTIGUOUS ANY_FOURCC "
                "ANY_MODIFIER Answer BY_NAME BufferCount BufferObject BytesType "
                "COHERENCY_DOMAINS COLOURS CONTIGUOUS CPU_ACCESS CoherencyDomain Colour "
                "ColourEncoding ColourRange ConflictMember Constraint ConstraintSet "
                "ConstraintType Content DIFFERENT_SOURCE DIRTY_LINES DMA_WIDTH DeviceId "
                "DeviceNumber EXACT_PITCH Extent Extents FENCES FORMATS FailureReason Fence "
                "FixedBuffer FlagType Format FormatModifier Goal GoalFailure HEIGHT_ALIGNMENT "
                "HeapId INVALID LEAST_HEIGHT LEAST_WIDTH LINEAR Layout LayoutKind "
                "MACROBLOCK_PADDING MAX_AREA MAX_BUFFERS "
                "MAX_BUFFER_COUNT MAX_EXTENT MAX_HEIGHT MAX_HOPS MAX_PITCH MAX_PLANES "
                "MAX_SEGMENTS MAX_SIZE MAX_WIDTH MIN_BUFFERS MIN_HEIGHT MIN_PITCH MIN_SIZE "
                "MIN_WIDTH MUST_FIT_HEIGHT MUST_FIT_LEAST_HEIGHT MUST_FIT_LEAST_WIDTH "
                "MUST_FIT_WIDTH MaskType MergeRule NEAR NOT_LOCAL NO_SNOOP NO_SYNC "
                "OFFSET_ALIGNMENT "
                "PADDING PAGE_SIZE PEER_LINK PERMITTED_SOURCES PITCH_ALIGNMENT "
                "PIXEL_BOUNDARY_PITCH POWER_OF_TWO_PITCH PROTECTED PairsType Participant Place "
                "Plan PlaneFormat PlaneLayout Problem Provenance REGISTRY ROWS RangeType Reason "
                "RelationType SAME_BUFFER SAME_NUMA_NODE SAME_SOURCE SCALING SCANLINE_ALIGNMENT "
                "SHARED_BUFFERS SIZE_ALIGNMENT Source SourceId SourceKind SourcesType Subject "
                "Topology UintType Unit Usage VENDORS VISIBLE_HEIGHT_ALIGNMENT "
                "TIED_PITCH VISIBLE_WIDTH_ALIGNMENT Value ValueKind Verdict WHEN_HEIGHT "
                "WHEN_INTERLACED "
                "WHEN_ROTATION WHEN_WIDTH WIDTH_ALIGNMENT format_of fourcc fourcc_name "
                "modifier_name parse_fourcc parse_modifier register"
            ),
            "wire": (
                "Access Batch BatchParticipant ConflictEntry DeviceSet DmabufFeedback "
                "DmabufTranche Explanation Offer Refusal RefusalCause Tranche TrancheFlags "
                "TrancheMemory"
            ),
        },
    )
