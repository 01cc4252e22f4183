/*
 * formats.h - pixel formats by both names, and where a picture's planes are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_FORMATS_H
#define HEAPWIRE_GST_FORMATS_H

#include <gst/video/video.h>

#include "heapwire-client.h"

#if GST_CHECK_VERSION(1, 24, 0)
#define HW_HAS_DRM_CAPS 1 /* drm-format in caps, which says the modifier */
#else
#define HW_HAS_DRM_CAPS 0
#endif

#define HW_LINEAR ((uint64_t)0)	     /* DRM_FORMAT_MOD_LINEAR */
#define HW_INVALID (((uint64_t)1 << 56) - 1) /* DRM_FORMAT_MOD_INVALID: the driver knows it */

#define HW_FOURCC(a, b, c, d)                                                                       \
	((guint32)(a) | (guint32)(b) << 8 | (guint32)(c) << 16 | (guint32)(d) << 24)
#define HW_XRGB8888 HW_FOURCC('X', 'R', '2', '4')
#define HW_ARGB8888 HW_FOURCC('A', 'R', '2', '4')

/* What caps say of pictures. */
struct hw_format {
	GstVideoInfo info; /* of DMA_DRM caps: with the size, and without a layout */
	uint32_t fourcc;
	uint64_t modifier;
};

/* All that can be shown anywhere, and, with pairs, what a compositor imports of it. */
GstCaps *hw_all_caps(void);
GstCaps *hw_caps_of(const struct heapwire_pair *pairs, guint n);

/* Whether a format that there are caps for is RGB. */
gboolean hw_is_rgb(uint32_t fourcc);

/* Reads fixed caps; FALSE for those that are not of this element. */
gboolean hw_format_read(struct hw_format *format, GstCaps *caps);

/* Whether planes are just where GStreamer has them without a GstVideoMeta. */
gboolean hw_is_usual(const struct hw_format *format, const struct heapwire_layout *layout);

/* Offsets of planes as GstVideoMeta counts: through all memories as if they were one. */
void hw_meta_of(const struct heapwire_layout *layout, gsize *offsets, gint *strides);

#endif
