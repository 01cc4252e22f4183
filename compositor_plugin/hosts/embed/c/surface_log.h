/*
 * Which wl_buffer each surface shows, for a host that hides its buffers. See surface_log.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SURFACE_LOG_H
#define SURFACE_LOG_H

#include <wayland-server-core.h>

/*
 * Follow a display's surfaces. A display has one log, however many ask for it. NULL if there is no
 * memory.
 */
struct surface_log *surface_log_join(struct wl_display *display);
/* The last one to leave ends it; safe after the display's end, and with NULL. */
void surface_log_leave(struct surface_log *log);

/* The buffer that the surface's current state has; NULL: none, it is destroyed, or not known. */
struct wl_resource *surface_log_buffer(struct wl_resource *surface);

#endif
