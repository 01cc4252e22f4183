/*
 * Renders into a buffer of the compositor's plan, and shows it. What draws is in a file of its own:
 * draw_egl.c with OpenGL ES, draw_vulkan.c with Vulkan.
 *
 * Where the driver imports dma-bufs, the GPU draws into the plan's memory itself. Where it does not,
 * it draws into memory of its own, and the rows are copied to where the plan has them; which of the
 * two it was is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>
#include "render_into_plan.h"
#include "xdg-shell-client-protocol.h"
#include "xx-dmabuf-negotiation-v1-client-protocol.h"

static struct wl_display *display;
static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;
static struct heapwire_client *client;
static struct heapwire_buffer buffer;
static int answered, configured, shown;

void need(int is, const char *what)
{
	is ? (void)0 : (fprintf(stderr, "%s\n", what), exit(1));
}

void copy_rows(const struct heapwire_buffer *to, const void *rows, size_t pitch)
{
	const struct heapwire_plane *plane = &to->layout.planes[0];
	struct heapwire_error error;
	size_t row;
	need(to->layout.modifier == LINEAR, "the driver does not take the buffer of the plan");
	need(!heapwire_access_begin(to->fd, HEAPWIRE_WRITE, &error), error.text);
	for (row = 0; row < HEIGHT; row++)
		memcpy((char *)to->pixels + plane->offset + row * plane->pitch,
		       (const char *)rows + row * pitch, 4 * WIDTH);
	need(!heapwire_access_end(to->fd, HEAPWIRE_WRITE, &error), error.text);
}

static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	struct heapwire_error why = {HEAPWIRE_NO_FAULT, "there is no plan"};
	size_t i;
	(void)data;
	for (i = 0; plans && i < plans->n && !buffer.proxy; i++)
		if (!heapwire_buffer_make(client, &plans->plans[i].layout, WIDTH, HEIGHT, &buffer, &why))
			answered = 1;
	need(answered, plans ? why.text : error->text);
}
static void global(void *d, struct wl_registry *all, uint32_t name, const char *what, uint32_t v)
{
	(void)d, (void)v;
	if (!strcmp(what, "wl_compositor"))
		compositor = wl_registry_bind(all, name, &wl_compositor_interface, 1);
	else if (!strcmp(what, "xdg_wm_base"))
		shell = wl_registry_bind(all, name, &xdg_wm_base_interface, 1);
}
static void gone(void *d, struct wl_registry *r, uint32_t n) { (void)d, (void)r, (void)n; }
static void ping(void *d, struct xdg_wm_base *w, uint32_t n) { (void)d, xdg_wm_base_pong(w, n); }
static void size(void *d, struct xdg_surface *w, uint32_t n)
{
	(void)d, configured = 1, xdg_surface_ack_configure(w, n);
}
static void done(void *d, struct wl_callback *c, uint32_t t) { (void)d, (void)c, (void)t, shown = 1; }
static const struct wl_registry_listener on_global = {global, gone};
static const struct xdg_wm_base_listener on_ping = {ping};
static const struct xdg_surface_listener on_size = {size};
static const struct wl_callback_listener on_frame = {done};

static void wait_for(const int *flag)
{
	while (!*flag)
		need(wl_display_dispatch(display) >= 0, "the compositor is gone");
}

int main(void)
{
	struct heapwire_pair pairs[PAIRS];
	struct heapwire_set set = {0, 0, pairs, 0, NULL};
	struct heapwire_participant gpu = {1, XX_DMABUF_NEGOTIATION_V1_USAGE_RENDER, 0, "the GPU", 1, &set};
	struct heapwire_extents extents = {WIDTH, HEIGHT, 0, 0, 0, 0};
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	need((display = wl_display_connect(NULL)) != NULL, "there is no compositor");
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	need(wl_display_roundtrip(display) >= 0 && compositor && shell, "it has no xdg-shell");
	struct wl_surface *surface = wl_compositor_create_surface(compositor);
	struct xdg_surface *window = xdg_wm_base_get_xdg_surface(shell, surface);
	xdg_wm_base_add_listener(shell, &on_ping, NULL);
	xdg_surface_add_listener(window, &on_size, NULL);
	xdg_surface_get_toplevel(window);
	wl_surface_commit(surface);
	wait_for(&configured);
	begin_gpu();
	set.n_pairs = pairs_of_the_gpu(pairs);
	need((client = heapwire_client_create(display, NULL, &error)) != NULL, error.text);
	while (!heapwire_client_ready(client))
		need(wl_display_dispatch(display) >= 0, "the compositor is gone");
	struct heapwire_negotiation *negotiation =
		heapwire_negotiation_create(client, surface, planned, NULL, &error);
	need(negotiation && !heapwire_negotiation_set_participant(negotiation, &gpu, &error) &&
		     !heapwire_negotiation_set_extents(negotiation, &extents, &error) &&
		     !heapwire_negotiation_commit(negotiation, &error),
	     error.text);
	wait_for(&answered);
	puts(draw(&buffer) ? "drawn into the plan's memory" : "drawn elsewhere, and copied");
	wl_callback_add_listener(wl_surface_frame(surface), &on_frame, NULL);
	wl_surface_attach(surface, buffer.proxy, 0, 0);
	wl_surface_commit(surface);
	wait_for(&shown);
	return 0; /* all that there is goes with the process */
}
