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
        MAX_BUFFERS as MAX_BUFFERS,
        BufferCount as BufferCount,
    )
    from heapwire.protocol.values.coherency import (
        CoherencyDomain as CoherencyDomain,
        Fence as Fence,
        domains_of as domains_of,
        preferred_domain as preferred_domain,
        preferred_fence as preferred_fence,
    )
    from heapwire.protocol.values.colour import Colour as Colour, agreed_colour as agreed_colour
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
        BY_NAME as BY_NAME,
        REGISTRY as REGISTRY,
        ROWS as ROWS,
        ConstraintType as ConstraintType,
        MergeRule as MergeRule,
        ValueKind as ValueKind,
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
    from heapwire.protocol.values.format import (
        FORMATS as FORMATS,
        Format as Format,
        PlaneFormat as PlaneFormat,
        format_of as format_of,
        fourcc as fourcc,
        fourcc_name as fourcc_name,
        parse_fourcc as parse_fourcc,
    )
    from heapwire.protocol.values.layout import (
        BufferObject as BufferObject,
        Layout as Layout,
        LayoutKind as LayoutKind,
        PlaneLayout as PlaneLayout,
    )
    from heapwire.protocol.values.modifier import (
        INVALID as INVALID,
        LINEAR as LINEAR,
        TILINGS as TILINGS,
        VENDORS as VENDORS,
        Tiling as Tiling,
        modifier_name as modifier_name,
        parse_modifier as parse_modifier,
    )
    from heapwire.protocol.values.participant import Participant as Participant, Usage as Usage
    from heapwire.protocol.values.plan import Plan as Plan, Reason as Reason
    from heapwire.protocol.values.problem import (
        FixedBuffer as FixedBuffer,
        Goal as Goal,
        Problem as Problem,
    )
    from heapwire.protocol.values.source import (
        PAGE_SIZE as PAGE_SIZE,
        Source as Source,
        SourceId as SourceId,
        SourceKind as SourceKind,
    )
    from heapwire.protocol.values.topology import Place as Place, Topology as Topology
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "answer": "Answer ConflictMember FailureReason GoalFailure Verdict",
            "buffer_count": "BufferCount MAX_BUFFERS",
            "coherency": "CoherencyDomain Fence domains_of preferred_domain preferred_fence",
            "colour": "Colour agreed_colour",
            "constraint": "ALL_PLANES Constraint MAX_PLANES Provenance Value",
            "constraint_set": "ANY_FOURCC ANY_MODIFIER ConstraintSet FormatModifier",
            "constraint_type": "BY_NAME ConstraintType MergeRule REGISTRY ROWS ValueKind",
            "content": "ColourEncoding ColourRange Content",
            "device_number": "DeviceId DeviceNumber HeapId",
            "extents": "Extent Extents MAX_EXTENT",
            "format": "FORMATS Format PlaneFormat format_of fourcc fourcc_name parse_fourcc",
            "layout": "BufferObject Layout LayoutKind PlaneLayout",
            "modifier": "INVALID LINEAR TILINGS Tiling VENDORS modifier_name parse_modifier",
            "participant": "Participant Usage",
            "plan": "Plan Reason",
            "problem": "FixedBuffer Goal Problem",
            "source": "PAGE_SIZE Source SourceId SourceKind",
            "topology": "Place Topology",
        },
    )
