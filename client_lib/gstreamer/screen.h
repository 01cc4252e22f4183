/*
 * screen.h - a connection to the compositor with a thread of its own, and one window.
 *
 * The thread reads and dispatches; everybody may send requests. `lock` is held whenever anything
 * in here, or anything of heapwire-client.h, is touched. Where it waits, it waits for `changed`.
 * Buffers are never given back under the lock, since what frees them may want it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_SCREEN_H
#define HEAPWIRE_GST_SCREEN_H

#include <gst/gst.h>

#include "formats.h"

struct hw_picture;

/* What the thread has to say, without the lock. */
struct hw_events {
	void (*replanned)(void *data);
	void (*failed)(void *data, const struct heapwire_error *error);
	void *data;
};

/* How many pictures. */
struct hw_counts {
	guint64 shown, dropped;
	guint64 copies, copied_bytes; /* of memory that was not negotiated */
	guint64 imported;	      /* pictures in dma-bufs that others allocated */
};

struct hw_screen {
	GMutex lock;
	GCond changed;
	GThread *thread;
	int wake; /* an eventfd */
	gboolean ended, told_failure;
	guint complaints; /* that are being told */
	guint interrupts; /* how often those who wait were told to stop */
	gboolean flushing; /* and nobody is to wait at all */
	gboolean paused;  /* whoever shows a picture does not wait, and shows it later */
	GThread *showing;
	struct heapwire_error failed; /* with a fault: it is over */
	struct hw_events events;
	GPtrArray *returned; /* buffers that are given back once it is unlocked */

	struct wl_display *display;
	struct wl_event_queue *queue;
	struct wl_registry *registry;
	struct wl_compositor *compositor;
	struct xdg_wm_base *shell;
	struct wp_viewporter *viewporter;
	struct wl_seat *seat;
	struct wl_keyboard *keyboard;
	struct zwp_linux_dmabuf_v1 *dmabuf; /* of version 3, which lists what there is */
	struct heapwire_client *client;
	GArray *pairs; /* struct heapwire_pair: what the compositor imports */
	struct wl_shm *shm;
	GArray *shared_pairs; /* likewise: what wl_shm reads of RGB */
	gboolean shared;      /* there are no plans to be had, so buffers are for wl_shm */

	/* The window, which is there between hw_screen_open_window() and _close_window(). */
	struct wl_surface *surface;
	struct xdg_surface *window;
	struct xdg_toplevel *toplevel;
	struct wp_viewport *viewport;
	struct wl_callback *frame; /* until it is done the screen wants no other picture */
	gboolean configured, fullscreen;
	gint32 told_width, told_height, width, height; /* that of the window; 0: ours to choose */
	GQueue held;		     /* struct hw_picture: what the compositor reads, or may */
	struct hw_picture *current;
	struct hw_picture *next;     /* is shown when the screen wants one */
	GstBuffer *next_buffer;
	gint picture_width, picture_height; /* in pixels that are square */
	struct hw_counts counts;
	gboolean scanned_out;

	/* The plan, as planning.h has it. */
	struct heapwire_negotiation *negotiation;
	struct hw_format asked;
	gchar *asked_device;
	gboolean asking, has_plan, brackets;
	gboolean replanned; /* and nobody has asked: events are to say so */
	guint generation; /* of plans: buffers of another one are not made any more */
	struct heapwire_plan plan;
	struct heapwire_error no_plan;
};

/* Connects, and waits for what the compositor has; NULL with the error. `display`: NULL, or its name. */
struct hw_screen *hw_screen_new(const char *display, const struct hw_events *events,
				struct heapwire_error *error);
/* Ends the thread: nothing is heard, and events are called, no more. */
void hw_screen_end(struct hw_screen *screen);

/* What the compositor lacks, where buffers are shared; else NULL. */
const char *hw_screen_lacks(const struct hw_screen *screen);

struct hw_screen *hw_screen_ref(struct hw_screen *screen);
void hw_screen_unref(struct hw_screen *screen);

gboolean hw_screen_open_window(struct hw_screen *screen, const char *title, gboolean fullscreen,
			       struct heapwire_error *error);
void hw_screen_close_window(struct hw_screen *screen);
void hw_screen_set_fullscreen(struct hw_screen *screen, gboolean fullscreen);
/* The shape of the pictures to come, in pixels that are square. */
void hw_screen_set_shape(struct hw_screen *screen, gint width, gint height);

/* Shows a picture now or, if the screen is not ready, next; the one that would have been is dropped. */
void hw_screen_show(struct hw_screen *screen, struct hw_picture *picture, GstBuffer *buffer);

/* Ends every wait that has begun, and while it is `flushing` those that begin, too. */
void hw_screen_interrupt(struct hw_screen *screen, gboolean flushing);
void hw_screen_stop_flushing(struct hw_screen *screen);
/* Ends the waits of whoever shows a picture, until it may wait again; nobody else's. */
void hw_screen_pause(struct hw_screen *screen, gboolean paused);
/* Says whether this thread shows a picture from now on. */
void hw_screen_set_showing(struct hw_screen *screen, gboolean showing);

/*
 * With the lock: waits for a change. FALSE if it is over (with the error), or if it was
 * interrupted since `interrupts` was read, or is to pause (HEAPWIRE_NO_FAULT).
 */
gboolean hw_screen_wait(struct hw_screen *screen, guint interrupts, struct heapwire_error *error);

/* With the lock: nothing more comes of this connection. */
void hw_screen_fail(struct hw_screen *screen, enum heapwire_fault fault, const char *text);

/* Without the lock: says what went wrong, to whom it is not told otherwise. */
void hw_screen_complain(struct hw_screen *screen, const struct heapwire_error *error);

/* With the lock: a buffer is given back once it is unlocked, which hw_screen_unlock() does. */
void hw_screen_return(struct hw_screen *screen, GstBuffer *buffer);
/* Sends what is to be sent, and unlocks. */
void hw_screen_unlock(struct hw_screen *screen);

#endif
