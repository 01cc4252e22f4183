/*
 * A compositor on libwayland-server alone, with heapwire in it.
 *
 * It has surfaces, shared memory and one output of 1920x1080 that it does not
 * really have: what a compositor does with pixels is left out, and what it has to
 * tell heapwire is left in. The surface that was committed last is on top and
 * fills the output; those below it are covered.
 *
 *   heapwire embed build --output lib
 *   PKG_CONFIG_PATH=lib cc -std=c11 compositor.c -o compositor \
 *       $(PKG_CONFIG_PATH=lib pkg-config --cflags --libs heapwire wayland-server)
 *   ./compositor wayland-5 raspberry-pi-4
 *
 * The second argument is a platform to simulate; without it, it is this machine.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <wayland-server.h>

#include <heapwire.h>

struct compositor {
	struct wl_display *display;
	struct heapwire *heapwire; /* may be NULL */
	struct wl_list surfaces;   /* surface.link, the top one first */
};

struct surface {
	struct wl_list link; /* compositor.surfaces */
	struct compositor *compositor;
	struct wl_resource *resource;
	struct wl_resource *buffer; /* attached and not committed yet */
	struct wl_listener buffer_destroyed;
};

/* What heapwire asks. */

static int
tell_surface_state(void *data, struct wl_resource *resource, struct heapwire_surface_state *state)
{
	struct compositor *compositor = data;
	struct surface *surface = wl_resource_get_user_data(resource);
	const struct heapwire_output output = {.name = "example-1"};

	state->outputs[0] = output;
	state->output_count = 1;
	state->width = 1920;
	state->height = 1080;
	state->candidate = compositor->surfaces.next == &surface->link;
	if (!state->candidate)
		state->reason = HEAPWIRE_REASON_NOT_A_CANDIDATE;
	return 0;
}

static void
log_line(void *data, enum heapwire_log_level level, const char *line)
{
	(void)data, (void)level;
	fprintf(stderr, "heapwire: %s\n", line);
}

static int
test_plane(void *data, uint32_t number, const struct heapwire_test *test)
{
	struct compositor *compositor = data;

	(void)test;
	/* Here a commit with DRM_MODE_ATOMIC_TEST_ONLY would ask the driver; this shows anything. */
	heapwire_tested(compositor->heapwire, number, 0);
	return 0;
}

/* What heapwire is told. */

static void
tell_of_change(struct compositor *compositor)
{
	struct surface *surface;

	/* Not every surface is another than before; to tell of too many does no harm. */
	wl_list_for_each(surface, &compositor->surfaces, link)
		heapwire_surface_changed(compositor->heapwire, surface->resource);
}

static void
raise_to_top(struct surface *surface)
{
	struct compositor *compositor = surface->compositor;

	if (compositor->surfaces.next == &surface->link)
		return;
	wl_list_remove(&surface->link);
	wl_list_insert(&compositor->surfaces, &surface->link);
	tell_of_change(compositor);
}

static void
present(struct surface *surface)
{
	/* Here the pixels would go to a plane or through a renderer. */
	heapwire_buffer_shown(surface->compositor->heapwire, surface->buffer, 0,
			      HEAPWIRE_REASON_NO_PLANE);
	wl_buffer_send_release(surface->buffer);
}

static void
surface_destroyed(struct wl_resource *resource)
{
	struct surface *surface = wl_resource_get_user_data(resource);
	struct compositor *compositor = surface->compositor;

	wl_list_remove(&surface->buffer_destroyed.link);
	wl_list_remove(&surface->link);
	free(surface);
	/* Of the surface itself heapwire hears; this is for the one that it uncovers. */
	tell_of_change(compositor);
}

/* The rest has nothing to do with heapwire: wl_surface and wl_compositor. */

static void
hold_buffer(struct surface *surface, struct wl_resource *buffer)
{
	surface->buffer = buffer;
	wl_list_remove(&surface->buffer_destroyed.link);
	wl_list_init(&surface->buffer_destroyed.link);
	if (buffer)
		wl_resource_add_destroy_listener(buffer, &surface->buffer_destroyed);
}

static void
buffer_destroyed(struct wl_listener *listener, void *data)
{
	struct surface *surface = wl_container_of(listener, surface, buffer_destroyed);

	(void)data;
	hold_buffer(surface, NULL);
}

static void
destroy(struct wl_client *client, struct wl_resource *resource)
{
	(void)client;
	wl_resource_destroy(resource);
}

static void
attach(struct wl_client *client, struct wl_resource *resource, struct wl_resource *buffer,
       int32_t x, int32_t y)
{
	(void)client, (void)x, (void)y;
	hold_buffer(wl_resource_get_user_data(resource), buffer);
}

static void
frame(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	struct wl_resource *callback = wl_resource_create(client, &wl_callback_interface, 1, id);

	(void)resource;
	if (!callback) {
		wl_client_post_no_memory(client);
		return;
	}
	/* Nothing is painted, so that it is always time for the next frame. */
	wl_callback_send_done(callback, 0);
	wl_resource_destroy(callback);
}

static void
commit(struct wl_client *client, struct wl_resource *resource)
{
	struct surface *surface = wl_resource_get_user_data(resource);

	(void)client;
	if (!surface->buffer)
		return;
	raise_to_top(surface);
	present(surface);
	hold_buffer(surface, NULL);
}

static void
ignore_area(struct wl_client *client, struct wl_resource *resource, int32_t x, int32_t y,
	    int32_t width, int32_t height)
{
	(void)client, (void)resource, (void)x, (void)y, (void)width, (void)height;
}

static void
ignore_region(struct wl_client *client, struct wl_resource *resource, struct wl_resource *region)
{
	(void)client, (void)resource, (void)region;
}

static const struct wl_surface_interface surface_implementation = {
	.destroy = destroy,
	.attach = attach,
	.damage = ignore_area,
	.frame = frame,
	.set_opaque_region = ignore_region,
	.set_input_region = ignore_region,
	.commit = commit,
};

static void
create_surface(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	struct surface *surface = calloc(1, sizeof *surface);

	if (surface)
		surface->resource = wl_resource_create(client, &wl_surface_interface, 1, id);
	if (!surface || !surface->resource) {
		free(surface);
		wl_client_post_no_memory(client);
		return;
	}
	surface->compositor = wl_resource_get_user_data(resource);
	surface->buffer_destroyed.notify = buffer_destroyed;
	wl_list_init(&surface->buffer_destroyed.link);
	wl_list_insert(surface->compositor->surfaces.prev, &surface->link);
	wl_resource_set_implementation(surface->resource, &surface_implementation, surface,
				       surface_destroyed);
}

static void
create_region(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	(void)resource, (void)id;
	wl_client_post_implementation_error(client, "this compositor has no regions");
}

static const struct wl_compositor_interface compositor_implementation = {
	.create_surface = create_surface, .create_region = create_region};

static void
bind_compositor(struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
	struct wl_resource *resource =
		wl_resource_create(client, &wl_compositor_interface, (int)version, id);

	if (resource)
		wl_resource_set_implementation(resource, &compositor_implementation, data, NULL);
	else
		wl_client_post_no_memory(client);
}

static int
stop(int signal_number, void *data)
{
	(void)signal_number;
	wl_display_terminate(data);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct compositor compositor = {.display = wl_display_create()};
	const char *socket = argc > 1 ? argv[1] : "wayland-5";
	struct heapwire_host host = {
		.size = sizeof host,
		.display = compositor.display,
		.data = &compositor,
		.platform = argc > 2 ? argv[2] : NULL,
		.log = log_line,
		.surface_state = tell_surface_state,
		.test = test_plane,
	};
	struct wl_event_source *on_term;

	if (!compositor.display || wl_display_add_socket(compositor.display, socket) < 0) {
		fprintf(stderr, "no socket %s can be made in $XDG_RUNTIME_DIR\n", socket);
		return 1;
	}
	wl_list_init(&compositor.surfaces);
	on_term = wl_event_loop_add_signal(wl_display_get_event_loop(compositor.display), SIGTERM,
					   stop, compositor.display);
	wl_display_init_shm(compositor.display);
	wl_global_create(compositor.display, &wl_compositor_interface, 1, &compositor,
			 bind_compositor);

	/* Without heapwire the compositor is what it was before. */
	compositor.heapwire = heapwire_attach(&host);

	wl_display_run(compositor.display);

	/* Before the display goes, and while the clients are still there. */
	heapwire_detach(compositor.heapwire);
	compositor.heapwire = NULL;
	wl_event_source_remove(on_term);
	wl_display_destroy_clients(compositor.display);
	wl_display_destroy(compositor.display);
	return 0;
}
