/*
 * planning.c - see planning.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "planning.h"

#include <string.h>

#include "camera.h"
#include "picture.h"
#include "shared.h"
#include "xx-dmabuf-negotiation-v1-client-protocol.h"
#include "xx-dmabuf-sources-v1-client-protocol.h"

enum {
	PARTICIPANT = 1,
	HELD = 4,   /* by what is upstream: one that is filled, and queues */
	QUEUED = 2, /* one in the window, one in GstBaseSink's last sample */
	MUST = XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND,
	MOST_NEEDS = 2 * GST_VIDEO_MAX_PLANES + 1,
};

/* -- Answers ---------------------------------------------------------------------------------- */

/* Whether this process can make the buffers of a plan, whose layout is whole. */
static gboolean can_make(const struct heapwire_plan *plan)
{
	guint i;
	for (i = 0; i < plan->layout.n_objects; i++)
		if (!(plan->access[i] & XX_DMABUF_NEGOTIATION_V1_ACCESS_CLIENT))
			return FALSE;
	return plan->kind == XX_DMABUF_NEGOTIATION_V1_LAYOUT_KIND_EXACT && plan->count;
}

static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	struct hw_screen *screen = (struct hw_screen *)data;
	gboolean asked = screen->asking;
	const struct heapwire_plan *plan = NULL;
	size_t i;

	screen->asking = FALSE;
	if (!plans && error->fault == HEAPWIRE_PEER) {
		hw_screen_fail(screen, error->fault, error->text);
		return;
	}
	for (i = 0; plans && !plan && i < plans->n; i++)
		plan = can_make(&plans->plans[i]) ? &plans->plans[i] : NULL;
	if (plan) {
		gboolean other = !screen->has_plan || plan->count != screen->plan.count ||
				 !hw_same_layout(&plan->layout, &screen->plan.layout);
		heapwire_negotiation_use(screen->negotiation, plans->serial, (uint32_t)(i - 1));
		screen->plan = *plan;
		screen->plan.n_constraints = 0;
		screen->plan.constraints = NULL; /* theirs, until the next answer */
		screen->has_plan = TRUE;
		screen->generation += other;
		screen->replanned |= other && !asked;
	} else if (asked) {
		screen->has_plan = FALSE;
		screen->no_plan.fault = HEAPWIRE_NOT_POSSIBLE;
		g_strlcpy(screen->no_plan.text,
			  plans ? "the compositor has plans only for who allocates otherwise"
				: error->text,
			  sizeof screen->no_plan.text);
	} /* Else the buffers that there are go on, as long as the compositor takes them. */
}

void hw_planning_end(struct hw_screen *screen)
{
	heapwire_negotiation_destroy(g_steal_pointer(&screen->negotiation));
	screen->asking = screen->has_plan = screen->replanned = FALSE;
	memset(&screen->asked, 0, sizeof screen->asked);
	g_clear_pointer(&screen->asked_device, g_free);
}

/* -- Questions -------------------------------------------------------------------------------- */

/* Adds a constraint whose value is a number, which `value` keeps; or none, where that is NULL. */
static void need(struct heapwire_set *set, uint32_t type, uint32_t planes, guint64 *value)
{
	const struct heapwire_constraint one = {type, planes, MUST, value ? 8 : 0, value};
	set->constraints[set->n_constraints++] = one;
}

/*
 * Who fills the buffers with the CPU likes them as GStreamer has them without a GstVideoMeta: that
 * is the first set. Whatever rows there are, it can fill too: the second.
 */
static int set_cpu(struct hw_screen *screen, const struct hw_format *format,
		   struct heapwire_error *error)
{
	struct heapwire_pair pair = {format->fourcc, 0, format->modifier};
	struct heapwire_constraint needs[MOST_NEEDS];
	struct heapwire_set sets[2] = {{0, 1, &pair, 0, needs}, {0, 1, &pair, 0, NULL}};
	struct heapwire_participant upstream = {
		PARTICIPANT, XX_DMABUF_NEGOTIATION_V1_USAGE_CPU_WRITE, 0, "GStreamer", 2, sets};
	guint64 pitches[GST_VIDEO_MAX_PLANES];
	guint i, n = MIN(GST_VIDEO_INFO_N_PLANES(&format->info), HEAPWIRE_PLANES);

	for (i = 0; i < n; i++) {
		pitches[i] = (guint64)GST_VIDEO_INFO_PLANE_STRIDE(&format->info, i);
		need(&sets[0], XX_DMABUF_SOURCES_V1_TYPE_MIN_PITCH, 1u << i, &pitches[i]);
		need(&sets[0], XX_DMABUF_SOURCES_V1_TYPE_MAX_PITCH, 1u << i, &pitches[i]);
	}
	if (n > 1)
		need(&sets[0], XX_DMABUF_SOURCES_V1_TYPE_ADJACENT_PLANES, 0, NULL);
	if (format->modifier != HW_LINEAR) { /* no CPU writes these */
		upstream.usage = XX_DMABUF_NEGOTIATION_V1_USAGE_RENDER;
		upstream.n_sets = 1;
		upstream.sets = &sets[1];
	}
	return heapwire_negotiation_set_participant(screen->negotiation, &upstream, error);
}

static int set_camera(struct hw_screen *screen, const struct hw_format *format,
		      struct hw_camera *camera, const char *device, struct heapwire_error *error)
{
	struct heapwire_pair pair = {format->fourcc, 0, format->modifier};
	struct heapwire_constraint needs[MOST_NEEDS];
	struct heapwire_set set = {0, 1, &pair, 0, needs};
	const struct heapwire_participant upstream = {
		PARTICIPANT, XX_DMABUF_NEGOTIATION_V1_USAGE_CAMERA, camera->node, device, 1, &set};

	need(&set, XX_DMABUF_SOURCES_V1_TYPE_MIN_PITCH, 1, &camera->pitch);
	need(&set, XX_DMABUF_SOURCES_V1_TYPE_MAX_PITCH, 1, &camera->pitch);
	need(&set, XX_DMABUF_SOURCES_V1_TYPE_MIN_SIZE, 0, &camera->size);
	if (GST_VIDEO_INFO_N_PLANES(&format->info) > 1) {
		need(&set, XX_DMABUF_SOURCES_V1_TYPE_TIED_PITCH, 0, NULL);
		need(&set, XX_DMABUF_SOURCES_V1_TYPE_ADJACENT_PLANES, 0, NULL);
	}
	need(&set, camera->dirty ? XX_DMABUF_SOURCES_V1_TYPE_DIRTY_LINES
				 : XX_DMABUF_SOURCES_V1_TYPE_CONTIGUOUS, 0, NULL);
	return heapwire_negotiation_set_participant(screen->negotiation, &upstream, error);
}

static uint32_t encoding_of(const GstVideoInfo *info)
{
	switch (info->colorimetry.matrix) {
	case GST_VIDEO_COLOR_MATRIX_RGB:
		return XX_DMABUF_NEGOTIATION_V1_ENCODING_RGB;
	case GST_VIDEO_COLOR_MATRIX_BT709:
		return XX_DMABUF_NEGOTIATION_V1_ENCODING_BT709;
	case GST_VIDEO_COLOR_MATRIX_BT601:
		return XX_DMABUF_NEGOTIATION_V1_ENCODING_BT601;
	case GST_VIDEO_COLOR_MATRIX_BT2020:
		return XX_DMABUF_NEGOTIATION_V1_ENCODING_BT2020;
	default:
		return XX_DMABUF_NEGOTIATION_V1_ENCODING_UNSPECIFIED;
	}
}

static int set_content(struct hw_screen *screen, const GstVideoInfo *info,
		       struct heapwire_error *error)
{
	struct heapwire_content content = {0, 0, encoding_of(info),
					   XX_DMABUF_NEGOTIATION_V1_RANGE_UNSPECIFIED};

	if (GST_VIDEO_INFO_IS_INTERLACED(info))
		content.flags |= XX_DMABUF_NEGOTIATION_V1_CONTENT_FLAG_INTERLACED;
	if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255)
		content.range = XX_DMABUF_NEGOTIATION_V1_RANGE_FULL;
	else if (info->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235)
		content.range = XX_DMABUF_NEGOTIATION_V1_RANGE_LIMITED;
	return heapwire_negotiation_set_content(screen->negotiation, &content, error);
}

static gboolean ask(struct hw_screen *screen, const struct hw_format *format, const char *device,
		    struct heapwire_error *error)
{
	const struct heapwire_extents extents = {(guint)GST_VIDEO_INFO_WIDTH(&format->info),
						 (guint)GST_VIDEO_INFO_HEIGHT(&format->info), 0, 0,
						 0, 0};
	struct hw_camera camera;
	int done;

	if (!screen->negotiation)
		screen->negotiation = heapwire_negotiation_create(screen->client, screen->surface,
								  planned, screen, error);
	if (!screen->negotiation)
		return FALSE;
	if (device && hw_camera_read(&camera, device, format)) {
		screen->brackets = camera.dirty;
		done = set_camera(screen, format, &camera, device, error);
	} else {
		screen->brackets = FALSE;
		done = set_cpu(screen, format, error);
	}
	heapwire_negotiation_set_reasons(screen->negotiation, 1);
	screen->asking = !done &&
			 !heapwire_negotiation_set_extents(screen->negotiation, &extents, error) &&
			 !heapwire_negotiation_set_buffers(screen->negotiation, HELD, QUEUED, error) &&
			 !set_content(screen, &format->info, error) &&
			 !heapwire_negotiation_commit(screen->negotiation, error);
	screen->has_plan = FALSE;
	if (!screen->asking)
		return FALSE;
	screen->asked = *format;
	g_free(screen->asked_device);
	screen->asked_device = g_strdup(device);
	return TRUE;
}

/* There is nobody to ask. */
static gboolean share(struct hw_screen *screen, const struct hw_format *format,
		      struct heapwire_error *error)
{
	screen->has_plan = hw_shared_plan(screen, format, &screen->plan, error);
	screen->generation += screen->has_plan;
	screen->asked = *format;
	g_clear_pointer(&screen->asked_device, g_free);
	return screen->has_plan;
}

static gboolean is_asked(const struct hw_screen *screen, const struct hw_format *format,
			 const char *device)
{
	return (screen->has_plan || screen->asking) && screen->asked.fourcc == format->fourcc &&
	       screen->asked.modifier == format->modifier &&
	       gst_video_info_is_equal(&screen->asked.info, &format->info) &&
	       !g_strcmp0(screen->asked_device, device);
}

gboolean hw_plan(struct hw_screen *screen, const struct hw_format *format, const char *device,
		 struct heapwire_plan *plan, guint *generation, struct heapwire_error *error)
{
	guint interrupts;
	gboolean done;

	memset(error, 0, sizeof *error);
	g_mutex_lock(&screen->lock);
	interrupts = screen->interrupts;
	done = screen->surface && (is_asked(screen, format, device) ||
				   (screen->shared ? share(screen, format, error)
						   : ask(screen, format, device, error)));
	while (done && screen->asking)
		done = hw_screen_wait(screen, interrupts, error);
	if (done && !screen->has_plan) {
		*error = screen->no_plan;
		done = FALSE;
	}
	*plan = screen->plan;
	*generation = screen->generation;
	hw_screen_unlock(screen);
	return done;
}
