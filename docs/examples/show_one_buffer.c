/* Shows one buffer, from the memory that the compositor names, until it is interrupted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>
#include "heapwire-client.h"
#include "xdg-shell-client-protocol.h"

enum { WIDTH = 640, HEIGHT = 360, XRGB8888 = 0x34325258, LINEAR = 0, GREY = 0xa0 };
static struct heapwire_error error = {HEAPWIRE_PEER, "there is no compositor with xdg-shell"};
static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;

static void need(int is) { is ? (void)0 : (fprintf(stderr, "%s\n", error.text), exit(1)); }
static void global(void *d, struct wl_registry *all, uint32_t name, const char *what, uint32_t v)
{
	(void)d, (void)v;
	if (!strcmp(what, "wl_compositor"))
		compositor = (struct wl_compositor *)wl_registry_bind(
			all, name, &wl_compositor_interface, 1);
	else if (!strcmp(what, "xdg_wm_base"))
		shell = (struct xdg_wm_base *)wl_registry_bind(all, name, &xdg_wm_base_interface, 1);
}
static void gone(void *d, struct wl_registry *r, uint32_t n) { (void)d, (void)r, (void)n; }
static void ping(void *d, struct xdg_wm_base *w, uint32_t n) { (void)d, xdg_wm_base_pong(w, n); }
static void size(void *d, struct xdg_surface *w, uint32_t n) { (void)d, xdg_surface_ack_configure(w, n); }
static const struct wl_registry_listener on_global = {global, gone};
static const struct xdg_wm_base_listener on_ping = {ping};
static const struct xdg_surface_listener on_size = {size};

int main(void)
{
	struct wl_display *display = wl_display_connect(NULL);
	need(display != NULL);
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	need(wl_display_roundtrip(display) >= 0 && compositor && shell);
	struct wl_surface *surface = wl_compositor_create_surface(compositor);
	struct xdg_surface *window = xdg_wm_base_get_xdg_surface(shell, surface);
	xdg_wm_base_add_listener(shell, &on_ping, NULL);
	xdg_surface_add_listener(window, &on_size, NULL);
	xdg_surface_get_toplevel(window);
	wl_surface_commit(surface);
	struct heapwire_client *client = heapwire_client_create(display, NULL, &error);
	need(client != NULL);
	while (!heapwire_client_ready(client))
		need(wl_display_dispatch(display) >= 0);
	struct heapwire_feedback *feedback =
		heapwire_feedback_create(client, surface, NULL, NULL, &error);
	while (!heapwire_feedback_batch(feedback, &error))
		need(!error.fault && wl_display_dispatch(display) >= 0);
	struct heapwire_buffer one;
	need(!heapwire_buffer_create(client, heapwire_feedback_batch(feedback, &error), XRGB8888,
				     LINEAR, WIDTH, HEIGHT, &one, &error) &&
	     !heapwire_access_begin(one.fd, HEAPWIRE_WRITE, &error));
	memset(one.pixels, GREY, one.layout.objects[0].size);
	need(!heapwire_access_end(one.fd, HEAPWIRE_WRITE, &error));
	wl_surface_attach(surface, one.proxy, 0, 0);
	wl_surface_commit(surface);
	while (wl_display_dispatch(display) >= 0) {}
}
