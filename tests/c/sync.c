/*
 * Two buffers on a surface that is synchronised explicitly, by the client library. Its own timelines
 * are the two numbers of a simulated machine, or those of the DRM node that is its argument.
 *
 * Says what it has done in a line each, and waits for one before each next step: `committed` (the
 * first buffer is not acquired yet), `signalled`, `replaced`, `released`.
 */
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

#include "heapwire-client.h"
#include "xdg-shell-client-protocol.h"

enum { WIDTH = 64, HEIGHT = 64, XRGB8888 = 0x34325258 };

static struct heapwire_error error = {HEAPWIRE_PEER, "there is no compositor with xdg-shell"};
static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;
static int device = -1;

struct syncobj {
	uint32_t handle, flags;
	int32_t fd;
	uint32_t pad;
};
struct points {
	uint64_t handles, points;
	uint32_t count, flags;
};
struct timeline {
	struct heapwire_timeline *known;
	uint32_t handle;
	int fd;
};

static void need(int is)
{
	if (!is) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
}

static void global(void *d, struct wl_registry *all, uint32_t name, const char *what, uint32_t v)
{
	(void)d, (void)v;
	if (!strcmp(what, "wl_compositor"))
		compositor = (struct wl_compositor *)wl_registry_bind(
			all, name, &wl_compositor_interface, 4);
	else if (!strcmp(what, "xdg_wm_base"))
		shell = (struct xdg_wm_base *)wl_registry_bind(all, name, &xdg_wm_base_interface, 1);
}
static void gone(void *d, struct wl_registry *r, uint32_t n) { (void)d, (void)r, (void)n; }
static void ping(void *d, struct xdg_wm_base *w, uint32_t n) { (void)d, xdg_wm_base_pong(w, n); }
static void size(void *d, struct xdg_surface *w, uint32_t n)
{
	(void)d, xdg_surface_ack_configure(w, n);
}
static const struct wl_registry_listener on_global = {global, gone};
static const struct xdg_wm_base_listener on_ping = {ping};
static const struct xdg_surface_listener on_size = {size};

static struct timeline made(struct heapwire_client *client)
{
	struct timeline one = {NULL, 0, -1};
	struct syncobj request = {0, 0, -1, 0};
	struct { uint32_t handle, flags; } create = {0, 0};

	if (device < 0) {
		one.fd = memfd_create("timeline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		need(!ftruncate(one.fd, 16) &&
		     !fcntl(one.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	} else {
		need(!ioctl(device, _IOWR('d', 0xBF, create), &create));
		request.handle = one.handle = create.handle;
		need(!ioctl(device, _IOWR('d', 0xC1, request), &request));
		one.fd = request.fd;
	}
	one.known = heapwire_timeline_import(client, one.fd, device, &error);
	need(one.known != NULL);
	return one;
}

static void signal_point(const struct timeline *one, uint64_t point)
{
	struct points request = {(uintptr_t)&one->handle, (uintptr_t)&point, 1, 0};

	if (device < 0)
		need(pwrite(one->fd, &point, sizeof point, 0) == sizeof point);
	else
		need(!ioctl(device, _IOWR('d', 0xCD, request), &request));
}

/* Whether the compositor has brought a simulated timeline to a point. */
static int has_come(const struct timeline *one, uint64_t point)
{
	uint64_t reached = 0;
	need(pread(one->fd, &reached, sizeof reached, 8) == sizeof reached);
	return reached >= point;
}

static void say(const char *what)
{
	char line[8];
	puts(what);
	fflush(stdout);
	need(fgets(line, sizeof line, stdin) != NULL);
}

static void show(struct wl_surface *surface, struct heapwire_buffer *buffer)
{
	wl_surface_attach(surface, buffer->proxy, 0, 0);
	wl_surface_damage_buffer(surface, 0, 0, WIDTH, HEIGHT);
	wl_surface_commit(surface);
}

/* Once `told` is readable, or where nobody tells, once the point has come. */
static void await(struct wl_display *display, const struct timeline *one, uint64_t point, int told)
{
	struct pollfd polled[2] = {{0, POLLIN, 0}, {0, POLLIN, 0}};

	polled[0].fd = wl_display_get_fd(display);
	polled[1].fd = told;
	while (device < 0 ? !has_come(one, point) : !(polled[1].revents & POLLIN)) {
		need(wl_display_dispatch_pending(display) >= 0 && wl_display_flush(display) >= 0);
		if (device < 0)
			need(wl_display_roundtrip(display) >= 0);
		else if (poll(polled, 2, -1) > 0 && polled[0].revents)
			need(wl_display_dispatch(display) >= 0);
	}
}

int main(int argc, char **argv)
{
	struct wl_display *display = wl_display_connect(NULL);
	struct heapwire_client *client;
	struct heapwire_feedback *feedback;
	struct heapwire_buffer buffers[2];
	struct heapwire_sync *sync;
	struct timeline written, read;
	struct wl_surface *surface;
	struct xdg_surface *window;
	int i, told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	need(display != NULL);
	if (argc > 1)
		need((device = open(argv[1], O_RDWR | O_CLOEXEC)) >= 0);
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	need(wl_display_roundtrip(display) >= 0 && compositor && shell);
	surface = wl_compositor_create_surface(compositor);
	window = xdg_wm_base_get_xdg_surface(shell, surface);
	xdg_wm_base_add_listener(shell, &on_ping, NULL);
	xdg_surface_add_listener(window, &on_size, NULL);
	xdg_surface_get_toplevel(window);
	wl_surface_commit(surface);
	client = heapwire_client_create(display, NULL, &error);
	need(client != NULL);
	while (!heapwire_client_ready(client))
		need(wl_display_dispatch(display) >= 0);
	sync = heapwire_sync_create(client, surface, &error);
	need(sync && heapwire_client_version(client, HEAPWIRE_SYNC) == 1);
	feedback = heapwire_feedback_create(client, surface, NULL, NULL, &error);
	while (!heapwire_feedback_batch(feedback, &error))
		need(!error.fault && wl_display_dispatch(display) >= 0);
	for (i = 0; i < 2; i++) {
		need(!heapwire_buffer_create(client, heapwire_feedback_batch(feedback, &error),
					     XRGB8888, 0, WIDTH, HEIGHT, &buffers[i], &error) &&
		     !heapwire_access_begin(buffers[i].fd, HEAPWIRE_WRITE, &error));
		memset(buffers[i].pixels, 0x40 * (i + 1), buffers[i].layout.objects[0].size);
		need(!heapwire_access_end(buffers[i].fd, HEAPWIRE_WRITE, &error));
	}
	written = made(client);
	read = made(client);
	need(heapwire_sync_set_points(sync, read.known, 7, read.known, 7, &error) < 0);
	need(error.fault == HEAPWIRE_CALLER);
	need(!heapwire_sync_set_points(sync, written.known, 1, read.known, (uint64_t)1 << 32,
				       &error));
	need((device < 0) == (heapwire_timeline_notify(read.known, (uint64_t)1 << 32, told,
						       &error) < 0));
	show(surface, &buffers[0]);
	need(wl_display_roundtrip(display) >= 0);
	say("committed");
	signal_point(&written, 1);
	say("signalled");
	signal_point(&written, 2);
	need(!heapwire_sync_set_points(sync, written.known, 2, read.known, ((uint64_t)1 << 32) + 1,
				       &error));
	show(surface, &buffers[1]);
	need(wl_display_roundtrip(display) >= 0);
	say("replaced");
	await(display, &read, (uint64_t)1 << 32, told);
	say("released");
	heapwire_timeline_destroy(written.known);
	heapwire_timeline_destroy(read.known);
	heapwire_sync_destroy(sync);
	for (i = 0; i < 2; i++)
		heapwire_buffer_destroy(&buffers[i]);
	heapwire_feedback_destroy(feedback);
	heapwire_client_destroy(client);
	close(told);
	wl_display_disconnect(display);
	return 0;
}
