/* What pywayland does not bind of libwayland-client, and libc's for its log; libwayland_client_ffi.py
 * is made of it (make bindings). The names are those of wayland-client-core.h. */

struct wl_interface { const char *name; int version; };
uint32_t wl_display_get_protocol_error(void *display, const void **interface, uint32_t *id);
void wl_display_cancel_read(void *display);
void wl_log_set_handler_client(void (*handler)(const char *format, void *arguments));
int vsnprintf(char *text, size_t size, const char *format, void *arguments);
