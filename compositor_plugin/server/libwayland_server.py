"""libwayland-server through cffi in ABI mode: which copy, and what of it is used.

The plugin must use the copy of libwayland-server that the host's display
belongs to: two copies in one process corrupt each other's memory. So the copy
that is mapped already is taken first, then the system's, then the one inside
the pywayland wheel.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from _cffi_backend import cast
from cffi import FFI

from heapwire.protocol import MachineError

log = logging.getLogger(__name__)

# A C pointer or struct of cffi's, whose types exist at run time only.
CData: TypeAlias = Any

SONAME = "libwayland-server.so.0"
_MAPPED = re.compile(r"\s(/\S*/libwayland-server[-.][^/\s]*so[^/\s]*)$")

_CDEF = """
struct wl_interface;
struct wl_message { const char *name; const char *signature; const struct wl_interface **types; };
struct wl_interface {
    const char *name; int version;
    int method_count; const struct wl_message *methods;
    int event_count; const struct wl_message *events;
};
struct wl_array { size_t size; size_t alloc; void *data; };
struct wl_list { struct wl_list *prev; struct wl_list *next; };
struct wl_object;
union wl_argument {
    int32_t i; uint32_t u; int32_t f; const char *s;
    struct wl_object *o; uint32_t n; struct wl_array *a; int32_t h;
};
struct wl_listener { struct wl_list link; void (*notify)(struct wl_listener *, void *); };
struct wl_display; struct wl_client; struct wl_resource; struct wl_global;
struct wl_event_loop; struct wl_event_source;

struct wl_display *wl_display_create(void);
void wl_display_destroy(struct wl_display *);
void wl_display_destroy_clients(struct wl_display *);
int wl_display_add_socket(struct wl_display *, const char *);
const char *wl_display_add_socket_auto(struct wl_display *);
void wl_display_flush_clients(struct wl_display *);
struct wl_event_loop *wl_display_get_event_loop(struct wl_display *);
uint32_t wl_display_next_serial(struct wl_display *);
uint32_t wl_display_get_serial(struct wl_display *);
int wl_display_init_shm(struct wl_display *);
uint32_t *wl_display_add_shm_format(struct wl_display *, uint32_t);
struct wl_protocol_logger;
struct wl_protocol_logger_message {
    struct wl_resource *resource; int message_opcode; const struct wl_message *message;
    int arguments_count; const union wl_argument *arguments;
};
struct wl_protocol_logger *wl_display_add_protocol_logger(struct wl_display *,
    void (*)(void *, int, const struct wl_protocol_logger_message *), void *);
void wl_protocol_logger_destroy(struct wl_protocol_logger *);
void wl_display_add_destroy_listener(struct wl_display *, struct wl_listener *);

int wl_event_loop_dispatch(struct wl_event_loop *, int);
int wl_event_loop_get_fd(struct wl_event_loop *);
void wl_event_loop_dispatch_idle(struct wl_event_loop *);
struct wl_event_source *wl_event_loop_add_fd(struct wl_event_loop *, int, uint32_t,
    int (*)(int, uint32_t, void *), void *);
struct wl_event_source *wl_event_loop_add_timer(struct wl_event_loop *, int (*)(void *), void *);
struct wl_event_source *wl_event_loop_add_idle(struct wl_event_loop *, void (*)(void *), void *);
int wl_event_source_timer_update(struct wl_event_source *, int);
int wl_event_source_remove(struct wl_event_source *);

struct wl_client *wl_client_create(struct wl_display *, int);
void wl_client_destroy(struct wl_client *);
void wl_client_flush(struct wl_client *);
int wl_client_get_fd(struct wl_client *);
void wl_client_get_credentials(struct wl_client *, int *, unsigned int *, unsigned int *);
struct wl_display *wl_client_get_display(struct wl_client *);
void wl_client_add_destroy_listener(struct wl_client *, struct wl_listener *);
void wl_client_post_no_memory(struct wl_client *);
void wl_client_post_implementation_error(struct wl_client *, const char *, ...);
struct wl_resource *wl_client_get_object(struct wl_client *, uint32_t);

struct wl_global *wl_global_create(struct wl_display *, const struct wl_interface *, int, void *,
    void (*)(struct wl_client *, void *, uint32_t, uint32_t));
void wl_display_set_global_filter(struct wl_display *,
    _Bool (*)(const struct wl_client *, const struct wl_global *, void *), void *);
void wl_global_remove(struct wl_global *);
void wl_global_destroy(struct wl_global *);

struct wl_resource *wl_resource_create(struct wl_client *, const struct wl_interface *, int,
    uint32_t);
void wl_resource_set_dispatcher(struct wl_resource *,
    int (*)(const void *, void *, uint32_t, const struct wl_message *, union wl_argument *),
    const void *, void *, void (*)(struct wl_resource *));
void wl_resource_destroy(struct wl_resource *);
void wl_resource_post_event_array(struct wl_resource *, uint32_t, union wl_argument *);
void wl_resource_post_error(struct wl_resource *, uint32_t, const char *, ...);
void wl_resource_add_destroy_listener(struct wl_resource *, struct wl_listener *);
struct wl_client *wl_resource_get_client(struct wl_resource *);
uint32_t wl_resource_get_id(struct wl_resource *);
int wl_resource_get_version(struct wl_resource *);
const char *wl_resource_get_class(struct wl_resource *);

struct wl_shm_buffer;
struct wl_shm_buffer *wl_shm_buffer_get(struct wl_resource *);
void wl_shm_buffer_begin_access(struct wl_shm_buffer *);
void wl_shm_buffer_end_access(struct wl_shm_buffer *);
void *wl_shm_buffer_get_data(struct wl_shm_buffer *);
int32_t wl_shm_buffer_get_stride(struct wl_shm_buffer *);
uint32_t wl_shm_buffer_get_format(struct wl_shm_buffer *);
int32_t wl_shm_buffer_get_width(struct wl_shm_buffer *);
int32_t wl_shm_buffer_get_height(struct wl_shm_buffer *);
"""

CORE_INTERFACES = frozenset(
    """
    wl_display wl_registry wl_callback wl_compositor wl_shm_pool wl_shm wl_buffer
    wl_data_offer wl_data_source wl_data_device wl_data_device_manager wl_shell
    wl_shell_surface wl_surface wl_seat wl_pointer wl_keyboard wl_touch wl_output
    wl_region wl_subcompositor wl_subsurface wl_fixes
    """.split()  # noqa: SIM905  # a list of strings would fill the screen
)
"""The interfaces of the core protocol, whose structs libwayland-server exports."""

ffi = FFI()
"""What speaks to libwayland-server, by the declarations above."""
ffi.cdef(_CDEF)
# Declared non-const: in ABI mode the address of a const variable cannot be taken.
ffi.cdef("\n".join(f"extern struct wl_interface {name}_interface;" for name in CORE_INTERFACES))


@functools.cache
def library() -> CData:
    """libwayland-server as a cffi library, opened once.

    Raises `MachineError` if there is none, or if two copies are mapped already.
    """
    path = _find()
    try:
        return ffi.dlopen(path)
    except OSError as error:
        raise MachineError(f"{path} cannot be loaded: {error}") from None


def mapped_copies(maps: str) -> list[str]:
    """The copies of libwayland-server in the text of a `/proc/PID/maps`."""
    matches = (_MAPPED.search(line) for line in maps.splitlines())
    return sorted({match.group(1) for match in matches if match})


def callback(signature: str) -> Callable[[Callable[..., int | None]], CData]:
    """Make a function callable from C.

    What it raises does not reach C, which gets a 0. An exception is logged; a
    `KeyboardInterrupt` or `SystemExit` is kept for `raise_kept`.
    """

    def make(function: Callable[..., int | None]) -> CData:
        returns_int = signature.startswith("int")
        return ffi.callback(signature, function, error=0 if returns_int else None, onerror=_keep)

    return make


_ADDRESS = ffi.typeof("uintptr_t")
_kept: list[BaseException] = []


def _keep(kind: type[BaseException], error: BaseException, trace: TracebackType) -> None:
    if issubclass(kind, Exception):
        log.error("a callback failed", exc_info=(kind, error, trace))
    else:
        _kept.append(error)


def raise_kept() -> None:
    """Raise what ended the program inside a callback from C, now that C has returned."""
    if _kept:
        error = _kept[0]
        _kept.clear()
        raise error


def address(pointer: CData) -> int:
    """A C pointer as a number: how resources, clients and displays are named."""
    return int(cast(_ADDRESS, pointer))


def _find() -> str:
    mapped = mapped_copies(Path("/proc/self/maps").read_text("utf-8", "replace"))
    if len(mapped) > 1:
        raise MachineError(
            "two copies of libwayland-server are mapped into this process "
            f"({', '.join(mapped)}); one of them would corrupt the other's memory"
        )
    if mapped:
        return mapped[0]
    try:
        ffi.dlopen(SONAME)
    except OSError:
        return _bundled()
    return SONAME


def _bundled() -> str:
    """The copy inside the pywayland wheel."""
    spec = importlib.util.find_spec("pywayland")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent.parent / "pywayland.libs"
        for path in sorted(folder.glob("libwayland-server-*.so*")):
            return os.fspath(path)
    raise MachineError(f"there is no {SONAME}: install libwayland-server0 or the pywayland wheel")
