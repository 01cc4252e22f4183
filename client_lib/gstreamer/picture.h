/*
 * picture.h - the wl_buffer of some memory, which goes with the memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_PICTURE_H
#define HEAPWIRE_GST_PICTURE_H

#include "screen.h"

struct hw_picture {
	struct hw_screen *screen;
	struct heapwire_layout layout;
	gint width, height;	 /* that are seen */
	struct wl_buffer *proxy; /* NULL: the compositor does not take it */
	struct heapwire_status *status;
	struct heapwire_error refused;
	gboolean answered;
	gboolean negotiated; /* it is of a pool's */
	gboolean brackets; /* the CPU has written it, and has not said so */
	int fd;		   /* that of the first object; the memory's to close */
	GstBuffer *held;   /* as long as the compositor may read it */
};

/* The picture of a memory of this screen; NULL if it has none. */
struct hw_picture *hw_picture_of(struct hw_screen *screen, GstMemory *memory);

/*
 * Asks the compositor for a wl_buffer of a layout in dma-bufs, or else in memory that is shared,
 * and waits for it. The picture is `memory`'s
 * from then on, also if it is refused: its `proxy` is NULL then. NULL with the error if it could
 * not be asked, or the wait was interrupted.
 */
struct hw_picture *hw_picture_import(struct hw_screen *screen, GstMemory *memory,
				     const struct heapwire_layout *layout, guint width,
				     guint height, const int *fds, struct heapwire_error *error);

/* The layout of a buffer whose memories are dma-bufs, or have a picture; FALSE if they are not. */
gboolean hw_layout_of(struct hw_screen *screen, struct heapwire_layout *layout, int *fds,
		      GstBuffer *buffer, const struct hw_format *format);
gboolean hw_same_layout(const struct heapwire_layout *a, const struct heapwire_layout *b);

#endif
