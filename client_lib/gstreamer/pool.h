/*
 * pool.h - buffers by a plan, for whoever fills them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_POOL_H
#define HEAPWIRE_GST_POOL_H

#include "screen.h"

#define HW_TYPE_POOL (hw_pool_get_type())
G_DECLARE_FINAL_TYPE(HwPool, hw_pool, HW, POOL, GstBufferPool)

/* A pool that is not configured yet; its buffers have a GstVideoMeta with the plan's layout. */
GstBufferPool *hw_pool_new(struct hw_screen *screen, const struct hw_format *format,
			   const struct heapwire_plan *plan, guint generation, gboolean brackets);
/* Bytes of each of its buffers, how many there are, and by which plan they are. */
gsize hw_pool_size(HwPool *pool);
guint hw_pool_count(HwPool *pool);
guint hw_pool_generation(HwPool *pool);

#endif
