/*
 * What the feedback objects of a display's own linux-dmabuf say, by the events that they send.
 * See feedback_log.c.
 *
 * Not for compositors: heapwire.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_FEEDBACK_LOG_H
#define HEAPWIRE_FEEDBACK_LOG_H

#include <stdbool.h>
#include <wayland-server-core.h>

#include "heapwire.h"

/* Objects that are followed at most: of one client, and of all. When those of all are that many,
 * a client has FEEDBACKS_WHATEVER all the same. */
enum { FEEDBACKS_OF_CLIENT = 1024, FEEDBACKS_OF_ALL = 16384, FEEDBACKS_WHATEVER = 64 };

/* Who is told, by `calls`; it has to stay where it is between the two calls below. */
struct feedback_user {
	struct wl_list link;
	const struct heapwire_calls *calls;
};

/*
 * Follow a display's feedback objects. A display has one log, however many ask for it: the one who
 * has joined first is told. NULL if there is no memory.
 */
struct heapwire_feedback *feedback_log_join(struct wl_display *display, struct feedback_user *user);
/* The last one to leave ends it; safe after the display's end, and with NULL. */
void feedback_log_leave(struct heapwire_feedback *log, struct feedback_user *user);

/* What Python asks (heapwire.h, struct heapwire_calls); NULL for `log` is a log of nothing. */
const struct heapwire_batch *feedback_log_of(const struct heapwire_feedback *log,
					     struct wl_resource *object);
const struct heapwire_batch *feedback_log_for(const struct heapwire_feedback *log,
					      struct wl_client *client);
const struct heapwire_batch *feedback_log_to(const struct heapwire_feedback *log,
					     struct wl_client *client,
					     struct wl_resource *surface);
void feedback_log_extend(struct heapwire_feedback *log, struct wl_resource *object,
			 uint32_t extended);

#endif
