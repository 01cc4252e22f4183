"""Made from xx-dmabuf-buffer-status-v1.xml by heapwire.protocol.wire.generate; do not edit."""

from enum import IntEnum

from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message


class BufferStatusManagerError(IntEnum):
    """xx_dmabuf_buffer_status_manager_v1.error."""

    TOO_MANY = 0


class BufferStatusResult(IntEnum):
    """xx_dmabuf_buffer_status_v1.result."""

    SCANOUT = 0
    COMPOSITED = 1


class BufferStatusReason(IntEnum):
    """xx_dmabuf_buffer_status_v1.reason."""

    NONE = 0
    NOT_A_CANDIDATE = 1
    NO_PLANE = 2
    FORMAT = 3
    MEMORY = 4
    LAYOUT = 5
    TRANSFORM = 6
    PROTECTION = 7
    REFUSED = 8
    UNKNOWN = 9


XX_DMABUF_BUFFER_STATUS_MANAGER_V1: Interface = Interface(
    name='xx_dmabuf_buffer_status_manager_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('get_buffer_status', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_buffer_status_v1'), Argument('buffer', ArgumentKind.OBJECT, 'wl_buffer'),)),
    ),
    events=(
    ),
    enums={
        'error': {'too_many': 0},
    },
)
"""The messages and the enums of xx_dmabuf_buffer_status_manager_v1."""

XX_DMABUF_BUFFER_STATUS_V1: Interface = Interface(
    name='xx_dmabuf_buffer_status_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
    ),
    events=(
        Message('shown', (Argument('result', ArgumentKind.UINT), Argument('reason', ArgumentKind.UINT),)),
    ),
    enums={
        'result': {'scanout': 0, 'composited': 1},
        'reason': {'none': 0, 'not_a_candidate': 1, 'no_plane': 2, 'format': 3, 'memory': 4, 'layout': 5, 'transform': 6, 'protection': 7, 'refused': 8, 'unknown': 9},
    },
)
"""The messages and the enums of xx_dmabuf_buffer_status_v1."""

INTERFACES = (
    XX_DMABUF_BUFFER_STATUS_MANAGER_V1,
    XX_DMABUF_BUFFER_STATUS_V1,
)
"""All of the protocol, in the order of its XML."""
