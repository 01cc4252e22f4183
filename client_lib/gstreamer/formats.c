/*
 * formats.c - see formats.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "formats.h"

#if HW_HAS_DRM_CAPS
#include <gst/allocators/allocators.h>
#endif

/* In the order in which they are wished: the fewest bytes that lose nothing first. */
static const struct {
	GstVideoFormat format;
	guint32 fourcc; /* drm_fourcc.h; both name the same bytes in memory */
} formats[] = {
	{GST_VIDEO_FORMAT_NV12, HW_FOURCC('N', 'V', '1', '2')},
	{GST_VIDEO_FORMAT_I420, HW_FOURCC('Y', 'U', '1', '2')},
	{GST_VIDEO_FORMAT_YV12, HW_FOURCC('Y', 'V', '1', '2')},
	{GST_VIDEO_FORMAT_NV21, HW_FOURCC('N', 'V', '2', '1')},
	{GST_VIDEO_FORMAT_P010_10LE, HW_FOURCC('P', '0', '1', '0')},
	{GST_VIDEO_FORMAT_YUY2, HW_FOURCC('Y', 'U', 'Y', 'V')},
	{GST_VIDEO_FORMAT_UYVY, HW_FOURCC('U', 'Y', 'V', 'Y')},
	{GST_VIDEO_FORMAT_NV16, HW_FOURCC('N', 'V', '1', '6')},
	{GST_VIDEO_FORMAT_Y42B, HW_FOURCC('Y', 'U', '1', '6')},
	{GST_VIDEO_FORMAT_Y444, HW_FOURCC('Y', 'U', '2', '4')},
	{GST_VIDEO_FORMAT_RGB16, HW_FOURCC('R', 'G', '1', '6')},
	{GST_VIDEO_FORMAT_BGR, HW_FOURCC('R', 'G', '2', '4')},
	{GST_VIDEO_FORMAT_RGB, HW_FOURCC('B', 'G', '2', '4')},
	{GST_VIDEO_FORMAT_BGRx, HW_FOURCC('X', 'R', '2', '4')},
	{GST_VIDEO_FORMAT_RGBx, HW_FOURCC('X', 'B', '2', '4')},
	{GST_VIDEO_FORMAT_BGRA, HW_FOURCC('A', 'R', '2', '4')},
	{GST_VIDEO_FORMAT_RGBA, HW_FOURCC('A', 'B', '2', '4')},
};

static gboolean has_pair(const struct heapwire_pair *pairs, guint n, guint32 fourcc)
{
	guint i;
	for (i = 0; i < n; i++)
		if (pairs[i].fourcc == fourcc &&
		    (pairs[i].modifier == HW_LINEAR || pairs[i].modifier == HW_INVALID))
			return TRUE;
	return FALSE;
}

static void add_size_and_rate(GstStructure *structure)
{
	gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, 65535, "height",
			  GST_TYPE_INT_RANGE, 1, 65535, "framerate", GST_TYPE_FRACTION_RANGE, 0, 1,
			  G_MAXINT, 1, NULL);
}

static void add_format(GValue *list, const gchar *name)
{
	GValue value = G_VALUE_INIT;
	g_value_init(&value, G_TYPE_STRING);
	g_value_set_string(&value, name);
	gst_value_list_append_and_take_value(list, &value);
}

/* Rows, in memory of any kind; with `all`, those that no compositor was asked about. */
static GstStructure *rows(const struct heapwire_pair *pairs, guint n, gboolean all)
{
	GstStructure *structure = gst_structure_new_empty("video/x-raw");
	GValue list = G_VALUE_INIT;
	guint i, found = 0;

	g_value_init(&list, GST_TYPE_LIST);
	for (i = 0; i < G_N_ELEMENTS(formats); i++)
		if (all || has_pair(pairs, n, formats[i].fourcc)) {
			add_format(&list, gst_video_format_to_string(formats[i].format));
			found++;
		}
	gst_structure_take_value(structure, "format", &list);
	add_size_and_rate(structure);
	if (!found)
		g_clear_pointer(&structure, gst_structure_free);
	return structure;
}

#if HW_HAS_DRM_CAPS
/* Pairs with a modifier that the caps say, in dma-bufs alone. */
static void append_drm(GstCaps *caps, const struct heapwire_pair *pairs, guint n)
{
	GstStructure *structure = gst_structure_new("video/x-raw", "format", G_TYPE_STRING,
						    "DMA_DRM", NULL);
	GValue list = G_VALUE_INIT;
	guint i;

	g_value_init(&list, GST_TYPE_LIST);
	for (i = 0; i < n; i++) {
		gchar *name = pairs[i].modifier == HW_INVALID
				      ? NULL
				      : gst_video_dma_drm_fourcc_to_string(pairs[i].fourcc,
									   pairs[i].modifier);
		if (name)
			add_format(&list, name);
		g_free(name);
	}
	if (n)
		gst_structure_set_value(structure, "drm-format", &list);
	g_value_unset(&list);
	add_size_and_rate(structure);
	gst_caps_append_structure_full(
		caps, structure, gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, NULL));
}
#endif

GstCaps *hw_all_caps(void)
{
	GstCaps *caps = gst_caps_new_empty();
#if HW_HAS_DRM_CAPS
	append_drm(caps, NULL, 0);
#endif
	gst_caps_append_structure(caps, rows(NULL, 0, TRUE));
	return caps;
}

GstCaps *hw_caps_of(const struct heapwire_pair *pairs, guint n)
{
	GstCaps *caps = gst_caps_new_empty();
	GstStructure *structure = rows(pairs, n, FALSE);
#if HW_HAS_DRM_CAPS
	if (n)
		append_drm(caps, pairs, n);
#endif
	if (structure)
		gst_caps_append_structure(caps, structure);
	return caps;
}

gboolean hw_is_rgb(uint32_t fourcc)
{
	guint i;

	for (i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].fourcc == fourcc)
			return GST_VIDEO_FORMAT_INFO_IS_RGB(
				gst_video_format_get_info(formats[i].format));
	return FALSE;
}

gboolean hw_format_read(struct hw_format *format, GstCaps *caps)
{
	guint i;

#if HW_HAS_DRM_CAPS
	if (gst_video_is_dma_drm_caps(caps)) {
		GstVideoInfoDmaDrm drm;
		if (!gst_video_info_dma_drm_from_caps(&drm, caps))
			return FALSE;
		format->info = drm.vinfo;
		format->fourcc = drm.drm_fourcc;
		format->modifier = drm.drm_modifier;
		return TRUE;
	}
#endif
	if (!gst_video_info_from_caps(&format->info, caps))
		return FALSE;
	format->modifier = HW_LINEAR;
	for (i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].format == GST_VIDEO_INFO_FORMAT(&format->info)) {
			format->fourcc = formats[i].fourcc;
			return TRUE;
		}
	return FALSE;
}

gboolean hw_is_usual(const struct hw_format *format, const struct heapwire_layout *layout)
{
	gsize offsets[GST_VIDEO_MAX_PLANES];
	gint strides[GST_VIDEO_MAX_PLANES];
	guint i;

	if (GST_VIDEO_INFO_N_PLANES(&format->info) != layout->n_planes)
		return FALSE;
	hw_meta_of(layout, offsets, strides);
	for (i = 0; i < layout->n_planes; i++)
		if (offsets[i] != GST_VIDEO_INFO_PLANE_OFFSET(&format->info, i) ||
		    strides[i] != GST_VIDEO_INFO_PLANE_STRIDE(&format->info, i))
			return FALSE;
	return TRUE;
}

void hw_meta_of(const struct heapwire_layout *layout, gsize *offsets, gint *strides)
{
	guint i, object;

	for (i = 0; i < layout->n_planes; i++) {
		offsets[i] = layout->planes[i].offset;
		for (object = 0; object < layout->planes[i].object; object++)
			offsets[i] += layout->objects[object].size;
		strides[i] = (gint)layout->planes[i].pitch;
	}
}
