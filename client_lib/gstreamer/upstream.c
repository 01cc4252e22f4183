/*
 * upstream.c - see upstream.h. The ALLOCATION query does not say who asks, so the pads are followed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "upstream.h"

#include <gst/base/gstbasetransform.h>

static gboolean is_importing(GstElement *element)
{
	GParamSpec *mode = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "io-mode");
	GEnumValue *chosen = NULL;
	gint value = 0;

	if (mode && G_IS_PARAM_SPEC_ENUM(mode)) {
		g_object_get(element, "io-mode", &value, NULL);
		chosen = g_enum_get_value(G_PARAM_SPEC_ENUM(mode)->enum_class, value);
	}
	return chosen && !g_strcmp0(chosen->value_nick, "dmabuf-import");
}

static gchar *device_of(GstElement *element)
{
	GParamSpec *device = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "device");
	gchar *path = NULL;

	if (device && G_IS_PARAM_SPEC_STRING(device) && is_importing(element))
		g_object_get(element, "device", &path, NULL);
	return path;
}

/* The sink pad of an element that hands on the very buffers that come in; NULL for any other. */
static GstPad *input_of(GstElement *element)
{
	static const gchar *const passing[] = {"capsfilter", "identity", "queue", "queue2"};
	GstElementFactory *factory = gst_element_get_factory(element);
	gboolean passes = GST_IS_BASE_TRANSFORM(element) &&
			  gst_base_transform_is_passthrough(GST_BASE_TRANSFORM(element));
	guint i;

	/* A capsfilter works in place, and so is not said to pass anything through. */
	for (i = 0; factory && i < G_N_ELEMENTS(passing); i++)
		passes |= !g_strcmp0(GST_OBJECT_NAME(factory), passing[i]);
	return passes ? gst_element_get_static_pad(element, "sink") : NULL;
}

gchar *hw_upstream_camera(GstPad *sink)
{
	GstPad *pad = GST_PAD(gst_object_ref(sink)), *peer;
	gchar *device = NULL;

	while (pad) {
		GstElement *element = NULL;

		peer = gst_pad_get_peer(pad);
		gst_clear_object(&pad);
		if (peer)
			element = gst_pad_get_parent_element(peer);
		if (element) {
			device = device_of(element);
			pad = device ? NULL : input_of(element);
			gst_object_unref(element);
		}
		gst_clear_object(&peer);
	}
	return device;
}
