/*
 * shared.c - see shared.h.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE /* memfd_create */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

enum { BUFFERS = 6 }; /* as planning.c asks for: 4 for what is upstream, 2 on the screen */

/* wl_shm has numbers of its own for two formats, and those of drm_fourcc.h for the rest. */
static uint32_t number_of(uint32_t fourcc)
{
	return fourcc == HW_XRGB8888   ? WL_SHM_FORMAT_XRGB8888
	       : fourcc == HW_ARGB8888 ? WL_SHM_FORMAT_ARGB8888
				       : fourcc;
}

static void format(void *data, struct wl_shm *shm, uint32_t number)
{
	struct hw_screen *screen = (struct hw_screen *)data;
	struct heapwire_pair pair = {number, 0, HW_LINEAR};

	(void)shm;
	if (number == WL_SHM_FORMAT_XRGB8888)
		pair.fourcc = HW_XRGB8888;
	else if (number == WL_SHM_FORMAT_ARGB8888)
		pair.fourcc = HW_ARGB8888;
	/* Of YCbCr, wl_shm does not say where further planes are. */
	if (hw_is_rgb(pair.fourcc))
		g_array_append_val(screen->shared_pairs, pair);
}

void hw_shared_bind(struct hw_screen *screen, struct wl_shm *shm)
{
	static const struct wl_shm_listener on_format = {format};

	screen->shm = shm;
	wl_shm_add_listener(shm, &on_format, screen);
}

void hw_shared_unbind(struct hw_screen *screen)
{
	if (screen->shm)
		wl_shm_destroy(screen->shm);
	g_array_unref(screen->shared_pairs);
}

gboolean hw_shared_can(const struct hw_screen *screen)
{
	return screen->shared_pairs->len > 0;
}

gboolean hw_shared_plan(const struct hw_screen *screen, const struct hw_format *format,
			struct heapwire_plan *plan, struct heapwire_error *error)
{
	const GstVideoInfo *info = &format->info;
	struct heapwire_layout *layout = &plan->layout;
	guint i;

	for (i = 0; i < screen->shared_pairs->len; i++)
		if (g_array_index(screen->shared_pairs, struct heapwire_pair, i).fourcc ==
		    format->fourcc)
			break;
	if (i == screen->shared_pairs->len) {
		error->fault = HEAPWIRE_NOT_POSSIBLE;
		g_snprintf(error->text, sizeof error->text,
			   "the compositor has no heapwire, and its wl_shm no %s: convert it to RGB, "
			   "with a videoconvert before this element",
			   gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)));
		return FALSE;
	}
	memset(plan, 0, sizeof *plan);
	plan->count = BUFFERS;
	layout->fourcc = format->fourcc;
	layout->modifier = HW_LINEAR;
	layout->width = (uint32_t)GST_VIDEO_INFO_WIDTH(info);
	layout->height = (uint32_t)GST_VIDEO_INFO_HEIGHT(info);
	layout->n_objects = layout->n_planes = 1;
	layout->objects[0].size = GST_VIDEO_INFO_SIZE(info);
	layout->planes[0].pitch = (uint32_t)GST_VIDEO_INFO_PLANE_STRIDE(info, 0);
	return TRUE;
}

struct wl_buffer *hw_shared_import(struct hw_screen *screen, const struct heapwire_layout *layout,
				   guint width, guint height, int fd)
{
	struct wl_shm_pool *pool =
		wl_shm_create_pool(screen->shm, fd, (int32_t)layout->objects[0].size);
	struct wl_buffer *proxy = wl_shm_pool_create_buffer(
		pool, (int32_t)layout->planes[0].offset, (int32_t)width, (int32_t)height,
		(int32_t)layout->planes[0].pitch, number_of(layout->fourcc));

	wl_shm_pool_destroy(pool);
	return proxy;
}

int hw_shared_allocate(gsize size, struct heapwire_error *error)
{
	int fd = memfd_create("heapwiresink", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && size <= G_MAXINT32 && !ftruncate(fd, (off_t)size)) {
		/* So that the compositor can read it without fear. */
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
		return fd;
	}
	error->fault = HEAPWIRE_MACHINE;
	g_snprintf(error->text, sizeof error->text, "%" G_GSIZE_FORMAT " bytes cannot be had: %s",
		   size, g_strerror(size <= G_MAXINT32 ? errno : EFBIG));
	if (fd >= 0)
		close(fd);
	return -1;
}
