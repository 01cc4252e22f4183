"""Made from xx-dmabuf-negotiation-v1.xml by heapwire.protocol.wire.generate; do not edit."""

from enum import IntEnum

from heapwire.protocol.wire.interface import Argument, ArgumentKind, Interface, Message


class NegotiationManagerSourceProperty(IntEnum):
    """xx_dmabuf_negotiation_manager_v1.source_property."""

    CONTIGUOUS = 1
    PROTECTED = 2
    UNCACHED = 4
    DEVICE_LOCAL = 8


class ConstraintSetCreatorError(IntEnum):
    """xx_dmabuf_constraint_set_creator_v1.error."""

    INVALID_ARRAY = 0
    INVALID_PLANES = 1
    INVALID_FLAGS = 2
    INVALID_PROVENANCE = 3
    INVALID_VALUE = 4
    ALREADY_SET = 5
    TOO_MANY = 6
    INCOMPLETE_SET = 7


class ConstraintSetCreatorConstraintFlag(IntEnum):
    """xx_dmabuf_constraint_set_creator_v1.constraint_flag."""

    MUST_UNDERSTAND = 1


class NegotiationError(IntEnum):
    """xx_dmabuf_negotiation_v1.error."""

    INVALID_ARRAY = 0
    INVALID_PARTICIPANT = 1
    NO_PARTICIPANT = 2
    INVALID_USAGE = 3
    INVALID_DEVICE = 4
    INVALID_EXTENT = 5
    INVALID_CONTENT = 6
    INVALID_COUNT = 7
    INVALID_LAYOUT = 8
    INVALID_COOKIE = 9
    INCOMPLETE = 10
    TOO_MANY = 11
    INVALID_NAME = 12
    INVALID_EXPLANATION = 13


XX_DMABUF_NEGOTIATION_MANAGER_V1: Interface = Interface(
    name='xx_dmabuf_negotiation_manager_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('create_constraint_set', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_constraint_set_creator_v1'),)),
        Message('get_default_negotiation', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_negotiation_v1'),)),
        Message('get_surface_negotiation', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_negotiation_v1'), Argument('surface', ArgumentKind.OBJECT, 'wl_surface'),)),
    ),
    events=(
        Message('source', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('properties', ArgumentKind.UINT), Argument('name', ArgumentKind.STRING),)),
        Message('source_gone', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT),)),
        Message('supported_type', (Argument('type', ArgumentKind.UINT),)),
        Message('done'),
    ),
    enums={
        'source_kind': {'heap': 0, 'device': 1, 'udmabuf': 2},
        'source_property': {'contiguous': 1, 'protected': 2, 'uncached': 4, 'device_local': 8},
    },
)
"""The messages and the enums of xx_dmabuf_negotiation_manager_v1."""

XX_DMABUF_CONSTRAINT_SET_CREATOR_V1: Interface = Interface(
    name='xx_dmabuf_constraint_set_creator_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('add_formats', (Argument('cost', ArgumentKind.UINT), Argument('formats', ArgumentKind.ARRAY),)),
        Message('add', (Argument('type', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('flags', ArgumentKind.UINT), Argument('provenance', ArgumentKind.UINT), Argument('value', ArgumentKind.ARRAY),)),
        Message('create', (Argument('id', ArgumentKind.NEW_ID, 'xx_dmabuf_constraint_set_v1'),), destructor=True),
    ),
    events=(
    ),
    enums={
        'error': {'invalid_array': 0, 'invalid_planes': 1, 'invalid_flags': 2, 'invalid_provenance': 3, 'invalid_value': 4, 'already_set': 5, 'too_many': 6, 'incomplete_set': 7},
        'constraint_flag': {'must_understand': 1},
        'provenance': {'presumption': 0, 'unchecked': 1, 'profile': 2, 'gauge': 3, 'trial': 4, 'kernel': 5, 'user': 6},
    },
)
"""The messages and the enums of xx_dmabuf_constraint_set_creator_v1."""

XX_DMABUF_CONSTRAINT_SET_V1: Interface = Interface(
    name='xx_dmabuf_constraint_set_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
    ),
    events=(
    ),
    enums={
    },
)
"""The messages and the enums of xx_dmabuf_constraint_set_v1."""

XX_DMABUF_NEGOTIATION_V1: Interface = Interface(
    name='xx_dmabuf_negotiation_v1',
    version=1,
    requests=(
        Message('destroy', destructor=True),
        Message('set_participant', (Argument('id', ArgumentKind.UINT), Argument('usage', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('name', ArgumentKind.STRING),)),
        Message('add_alternative', (Argument('participant', ArgumentKind.UINT), Argument('set', ArgumentKind.OBJECT, 'xx_dmabuf_constraint_set_v1'),)),
        Message('remove_participant', (Argument('id', ArgumentKind.UINT),)),
        Message('set_extents', (Argument('coded_width', ArgumentKind.UINT), Argument('coded_height', ArgumentKind.UINT), Argument('visible_width', ArgumentKind.UINT), Argument('visible_height', ArgumentKind.UINT), Argument('maximum_width', ArgumentKind.UINT), Argument('maximum_height', ArgumentKind.UINT),)),
        Message('set_content', (Argument('flags', ArgumentKind.UINT), Argument('rotation', ArgumentKind.UINT), Argument('encoding', ArgumentKind.UINT), Argument('range', ArgumentKind.UINT),)),
        Message('set_buffer_count', (Argument('minimum', ArgumentKind.UINT), Argument('queue', ArgumentKind.UINT),)),
        Message('set_openable', (Argument('sources', ArgumentKind.ARRAY),)),
        Message('set_fixed_layout', (Argument('format', ArgumentKind.UINT), Argument('modifier_hi', ArgumentKind.UINT), Argument('modifier_lo', ArgumentKind.UINT), Argument('width', ArgumentKind.UINT), Argument('height', ArgumentKind.UINT), Argument('objects', ArgumentKind.ARRAY), Argument('planes', ArgumentKind.ARRAY),)),
        Message('unset_fixed_layout'),
        Message('set_explanation', (Argument('level', ArgumentKind.UINT),)),
        Message('commit', (Argument('cookie', ArgumentKind.UINT),)),
        Message('use_plan', (Argument('serial', ArgumentKind.UINT), Argument('plan', ArgumentKind.UINT),)),
    ),
    events=(
        Message('participant', (Argument('id', ArgumentKind.UINT), Argument('usage', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('name', ArgumentKind.STRING),)),
        Message('plan', (Argument('index', ArgumentKind.UINT), Argument('goal', ArgumentKind.UINT), Argument('format', ArgumentKind.UINT), Argument('modifier_hi', ArgumentKind.UINT), Argument('modifier_lo', ArgumentKind.UINT), Argument('layout', ArgumentKind.UINT), Argument('width', ArgumentKind.UINT), Argument('height', ArgumentKind.UINT), Argument('count', ArgumentKind.UINT),)),
        Message('plan_object', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('access', ArgumentKind.UINT), Argument('size_hi', ArgumentKind.UINT), Argument('size_lo', ArgumentKind.UINT),)),
        Message('plan_source', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('access', ArgumentKind.UINT),)),
        Message('plan_plane', (Argument('object', ArgumentKind.UINT), Argument('offset', ArgumentKind.UINT), Argument('pitch', ArgumentKind.UINT),)),
        Message('plan_agreement', (Argument('agreed', ArgumentKind.UINT), Argument('coherency', ArgumentKind.UINT), Argument('fence', ArgumentKind.UINT), Argument('encoding', ArgumentKind.UINT), Argument('range', ArgumentKind.UINT),)),
        Message('plan_constraint', (Argument('type', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('flags', ArgumentKind.UINT), Argument('provenance', ArgumentKind.UINT), Argument('value', ArgumentKind.ARRAY),)),
        Message('plan_reason', (Argument('subject', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('text', ArgumentKind.STRING),)),
        Message('refusal', (Argument('kind', ArgumentKind.UINT), Argument('major', ArgumentKind.UINT), Argument('minor', ArgumentKind.UINT), Argument('cause', ArgumentKind.UINT), Argument('participant', ArgumentKind.UINT), Argument('type', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('text', ArgumentKind.STRING),)),
        Message('conflict', (Argument('goal', ArgumentKind.UINT), Argument('cause', ArgumentKind.UINT), Argument('flags', ArgumentKind.UINT), Argument('participant', ArgumentKind.UINT), Argument('type', ArgumentKind.UINT), Argument('planes', ArgumentKind.UINT), Argument('value', ArgumentKind.ARRAY), Argument('text', ArgumentKind.STRING),)),
        Message('done', (Argument('cookie', ArgumentKind.UINT), Argument('serial', ArgumentKind.UINT),)),
        Message('failed', (Argument('cookie', ArgumentKind.UINT), Argument('serial', ArgumentKind.UINT), Argument('reason', ArgumentKind.UINT), Argument('message', ArgumentKind.STRING),)),
    ),
    enums={
        'error': {'invalid_array': 0, 'invalid_participant': 1, 'no_participant': 2, 'invalid_usage': 3, 'invalid_device': 4, 'invalid_extent': 5, 'invalid_content': 6, 'invalid_count': 7, 'invalid_layout': 8, 'invalid_cookie': 9, 'incomplete': 10, 'too_many': 11, 'invalid_name': 12, 'invalid_explanation': 13},
        'usage': {'decode': 1, 'encode': 2, 'camera': 4, 'scanout': 8, 'sampling': 16, 'render': 32, 'cpu_read': 64, 'cpu_write': 128},
        'goal': {'scanout': 1, 'sampling': 2, 'black': 65536},
        'content_flag': {'protected': 1, 'interlaced': 2},
        'encoding': {'rgb': 0, 'bt709': 1, 'unspecified': 2, 'bt601': 6, 'bt2020': 9},
        'range': {'unspecified': 0, 'limited': 1, 'full': 2},
        'rotation': {'none': 0, 'quarter': 90, 'half': 180, 'three_quarters': 270},
        'layout_kind': {'exact': 0, 'allocator': 1, 'fixed': 2},
        'coherency': {'cpu': 0, 'ram': 1, 'inaccessible': 2},
        'fence': {'none': 0, 'implicit': 1, 'explicit': 2},
        'agreement': {'coherency': 1, 'fence': 2, 'colour': 4},
        'explanation': {'none': 0, 'reasons': 1, 'all': 2},
        'subject': {'other': 0, 'format': 1, 'pitch': 2, 'offset': 3, 'extent': 4, 'size': 5, 'source': 6, 'count': 7, 'coherency': 8, 'fence': 9, 'colour': 10},
        'refusal_cause': {'requirement': 0, 'outranked': 1, 'elsewhere': 2, 'allowance': 3},
        'conflict_cause': {'constraint': 0, 'formats': 1},
        'conflict_flag': {'unproved': 1},
        'access': {'client': 1, 'compositor': 2},
        'reason': {'conflict': 0, 'no_format': 1, 'no_source': 2, 'too_complex': 3, 'superseded': 4, 'no_surface': 5, 'internal': 6, 'busy': 7},
    },
)
"""The messages and the enums of xx_dmabuf_negotiation_v1."""

INTERFACES = (
    XX_DMABUF_NEGOTIATION_MANAGER_V1,
    XX_DMABUF_CONSTRAINT_SET_CREATOR_V1,
    XX_DMABUF_CONSTRAINT_SET_V1,
    XX_DMABUF_NEGOTIATION_V1,
)
"""All of the protocol, in the order of its XML."""
