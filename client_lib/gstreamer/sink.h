/*
 * sink.h - the element, as its own files know it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_SINK_H
#define HEAPWIRE_GST_SINK_H

#include <gst/video/gstvideosink.h>

#include "screen.h"

#define HW_TYPE_SINK (hw_sink_get_type())
G_DECLARE_FINAL_TYPE(HwSink, hw_sink, HW, SINK, GstVideoSink)

struct _HwSink {
	GstVideoSink parent;
	/* With the object's lock, as applications have them. */
	gchar *display;
	gchar *device;
	gboolean fullscreen;
	struct hw_screen *screen; /* from READY on */
	/* Of the streaming thread. */
	GstCaps *caps;
	struct hw_format format;
	GstBufferPool *pool; /* for copies */
	gboolean has_activated;
	gboolean warned; /* of what is lost through wl_shm */
	GstBuffer *prerolled; /* shown, and about to come again; no reference */
};

void hw_sink_install_properties(GObjectClass *objects);

/* The screen with a reference; NULL below READY. */
struct hw_screen *hw_sink_screen(HwSink *sink);

/* Says on the bus what went wrong. Whose fault it is decides what a person can do about it. */
void hw_sink_post(HwSink *sink, const struct heapwire_error *error);

/* A pool by the plan for a format; NULL with the error, without a fault if it was interrupted. */
GstBufferPool *hw_sink_make_pool(HwSink *sink, const struct hw_format *format,
				 struct heapwire_error *error);
/* Ends the pool for copies. */
void hw_sink_drop_pool(HwSink *sink);

/* Shows a picture: as it is, or a copy. */
GstFlowReturn hw_sink_show(GstVideoSink *base, GstBuffer *buffer);

#endif
