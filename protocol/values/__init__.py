"""Values: what the protocol speaks of, checked and immutable."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.protocol.values.answer import (
        Answer as Answer,
        ConflictMember as ConflictMember,
        FailureReason as FailureReason,
        GoalFailure as GoalFailure,
        Verdict as Verdict,
    )
    from heapwire.protocol.values.buffer_count import (
        MAX_BUFFER_COUNT as MAX_BUFFER_COUNT,
        BufferCount as BufferCount,
    )
    from heapwire.protocol.values.coherency import (
        CoherencyDomain as CoherencyDomain,
        Fence as Fence,
        domains_of as domains_of,
        preferred_domain as preferred_domain,
        preferred_fence as preferred_fence,
    )
    from heapwire.protocol.values.colour import (
        Colour as Colour,
        agreed_colour as agreed_colour,
        colour_bit as colour_bit,
    )
    from heapwire.protocol.values.constraint import (
        ALL_PLANES as ALL_PLANES,
        MAX_PLANES as MAX_PLANES,
        Constraint as Constraint,
        Provenance as Provenance,
        Value as Value,
    )
    from heapwire.protocol.values.constraint_set import (
        ANY_FOURCC as ANY_FOURCC,
        ANY_MODIFIER as ANY_MODIFIER,
        ConstraintSet as ConstraintSet,
        FormatModifier as FormatModifier,
    )
    from heapwire.protocol.values.constraint_type import (
        BytesType as BytesType,
        ConstraintType as ConstraintType,
        FlagType as FlagType,
        MaskType as MaskType,
        MergeRule as MergeRule,
        PairsType as PairsType,
        RangeType as RangeType,
        RelationType as RelationType,
        SourcesType as SourcesType,
        UintType as UintType,
        ValueKind as ValueKind,
    )
    from heapwire.protocol.values.constraint_words import (
        BUFFERS as BUFFERS,
        Subject as Subject,
        Unit as Unit,
    )
    from heapwire.protocol.values.content import (
        ColourEncoding as ColourEncoding,
        ColourRange as ColourRange,
        Content as Content,
    )
    from heapwire.protocol.values.device_number import (
        DeviceId as DeviceId,
        DeviceNumber as DeviceNumber,
        HeapId as HeapId,
    )
    from heapwire.protocol.values.extents import (
        MAX_EXTENT as MAX_EXTENT,
        Extent as Extent,
        Extents as Extents,
    )
    from heapwire.protocol.values.layout import (
        BufferObject as BufferObject,
        Layout as Layout,
        LayoutKind as LayoutKind,
        PlaneLayout as PlaneLayout,
    )
    from heapwire.protocol.values.participant import (
        Participant as Participant,
        Usage as Usage,
    )
    from heapwire.protocol.values.pixels import (
        ALLWINNER_TILED as ALLWINNER_TILED,
        FORMATS as FORMATS,
        INVALID as INVALID,
        LINEAR as LINEAR,
        MODIFIER_FAMILIES as MODIFIER_FAMILIES,
        ROWLESS as ROWLESS,
        SAMSUNG_64_32_TILE as SAMSUNG_64_32_TILE,
        TILINGS as TILINGS,
        VENDORS as VENDORS,
        Format as Format,
        PlaneFormat as PlaneFormat,
        Superblocks as Superblocks,
        Tiling as Tiling,
        columns_of as columns_of,
        columns_so_high as columns_so_high,
        family_of as family_of,
        format_of as format_of,
        fourcc as fourcc,
        fourcc_name as fourcc_name,
        modifier_name as modifier_name,
        parse_fourcc as parse_fourcc,
        parse_modifier as parse_modifier,
        plane_count as plane_count,
        superblocks_of as superblocks_of,
    )
    from heapwire.protocol.values.plan import (
        Plan as Plan,
        Reason as Reason,
    )
    from heapwire.protocol.values.problem import (
        FixedBuffer as FixedBuffer,
        Goal as Goal,
        Problem as Problem,
    )
    from heapwire.protocol.values.registry import (
        ADDRESS_ALIGNMENT as ADDRESS_ALIGNMENT,
        ADDRESS_RANGE as ADDRESS_RANGE,
        ADJACENT_PLANES as ADJACENT_PLANES,
        ALLOCATION_FLAGS as ALLOCATION_FLAGS,
        ALPHA as ALPHA,
        AMD_VRAM_CONTIGUOUS as AMD_VRAM_CONTIGUOUS,
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
        HEIGHT_ALIGNMENT as HEIGHT_ALIGNMENT,
        LEAST_HEIGHT as LEAST_HEIGHT,
        LEAST_WIDTH as LEAST_WIDTH,
        MACROBLOCK_PADDING as MACROBLOCK_PADDING,
        MAX_AREA as MAX_AREA,
        MAX_BUFFERS as MAX_BUFFERS,
        MAX_HEIGHT as MAX_HEIGHT,
        MAX_HOPS as MAX_HOPS,
        MAX_PITCH as MAX_PITCH,
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
        VISIBLE_HEIGHT_ALIGNMENT as VISIBLE_HEIGHT_ALIGNMENT,
        VISIBLE_WIDTH_ALIGNMENT as VISIBLE_WIDTH_ALIGNMENT,
        WHEN_HEIGHT as WHEN_HEIGHT,
        WHEN_INTERLACED as WHEN_INTERLACED,
        WHEN_ROTATION as WHEN_ROTATION,
        WHEN_WIDTH as WHEN_WIDTH,
        WIDTH_ALIGNMENT as WIDTH_ALIGNMENT,
        register as register,
    )
    from heapwire.protocol.values.source import (
        PAGE_SIZE as PAGE_SIZE,
        Source as Source,
        SourceId as SourceId,
        SourceKind as SourceKind,
    )
    from heapwire.protocol.values.topology import (
        Place as Place,
        Topology as Topology,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "answer": "Answer ConflictMember FailureReason GoalFailure Verdict",
            "buffer_count": "BufferCount MAX_BUFFER_COUNT",
            "coherency": "CoherencyDomain Fence domains_of preferred_domain preferred_fence",
            "colour": "Colour agreed_colour colour_bit",
            "constraint": "ALL_PLANES Constraint MAX_PLANES Provenance Value",
            "constraint_set": "ANY_FOURCC ANY_MODIFIER ConstraintSet FormatModifier",
            "constraint_type": (
                "BytesType ConstraintType FlagType MaskType MergeRule PairsType RangeType "
                "RelationType SourcesType UintType ValueKind"
            ),
            "constraint_words": "BUFFERS Subject Unit",
            "content": "ColourEncoding ColourRange Content",
            "device_number": "DeviceId DeviceNumber HeapId",
            "extents": "Extent Extents MAX_EXTENT",
            "layout": "BufferObject Layout LayoutKind PlaneLayout",
            "participant": "Participant Usage",
            "pixels": (
                "ALLWINNER_TILED FORMATS Format INVALID LINEAR MODIFIER_FAMILIES PlaneFormat "
                "ROWLESS SAMSUNG_64_32_TILE Superblocks TILINGS Tiling VENDORS columns_of "
                "columns_so_high family_of format_of fourcc fourcc_name modifier_name parse_fourcc "
                "parse_modifier plane_count superblocks_of"
            ),
            "plan": "Plan Reason",
            "problem": "FixedBuffer Goal Problem",
            "registry": (
                "ADDRESS_ALIGNMENT ADDRESS_RANGE ADJACENT_PLANES ALLOCATION_FLAGS ALPHA "
                "AMD_VRAM_CONTIGUOUS BY_NAME "
                "COHERENCY_DOMAINS COLOURS CONTIGUOUS CPU_ACCESS DIFFERENT_SOURCE DIRTY_LINES "
                "DMA_WIDTH EXACT_PITCH FENCES HEIGHT_ALIGNMENT LEAST_HEIGHT LEAST_WIDTH "
                "MACROBLOCK_PADDING MAX_AREA MAX_BUFFERS "
                "MAX_HEIGHT MAX_HOPS MAX_PITCH MAX_SEGMENTS MAX_SIZE MAX_WIDTH MIN_BUFFERS "
                "MIN_HEIGHT MIN_PITCH MIN_SIZE MIN_WIDTH MUST_FIT_HEIGHT MUST_FIT_LEAST_HEIGHT "
                "MUST_FIT_LEAST_WIDTH MUST_FIT_WIDTH NEAR NOT_LOCAL NO_SNOOP NO_SYNC "
                "OFFSET_ALIGNMENT "
                "PADDING PEER_LINK PERMITTED_SOURCES PITCH_ALIGNMENT PIXEL_BOUNDARY_PITCH "
                "POWER_OF_TWO_PITCH PROTECTED REGISTRY ROWS SAME_BUFFER SAME_NUMA_NODE "
                "SAME_SOURCE SCALING SCANLINE_ALIGNMENT SHARED_BUFFERS SIZE_ALIGNMENT "
                "TIED_PITCH VISIBLE_HEIGHT_ALIGNMENT VISIBLE_WIDTH_ALIGNMENT WHEN_HEIGHT "
                "WHEN_INTERLACED "
                "WHEN_ROTATION WHEN_WIDTH WIDTH_ALIGNMENT register"
            ),
            "source": "PAGE_SIZE Source SourceId SourceKind",
            "topology": "Place Topology",
        },
    )
