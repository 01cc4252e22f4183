/*
 * camera.h - what a V4L2 camera that is to fill other people's buffers requires of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_CAMERA_H
#define HEAPWIRE_GST_CAMERA_H

#include "formats.h"

struct hw_camera {
	guint64 node;	/* a dev_t */
	guint64 pitch;	/* bytes; the least that the driver writes */
	guint64 size;	/* bytes that a buffer must have */
	gboolean dirty; /* its driver writes with the CPU */
};

/*
 * Asks the device at a path without changing anything of it: the format is tried
 * (VIDIOC_TRY_FMT), and no buffers are made (VIDIOC_CREATE_BUFS with none). FALSE if it is no
 * camera, or has no such pictures.
 */
gboolean hw_camera_read(struct hw_camera *camera, const char *device,
			const struct hw_format *format);

#endif
