/*
 * shared.h - pictures through wl_shm, where a compositor has nothing better.
 *
 * Whoever is upstream writes them with the CPU, the compositor copies each, and no display scans
 * one out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_SHARED_H
#define HEAPWIRE_GST_SHARED_H

#include "screen.h"

/* All with the lock. */
void hw_shared_bind(struct hw_screen *screen, struct wl_shm *shm);
void hw_shared_unbind(struct hw_screen *screen);
/* Whether it reads any format of GStreamer's in rows of RGB. */
gboolean hw_shared_can(const struct hw_screen *screen);
/* Rows just as GStreamer has them; FALSE with the error for a format that wl_shm does not read. */
gboolean hw_shared_plan(const struct hw_screen *screen, const struct hw_format *format,
			struct heapwire_plan *plan, struct heapwire_error *error);
struct wl_buffer *hw_shared_import(struct hw_screen *screen, const struct heapwire_layout *layout,
				   guint width, guint height, int fd);

/* A file of memory, which the caller closes; -1 with the error. */
int hw_shared_allocate(gsize size, struct heapwire_error *error);

/* What is lost, as a sentence. */
#define HW_SHARED_LOSS                                                                              \
	"shown through wl_shm (the compositor has no %s): the CPU writes each picture, the "        \
	"compositor copies it again, and no display scans it out"

#endif
