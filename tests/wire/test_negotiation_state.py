"""What is committed is the very same inquiry until something else is said."""

from __future__ import annotations

import pytest

from heapwire.protocol.values import (
    BufferObject,
    ConstraintSet,
    Extent,
    FixedBuffer,
    FormatModifier,
    Layout,
    LayoutKind,
    PlaneLayout,
    SourceId,
    SourceKind,
    parse_fourcc,
)
from heapwire.protocol.wire import NegotiationState, encode_buffer
from heapwire.protocol.wire.bindings import XX_DMABUF_NEGOTIATION_V1

NV12 = FormatModifier(parse_fourcc("NV12"), 0)
SET = ConstraintSet(formats=(NV12,))


def fixed(size: int) -> tuple[int | bytes, ...]:
    layout = Layout(
        kind=LayoutKind.FIXED,
        extent=Extent(64, 64),
        objects=(BufferObject(SourceId(SourceKind.HEAP, 1, 1), size),),
        planes=(PlaneLayout(0, 0, 64), PlaneLayout(0, 4096, 64)),
    )
    return encode_buffer(FixedBuffer(NV12, layout))


SAID = {
    "set_participant": (2, 1, 0, 0, "another"),
    "add_alternative": (1, SET),
    "remove_participant": (1,),
    "set_extents": (640, 482, 0, 0, 0, 0),
    "set_content": (1, 0, 2, 0),
    "set_buffer_count": (2, 1),
    "set_openable": (b"",),
    "set_fixed_layout": fixed(8192),
    "unset_fixed_layout": (),
    "set_explanation": (2,),
}


def asked() -> NegotiationState:
    state = NegotiationState()
    state.set_participant(1, 1, 0, 0, "decoder")
    state.add_alternative(1, SET)
    state.set_extents(640, 480, 0, 0, 0, 0)
    state.set_fixed_layout(*fixed(6144))
    return state


def test_every_request_is_among_those_that_say_something_else() -> None:
    requests = {one.name for one in XX_DMABUF_NEGOTIATION_V1.requests}
    assert requests - set(SAID) == {"destroy", "commit", "use_plan"}


def test_the_same_again_is_the_very_same() -> None:
    state = asked()
    first = state.commit(1)
    state.set_extents(640, 480, 0, 0, 0, 0)
    assert state.commit(2) is first


@pytest.mark.parametrize("request_", SAID)
def test_after_something_else_it_is_another(request_: str) -> None:
    state, fresh = asked(), asked()
    first = state.commit(1)
    for one in (state, fresh):
        getattr(one, request_)(*SAID[request_])
    assert state.commit(2) == fresh.commit(1) != first
