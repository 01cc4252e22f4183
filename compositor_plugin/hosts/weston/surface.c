/*
 * Watching surfaces, and telling the plugin when what Weston makes of them changes.
 *
 * A surface is watched from the first time that the plugin asks about it.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "module.h"

#define REMEMBERED 8     /* buffers of a surface; a player goes round with three to six */
#define REPEAT_AFTER 128 /* repaints; a client may have tagged the buffer anew since */

/* A buffer and what was last told of it. */
struct shown_buffer {
	struct wl_resource *resource; /* NULL: the entry is free */
	struct wl_listener destroyed;
	enum fate fate; /* unknown: nothing was told yet */
	enum heapwire_reason reason;
	uint32_t repaints; /* since it was told */
	bool due;
};

struct watch {
	struct wl_list link; /* module.watches */
	struct module *module;
	struct weston_surface *surface;
	struct wl_listener destroyed;
	struct wl_listener committed;
	struct heapwire_surface_state told;
	bool state_due;
	struct shown_buffer buffers[REMEMBERED];
	struct shown_buffer *current; /* of the last commit that had a buffer */
	unsigned oldest;              /* the next of `buffers` to be forgotten */
};

/* Tell one thing that is due; whether there was one. */
static bool
tell_one(struct watch *watch)
{
	struct heapwire *heapwire = watch->module->heapwire;

	if (watch->state_due) {
		watch->state_due = false;
		heapwire_surface_changed(heapwire, watch->surface->resource);
		return true;
	}
	for (unsigned i = 0; i < REMEMBERED; i++) {
		struct shown_buffer *buffer = &watch->buffers[i];

		if (buffer->resource && buffer->due) {
			buffer->due = false;
			heapwire_buffer_shown(heapwire, buffer->resource,
					      buffer->fate == FATE_SCANNED_OUT, buffer->reason);
			return true;
		}
	}
	return false;
}

static void
tell(void *data)
{
	struct module *module = data;
	struct watch *watch;

	module->idle = NULL;
	/* A call may end a client, and with it any number of watches: start over after
	 * each. What was told is no longer due, so this ends. */
restart:
	wl_list_for_each(watch, &module->watches, link)
		if (tell_one(watch))
			goto restart;
}

static void
tell_soon(struct module *module)
{
	if (module->idle)
		return;
	module->idle = wl_event_loop_add_idle(
		wl_display_get_event_loop(module->compositor->wl_display), tell, module);
}

static void
forget_buffer(struct shown_buffer *buffer)
{
	wl_list_remove(&buffer->destroyed.link);
	*buffer = (struct shown_buffer){0};
	wl_list_init(&buffer->destroyed.link);
}

static void
buffer_destroyed(struct wl_listener *listener, void *data)
{
	struct shown_buffer *buffer = wl_container_of(listener, buffer, destroyed);

	(void)data;
	forget_buffer(buffer); /* `current` may point to it: an entry without a buffer */
}

static struct shown_buffer *
remember_buffer(struct watch *watch, struct wl_resource *resource)
{
	struct shown_buffer *buffer;

	for (unsigned i = 0; i < REMEMBERED; i++)
		if (watch->buffers[i].resource == resource)
			return &watch->buffers[i];
	buffer = &watch->buffers[watch->oldest];
	watch->oldest = (watch->oldest + 1) % REMEMBERED;
	forget_buffer(buffer);
	buffer->resource = resource;
	buffer->destroyed.notify = buffer_destroyed;
	wl_resource_add_destroy_listener(resource, &buffer->destroyed);
	return buffer;
}

/* Weston lets go of a buffer of shared memory once it has been uploaded, so what a
 * surface shows is remembered from the commit. */
static void
surface_committed(struct wl_listener *listener, void *data)
{
	struct watch *watch = wl_container_of(listener, watch, committed);
	const struct weston_buffer *buffer = watch->surface->buffer_ref.buffer;

	(void)data;
	if (buffer && buffer->resource)
		watch->current = remember_buffer(watch, buffer->resource);
}

/* Why a view was composited, as far as it can be known. */
static enum heapwire_reason
composited_because(const struct module *module, const struct heapwire_surface_state *state)
{
	if (!module->has_planes)
		return HEAPWIRE_REASON_NO_PLANE;
	if (!state->candidate)
		return (enum heapwire_reason)state->reason;
	return HEAPWIRE_REASON_UNKNOWN;
}

static void
compare_buffer(struct watch *watch, struct weston_view *view,
	       const struct heapwire_surface_state *state)
{
	const enum fate fate = fate_of(watch->module, view);
	struct shown_buffer *buffer = watch->current;
	enum heapwire_reason reason = HEAPWIRE_REASON_NONE;

	if (fate == FATE_UNKNOWN)
		return; /* whatever were told would be a guess */
	if (fate == FATE_COMPOSITED)
		reason = composited_because(watch->module, state);
	if (buffer->fate == fate && buffer->reason == reason && ++buffer->repaints < REPEAT_AFTER)
		return;
	buffer->fate = fate;
	buffer->reason = reason;
	buffer->repaints = 0;
	buffer->due = true;
	tell_soon(watch->module);
}

/* Compare what a surface is with what was told. */
static void
compare(struct watch *watch)
{
	struct weston_view *view = shown_view(watch->surface);
	struct heapwire_surface_state state = {.size = sizeof state};

	measure(watch->module, watch->surface, &state);
	if (memcmp(&state, &watch->told, sizeof state) != 0) {
		watch->told = state;
		watch->state_due = true;
		tell_soon(watch->module);
	}
	if (view && watch->current && watch->current->resource)
		compare_buffer(watch, view, &state);
}

void
compare_surfaces(struct module *module)
{
	struct watch *watch;

	wl_list_for_each(watch, &module->watches, link)
		compare(watch);
}

static void
unwatch(struct watch *watch)
{
	for (unsigned i = 0; i < REMEMBERED; i++)
		forget_buffer(&watch->buffers[i]);
	wl_list_remove(&watch->committed.link);
	wl_list_remove(&watch->destroyed.link);
	wl_list_remove(&watch->link);
	free(watch);
}

static void
surface_destroyed(struct wl_listener *listener, void *data)
{
	struct watch *watch = wl_container_of(listener, watch, destroyed);

	(void)data;
	unwatch(watch);
}

static struct watch *
watch_surface(struct module *module, struct weston_surface *surface)
{
	struct wl_listener *known =
		wl_resource_get_destroy_listener(surface->resource, surface_destroyed);
	struct watch *watch;

	if (known)
		return wl_container_of(known, watch, destroyed);
	watch = calloc(1, sizeof *watch);
	if (!watch)
		return NULL;
	watch->module = module;
	watch->surface = surface;
	/* Of the resource, not of the surface: Weston's surface may outlive it. */
	watch->destroyed.notify = surface_destroyed;
	wl_resource_add_destroy_listener(surface->resource, &watch->destroyed);
	watch->committed.notify = surface_committed;
	wl_signal_add(&surface->commit_signal, &watch->committed);
	for (unsigned i = 0; i < REMEMBERED; i++)
		wl_list_init(&watch->buffers[i].destroyed.link);
	wl_list_insert(&module->watches, &watch->link);
	surface_committed(&watch->committed, NULL);
	return watch;
}

int
surface_state(void *data, struct wl_resource *resource, struct heapwire_surface_state *state)
{
	struct module *module = data;
	struct weston_surface *surface = wl_resource_get_user_data(resource);
	struct heapwire_surface_state told = {.size = sizeof told};
	struct watch *watch;

	if (!surface || !surface->resource)
		return -1;
	measure(module, surface, &told);
	watch = watch_surface(module, surface);
	if (watch)
		watch->told = told;
	told.size = state->size;
	memcpy(state, &told, state->size < sizeof told ? state->size : sizeof told);
	return 0;
}

void
unwatch_surfaces(struct module *module)
{
	struct watch *watch, *next;

	wl_list_for_each_safe(watch, next, &module->watches, link)
		unwatch(watch);
}
