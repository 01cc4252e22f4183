/*
 * pool.c - see pool.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool.h"

#include <gst/allocators/allocators.h>
#include <unistd.h>

#include "picture.h"
#include "shared.h"

GST_DEBUG_CATEGORY_EXTERN(heapwire_debug);
#define GST_CAT_DEFAULT heapwire_debug

struct _HwPool {
	GstBufferPool parent;
	struct hw_screen *screen;
	struct hw_format format;
	struct heapwire_plan plan;
	guint generation;
	gboolean brackets;
	gboolean plain; /* whoever fills the buffers needs other rows than the plan's */
	GstAllocator *dmabufs, *files;
};

G_DEFINE_TYPE(HwPool, hw_pool, GST_TYPE_BUFFER_POOL)

gsize hw_pool_size(HwPool *pool)
{
	gsize size = 0;
	guint i;
	for (i = 0; i < pool->plan.layout.n_objects; i++)
		size += pool->plan.layout.objects[i].size;
	return size;
}

guint hw_pool_count(HwPool *pool)
{
	return pool->plan.count;
}

guint hw_pool_generation(HwPool *pool)
{
	return pool->generation;
}

static const gchar **get_options(GstBufferPool *base)
{
	static const gchar *options[] = {GST_BUFFER_POOL_OPTION_VIDEO_META, NULL};
	(void)base;
	return options;
}

/* Never more buffers than agreed: FALSE then, with a config that can be had. */
static gboolean set_config(GstBufferPool *base, GstStructure *config)
{
	HwPool *pool = HW_POOL(base);
	guint size, least, most;
	gboolean as_asked = TRUE;
	struct hw_format format;
	GstCaps *caps;

	if (!gst_buffer_pool_config_get_params(config, &caps, &size, &least, &most) || !caps ||
	    !hw_format_read(&format, caps) || format.fourcc != pool->format.fourcc ||
	    GST_VIDEO_INFO_WIDTH(&format.info) != GST_VIDEO_INFO_WIDTH(&pool->format.info) ||
	    GST_VIDEO_INFO_HEIGHT(&format.info) != GST_VIDEO_INFO_HEIGHT(&pool->format.info)) {
		GST_WARNING_OBJECT(pool, "these are no caps of its plan: %" GST_PTR_FORMAT, config);
		return FALSE;
	}
	pool->plain = !gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META) &&
		      !hw_is_usual(&pool->format, &pool->plan.layout);
	size = (guint)(pool->plain ? GST_VIDEO_INFO_SIZE(&format.info) : hw_pool_size(pool));
	if (least > pool->plan.count) {
		least = pool->plan.count;
		as_asked = FALSE;
	}
	if (!most || most > pool->plan.count || most < least) {
		as_asked = as_asked && !most; /* 0: no limit was asked for */
		most = pool->plan.count;
	}
	gst_buffer_pool_config_set_params(config, caps, size, least, most);
	return GST_BUFFER_POOL_CLASS(hw_pool_parent_class)->set_config(base, config) && as_asked;
}

/*
 * Nothing is made before it is asked for: who makes a buffer may wait for the compositor, and the
 * end of that wait is FLUSHING only to who acquires one. To who activates a pool it is an error.
 */
static gboolean start(GstBufferPool *base)
{
	(void)base;
	return TRUE;
}

/* The memory of one buffer; FALSE with the error. */
static gboolean allocate(HwPool *pool, GstBuffer *buffer, int *fds, struct heapwire_error *error)
{
	struct heapwire_layout layout = pool->plan.layout;
	gboolean done;
	guint i;

	if (pool->screen->shared) {
		fds[0] = hw_shared_allocate(layout.objects[0].size, error);
		if (fds[0] >= 0)
			gst_buffer_append_memory(buffer,
						 gst_fd_allocator_alloc(pool->files, fds[0],
									layout.objects[0].size,
									GST_FD_MEMORY_FLAG_KEEP_MAPPED));
		return fds[0] >= 0;
	}
	g_mutex_lock(&pool->screen->lock);
	done = heapwire_allocate(pool->screen->client, NULL, &layout, fds, error) == 0;
	hw_screen_unlock(pool->screen);
	for (i = 0; done && i < layout.n_objects; i++)
		gst_buffer_append_memory(buffer,
					 gst_dmabuf_allocator_alloc(pool->dmabufs, fds[i],
								    layout.objects[i].size));
	return done;
}

static GstFlowReturn alloc_buffer(GstBufferPool *base, GstBuffer **buffer,
				  GstBufferPoolAcquireParams *params)
{
	HwPool *pool = HW_POOL(base);
	const struct heapwire_layout *layout = &pool->plan.layout;
	gsize offsets[GST_VIDEO_MAX_PLANES];
	gint strides[GST_VIDEO_MAX_PLANES];
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	struct hw_picture *picture = NULL;
	int fds[HEAPWIRE_PLANES];
	GstBuffer *made;

	if (pool->plain)
		return GST_BUFFER_POOL_CLASS(hw_pool_parent_class)->alloc_buffer(base, buffer, params);
	made = gst_buffer_new();
	if (allocate(pool, made, fds, &error))
		picture = hw_picture_import(pool->screen, gst_buffer_peek_memory(made, 0), layout,
					    (guint)GST_VIDEO_INFO_WIDTH(&pool->format.info),
					    (guint)GST_VIDEO_INFO_HEIGHT(&pool->format.info), fds,
					    &error);
	if (picture && !picture->proxy)
		error = picture->refused;
	if (!picture || !picture->proxy) {
		GST_ERROR_OBJECT(pool, "a buffer by the plan cannot be had: %s", error.text);
		gst_buffer_unref(made);
		/* Whoever is upstream has no words of its own for it. */
		if (error.fault)
			hw_screen_complain(pool->screen, &error);
		return error.fault ? GST_FLOW_ERROR : GST_FLOW_FLUSHING;
	}
	picture->negotiated = TRUE;
	picture->brackets = pool->brackets;
	hw_meta_of(layout, offsets, strides);
	gst_buffer_add_video_meta_full(made, GST_VIDEO_FRAME_FLAG_NONE,
				       GST_VIDEO_INFO_FORMAT(&pool->format.info),
				       (guint)GST_VIDEO_INFO_WIDTH(&pool->format.info),
				       (guint)GST_VIDEO_INFO_HEIGHT(&pool->format.info),
				       layout->n_planes, offsets, strides);
	*buffer = made;
	return GST_FLOW_OK;
}

static void finalize(GObject *object)
{
	HwPool *pool = HW_POOL(object);

	/* The buffers that it has go here too, and want none of them any more. */
	gst_object_unref(pool->dmabufs);
	gst_object_unref(pool->files);
	hw_screen_unref(pool->screen);
	G_OBJECT_CLASS(hw_pool_parent_class)->finalize(object);
}

static void hw_pool_class_init(HwPoolClass *class)
{
	GstBufferPoolClass *pools = GST_BUFFER_POOL_CLASS(class);

	G_OBJECT_CLASS(class)->finalize = finalize;
	pools->get_options = get_options;
	pools->set_config = set_config;
	pools->start = start;
	pools->alloc_buffer = alloc_buffer;
}

static void hw_pool_init(HwPool *pool)
{
	pool->dmabufs = gst_dmabuf_allocator_new();
	pool->files = gst_fd_allocator_new();
}

GstBufferPool *hw_pool_new(struct hw_screen *screen, const struct hw_format *format,
			   const struct heapwire_plan *plan, guint generation, gboolean brackets)
{
	HwPool *pool = HW_POOL(g_object_new(HW_TYPE_POOL, NULL));

	g_object_ref_sink(pool);
	pool->screen = hw_screen_ref(screen);
	pool->format = *format;
	pool->plan = *plan;
	pool->generation = generation;
	pool->brackets = brackets;
	return GST_BUFFER_POOL(pool);
}
