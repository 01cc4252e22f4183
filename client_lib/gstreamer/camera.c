/*
 * camera.c - see camera.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "camera.h"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* V4L2 calls these as DRM does, but for a few. */
static guint32 v4l2_name(const struct hw_format *format)
{
	switch (GST_VIDEO_INFO_FORMAT(&format->info)) {
	case GST_VIDEO_FORMAT_Y42B:
		return V4L2_PIX_FMT_YUV422P;
	case GST_VIDEO_FORMAT_RGB16:
		return V4L2_PIX_FMT_RGB565;
	case GST_VIDEO_FORMAT_BGR:
		return V4L2_PIX_FMT_BGR24;
	case GST_VIDEO_FORMAT_RGB:
		return V4L2_PIX_FMT_RGB24;
	default:
		return format->fourcc;
	}
}

static gboolean ask(int fd, struct hw_camera *camera, const struct hw_format *format)
{
	struct v4l2_capability able;
	struct v4l2_create_buffers room;
	struct v4l2_pix_format *pix = &room.format.fmt.pix;
	guint32 name = v4l2_name(format);

	memset(&able, 0, sizeof able);
	memset(&room, 0, sizeof room);
	if (ioctl(fd, VIDIOC_QUERYCAP, &able) < 0 ||
	    !(able.device_caps & V4L2_CAP_VIDEO_CAPTURE) ||
	    !(able.device_caps & V4L2_CAP_STREAMING))
		return FALSE;
	room.format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	pix->width = (guint32)GST_VIDEO_INFO_WIDTH(&format->info);
	pix->height = (guint32)GST_VIDEO_INFO_HEIGHT(&format->info);
	pix->pixelformat = name;
	pix->field = V4L2_FIELD_ANY;
	if (ioctl(fd, VIDIOC_TRY_FMT, &room.format) < 0 || pix->pixelformat != name ||
	    pix->width != (guint32)GST_VIDEO_INFO_WIDTH(&format->info) ||
	    pix->height != (guint32)GST_VIDEO_INFO_HEIGHT(&format->info))
		return FALSE;
	camera->pitch = pix->bytesperline;
	camera->size = pix->sizeimage;
	room.memory = V4L2_MEMORY_DMABUF;
	/* Drivers that take pointers write with the CPU. Others, as a rule, want one run of memory. */
	camera->dirty = ioctl(fd, VIDIOC_CREATE_BUFS, &room) == 0 &&
			(room.capabilities & V4L2_BUF_CAP_SUPPORTS_USERPTR);
	return TRUE;
}

gboolean hw_camera_read(struct hw_camera *camera, const char *device,
			const struct hw_format *format)
{
	int fd = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct stat node;
	gboolean done;

	if (fd < 0)
		return FALSE;
	done = fstat(fd, &node) == 0 && S_ISCHR(node.st_mode) && ask(fd, camera, format);
	camera->node = done ? (guint64)node.st_rdev : 0;
	close(fd);
	return done;
}
