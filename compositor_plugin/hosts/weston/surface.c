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

/* What became of the buffer that a surface shows. */
struct outcome {
	struct wl_resource *buffer;
	uint32_t scanned_out;
	uint32_t reason;
};

struct watch {
	struct wl_list link; /* module.watches */
	struct module *module;
	struct weston_surface *surface;
	struct wl_listener destroyed;
	struct wl_listener committed;
	struct wl_resource *buffer; /* of the last commit that had one */
	struct wl_listener buffer_destroyed;
	struct heapwire_surface_state told;
	struct outcome outcome;
	bool state_due;
	bool outcome_due;
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
 * counted: it has a plane of its own, or comes and goes with every movement. */
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

static bool
scanned_out(const struct weston_view *view)
{
#ifdef HAVE_PSF_FLAGS
	return view && (view->psf_flags & ZERO_COPY) != 0;
#else
	(void)view;
	return false;
#endif
}

/* Why a view cannot be on a plane, whatever its buffer. */
static enum heapwire_reason
obstacle(struct module *module, struct weston_view *view, struct weston_output *output)
{
	const struct weston_surface *surface = view->surface;
	const unsigned flips = WL_OUTPUT_TRANSFORM_FLIPPED;

	if (scanned_out(view))
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

static void
tell(void *data)
{
	struct module *module = data;
	struct watch *watch;

	module->idle = NULL;
	/* The calls may end a client, and with it any number of watches: start over
	 * after each. A watch that was told is no longer due, so this ends. */
restart:
	wl_list_for_each(watch, &module->watches, link) {
		if (watch->state_due) {
			watch->state_due = false;
			heapwire_surface_changed(module->heapwire, watch->surface->resource);
			goto restart;
		}
		if (watch->outcome_due) {
			watch->outcome_due = false;
			heapwire_buffer_shown(module->heapwire, watch->outcome.buffer,
					      (int)watch->outcome.scanned_out,
					      (enum heapwire_reason)watch->outcome.reason);
			goto restart;
		}
	}
}

static void
tell_soon(struct module *module)
{
	if (module->idle)
		return;
	module->idle = wl_event_loop_add_idle(
		wl_display_get_event_loop(module->compositor->wl_display), tell, module);
}

/* Weston lets go of a buffer of shared memory once it has been uploaded, so what a
 * surface shows is remembered from the commit. */
static void
show_buffer(struct watch *watch, struct wl_resource *buffer)
{
	wl_list_remove(&watch->buffer_destroyed.link);
	wl_list_init(&watch->buffer_destroyed.link);
	watch->buffer = buffer;
	if (buffer)
		wl_resource_add_destroy_listener(buffer, &watch->buffer_destroyed);
}

static void
buffer_destroyed(struct wl_listener *listener, void *data)
{
	struct watch *watch = wl_container_of(listener, watch, buffer_destroyed);

	(void)data;
	show_buffer(watch, NULL);
	watch->outcome = (struct outcome){0};
	watch->outcome_due = false;
}

static void
surface_committed(struct wl_listener *listener, void *data)
{
	struct watch *watch = wl_container_of(listener, watch, committed);
	const struct weston_buffer *buffer = watch->surface->buffer_ref.buffer;

	(void)data;
	if (buffer && buffer->resource && buffer->resource != watch->buffer)
		show_buffer(watch, buffer->resource);
}

/* Compare what a surface is with what was told. */
static void
compare(struct watch *watch)
{
	struct module *module = watch->module;
	struct weston_surface *surface = watch->surface;
	struct weston_view *view = shown_view(surface);
	struct heapwire_surface_state state = {.size = sizeof state};
	struct outcome outcome = {0};

	measure(module, surface, &state);
	if (memcmp(&state, &watch->told, sizeof state) != 0) {
		watch->told = state;
		watch->state_due = true;
	}
	if (view && watch->buffer) {
		outcome.buffer = watch->buffer;
		outcome.scanned_out = scanned_out(view);
		if (outcome.scanned_out)
			outcome.reason = HEAPWIRE_REASON_NONE;
		else if (!module->has_planes)
			outcome.reason = HEAPWIRE_REASON_NO_PLANE;
		else if (!state.candidate)
			outcome.reason = state.reason;
		else
			outcome.reason = HEAPWIRE_REASON_UNKNOWN;
		if (memcmp(&outcome, &watch->outcome, sizeof outcome) != 0) {
			watch->outcome = outcome;
			watch->outcome_due = true;
		}
	}
	if (watch->state_due || watch->outcome_due)
		tell_soon(module);
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
	wl_list_remove(&watch->buffer_destroyed.link);
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
	struct watch *watch;

	wl_list_for_each(watch, &module->watches, link)
		if (watch->surface == surface)
			return watch;
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
	watch->buffer_destroyed.notify = buffer_destroyed;
	wl_list_init(&watch->buffer_destroyed.link);
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
