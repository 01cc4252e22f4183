/*
 * window.c - the window of a screen: a toplevel that shows one picture after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "window.h"

#include <string.h>
#include <unistd.h>
#include <wayland-client.h>

#include "picture.h"
#include "planning.h"
#include "viewporter-client-protocol.h"
#include "xdg-shell-client-protocol.h"

enum { KEY_ESCAPE = 1, KEY_LETTER_F = 33, PRESSED = 1 }; /* linux/input-event-codes.h */

/* -- What is shown ---------------------------------------------------------------------------- */

/* The size of the picture on the surface: as large as the window has room for it. */
static void fit(const struct hw_screen *screen, gint *width, gint *height)
{
	*width = screen->picture_width;
	*height = screen->picture_height;
	if (screen->width <= 0 || screen->height <= 0 || !screen->viewport)
		return;
	if ((gint64)screen->width * *height <= (gint64)screen->height * *width) {
		*height = MAX(1, (gint)gst_util_uint64_scale_int_round(
					 (guint64)*height, screen->width, *width));
		*width = screen->width;
	} else {
		*width = MAX(1, (gint)gst_util_uint64_scale_int_round(
					(guint64)*width, screen->height, *height));
		*height = screen->height;
	}
}

static void place(struct hw_screen *screen, const struct hw_picture *picture)
{
	struct wl_region *region;
	gint width, height;

	fit(screen, &width, &height);
	if (screen->viewport && (width != picture->width || height != picture->height))
		wp_viewport_set_destination(screen->viewport, width, height);
	else if (screen->viewport)
		wp_viewport_set_destination(screen->viewport, -1, -1);
	region = wl_compositor_create_region(screen->compositor);
	wl_region_add(region, 0, 0, G_MAXINT32, G_MAXINT32);
	wl_surface_set_opaque_region(screen->surface, region);
	wl_region_destroy(region);
}

static void frame_done(void *data, struct wl_callback *callback, uint32_t time);

static void commit(struct hw_screen *screen, struct hw_picture *picture, GstBuffer *buffer)
{
	static const struct wl_callback_listener on_frame = {frame_done};

	if (picture->brackets) {
		heapwire_access_begin(picture->fd, HEAPWIRE_WRITE, NULL);
		heapwire_access_end(picture->fd, HEAPWIRE_WRITE, NULL);
	}
	place(screen, picture);
	wl_surface_attach(screen->surface, picture->proxy, 0, 0);
	wl_surface_damage(screen->surface, 0, 0, G_MAXINT32, G_MAXINT32);
	screen->frame = wl_surface_frame(screen->surface);
	wl_callback_add_listener(screen->frame, &on_frame, screen);
	wl_surface_commit(screen->surface);
	if (picture->held)
		hw_screen_return(screen, picture->held);
	else
		g_queue_push_tail(&screen->held, picture);
	picture->held = buffer;
	screen->current = picture;
	screen->counts.shown++;
}

static void show_next(struct hw_screen *screen)
{
	if (screen->next && !screen->frame && screen->configured)
		commit(screen, g_steal_pointer(&screen->next), g_steal_pointer(&screen->next_buffer));
}

static void frame_done(void *data, struct wl_callback *callback, uint32_t time)
{
	struct hw_screen *screen = (struct hw_screen *)data;

	(void)time;
	wl_callback_destroy(callback);
	screen->frame = NULL;
	show_next(screen);
}

void hw_screen_show(struct hw_screen *screen, struct hw_picture *picture, GstBuffer *buffer)
{
	g_mutex_lock(&screen->lock);
	if (screen->surface && !screen->failed.fault) {
		if (screen->next_buffer) {
			hw_screen_return(screen, screen->next_buffer);
			screen->counts.dropped++;
		}
		screen->next = picture;
		screen->next_buffer = gst_buffer_ref(buffer);
		show_next(screen);
	}
	hw_screen_unlock(screen);
}

/* -- The window ------------------------------------------------------------------------------- */

static void ping(void *data, struct xdg_wm_base *shell, uint32_t serial)
{
	(void)data;
	xdg_wm_base_pong(shell, serial);
}

static void told_size(void *data, struct xdg_toplevel *toplevel, int32_t width, int32_t height,
		      struct wl_array *states)
{
	struct hw_screen *screen = (struct hw_screen *)data;

	(void)toplevel, (void)states;
	screen->told_width = width;
	screen->told_height = height;
}

static void closed(void *data, struct xdg_toplevel *toplevel)
{
	(void)toplevel;
	hw_screen_fail((struct hw_screen *)data, HEAPWIRE_NOT_POSSIBLE,
		       "the window was closed");
}

static void configure(void *data, struct xdg_surface *window, uint32_t serial)
{
	struct hw_screen *screen = (struct hw_screen *)data;
	gboolean resized = screen->width != screen->told_width ||
			   screen->height != screen->told_height;

	xdg_surface_ack_configure(window, serial);
	screen->configured = TRUE;
	screen->width = screen->told_width;
	screen->height = screen->told_height;
	show_next(screen);
	if (resized && screen->current && screen->current->held) {
		place(screen, screen->current);
		wl_surface_commit(screen->surface);
	}
}

gboolean hw_screen_open_window(struct hw_screen *screen, const char *title, gboolean fullscreen,
			       struct heapwire_error *error)
{
	static const struct xdg_surface_listener on_configure = {configure};
	static const struct xdg_toplevel_listener on_toplevel = {.configure = told_size,
								 .close = closed};
	gboolean done;

	g_mutex_lock(&screen->lock);
	done = !screen->failed.fault;
	if (done) {
		screen->surface = wl_compositor_create_surface(screen->compositor);
		screen->window = xdg_wm_base_get_xdg_surface(screen->shell, screen->surface);
		screen->toplevel = xdg_surface_get_toplevel(screen->window);
		if (screen->viewporter)
			screen->viewport =
				wp_viewporter_get_viewport(screen->viewporter, screen->surface);
		xdg_surface_add_listener(screen->window, &on_configure, screen);
		xdg_toplevel_add_listener(screen->toplevel, &on_toplevel, screen);
		xdg_toplevel_set_title(screen->toplevel, title);
		xdg_toplevel_set_app_id(screen->toplevel, "heapwire");
		screen->fullscreen = fullscreen;
		if (fullscreen)
			xdg_toplevel_set_fullscreen(screen->toplevel, NULL);
		wl_surface_commit(screen->surface);
	} else {
		*error = screen->failed;
	}
	hw_screen_unlock(screen);
	return done;
}

void hw_screen_close_window(struct hw_screen *screen)
{
	struct hw_picture *picture;

	g_mutex_lock(&screen->lock);
	hw_planning_end(screen);
	if (screen->frame)
		wl_callback_destroy(g_steal_pointer(&screen->frame));
	if (screen->viewport)
		wp_viewport_destroy(g_steal_pointer(&screen->viewport));
	if (screen->surface) {
		xdg_toplevel_destroy(g_steal_pointer(&screen->toplevel));
		xdg_surface_destroy(g_steal_pointer(&screen->window));
		wl_surface_destroy(g_steal_pointer(&screen->surface));
	}
	while ((picture = (struct hw_picture *)g_queue_pop_head(&screen->held)) != NULL)
		hw_screen_return(screen, g_steal_pointer(&picture->held));
	if (screen->next_buffer)
		hw_screen_return(screen, g_steal_pointer(&screen->next_buffer));
	screen->next = screen->current = NULL;
	screen->configured = FALSE;
	screen->width = screen->height = screen->told_width = screen->told_height = 0;
	hw_screen_unlock(screen);
}

static void switch_fullscreen(struct hw_screen *screen, gboolean fullscreen)
{
	if (screen->toplevel && fullscreen && !screen->fullscreen)
		xdg_toplevel_set_fullscreen(screen->toplevel, NULL);
	else if (screen->toplevel && !fullscreen && screen->fullscreen)
		xdg_toplevel_unset_fullscreen(screen->toplevel);
	screen->fullscreen = fullscreen;
}

void hw_screen_set_fullscreen(struct hw_screen *screen, gboolean fullscreen)
{
	g_mutex_lock(&screen->lock);
	switch_fullscreen(screen, fullscreen);
	hw_screen_unlock(screen);
}

void hw_screen_set_shape(struct hw_screen *screen, gint width, gint height)
{
	g_mutex_lock(&screen->lock);
	screen->picture_width = width;
	screen->picture_height = height;
	hw_screen_unlock(screen);
}

/* -- The keyboard ----------------------------------------------------------------------------- */

static void keymap(void *data, struct wl_keyboard *keyboard, uint32_t format, int32_t fd,
		   uint32_t size)
{
	(void)data, (void)keyboard, (void)format, (void)size;
	close(fd); /* two keys are known by where they are */
}

static void enter(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		  struct wl_surface *surface, struct wl_array *keys)
{
	(void)data, (void)keyboard, (void)serial, (void)surface, (void)keys;
}

static void leave(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		  struct wl_surface *surface)
{
	(void)data, (void)keyboard, (void)serial, (void)surface;
}

static void key(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t time,
		uint32_t which, uint32_t state)
{
	struct hw_screen *screen = (struct hw_screen *)data;

	(void)keyboard, (void)serial, (void)time;
	if (state == PRESSED && which == KEY_LETTER_F)
		switch_fullscreen(screen, !screen->fullscreen);
	else if (state == PRESSED && which == KEY_ESCAPE)
		switch_fullscreen(screen, FALSE);
}

static void modifiers(void *data, struct wl_keyboard *keyboard, uint32_t serial, uint32_t a,
		      uint32_t b, uint32_t c, uint32_t group)
{
	(void)data, (void)keyboard, (void)serial, (void)a, (void)b, (void)c, (void)group;
}

static void capabilities(void *data, struct wl_seat *seat, uint32_t has)
{
	/* Of version 1, which repeats no keys. */
	static const struct wl_keyboard_listener on_key = {.keymap = keymap,
							   .enter = enter,
							   .leave = leave,
							   .key = key,
							   .modifiers = modifiers};
	struct hw_screen *screen = (struct hw_screen *)data;

	if (has & WL_SEAT_CAPABILITY_KEYBOARD && !screen->keyboard) {
		screen->keyboard = wl_seat_get_keyboard(seat);
		wl_keyboard_add_listener(screen->keyboard, &on_key, screen);
	} else if (!(has & WL_SEAT_CAPABILITY_KEYBOARD) && screen->keyboard) {
		wl_keyboard_destroy(g_steal_pointer(&screen->keyboard));
	}
}

void hw_window_bind_shell(struct hw_screen *screen, struct xdg_wm_base *shell)
{
	static const struct xdg_wm_base_listener on_ping = {ping};

	screen->shell = shell;
	xdg_wm_base_add_listener(shell, &on_ping, screen);
}

void hw_window_bind_seat(struct hw_screen *screen, struct wl_seat *seat)
{
	static const struct wl_seat_listener on_seat = {.capabilities = capabilities};

	screen->seat = seat;
	wl_seat_add_listener(seat, &on_seat, screen);
}

void hw_window_unbind(struct hw_screen *screen)
{
	if (screen->keyboard)
		wl_keyboard_destroy(screen->keyboard);
	if (screen->seat)
		wl_seat_destroy(screen->seat);
	if (screen->shell)
		xdg_wm_base_destroy(screen->shell);
}
