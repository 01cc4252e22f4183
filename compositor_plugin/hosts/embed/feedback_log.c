/*
 * A protocol logger that hears the events of zwp_linux_dmabuf_feedback_v1 and nothing else.
 *
 * libwayland calls a logger for every message of every client, and for an event before it is
 * queued: so the feedback objects of a compositor can be followed, and added to within the same
 * batch, without being its own. Whatever is not one of them has to cost as good as nothing: it is
 * told by the address of its interface's name, which is one for all objects of an interface. Only
 * names that may be the one are read, until it has been seen.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "feedback_log.h"

#define FEEDBACK "zwp_linux_dmabuf_feedback_v1"

struct feedback_log {
	struct wl_protocol_logger *logger; /* NULL: the display has ended */
	struct wl_listener display_destroyed;
	const char *name; /* of the interface, where it was seen last */
	bool telling;     /* what is sent meanwhile is not the host's */
	feedback_event_t event;
	void *data;
};

static void
message(void *data, enum wl_protocol_logger_type type,
	const struct wl_protocol_logger_message *message)
{
	struct feedback_log *log = data;
	const char *name;

	if (type != WL_PROTOCOL_LOGGER_EVENT || log->telling)
		return;
	name = wl_resource_get_class(message->resource);
	if (name != log->name) {
		if (name[0] != FEEDBACK[0] || strcmp(name, FEEDBACK) != 0)
			return;
		log->name = name;
	}
	log->telling = true;
	log->event(log->data, message->resource, (uint32_t)message->message_opcode,
		   message->arguments);
	log->telling = false;
}

static void
stop(struct feedback_log *log)
{
	if (!log->logger)
		return;
	wl_list_remove(&log->display_destroyed.link);
	wl_protocol_logger_destroy(log->logger);
	log->logger = NULL;
}

static void
display_destroyed(struct wl_listener *listener, void *data)
{
	struct feedback_log *log = wl_container_of(listener, log, display_destroyed);

	(void)data;
	stop(log);
}

struct feedback_log *
feedback_log_create(struct wl_display *display, feedback_event_t event, void *data)
{
	struct feedback_log *log = calloc(1, sizeof *log);

	if (!log)
		return NULL;
	log->event = event;
	log->data = data;
	log->logger = wl_display_add_protocol_logger(display, message, log);
	if (!log->logger) {
		free(log);
		return NULL;
	}
	log->display_destroyed.notify = display_destroyed;
	wl_display_add_destroy_listener(display, &log->display_destroyed);
	return log;
}

void
feedback_log_destroy(struct feedback_log *log)
{
	if (!log)
		return;
	stop(log);
	free(log);
}
