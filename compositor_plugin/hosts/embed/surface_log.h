/*
 * Which wl_buffer each surface shows, for a host that hides its buffers. See surface_log.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SURFACE_LOG_H
#define SURFACE_LOG_H

#include <wayland-server-core.h>

/* NULL if there is no memory. Ends with the display, if it is not destroyed before. */
struct surface_log *surface_log_create(struct wl_display *display);
void surface_log_destroy(struct surface_log *log);

/* The buffer that the surface's current state has; NULL: none, it is destroyed, or not known. */
struct wl_resource *surface_log_buffer(struct wl_resource *surface);

#endif
