/*
 * Hearing the messages of a few interfaces of a display.
 *
 * libwayland calls a logger for every message of every client, for a request before it is handled
 * and for an event before it is queued: so the objects of a compositor can be followed, and added
 * to within the same batch, without being its own. Whatever is not one of them has to cost as good
 * as nothing: it is told by the address of its interface's name, which is one for all objects of
 * an interface. Only names that may be the one are read, until it has been seen.
 *
 * Not for compositors: heapwire.c and surface_log.c use it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_MESSAGE_LOG_H
#define HEAPWIRE_MESSAGE_LOG_H

#include <stdbool.h>
#include <string.h>
#include <wayland-server-core.h>

/* To be zeroed before it is started the first time. It has to stay where it is then. */
struct message_log {
	struct wl_protocol_logger *logger; /* NULL: not started, or stopped */
	struct wl_listener display_destroyed;
};

/* 0, or -1 if there is no memory. It stops with the display; what has started stays so. */
int message_log_start(struct message_log *log, struct wl_display *display,
		      wl_protocol_logger_func_t heard, void *data);

/* Safe before and after it has run, and after the display's end; never from `heard`. */
void message_log_stop(struct message_log *log);

/* Whether an interface's name is the one wanted; `seen` is where that was seen last. */
static inline bool
is_named(const char *name, const char *wanted, const char **seen)
{
	if (name == *seen)
		return true;
	if (name[0] != wanted[0] || strcmp(name, wanted) != 0)
		return false;
	*seen = name;
	return true;
}

#endif
