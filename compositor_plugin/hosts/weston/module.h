/*
 * The Weston module's own declarations: what its files share.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_WESTON_MODULE_H
#define HEAPWIRE_WESTON_MODULE_H

#include <stdbool.h>

#include <libweston/libweston.h>

#include "heapwire.h"

struct module {
	struct heapwire_host host;
	struct heapwire *heapwire;
	struct weston_compositor *compositor;
	struct wl_event_source *idle;
	struct weston_log_scope *scope; /* "heapwire" in weston-debug */
	unsigned listeners;             /* subscriptions of it */
	bool has_planes; /* the backend drives KMS */

	struct wl_list watches; /* watch.link */
	struct wl_list outputs; /* watched_output.link */

	struct wl_listener compositor_destroyed;
	struct wl_listener output_created;
	struct wl_listener output_moved;
	struct wl_listener output_resized;

	char *platform;
	char *log_level;
	char *python;
	char *policy;
};

/* What became of a buffer. */
enum fate { FATE_UNKNOWN, FATE_COMPOSITED, FATE_SCANNED_OUT };

/* What a surface is now (measure.c). */
struct weston_view *shown_view(struct weston_surface *surface);
enum fate fate_of(const struct module *module, const struct weston_view *view);
void measure(struct module *module, struct weston_surface *surface,
	     struct heapwire_surface_state *state);

/* Surfaces whose state was asked for (surface.c). */
int surface_state(void *data, struct wl_resource *resource, struct heapwire_surface_state *state);
void compare_surfaces(struct module *module);
void unwatch_surfaces(struct module *module);

#endif
