"""Made from xx-dmabuf-allocation-v1.xml by heapwire.protocol.wire.generate; do not edit."""

from enum import IntEnum

from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message


class AllocationManagerError(IntEnum):
    """xx_dmabuf_allocation_manager_v1.error."""

    INVALID_ARRAY = 0
    INVALID_DEVICE = 1
    INVALID_EXTENT = 2
    INVALID_LAYOUT = 3
    TOO_MANY = 4


class AllocationReason(IntEnum):
    """xx_dmabuf_allocation_v1.reason."""

    NOT_ALLOCATABLE = 0
    NO_MEMORY = 1
    OVER_BUDGET = 2
    INTERNAL = 3


XX_DMABUF_ALLOCATION_MANAGER_V1: Interface = Interface(
    name='xx_dmabuf_allocation_manager_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('allocate', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_allocation_v1'), Argument('format', ArgumentKind.UINT), Argument('modifier_hi', ArgumentKind.UINT), Argument('modifier_lo', ArgumentKind.UINT), Argument('width', ArgumentKind.UINT), Argument('height', ArgumentKind.UINT), Argument('objects', ArgumentKind.ARRAY), Argument('planes', ArgumentKind.ARRAY),)),
    ),
    events=(
        Message('source', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT),)),
        Message('source_gone', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT),)),
        Message('done'),
    ),
    enums={
        'error': {'invalid_array': 0, 'invalid_device': 1, 'invalid_extent': 2, 'invalid_layout': 3, 'too_many': 4},
        'source_kind': {'heap': 0, 'device': 1, 'udmabuf': 2},
    },
)
"""The messages and the enums of xx_dmabuf_allocation_manager_v1."""

XX_DMABUF_ALLOCATION_V1: Interface = Interface(
    name='xx_dmabuf_allocation_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
    ),
    events=(
        Message('object', (Argument('fd', ArgumentKind.FD), Argument('size_hi', ArgumentKind.UINT), Argument('size_lo', ArgumentKind.UINT),)),
        Message('done'),
        Message('failed', (Argument('reason', ArgumentKind.UINT), Argument('message', ArgumentKind.STRING),)),
    ),
    enums={
        'reason': {'not_allocatable': 0, 'no_memory': 1, 'over_budget': 2, 'internal': 3},
    },
)
"""The messages and the enums of xx_dmabuf_allocation_v1."""

INTERFACES = (
    XX_DMABUF_ALLOCATION_MANAGER_V1,
    XX_DMABUF_ALLOCATION_V1,
)
"""All of the protocol, in the order of its XML."""
