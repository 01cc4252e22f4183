/*
 * What Weston makes of a surface, and telling the plugin when that changes.
 *
 * A surface is watched from the first time that the plugin asks about it.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "module.h"

#define ZERO_COPY 0x8 /* wp_presentation_feedback.kind.zero_copy */

/* What became of a buffer. */
enum fate { FATE_UNKNOWN, FATE_COMPOSITED, FATE_SCANNED_OUT };

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

/* The view of a surface that is on screen. Weston makes one for each surface,
 * but for surfaces that a shell shows twice; then the one on the main output. */
static struct weston_view *
shown_view(struct weston_surface *surface)
{
	struct weston_view *view, *found = NULL;

	wl_list_for_each(view, &surface->views, surface_link) {
		if (!view->is_mapped || view->output_mask == 0)
			continue;
		if (!found || view->output == surface->output)
			found = view;
	}
	return found;
}

static bool
overlap(const pixman_box32_t *a, const pixman_box32_t *b)
{
	return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

static bool
contains(const pixman_box32_t *outer, const pixman_box32_t *inner)
{
	return outer->x1 <= inner->x1 && outer->y1 <= inner->y1 && outer->x2 >= inner->x2 &&
	       outer->y2 >= inner->y2;
}

/* Whether something is shown above a view on its output. The cursor is not
 * counted: it has a plane of its own, or comes and goes with every movement.
 * Without a list of all views nothing is known to be. */
static bool
covered(struct weston_compositor *compositor, struct weston_view *view)
{
#ifdef HAVE_VIEW_LIST
	struct weston_view *above;

	wl_list_for_each(above, &compositor->view_list, link) {
		if (above == view)
			return false;
		if (above->layer_link.layer == &compositor->cursor_layer || above->alpha == 0.0f)
			continue;
		if ((above->output_mask & view->output_mask) != 0 &&
		    overlap(&above->transform.boundingbox.extents,
			    &view->transform.boundingbox.extents))
			return true;
	}
#else
	(void)compositor;
	(void)view;
	(void)overlap;
#endif
	return false;
}

/* What became of a view's buffer in the last repaint, if Weston says so. */
static enum fate
fate_of(const struct module *module, const struct weston_view *view)
{
	if (!module->has_planes)
		return FATE_COMPOSITED;
#ifdef HAVE_PSF_FLAGS
	return view->psf_flags & ZERO_COPY ? FATE_SCANNED_OUT : FATE_COMPOSITED;
#else
	(void)view;
	return FATE_UNKNOWN;
#endif
}

/* Why a view cannot be on a plane, whatever its buffer. */
static enum heapwire_reason
obstacle(struct module *module, struct weston_view *view, struct weston_output *output)
{
	const struct weston_surface *surface = view->surface;
	const unsigned flips = WL_OUTPUT_TRANSFORM_FLIPPED;

	if (fate_of(module, view) == FATE_SCANNED_OUT)
		return HEAPWIRE_REASON_NONE;
	if (output->disable_planes > 0)
		return HEAPWIRE_REASON_NO_PLANE;
	if (view->output_mask != 1u << output->id || view->alpha != 1.0f ||
	    !contains(&view->transform.boundingbox.extents, &output->region.extents) ||
	    covered(module->compositor, view))
		return HEAPWIRE_REASON_NOT_A_CANDIDATE;
	if ((view->transform.enabled && (view->transform.matrix.type & WESTON_MATRIX_TRANSFORM_OTHER)) ||
	    ((output->transform ^ surface->buffer_viewport.buffer.transform) & flips))
		return HEAPWIRE_REASON_TRANSFORM;
	return HEAPWIRE_REASON_NONE;
}

static void
add_output(struct heapwire_surface_state *state, const struct weston_output *output)
{
	const uint32_t room = sizeof state->outputs / sizeof state->outputs[0];
	const struct weston_head *head;
	const char *name = output->name;
	struct heapwire_output *entry;

	if (state->output_count == room)
		return;
	/* Planes are found by the connector, which is what a head is called. */
	if (!wl_list_empty(&output->head_list)) {
		head = wl_container_of(output->head_list.next, head, output_link);
		name = head->name;
	}
	entry = &state->outputs[state->output_count++];
	if (name)
		memcpy(entry->name, name, strnlen(name, sizeof entry->name - 1));
}

static void
measure(struct module *module, struct weston_surface *surface,
	struct heapwire_surface_state *state)
{
	struct weston_compositor *compositor = module->compositor;
	struct weston_output *output, *main_output = surface->output;
	struct weston_view *view = shown_view(surface);
	const pixman_box32_t *box;

	if (!view) {
		/* Weston keeps to itself what a shell will make of a surface that it has
		 * not shown yet. A surface that turns out to be small loses nothing by
		 * memory that could have been scanned out; the other way round it would. */
		if (wl_list_empty(&compositor->output_list))
			return;
		main_output = wl_container_of(compositor->output_list.next, main_output, link);
		add_output(state, main_output);
		state->candidate = main_output->disable_planes == 0;
		state->reason = state->candidate ? HEAPWIRE_REASON_NONE : HEAPWIRE_REASON_NO_PLANE;
		return;
	}
	if (!main_output)
		main_output = view->output;
	if (!main_output)
		return;
	add_output(state, main_output);
	wl_list_for_each(output, &compositor->output_list, link)
		if (output != main_output && (view->output_mask & 1u << output->id))
			add_output(state, output);
	box = &view->transform.boundingbox.extents;
	state->width = (box->x2 - box->x1) * main_output->current_scale;
	state->height = (box->y2 - box->y1) * main_output->current_scale;
	state->reason = obstacle(module, view, main_output);
	state->candidate = state->reason == HEAPWIRE_REASON_NONE;
	state->rotation =
		((main_output->transform - surface->buffer_viewport.buffer.transform) & 3) * 90;
}

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
