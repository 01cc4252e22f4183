/*
 * frames.c - how the element shows a buffer: as it is where that can be, or a copy.
 *
 * SPDX-License-Identifier: MIT
 */
#include "picture.h"
#include "planning.h"
#include "pool.h"
#include "shared.h"
#include "sink.h"
#include "upstream.h"

GST_DEBUG_CATEGORY_EXTERN(heapwire_debug);
#define GST_CAT_DEFAULT heapwire_debug

void hw_sink_post(HwSink *sink, const struct heapwire_error *error)
{
	switch (error->fault) {
	case HEAPWIRE_MACHINE:
		GST_ELEMENT_ERROR(sink, RESOURCE, OPEN_READ_WRITE, ("%s", error->text), (NULL));
		break;
	case HEAPWIRE_PEER:
		GST_ELEMENT_ERROR(sink, RESOURCE, READ, ("%s", error->text), (NULL));
		break;
	case HEAPWIRE_NOT_POSSIBLE:
		GST_ELEMENT_ERROR(sink, RESOURCE, NOT_FOUND, ("%s", error->text), (NULL));
		break;
	default:
		GST_ELEMENT_ERROR(sink, LIBRARY, FAILED, ("%s", error->text), (NULL));
	}
}

/* Once, when it comes to that: pictures in dma-bufs of others may be shown as they are all along. */
static void warn_of_loss(HwSink *sink)
{
	if (!sink->screen->shared || sink->warned)
		return;
	sink->warned = TRUE;
	GST_ELEMENT_WARNING(sink, RESOURCE, NOT_FOUND,
			    (HW_SHARED_LOSS, hw_screen_lacks(sink->screen)), (NULL));
}

GstBufferPool *hw_sink_make_pool(HwSink *sink, const struct hw_format *format,
				 struct heapwire_error *error)
{
	struct heapwire_plan plan;
	gchar *device = NULL;
	guint generation;
	gboolean done;

	GST_OBJECT_LOCK(sink);
	device = g_strdup(sink->device);
	GST_OBJECT_UNLOCK(sink);
	if (!device)
		device = hw_upstream_camera(GST_BASE_SINK_PAD(sink));
	done = hw_plan(sink->screen, format, device, &plan, &generation, error);
	g_free(device);
	if (done)
		warn_of_loss(sink);
	return done ? hw_pool_new(sink->screen, format, &plan, generation, sink->screen->brackets)
		    : NULL;
}

void hw_sink_drop_pool(HwSink *sink)
{
	if (sink->pool && sink->has_activated)
		gst_buffer_pool_set_active(sink->pool, FALSE);
	sink->has_activated = FALSE;
	gst_clear_object(&sink->pool);
}

/*
 * The picture of a buffer in dma-bufs that the compositor reads as they are; else NULL. FALSE if
 * it was not to wait for that.
 */
static gboolean as_it_is(HwSink *sink, GstBuffer *buffer, struct hw_picture **found)
{
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	struct heapwire_layout layout;
	struct hw_picture *picture;
	int fds[HEAPWIRE_PLANES];
	GstMemory *memory;
	guint i;

	*found = NULL;
	if (!hw_layout_of(sink->screen, &layout, fds, buffer, &sink->format))
		return TRUE;
	memory = gst_buffer_peek_memory(buffer, 0);
	picture = hw_picture_of(sink->screen, memory);
	for (i = 0; picture && i < layout.n_objects && i < picture->layout.n_objects; i++)
		layout.objects[i].source = picture->layout.objects[i].source;
	if (picture) { /* the allocation may be larger than what was asked for, and has room for more */
		layout.width = picture->layout.width;
		layout.height = picture->layout.height;
	}
	if (!picture || !hw_same_layout(&layout, &picture->layout)) {
		layout.width = (uint32_t)GST_VIDEO_INFO_WIDTH(&sink->format.info);
		layout.height = (uint32_t)GST_VIDEO_INFO_HEIGHT(&sink->format.info);
		picture = hw_picture_import(sink->screen, memory, &layout, layout.width,
					    layout.height, fds, &error);
		if (!picture && !error.fault)
			return FALSE;
		if (picture && !picture->proxy)
			GST_INFO_OBJECT(sink, "%s: it is copied", picture->refused.text);
	}
	if (!picture || !picture->proxy)
		return TRUE;
	if (!picture->negotiated) {
		g_mutex_lock(&sink->screen->lock);
		sink->screen->counts.imported++;
		g_mutex_unlock(&sink->screen->lock);
	}
	*found = picture;
	return TRUE;
}

/* A pool for copies; FALSE with the error. */
static gboolean ready_pool(HwSink *sink, struct heapwire_error *error)
{
	gboolean is_of_plan, done;
	GstStructure *config;

	if (sink->pool) {
		g_mutex_lock(&sink->screen->lock);
		is_of_plan = hw_pool_generation(HW_POOL(sink->pool)) == sink->screen->generation;
		g_mutex_unlock(&sink->screen->lock);
		if (is_of_plan)
			return TRUE;
		hw_sink_drop_pool(sink);
	}
	sink->pool = hw_sink_make_pool(sink, &sink->format, error);
	if (!sink->pool)
		return FALSE;
	config = gst_buffer_pool_get_config(sink->pool);
	gst_buffer_pool_config_set_params(config, sink->caps,
					  (guint)hw_pool_size(HW_POOL(sink->pool)), 0,
					  hw_pool_count(HW_POOL(sink->pool)));
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	done = gst_buffer_pool_set_config(sink->pool, config) &&
	       gst_buffer_pool_set_active(sink->pool, TRUE);
	sink->has_activated = done;
	if (!done)
		hw_sink_drop_pool(sink); /* it has said why */
	return done;
}

static gboolean copy(HwSink *sink, GstBuffer *to, GstBuffer *from)
{
	GstVideoFrame source, target;
	gboolean done;

	if (!gst_video_frame_map(&source, &sink->format.info, from, GST_MAP_READ))
		return FALSE;
	done = gst_video_frame_map(&target, &sink->format.info, to, GST_MAP_WRITE);
	if (done) {
		done = gst_video_frame_copy(&target, &source);
		gst_video_frame_unmap(&target);
	}
	gst_video_frame_unmap(&source);
	return done;
}

/* Copies a picture into a negotiated buffer. Where none is free, it is dropped, as if it was late. */
static GstFlowReturn show_copy(HwSink *sink, GstBuffer *from)
{
	GstBufferPoolAcquireParams now = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	GstFlowReturn flow = GST_FLOW_OK;
	struct hw_picture *picture;
	GstBuffer *to = NULL;

	if (!ready_pool(sink, &error)) {
		if (!error.fault)
			return GST_FLOW_FLUSHING;
		hw_sink_post(sink, &error);
		return GST_FLOW_ERROR;
	}
	flow = gst_buffer_pool_acquire_buffer(sink->pool, &to, &now);
	if (flow == GST_FLOW_EOS) { /* all of them are on the screen, or on their way */
		g_mutex_lock(&sink->screen->lock);
		sink->screen->counts.dropped++;
		g_mutex_unlock(&sink->screen->lock);
		return GST_FLOW_OK;
	}
	if (flow != GST_FLOW_OK)
		return flow; /* the pool has said why */
	picture = hw_picture_of(sink->screen, gst_buffer_peek_memory(to, 0));
	if (!picture || !copy(sink, to, from)) {
		gst_buffer_unref(to);
		GST_ELEMENT_ERROR(sink, STREAM, FORMAT, ("a picture cannot be copied"),
				  ("%" GST_PTR_FORMAT, sink->caps));
		return GST_FLOW_ERROR;
	}
	g_mutex_lock(&sink->screen->lock);
	sink->screen->counts.copies++;
	sink->screen->counts.copied_bytes += GST_VIDEO_INFO_SIZE(&sink->format.info);
	g_mutex_unlock(&sink->screen->lock);
	hw_screen_show(sink->screen, picture, to);
	gst_buffer_unref(to);
	return GST_FLOW_OK;
}

static GstFlowReturn show(HwSink *sink, GstBuffer *buffer)
{
	struct hw_picture *picture;

	if (!as_it_is(sink, buffer, &picture))
		return GST_FLOW_FLUSHING;
	if (!picture)
		return show_copy(sink, buffer);
	hw_screen_show(sink->screen, picture, buffer);
	return GST_FLOW_OK;
}

GstFlowReturn hw_sink_show(GstVideoSink *base, GstBuffer *buffer)
{
	HwSink *sink = HW_SINK(base);
	GstFlowReturn flow;
	gboolean over;

	g_mutex_lock(&sink->screen->lock);
	over = sink->screen->failed.fault != HEAPWIRE_NO_FAULT;
	g_mutex_unlock(&sink->screen->lock);
	if (over)
		return GST_FLOW_ERROR; /* it has been said why */
	do {
		hw_screen_set_showing(sink->screen, TRUE);
		flow = show(sink, buffer);
		hw_screen_set_showing(sink->screen, FALSE);
		/* Interrupted: whoever did that waits for the lock, and then says whether to go on. */
	} while (flow == GST_FLOW_FLUSHING &&
		 (flow = gst_base_sink_wait_preroll(GST_BASE_SINK(sink))) == GST_FLOW_OK);
	return flow;
}
