/*
 * Follows what a display's own linux-dmabuf says in its feedback objects.
 *
 * Not for compositors: heapwire.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_FEEDBACK_LOG_H
#define HEAPWIRE_FEEDBACK_LOG_H

#include <wayland-server-core.h>

struct feedback_log;

/* An event of a zwp_linux_dmabuf_feedback_v1, before it is queued. What is posted from here goes
 * out before it. */
typedef void (*feedback_event_t)(void *data, struct wl_resource *feedback, uint32_t opcode,
				 const union wl_argument *arguments);

/* NULL if there is no memory. It ends with the display, and is freed by feedback_log_destroy(). */
struct feedback_log *feedback_log_create(struct wl_display *display, feedback_event_t event,
					 void *data);

/* Safe before and after the display's end; ignores NULL. */
void feedback_log_destroy(struct feedback_log *log);

#endif
