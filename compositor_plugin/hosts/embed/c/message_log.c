/*
 * A protocol logger that ends with its display. See message_log.h.
 *
 * SPDX-License-Identifier: MIT
 */

#include "message_log.h"

void
message_log_stop(struct message_log *log)
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
	struct message_log *log = wl_container_of(listener, log, display_destroyed);

	(void)data;
	message_log_stop(log);
}

int
message_log_start(struct message_log *log, struct wl_display *display,
		  wl_protocol_logger_func_t heard, void *data)
{
	if (log->logger)
		return 0;
	log->logger = wl_display_add_protocol_logger(display, heard, data);
	if (!log->logger)
		return -1;
	log->display_destroyed.notify = display_destroyed;
	wl_display_add_destroy_listener(display, &log->display_destroyed);
	return 0;
}
