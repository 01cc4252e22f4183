"""The tables of what a compliance case speaks: as the wire has them, whatever this machine has.

A line is `r` for a request or `e` for an event, a name, and the letters of the arguments as
libwayland writes them; behind a colon stands the interface of a new object. Opcodes are the
order of the lines. The protocols of our own have the tables that are made of their XML.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from heapwire.protocol.wire import Argument, ArgumentKind, Interface, Message
from heapwire.protocol.wire.bindings import (
    INTERFACES,
    XX_DMABUF_FEEDBACK_SOURCES_V1,
    XX_DMABUF_SOURCES_V1,
)

_TEXT = """
wl_display
r sync n:wl_callback
r get_registry n:wl_registry
e error o u s
e delete_id u

wl_registry
r bind u s u n
e global u s u
e global_remove u

wl_callback
e done u

wl_compositor
r create_surface n:wl_surface
r create_region n:wl_region

wl_surface
r destroy
r attach o i i
r damage i i i i
r frame n:wl_callback
r set_opaque_region o
r set_input_region o
r commit
e enter o
e leave o
e preferred_buffer_scale i
e preferred_buffer_transform u

wl_buffer
r destroy
e release

wl_shm
r create_pool n:wl_shm_pool h i
e format u

wl_shm_pool
r create_buffer n:wl_buffer i i i i u
r destroy
r resize i

xdg_wm_base
r destroy
r create_positioner n:xdg_positioner
r get_xdg_surface n:xdg_surface o
r pong u
e ping u

xdg_surface
r destroy
r get_toplevel n:xdg_toplevel
r get_popup n:xdg_popup o o
r set_window_geometry i i i i
r ack_configure u
e configure u

xdg_toplevel
r destroy
r set_parent o
r set_title s
r set_app_id s
r show_window_menu o u i i
r move o u
r resize o u u
r set_max_size i i
r set_min_size i i
r set_maximized
r unset_maximized
r set_fullscreen o
r unset_fullscreen
r set_minimized
e configure i i a
e close
e configure_bounds i i
e wm_capabilities a

zwp_linux_dmabuf_v1
r destroy
r create_params n:zwp_linux_buffer_params_v1
r get_default_feedback n:zwp_linux_dmabuf_feedback_v1
r get_surface_feedback n:zwp_linux_dmabuf_feedback_v1 o
e format u
e modifier u u u

zwp_linux_buffer_params_v1
r destroy
r add h u u u u u
r create i i u u
r create_immed n:wl_buffer i i u u
r set_sampling_device a
e created n:wl_buffer
e failed

zwp_linux_dmabuf_feedback_v1
r destroy
e done
e format_table h u
e main_device a
e tranche_done
e tranche_target_device a
e tranche_formats a
e tranche_flags u

wp_presentation
r destroy
r feedback o n:wp_presentation_feedback
e clock_id u

wp_presentation_feedback
e sync_output o
e presented u u u u u u u
e discarded

wp_linux_drm_syncobj_manager_v1
r destroy
r get_surface n:wp_linux_drm_syncobj_surface_v1 o
r import_timeline n:wp_linux_drm_syncobj_timeline_v1 h

wp_linux_drm_syncobj_timeline_v1
r destroy

wp_linux_drm_syncobj_surface_v1
r destroy
r set_acquire_point o u u
r set_release_point o u u
"""

_ERRORS: Mapping[str, tuple[str, ...]] = {  # the names of errors, from 0 on
    "wl_display": ("invalid_object", "invalid_method", "no_memory", "implementation"),
    "xdg_surface": (
        *("", "not_constructed", "already_constructed", "unconfigured_buffer"),
        *("invalid_serial", "invalid_size", "defunct_role_object"),
    ),
    "zwp_linux_buffer_params_v1": (
        *("already_used", "plane_idx", "plane_set", "incomplete", "invalid_format"),
        *("invalid_dimensions", "out_of_bounds", "invalid_wl_buffer", "invalid_dev_t_size"),
    ),
    "wp_linux_drm_syncobj_manager_v1": ("surface_exists", "invalid_timeline"),
    "wp_linux_drm_syncobj_surface_v1": (
        *("", "no_surface", "unsupported_buffer", "no_buffer", "no_acquire_point"),
        *("no_release_point", "conflicting_points"),
    ),
}


def interface_table(name: str) -> Interface:
    """The table of an interface; `KeyError` for one that no case speaks."""
    return _tables()[name]


def error_name(interface: str, code: int) -> str:
    """An error by its name, or by its number where nobody here knows that."""
    names = dict(enumerate(_ERRORS.get(interface, ())))
    if (table := _tables().get(interface)) is not None:
        names |= {number: name for name, number in table.enums.get("error", {}).items()}
    return names.get(code) or f"error {code}"


@functools.cache
def _tables() -> Mapping[str, Interface]:
    ours = (*INTERFACES, XX_DMABUF_SOURCES_V1, XX_DMABUF_FEEDBACK_SOURCES_V1)
    made = {interface.name: interface for interface in ours}
    for block in _TEXT.strip().split("\n\n"):
        name, *lines = block.splitlines()
        messages: dict[str, list[Message]] = {"r": [], "e": []}
        for line in lines:
            direction, message, *arguments = line.split()
            messages[direction].append(Message(message, tuple(map(_argument, arguments))))
        requests, events = map(tuple, (messages["r"], messages["e"]))
        made[name] = Interface(name, 1, requests, events)
    return made


def _argument(text: str) -> Argument:
    letter, _, interface = text.partition(":")
    return Argument("", ArgumentKind(letter), interface or None)
