/*
 * picture.c - see picture.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "picture.h"
#include "shared.h"

#include <gst/allocators/allocators.h>
#include <string.h>
#include <wayland-client.h>

static GQuark picture_quark(void)
{
	return g_quark_from_static_string("heapwire-picture");
}

struct hw_picture *hw_picture_of(struct hw_screen *screen, GstMemory *memory)
{
	struct hw_picture *picture = (struct hw_picture *)gst_mini_object_get_qdata(
		GST_MINI_OBJECT(memory), picture_quark());
	return picture && picture->screen == screen ? picture : NULL;
}

/* With the memory, when nobody has it any more. */
static void free_picture(gpointer data)
{
	struct hw_picture *picture = (struct hw_picture *)data;
	struct hw_screen *screen = picture->screen;

	g_mutex_lock(&screen->lock);
	if (screen->current == picture)
		screen->current = NULL;
	heapwire_status_destroy(picture->status);
	if (picture->proxy)
		wl_buffer_destroy(picture->proxy);
	hw_screen_unlock(screen);
	hw_screen_unref(screen);
	g_free(picture);
}

static void release(void *data, struct wl_buffer *proxy)
{
	struct hw_picture *picture = (struct hw_picture *)data;

	(void)proxy;
	if (picture->held) {
		g_queue_remove(&picture->screen->held, picture);
		hw_screen_return(picture->screen, g_steal_pointer(&picture->held));
	}
}

static void shown(void *data, int scanned_out, uint32_t reason)
{
	(void)reason;
	((struct hw_picture *)data)->screen->scanned_out = scanned_out;
}

static void imported(void *data, struct wl_buffer *proxy, const struct heapwire_error *error)
{
	static const struct wl_buffer_listener on_release = {release};
	struct hw_picture *picture = (struct hw_picture *)data;

	picture->answered = TRUE;
	picture->proxy = proxy;
	if (proxy) {
		wl_buffer_add_listener(proxy, &on_release, picture);
		picture->status = heapwire_status_create(picture->screen->client, proxy, shown,
							 picture, NULL);
	} else {
		picture->refused = *error;
	}
}

struct hw_picture *hw_picture_import(struct hw_screen *screen, GstMemory *memory,
				     const struct heapwire_layout *layout, guint width,
				     guint height, const int *fds, struct heapwire_error *error)
{
	struct hw_picture *picture = g_new0(struct hw_picture, 1);
	struct heapwire_import *import = NULL;
	guint interrupts;
	gboolean done;

	picture->screen = hw_screen_ref(screen);
	picture->layout = *layout;
	picture->width = (gint)width;
	picture->height = (gint)height;
	picture->fd = fds[0];
	g_mutex_lock(&screen->lock);
	interrupts = screen->interrupts;
	if (gst_is_dmabuf_memory(memory))
		import = heapwire_import(screen->client, layout, width, height, fds, imported,
					 picture, error);
	else
		imported(picture, hw_shared_import(screen, layout, width, height, fds[0]), NULL);
	done = import != NULL || picture->answered;
	while (done && !picture->answered)
		done = hw_screen_wait(screen, interrupts, error);
	if (import && !picture->answered)
		heapwire_import_cancel(import);
	hw_screen_unlock(screen);
	if (!done) {
		free_picture(picture);
		return NULL;
	}
	gst_mini_object_set_qdata(GST_MINI_OBJECT(memory), picture_quark(), picture, free_picture);
	return picture;
}

gboolean hw_layout_of(struct hw_screen *screen, struct heapwire_layout *layout, int *fds,
		      GstBuffer *buffer, const struct hw_format *format)
{
	const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	guint i, n = gst_buffer_n_memory(buffer);

	memset(layout, 0, sizeof *layout);
	layout->fourcc = format->fourcc;
	layout->modifier = format->modifier;
	layout->width = (uint32_t)GST_VIDEO_INFO_WIDTH(&format->info);
	layout->height = (uint32_t)GST_VIDEO_INFO_HEIGHT(&format->info);
	layout->n_objects = n;
	layout->n_planes = meta ? meta->n_planes : GST_VIDEO_INFO_N_PLANES(&format->info);
	if (!n || n > HEAPWIRE_PLANES || !layout->n_planes || layout->n_planes > HEAPWIRE_PLANES)
		return FALSE;
	for (i = 0; i < n; i++) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		if (!gst_is_dmabuf_memory(memory) && !hw_picture_of(screen, memory))
			return FALSE;
		fds[i] = gst_fd_memory_get_fd(memory);
		layout->objects[i].size = memory->maxsize;
	}
	for (i = 0; i < layout->n_planes; i++) {
		gsize at = meta ? meta->offset[i] : GST_VIDEO_INFO_PLANE_OFFSET(&format->info, i);
		gint stride = meta ? meta->stride[i] : GST_VIDEO_INFO_PLANE_STRIDE(&format->info, i);
		guint object, length;
		gsize skip;

		if (stride <= 0 || !gst_buffer_find_memory(buffer, at, 1, &object, &length, &skip))
			return FALSE;
		skip += gst_buffer_peek_memory(buffer, object)->offset;
		if (skip > G_MAXUINT32)
			return FALSE;
		layout->planes[i].object = object;
		layout->planes[i].offset = (uint32_t)skip;
		layout->planes[i].pitch = (uint32_t)stride;
	}
	return TRUE;
}

gboolean hw_same_layout(const struct heapwire_layout *a, const struct heapwire_layout *b)
{
	guint i;

	if (a->fourcc != b->fourcc || a->modifier != b->modifier || a->width != b->width ||
	    a->height != b->height || a->n_objects != b->n_objects || a->n_planes != b->n_planes)
		return FALSE;
	for (i = 0; i < a->n_planes; i++)
		if (a->planes[i].object != b->planes[i].object ||
		    a->planes[i].offset != b->planes[i].offset ||
		    a->planes[i].pitch != b->planes[i].pitch)
			return FALSE;
	for (i = 0; i < a->n_objects; i++)
		if (a->objects[i].size != b->objects[i].size ||
		    memcmp(&a->objects[i].source, &b->objects[i].source, sizeof a->objects[i].source))
			return FALSE;
	return TRUE;
}
