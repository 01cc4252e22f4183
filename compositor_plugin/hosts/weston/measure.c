/*
 * What Weston makes of a surface now, read from its public structs.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#include <string.h>

#include "module.h"

#define ZERO_COPY 0x8 /* wp_presentation_feedback.kind.zero_copy */

/* The view of a surface that is on screen. Weston makes one for each surface,
 * but for surfaces that a shell shows twice; then the one on the main output. */
struct weston_view *
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
enum fate
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

void
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
	/* What a viewport cuts off does not count, and how much that is nobody can be told. */
	if (surface->buffer_viewport.buffer.src_width == wl_fixed_from_int(-1)) {
		box = &view->transform.boundingbox.extents;
		state->width = (box->x2 - box->x1) * main_output->current_scale;
		state->height = (box->y2 - box->y1) * main_output->current_scale;
	}
	state->reason = obstacle(module, view, main_output);
	state->candidate = state->reason == HEAPWIRE_REASON_NONE;
	state->rotation =
		((main_output->transform - surface->buffer_viewport.buffer.transform) & 3) * 90;
}
