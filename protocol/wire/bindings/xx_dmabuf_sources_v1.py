"""Made from xx-dmabuf-sources-v1.xml by heapwire.protocol.wire.generate; do not edit."""

from enum import IntEnum

from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message


class SourcesProperty(IntEnum):
    """xx_dmabuf_sources_v1.property."""

    CONTIGUOUS = 1
    PROTECTED = 2
    UNCACHED = 4
    DEVICE_LOCAL = 8


class FeedbackSourcesBatch(IntEnum):
    """xx_dmabuf_feedback_sources_v1.batch."""

    LAST = 0
    NEXT = 1


class FeedbackSourcesFlag(IntEnum):
    """xx_dmabuf_feedback_sources_v1.flag."""

    MUST_UNDERSTAND = 1
    PRESUMED = 2


XX_DMABUF_SOURCES_V1: Interface = Interface(
    name='xx_dmabuf_sources_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('extend_feedback', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_feedback_sources_v1'), Argument('feedback', ArgumentKind.OBJECT, 'zwp_linux_dmabuf_feedback_v1'),)),
    ),
    events=(
        Message('source', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('properties', ArgumentKind.UINT), Argument('known', ArgumentKind.UINT), Argument('size_hi', ArgumentKind.UINT), Argument('size_lo', ArgumentKind.UINT), Argument('name', ArgumentKind.STRING),)),
        Message('source_gone', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT),)),
        Message('done'),
    ),
    enums={
        'kind': {'heap': 0, 'device': 1, 'udmabuf': 2},
        'property': {'contiguous': 1, 'protected': 2, 'uncached': 4, 'device_local': 8},
        'type': {'pitch_alignment': 1, 'offset_alignment': 2, 'size_alignment': 3, 'scanline_alignment': 4, 'min_pitch': 5, 'max_pitch': 6, 'min_width': 7, 'max_width': 8, 'min_height': 9, 'max_height': 10, 'width_alignment': 11, 'height_alignment': 12, 'max_area': 13, 'min_size': 14, 'max_size': 15, 'contiguous': 16, 'address_range': 17, 'permitted_sources': 18, 'protected': 19, 'address_alignment': 20, 'dma_width': 21, 'max_segments': 22, 'padding': 23, 'macroblock_padding': 24, 'pixel_boundary_pitch': 25, 'power_of_two_pitch': 26, 'must_fit_width': 27, 'must_fit_height': 28, 'must_fit_least_width': 29, 'must_fit_least_height': 30, 'allocation_flags': 31, 'same_buffer': 32, 'same_source': 33, 'different_source': 34, 'visible_width_alignment': 36, 'visible_height_alignment': 37, 'tied_pitch': 38, 'adjacent_planes': 39, 'least_width': 40, 'least_height': 41, 'scaling': 42, 'exact_pitch': 43, 'coherency_domains': 48, 'cpu_access': 49, 'no_snoop': 50, 'dirty_lines': 51, 'no_sync': 52, 'fences': 53, 'max_hops': 56, 'same_numa_node': 57, 'peer_link': 58, 'not_local': 59, 'near': 60, 'min_buffers': 64, 'max_buffers': 65, 'shared_buffers': 66, 'colours': 72, 'alpha': 73, 'when_width': 80, 'when_height': 81, 'when_interlaced': 82, 'when_rotation': 83},
    },
)
"""The messages and the enums of xx_dmabuf_sources_v1."""

XX_DMABUF_FEEDBACK_SOURCES_V1: Interface = Interface(
    name='xx_dmabuf_feedback_sources_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
    ),
    events=(
        Message('tranche_source', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT),)),
        Message('tranche_set', (Argument('device', ArgumentKind.UINT), Argument('indices', ArgumentKind.ARRAY),)),
        Message('tranche_constraint', (Argument('type', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('flags', ArgumentKind.UINT), Argument('value', ArgumentKind.ARRAY),)),
        Message('tranche_done'),
        Message('done', (Argument('batch', ArgumentKind.UINT),)),
    ),
    enums={
        'batch': {'last': 0, 'next': 1},
        'flag': {'must_understand': 1, 'presumed': 2},
    },
)
"""The messages and the enums of xx_dmabuf_feedback_sources_v1."""

INTERFACES = (
    XX_DMABUF_SOURCES_V1,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
)
"""All of the protocol, in the order of its XML."""
