/* Shows a fullscreen buffer that the compositor allocates, and prints what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

#include "heapwire-client.h"
#include "xdg-shell-client-protocol.h"

enum { XRGB8888 = 0x34325258, LINEAR = 0 };

static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;
static struct wl_surface *surface;
static struct heapwire_client *client;
static struct heapwire_allocation *allocation;
static struct heapwire_status *status;
static struct heapwire_layout layout;
static struct wl_buffer *shown_buffer;
static int width = 640, height = 360, over, statuses;

static int need(int is, const struct heapwire_error *error)
{
	if (!is) {
		printf("error %d: %s\n", error->fault, error->text);
		over = 1;
	}
	return is;
}

static void shown(void *data, int scanned_out, uint32_t reason)
{
	(void)data;
	printf("shown %d %u\n", scanned_out, reason);
	fflush(stdout);
	over = ++statuses == 1;
}

static void imported(void *data, struct wl_buffer *buffer, const struct heapwire_error *error)
{
	struct heapwire_error fault;

	(void)data;
	if (!need(buffer != NULL, error))
		return;
	shown_buffer = buffer;
	status = heapwire_status_create(client, buffer, shown, NULL, &fault);
	if (!need(status != NULL, &fault))
		return;
	wl_surface_attach(surface, buffer, 0, 0);
	wl_surface_commit(surface);
}

static void allocated(void *data, const int *fds, uint32_t n, const struct heapwire_error *error)
{
	struct heapwire_error fault;
	void *pixels;

	(void)data;
	if (!need(fds != NULL, error))
		return;
	printf("allocated %u\n", n);
	pixels = mmap(NULL, layout.objects[0].size, PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (need(!heapwire_access_begin(fds[0], HEAPWIRE_WRITE, &fault), &fault)) {
		memset(pixels, 0x40, layout.objects[0].size);
		heapwire_access_end(fds[0], HEAPWIRE_WRITE, NULL);
	}
	munmap(pixels, layout.objects[0].size);
	need(heapwire_import(client, &layout, (uint32_t)width, (uint32_t)height, fds, imported,
			     NULL, &fault) != NULL, &fault);
	close(fds[0]);
}

static void global(void *data, struct wl_registry *registry, uint32_t name, const char *interface,
		   uint32_t version)
{
	(void)data, (void)version;
	if (!strcmp(interface, wl_compositor_interface.name))
		compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 1);
	if (!strcmp(interface, xdg_wm_base_interface.name))
		shell = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
}

static void gone(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data, (void)registry, (void)name;
}

static void configured(void *data, struct xdg_surface *window, uint32_t serial)
{
	(void)data;
	xdg_surface_ack_configure(window, serial);
}

static void sized(void *data, struct xdg_toplevel *window, int32_t w, int32_t h, struct wl_array *a)
{
	(void)data, (void)window, (void)a;
	if (w && h)
		width = w, height = h;
}

static void closed(void *data, struct xdg_toplevel *window)
{
	(void)data, (void)window;
}

int main(void)
{
	static const struct wl_registry_listener on_global = {global, gone};
	static const struct xdg_surface_listener on_configure = {configured};
	static const struct xdg_toplevel_listener on_size = {.configure = sized, .close = closed};
	struct wl_display *display = wl_display_connect(NULL);
	struct wl_registry *registry = wl_display_get_registry(display);
	struct heapwire_feedback *feedback;
	const struct heapwire_batch *batch;
	struct heapwire_error error;
	struct xdg_surface *window;
	struct xdg_toplevel *toplevel;
	size_t i = 0;

	wl_registry_add_listener(registry, &on_global, NULL);
	client = heapwire_client_create(display, NULL, &error);
	wl_display_roundtrip(display);
	surface = wl_compositor_create_surface(compositor);
	window = xdg_wm_base_get_xdg_surface(shell, surface);
	xdg_surface_add_listener(window, &on_configure, NULL);
	toplevel = xdg_surface_get_toplevel(window);
	xdg_toplevel_add_listener(toplevel, &on_size, NULL);
	xdg_toplevel_set_fullscreen(toplevel, NULL);
	wl_surface_commit(surface);
	while (!heapwire_client_ready(client))
		if (wl_display_dispatch(display) < 0)
			return 3;
	feedback = heapwire_feedback_create(client, surface, NULL, NULL, &error);
	while (!(batch = heapwire_feedback_batch(feedback, &error)))
		if (error.fault || wl_display_dispatch(display) < 0)
			return 3;
	while (i < batch->n_tranches && !heapwire_tranche_has(&batch->tranches[i], XRGB8888, LINEAR))
		i++;
	if (i < batch->n_tranches &&
	    need(!heapwire_lay_out(&batch->tranches[i], XRGB8888, LINEAR, (uint32_t)width,
				   (uint32_t)height, &layout, &error), &error))
		allocation = heapwire_allocation_create(client, &layout, allocated, NULL, &error);
	need(allocation != NULL, &error);
	while (!over && wl_display_dispatch(display) >= 0)
		;
	heapwire_status_destroy(status);
	heapwire_allocation_destroy(allocation);
	heapwire_feedback_destroy(feedback);
	heapwire_client_destroy(client);
	if (shown_buffer)
		wl_buffer_destroy(shown_buffer);
	xdg_toplevel_destroy(toplevel);
	xdg_surface_destroy(window);
	wl_surface_destroy(surface);
	wl_compositor_destroy(compositor);
	xdg_wm_base_destroy(shell);
	wl_registry_destroy(registry);
	wl_display_disconnect(display);
	return 0;
}
