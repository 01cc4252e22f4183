/*
 * A compositor on wlroots' scene graph (0.15), with heapwire in it.
 *
 * wlroots keeps the wl_buffers to itself, so what was shown is told of surfaces. One fullscreen
 * window is on top; there is no input. What heapwire needs is in the functions that begin with
 * "tell", and in main().
 *
 *   heapwire embed build --output lib
 *   export PKG_CONFIG_PATH=lib
 *   wayland-scanner server-header $(pkg-config --variable=pkgdatadir wayland-protocols)/\
 * stable/xdg-shell/xdg-shell.xml xdg-shell-protocol.h
 *   cc -std=c11 -D_POSIX_C_SOURCE=200809L -DWLR_USE_UNSTABLE -I. wlroots_compositor.c \
 *       -o compositor $(pkg-config --cflags --libs heapwire wlroots wayland-server)
 *   WLR_BACKENDS=headless WLR_RENDERER=pixman ./compositor raspberry-pi-4 example-wlroots
 *
 * The first argument is a platform to simulate, or this machine without it; the second is the name
 * of the socket, or the next free one's without it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <wlr/backend.h>
#include <wlr/render/allocator.h>
#include <wlr/render/wlr_renderer.h>
#include <wlr/types/wlr_compositor.h>
#include <wlr/types/wlr_output.h>
#include <wlr/types/wlr_scene.h>
#include <wlr/types/wlr_xdg_shell.h>

#include <heapwire.h>

struct compositor {
	struct wl_display *display;
	struct wlr_allocator *allocator;
	struct wlr_renderer *renderer;
	struct wlr_scene *scene;
	struct wlr_scene_output *screen; /* NULL before there is one */
	struct heapwire *heapwire;       /* may be NULL */
	struct wl_list windows;          /* window.link, the top one first */
	struct wl_listener new_output, new_window, frame;
};

struct window {
	struct wl_list link;
	struct compositor *compositor;
	struct wlr_xdg_surface *xdg;
	struct wl_listener map, destroy;
};

static struct wlr_surface *
top_surface(struct compositor *compositor)
{
	struct window *window;

	wl_list_for_each(window, &compositor->windows, link)
		if (window->xdg->mapped)
			return window->xdg->surface;
	return NULL;
}

/* What heapwire asks: what becomes of a surface if its buffer suits the plane? */
static int
tell_surface_state(void *data, struct wl_resource *resource, struct heapwire_surface_state *state)
{
	struct compositor *compositor = data;
	struct wlr_surface *top = top_surface(compositor);

	if (!compositor->screen)
		return -1;
	snprintf(state->outputs[0].name, sizeof state->outputs[0].name, "%s",
		 compositor->screen->output->name);
	state->output_count = 1;
	wlr_output_effective_resolution(compositor->screen->output, &state->width, &state->height);
	/* A window that is not there yet will be configured to fill the output. */
	state->candidate = !top || top == wlr_surface_from_resource(resource);
	if (!state->candidate)
		state->reason = HEAPWIRE_REASON_NOT_A_CANDIDATE;
	return 0;
}

/* What heapwire is told. */

static void
tell_of_change(struct compositor *compositor)
{
	struct window *window;

	wl_list_for_each(window, &compositor->windows, link)
		heapwire_surface_changed(compositor->heapwire, window->xdg->surface->resource);
}

static void
tell_what_was_shown(struct wlr_surface *surface, int x, int y, void *data)
{
	struct compositor *compositor = data;
	/* The scene graph scans a surface out where it can, and says that it has. Why it has not it
	 * does not say: a backend without planes has none free, and else nobody knows. */
	const int scanned_out = compositor->screen->prev_scanout;
	const bool planes = wlr_backend_get_drm_fd(compositor->screen->output->backend) >= 0;
	const enum heapwire_reason why =
		planes ? HEAPWIRE_REASON_UNKNOWN : HEAPWIRE_REASON_NO_PLANE;

	(void)x, (void)y;
	heapwire_surface_shown(compositor->heapwire, surface->resource, scanned_out,
			       scanned_out ? HEAPWIRE_REASON_NONE : why);
}

static void
show_frame(struct wl_listener *listener, void *data)
{
	struct compositor *compositor = wl_container_of(listener, compositor, frame);
	struct wlr_surface *top = top_surface(compositor);
	struct timespec now;

	(void)data;
	if (!wlr_scene_output_commit(compositor->screen))
		return;
	if (top)
		wlr_surface_for_each_surface(top, tell_what_was_shown, compositor);
	clock_gettime(CLOCK_MONOTONIC, &now);
	wlr_scene_output_send_frame_done(compositor->screen, &now);
}

/* The rest has nothing to do with heapwire. */

static void
take_output(struct wl_listener *listener, void *data)
{
	struct compositor *compositor = wl_container_of(listener, compositor, new_output);
	struct wlr_output *output = data;

	if (compositor->screen)
		return;
	wlr_output_init_render(output, compositor->allocator, compositor->renderer);
	if (!wl_list_empty(&output->modes))
		wlr_output_set_mode(output, wlr_output_preferred_mode(output));
	wlr_output_enable(output, true);
	if (!wlr_output_commit(output))
		return;
	compositor->screen = wlr_scene_output_create(compositor->scene, output);
	compositor->frame.notify = show_frame;
	wl_signal_add(&output->events.frame, &compositor->frame);
	wlr_output_create_global(output);
}

static void
raise_window(struct wl_listener *listener, void *data)
{
	struct window *window = wl_container_of(listener, window, map);

	(void)data;
	tell_of_change(window->compositor);
}

static void
forget_window(struct wl_listener *listener, void *data)
{
	struct window *window = wl_container_of(listener, window, destroy);
	struct compositor *compositor = window->compositor;

	(void)data;
	wl_list_remove(&window->map.link);
	wl_list_remove(&window->destroy.link);
	wl_list_remove(&window->link);
	free(window);
	tell_of_change(compositor);
}

static void
take_window(struct wl_listener *listener, void *data)
{
	struct compositor *compositor = wl_container_of(listener, compositor, new_window);
	struct wlr_xdg_surface *xdg = data;
	struct window *window;
	int width, height;

	if (xdg->role != WLR_XDG_SURFACE_ROLE_TOPLEVEL || !compositor->screen)
		return;
	window = calloc(1, sizeof *window);
	if (!window) {
		wl_resource_post_no_memory(xdg->resource);
		return;
	}
	window->compositor = compositor;
	window->xdg = xdg;
	window->map.notify = raise_window;
	wl_signal_add(&xdg->events.map, &window->map);
	window->destroy.notify = forget_window;
	wl_signal_add(&xdg->events.destroy, &window->destroy);
	wl_list_insert(&compositor->windows, &window->link);
	wlr_scene_xdg_surface_create(&compositor->scene->node, xdg);
	wlr_output_effective_resolution(compositor->screen->output, &width, &height);
	wlr_xdg_toplevel_set_size(xdg, (uint32_t)width, (uint32_t)height);
	wlr_xdg_toplevel_set_fullscreen(xdg, true);
}

static int
end(int signal_number, void *data)
{
	(void)signal_number;
	wl_display_terminate(data);
	return 0;
}

int
main(int argc, char **argv)
{
	struct wl_display *display = wl_display_create();
	struct wlr_backend *backend = wlr_backend_autocreate(display);
	struct compositor compositor = {.display = display};
	struct heapwire_host host = {.size = sizeof host,
				     .display = display,
				     .data = &compositor,
				     .platform = argc > 1 ? argv[1] : NULL,
				     .surface_state = tell_surface_state,
				     .hides_buffers = 1};
	const char *socket = argc > 2 ? argv[2] : NULL;

	if (!backend || !(compositor.renderer = wlr_renderer_autocreate(backend)))
		return EXIT_FAILURE;
	compositor.allocator = wlr_allocator_autocreate(backend, compositor.renderer);
	compositor.scene = wlr_scene_create();
	wl_list_init(&compositor.windows);
	wlr_renderer_init_wl_display(compositor.renderer, display);
	wlr_compositor_create(display, compositor.renderer);
	compositor.new_output.notify = take_output;
	wl_signal_add(&backend->events.new_output, &compositor.new_output);
	compositor.new_window.notify = take_window;
	wl_signal_add(&wlr_xdg_shell_create(display)->events.new_surface, &compositor.new_window);
	wl_event_loop_add_signal(wl_display_get_event_loop(display), SIGTERM, end, display);

	compositor.heapwire = heapwire_attach(&host);
	if (socket ? wl_display_add_socket(display, socket) < 0
		   : !(socket = wl_display_add_socket_auto(display)))
		return EXIT_FAILURE;
	if (!wlr_backend_start(backend))
		return EXIT_FAILURE;
	printf("%s\n", socket);
	fflush(stdout);
	wl_display_run(display);

	wl_display_destroy_clients(display);
	heapwire_detach(compositor.heapwire);
	wl_display_destroy(display);
	return EXIT_SUCCESS;
}
