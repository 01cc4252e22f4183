/*
 * screen.c - see screen.h: the connection, and its thread. The window is in window.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <wayland-client.h>

#include "linux-dmabuf-v1-client-protocol.h"
#include "planning.h"
#include "shared.h"
#include "viewporter-client-protocol.h"
#include "window.h"
#include "xdg-shell-client-protocol.h"

#define LISTED 3 /* the version of linux-dmabuf that lists formats and modifiers as events */

static void ignored_format(void *data, struct zwp_linux_dmabuf_v1 *dmabuf, uint32_t fourcc)
{
	(void)data, (void)dmabuf, (void)fourcc; /* its modifiers come as well */
}

static void modifier(void *data, struct zwp_linux_dmabuf_v1 *dmabuf, uint32_t fourcc, uint32_t high,
		     uint32_t low)
{
	struct hw_screen *screen = (struct hw_screen *)data;
	struct heapwire_pair pair = {fourcc, 0, (uint64_t)high << 32 | low};

	(void)dmabuf;
	if (screen->pairs->len < 65536)
		g_array_append_val(screen->pairs, pair);
}

static void global(void *data, struct wl_registry *registry, uint32_t name, const char *interface,
		   uint32_t version)
{
	static const struct zwp_linux_dmabuf_v1_listener on_modifier = {ignored_format, modifier};
	struct hw_screen *screen = (struct hw_screen *)data;

	if (!strcmp(interface, wl_compositor_interface.name) && !screen->compositor)
		screen->compositor = (struct wl_compositor *)wl_registry_bind(
			registry, name, &wl_compositor_interface, MIN(version, 4));
	else if (!strcmp(interface, xdg_wm_base_interface.name) && !screen->shell)
		hw_window_bind_shell(screen, (struct xdg_wm_base *)wl_registry_bind(
						     registry, name, &xdg_wm_base_interface, 1));
	else if (!strcmp(interface, wl_seat_interface.name) && !screen->seat)
		hw_window_bind_seat(screen, (struct wl_seat *)wl_registry_bind(
						    registry, name, &wl_seat_interface, 1));
	else if (!strcmp(interface, wl_shm_interface.name) && !screen->shm)
		hw_shared_bind(screen, (struct wl_shm *)wl_registry_bind(registry, name,
									 &wl_shm_interface, 1));
	else if (!strcmp(interface, wp_viewporter_interface.name) && !screen->viewporter)
		screen->viewporter = (struct wp_viewporter *)wl_registry_bind(
			registry, name, &wp_viewporter_interface, 1);
	else if (!strcmp(interface, zwp_linux_dmabuf_v1_interface.name) && !screen->dmabuf &&
		 version >= LISTED) {
		screen->dmabuf = (struct zwp_linux_dmabuf_v1 *)wl_registry_bind(
			registry, name, &zwp_linux_dmabuf_v1_interface, LISTED);
		zwp_linux_dmabuf_v1_add_listener(screen->dmabuf, &on_modifier, screen);
	}
}

static void global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data, (void)registry, (void)name; /* what was bound is inert, and no harm */
}

void hw_screen_fail(struct hw_screen *screen, enum heapwire_fault fault, const char *text)
{
	if (screen->failed.fault)
		return; /* what came first is the cause of the rest */
	screen->failed.fault = fault;
	g_strlcpy(screen->failed.text, text, sizeof screen->failed.text);
	g_cond_broadcast(&screen->changed);
}

static void fail_with_connection(struct hw_screen *screen)
{
	const struct wl_interface *interface = NULL;
	int fault = wl_display_get_error(screen->display);
	char text[200];
	uint32_t code;

	if (fault == EPROTO) {
		code = wl_display_get_protocol_error(screen->display, &interface, NULL);
		g_snprintf(text, sizeof text, "the compositor ended the connection: error %u of %s",
			   code, interface ? interface->name : "an object that is gone");
	} else {
		g_snprintf(text, sizeof text, "the compositor is gone: %s",
			   g_strerror(fault ? fault : EPIPE));
	}
	hw_screen_fail(screen, HEAPWIRE_PEER, text);
}

void hw_screen_return(struct hw_screen *screen, GstBuffer *buffer)
{
	g_ptr_array_add(screen->returned, buffer);
}

void hw_screen_unlock(struct hw_screen *screen)
{
	GPtrArray *returned = NULL;

	if (screen->returned->len) {
		returned = screen->returned;
		screen->returned = g_ptr_array_new_with_free_func(
			(GDestroyNotify)gst_mini_object_unref);
	}
	wl_display_flush(screen->display);
	g_mutex_unlock(&screen->lock);
	if (returned)
		g_ptr_array_unref(returned);
}

/* Says once, without the lock, that it is over; and that there is another plan. */
static void tell(struct hw_screen *screen)
{
	struct heapwire_error error;
	gboolean failed, replanned;

	g_mutex_lock(&screen->lock);
	failed = screen->failed.fault && !screen->told_failure && !screen->ended;
	screen->told_failure |= failed;
	error = screen->failed;
	replanned = screen->replanned && !screen->ended;
	screen->replanned = FALSE;
	hw_screen_unlock(screen);
	if (failed)
		screen->events.failed(screen->events.data, &error);
	else if (replanned)
		screen->events.replanned(screen->events.data);
}

static gpointer run(gpointer data)
{
	struct hw_screen *screen = (struct hw_screen *)data;
	struct pollfd fds[2] = {{wl_display_get_fd(screen->display), POLLIN, 0},
				{screen->wake, POLLIN, 0}};
	gboolean over = FALSE;

	while (!over) {
		g_mutex_lock(&screen->lock);
		while (!screen->failed.fault &&
		       wl_display_prepare_read_queue(screen->display, screen->queue) < 0)
			if (wl_display_dispatch_queue_pending(screen->display, screen->queue) < 0)
				fail_with_connection(screen);
		over = screen->ended || screen->failed.fault;
		if (over && !screen->failed.fault)
			wl_display_cancel_read(screen->display);
		g_cond_broadcast(&screen->changed);
		hw_screen_unlock(screen);
		tell(screen);
		if (over)
			break;
		fds[0].events = POLLIN;
		if (wl_display_flush(screen->display) < 0 && errno == EAGAIN)
			fds[0].events |= POLLOUT;
		poll(fds, G_N_ELEMENTS(fds), -1);
		if (fds[0].revents & ~POLLOUT)
			over = wl_display_read_events(screen->display) < 0;
		else
			wl_display_cancel_read(screen->display);
		if (over) {
			g_mutex_lock(&screen->lock);
			fail_with_connection(screen);
			g_mutex_unlock(&screen->lock);
			over = FALSE; /* it is told in the next turn, which is the last */
		}
		if (fds[1].revents) {
			uint64_t times;
			if (read(screen->wake, &times, sizeof times) < 0)
				continue;
		}
	}
	return NULL;
}

static void wake(struct hw_screen *screen)
{
	const uint64_t once = 1;
	if (write(screen->wake, &once, sizeof once) < 0)
		return; /* it is awake */
}

void hw_screen_complain(struct hw_screen *screen, const struct heapwire_error *error)
{
	gboolean heard;

	g_mutex_lock(&screen->lock);
	heard = !screen->ended;
	screen->complaints += heard;
	g_mutex_unlock(&screen->lock);
	if (!heard)
		return;
	screen->events.failed(screen->events.data, error);
	g_mutex_lock(&screen->lock);
	screen->complaints--;
	g_cond_broadcast(&screen->changed);
	g_mutex_unlock(&screen->lock);
}

static gboolean may_wait(const struct hw_screen *screen, guint interrupts)
{
	return interrupts == screen->interrupts && !screen->flushing &&
	       !(screen->paused && screen->showing == g_thread_self());
}

gboolean hw_screen_wait(struct hw_screen *screen, guint interrupts, struct heapwire_error *error)
{
	wl_display_flush(screen->display);
	if (!screen->failed.fault && !screen->ended && may_wait(screen, interrupts))
		g_cond_wait(&screen->changed, &screen->lock);
	memset(error, 0, sizeof *error);
	if (screen->failed.fault)
		*error = screen->failed;
	else if (screen->ended)
		error->fault = HEAPWIRE_NOT_POSSIBLE,
		g_strlcpy(error->text, "the element has ended", sizeof error->text);
	return !error->fault && may_wait(screen, interrupts);
}

void hw_screen_interrupt(struct hw_screen *screen, gboolean flushing)
{
	g_mutex_lock(&screen->lock);
	screen->interrupts++;
	screen->flushing |= flushing;
	g_cond_broadcast(&screen->changed);
	g_mutex_unlock(&screen->lock);
}

void hw_screen_stop_flushing(struct hw_screen *screen)
{
	g_mutex_lock(&screen->lock);
	screen->flushing = FALSE;
	g_mutex_unlock(&screen->lock);
}

void hw_screen_pause(struct hw_screen *screen, gboolean paused)
{
	g_mutex_lock(&screen->lock);
	screen->paused = paused;
	g_cond_broadcast(&screen->changed);
	g_mutex_unlock(&screen->lock);
}

void hw_screen_set_showing(struct hw_screen *screen, gboolean showing)
{
	g_mutex_lock(&screen->lock);
	screen->showing = showing ? g_thread_self() : NULL;
	g_mutex_unlock(&screen->lock);
}

const char *hw_screen_lacks(const struct hw_screen *screen)
{
	if (!screen->dmabuf)
		return "zwp_linux_dmabuf_v1 of version 3";
	if (!heapwire_client_version(screen->client, HEAPWIRE_NEGOTIATION))
		return "xx_dmabuf_negotiation_manager_v1";
	return NULL;
}

/* Waits for the first round of what the compositor tells; FALSE with the error. */
static gboolean begin(struct hw_screen *screen, struct heapwire_error *error)
{
	static const struct wl_registry_listener on_global = {global, global_remove};
	struct wl_display *wrapper = (struct wl_display *)wl_proxy_create_wrapper(screen->display);
	gboolean done = TRUE;

	wl_proxy_set_queue((struct wl_proxy *)wrapper, screen->queue);
	screen->registry = wl_display_get_registry(wrapper);
	wl_proxy_wrapper_destroy(wrapper);
	wl_registry_add_listener(screen->registry, &on_global, screen);
	screen->client = heapwire_client_create(screen->display, screen->queue, error);
	if (!screen->client)
		return FALSE;
	screen->thread = g_thread_new("heapwire", run, screen);
	g_mutex_lock(&screen->lock);
	while (done && !heapwire_client_ready(screen->client))
		done = hw_screen_wait(screen, screen->interrupts, error);
	screen->shared = done && hw_shared_can(screen) && hw_screen_lacks(screen);
	if (done && (!screen->compositor || !screen->shell || !(screen->dmabuf || screen->shared))) {
		error->fault = HEAPWIRE_NOT_POSSIBLE;
		g_snprintf(error->text, sizeof error->text, "the compositor has no %s",
			   !screen->compositor ? "wl_compositor"
			   : !screen->shell    ? "xdg_wm_base"
					       : hw_screen_lacks(screen));
		done = FALSE;
	}
	screen->told_failure = !done; /* whoever asked is told */
	hw_screen_unlock(screen);
	return done;
}

struct hw_screen *hw_screen_new(const char *display, const struct hw_events *events,
				struct heapwire_error *error)
{
	struct wl_display *connection = wl_display_connect(display);
	struct hw_screen *screen;

	if (!connection) {
		error->fault = HEAPWIRE_MACHINE;
		g_snprintf(error->text, sizeof error->text, "there is no compositor at %s: %s",
			   display ? display : "$WAYLAND_DISPLAY", g_strerror(errno));
		return NULL;
	}
	screen = g_atomic_rc_box_new0(struct hw_screen);
	g_mutex_init(&screen->lock);
	g_cond_init(&screen->changed);
	g_queue_init(&screen->held);
	screen->events = *events;
	screen->display = connection;
	screen->queue = wl_display_create_queue(connection);
	screen->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	screen->pairs = g_array_new(FALSE, FALSE, sizeof(struct heapwire_pair));
	screen->shared_pairs = g_array_new(FALSE, FALSE, sizeof(struct heapwire_pair));
	screen->returned = g_ptr_array_new_with_free_func((GDestroyNotify)gst_mini_object_unref);
	if (!begin(screen, error)) {
		hw_screen_end(screen);
		hw_screen_unref(screen);
		return NULL;
	}
	return screen;
}

void hw_screen_end(struct hw_screen *screen)
{
	g_mutex_lock(&screen->lock);
	screen->ended = TRUE;
	g_cond_broadcast(&screen->changed);
	while (screen->complaints)
		g_cond_wait(&screen->changed, &screen->lock);
	g_mutex_unlock(&screen->lock);
	wake(screen);
	if (screen->thread)
		g_thread_join(g_steal_pointer(&screen->thread));
}

struct hw_screen *hw_screen_ref(struct hw_screen *screen)
{
	return (struct hw_screen *)g_atomic_rc_box_acquire(screen);
}

static void free_screen(gpointer data)
{
	struct hw_screen *screen = (struct hw_screen *)data;

	hw_window_unbind(screen);
	hw_shared_unbind(screen);
	if (screen->viewporter)
		wp_viewporter_destroy(screen->viewporter);
	if (screen->dmabuf)
		zwp_linux_dmabuf_v1_destroy(screen->dmabuf);
	if (screen->compositor)
		wl_compositor_destroy(screen->compositor);
	if (screen->registry)
		wl_registry_destroy(screen->registry);
	heapwire_client_destroy(screen->client);
	wl_event_queue_destroy(screen->queue);
	wl_display_disconnect(screen->display);
	close(screen->wake);
	g_array_unref(screen->pairs);
	g_ptr_array_unref(screen->returned);
	g_free(screen->asked_device);
	g_cond_clear(&screen->changed);
	g_mutex_clear(&screen->lock);
}

void hw_screen_unref(struct hw_screen *screen)
{
	g_atomic_rc_box_release_full(screen, free_screen);
}
