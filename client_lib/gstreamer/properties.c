/*
 * properties.c - what an application sets on the element, and what it may ask.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sink.h"

enum { PROP_0, PROP_FULLSCREEN, PROP_DISPLAY, PROP_DEVICE, PROP_COPIES, PROP_STATS };

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
	HwSink *sink = HW_SINK(object);
	struct hw_screen *screen;

	GST_OBJECT_LOCK(sink);
	switch (id) {
	case PROP_FULLSCREEN:
		sink->fullscreen = g_value_get_boolean(value);
		break;
	case PROP_DISPLAY:
		g_free(sink->display);
		sink->display = g_value_dup_string(value);
		break;
	case PROP_DEVICE:
		g_free(sink->device);
		sink->device = g_value_dup_string(value);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(sink);
	screen = id == PROP_FULLSCREEN ? hw_sink_screen(sink) : NULL;
	if (screen) {
		hw_screen_set_fullscreen(screen, g_value_get_boolean(value));
		hw_screen_unref(screen);
	}
}

/* With the lock: what became of the pictures, and the plan. */
static GstStructure *stats_of(const struct hw_screen *screen)
{
	const struct heapwire_source *source;
	const struct heapwire_plan *plan = &screen->plan;
	const struct hw_counts *counts = &screen->counts;
	GstStructure *stats = gst_structure_new(
		"heapwire", "shown", G_TYPE_UINT64, counts->shown, "dropped", G_TYPE_UINT64,
		counts->dropped, "copies", G_TYPE_UINT64, counts->copies, "copied-bytes",
		G_TYPE_UINT64, counts->copied_bytes, "imported", G_TYPE_UINT64, counts->imported,
		"shared", G_TYPE_BOOLEAN, screen->shared,
		"scanned-out", G_TYPE_BOOLEAN, screen->scanned_out, "plans", G_TYPE_UINT,
		screen->generation, NULL);

	if (screen->has_plan) {
		source = heapwire_client_source(screen->client, &plan->layout.objects[0].source);
		gst_structure_set(stats, "source", G_TYPE_STRING,
				  screen->shared ? "wl_shm"
				  : source	 ? source->name
						 : NULL,
				  "pitch", G_TYPE_UINT, plan->layout.planes[0].pitch, "buffers",
				  G_TYPE_UINT, plan->count, NULL);
	}
	return stats;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	HwSink *sink = HW_SINK(object);
	struct hw_screen *screen = hw_sink_screen(sink);

	GST_OBJECT_LOCK(sink);
	switch (id) {
	case PROP_FULLSCREEN:
		g_value_set_boolean(value, screen ? screen->fullscreen : sink->fullscreen);
		break;
	case PROP_DISPLAY:
		g_value_set_string(value, sink->display);
		break;
	case PROP_DEVICE:
		g_value_set_string(value, sink->device);
		break;
	case PROP_COPIES:
	case PROP_STATS:
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
	GST_OBJECT_UNLOCK(sink);
	if (!screen)
		return;
	g_mutex_lock(&screen->lock);
	if (id == PROP_COPIES)
		g_value_set_uint64(value, screen->counts.copies);
	else if (id == PROP_STATS)
		g_value_take_boxed(value, stats_of(screen));
	g_mutex_unlock(&screen->lock);
	hw_screen_unref(screen);
}

static void install(GObjectClass *objects, guint id, GParamSpec *spec)
{
	g_object_class_install_property(objects, id, spec);
}

void hw_sink_install_properties(GObjectClass *objects)
{
	const GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
	const GParamFlags told = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

	objects->set_property = set_property;
	objects->get_property = get_property;
	install(objects, PROP_FULLSCREEN,
		g_param_spec_boolean("fullscreen", "Fullscreen", "Fill the whole screen", FALSE, both));
	install(objects, PROP_DISPLAY,
		g_param_spec_string("display", "Display",
				    "Socket of the compositor (unset: $WAYLAND_DISPLAY)", NULL, both));
	install(objects, PROP_DEVICE,
		g_param_spec_string("device", "Device",
				    "Camera that fills the buffers (unset: that of a v4l2src that "
				    "imports dma-bufs)",
				    NULL, both));
	install(objects, PROP_COPIES,
		g_param_spec_uint64("copies", "Copies", "Pictures that had to be copied", 0,
				    G_MAXUINT64, 0, told));
	install(objects, PROP_STATS,
		g_param_spec_boxed("stats", "Statistics", "What became of the pictures",
				   GST_TYPE_STRUCTURE, told));
}
