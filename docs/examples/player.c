/* Shows what a camera sees, in buffers that it and the compositor have agreed on: nobody copies a
 * picture. Without a camera, the CPU makes the pictures. It waits in one place, in poll().
 *   player [PICTURES [/dev/videoN]]    ends after so many (0: never), or when its window is closed
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <wayland-client.h>
#include "heapwire-client.h"
#include "xdg-shell-client-protocol.h"
#include "xx-dmabuf-negotiation-v1-client-protocol.h"
#include "xx-dmabuf-sources-v1-client-protocol.h"

enum { QUEUE = V4L2_BUF_TYPE_VIDEO_CAPTURE, MOST = 64, FORMATS = 2, NEEDS = 4 };
enum { XR24 = 0x34325258, YUYV = 0x56595559 }; /* V4L2 and DRM have the same letters for these */
enum state { FREE, FILLING, SHOWN };
struct buffer {
	enum state state;
	int retired; /* it is of an earlier plan, and goes when it has been shown */
	struct heapwire_buffer its;
	struct v4l2_buffer turn; /* what the camera is told */
};

static const char *name = "pattern"; /* or that of the camera's node */
static struct stat node;
static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;
static struct wl_surface *surface;
static struct wl_callback *frame; /* until it is done the screen wants no other picture */
static struct heapwire_client *client;
static struct heapwire_negotiation *negotiation;
static struct buffer *buffers[MOST];
static uint32_t n_buffers, n_filling, width = 640, height = 480;
static int camera = -1, queue = QUEUE, over, is_dirty, bracketed, shown, wanted, busy;
static int64_t again; /* when to ask again; 0: not at all */

static void need(int is, const char *what, const char *why)
{
	why = why ? why : strerror(errno);
	is ? (void)0 : (fprintf(stderr, "%s: %s\n", what, why), exit(1));
}
static int64_t now(void) /* in milliseconds */
{
	struct timespec t;
	return clock_gettime(CLOCK_MONOTONIC, &t), (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static void destroy(struct buffer *one)
{
	heapwire_buffer_destroy(&one->its);
	free(one);
}
/* The buffer may be filled; a camera is given it at once. */
static int give(struct buffer *one)
{
	one->state = camera < 0 ? FREE : FILLING;
	n_filling += camera >= 0;
	return (bracketed && heapwire_access_begin(one->its.fd, HEAPWIRE_WRITE, NULL) < 0) ||
	       (camera >= 0 && ioctl(camera, VIDIOC_QBUF, &one->turn) < 0) ? -1 : 0;
}
static void release(void *data, struct wl_buffer *proxy)
{
	struct buffer *one = (struct buffer *)data;
	(void)proxy;
	one->retired ? destroy(one) : need(!give(one), "the camera takes no buffer", NULL);
}
static void frame_done(void *data, struct wl_callback *callback, uint32_t time)
{
	(void)data, (void)time, wl_callback_destroy(callback);
	frame = NULL;
	over |= wanted && shown >= wanted;
}
static void show(struct buffer *one)
{
	static const struct wl_callback_listener on_frame = {frame_done};
	one->state = SHOWN;
	frame = wl_surface_frame(surface);
	wl_callback_add_listener(frame, &on_frame, NULL);
	wl_surface_attach(surface, one->its.proxy, 0, 0);
	wl_surface_damage(surface, 0, 0, INT32_MAX, INT32_MAX);
	wl_surface_commit(surface);
	shown++;
}
/* A picture of the camera's. One that comes before the screen wants it is dropped. */
static void take(void)
{
	struct v4l2_buffer turned = buffers[0]->turn;
	need(!ioctl(camera, VIDIOC_DQBUF, &turned), "the camera has failed", NULL);
	struct buffer *one = buffers[turned.index];
	n_filling--;
	if (bracketed)
		heapwire_access_end(one->its.fd, HEAPWIRE_WRITE, NULL);
	!frame && !(turned.flags & V4L2_BUF_FLAG_ERROR)
		? show(one) : need(!give(one), "the camera takes no buffer", NULL);
}
/* A picture of the pattern, if the screen wants one and there is a buffer for it. */
static void draw(void)
{
	struct heapwire_error error;
	uint32_t i, row;
	for (i = 0; i < n_buffers && buffers[i]->state != FREE; i++) {}
	if (frame || i == n_buffers)
		return;
	need(!heapwire_access_begin(buffers[i]->its.fd, HEAPWIRE_WRITE, &error), "SYNC", error.text);
	for (row = 0; row < height; row++)
		memset((char *)buffers[i]->its.pixels + row * buffers[i]->its.layout.planes[0].pitch,
		       (int)((row + (uint32_t)shown) & 0xff), (size_t)width * 4);
	need(!heapwire_access_end(buffers[i]->its.fd, HEAPWIRE_WRITE, &error), "SYNC", error.text);
	show(buffers[i]);
}
/* What the camera makes of a format, and of a pitch if it is not 0. The size is its to decide. */
static struct v4l2_pix_format format_of(unsigned long request, uint32_t fourcc, uint32_t pitch)
{
	struct v4l2_format format;
	memset(&format, 0, sizeof format);
	format.type = QUEUE;
	format.fmt.pix.width = width, format.fmt.pix.height = height;
	format.fmt.pix.pixelformat = fourcc;
	format.fmt.pix.bytesperline = pitch;
	need(!ioctl(camera, request, &format), "the camera has no formats", NULL);
	width = format.fmt.pix.width, height = format.fmt.pix.height;
	return format.fmt.pix;
}
/* Room in the camera's queue for other people's buffers: its capabilities, or -1. */
static int room_for(uint32_t count)
{
	struct v4l2_requestbuffers room = {count, QUEUE, V4L2_MEMORY_DMABUF, 0, 0, {0}};
	int done = ioctl(camera, VIDIOC_REQBUFS, &room);
	return done < 0 || room.count < count ? -1 : (int)room.capabilities;
}
static void stop(void)
{
	if (camera >= 0 && !ioctl(camera, VIDIOC_STREAMOFF, &queue))
		room_for(0);
	for (n_filling = 0; n_buffers;) {
		struct buffer *one = buffers[--n_buffers];
		one->retired = 1;
		if (one->state != SHOWN)
			destroy(one);
	}
}
/* Makes the buffers of a plan and has them filled; -1 if it cannot be followed. */
static int follow(const struct heapwire_plan *plan, struct heapwire_error *error)
{
	static const struct wl_buffer_listener on_release = {release};
	uint32_t pitch = plan->layout.planes[0].pitch, fourcc = plan->layout.fourcc;
	bracketed = is_dirty && plan->agreement.coherency == XX_DMABUF_NEGOTIATION_V1_COHERENCY_RAM;
	if (plan->kind != XX_DMABUF_NEGOTIATION_V1_LAYOUT_KIND_EXACT || plan->count > MOST ||
	    !(plan->access[0] & XX_DMABUF_NEGOTIATION_V1_ACCESS_CLIENT) || plan->layout.planes[0].offset ||
	    (camera >= 0 && (format_of(VIDIOC_S_FMT, fourcc, pitch).bytesperline != pitch ||
			     room_for(plan->count) < 0)))
		return -1;
	while (n_buffers < plan->count) {
		struct buffer *one = (struct buffer *)calloc(1, sizeof *one);
		if (!one || heapwire_buffer_make(client, &plan->layout, width, height, &one->its, error))
			return free(one), -1;
		wl_buffer_add_listener(one->its.proxy, &on_release, one);
		one->turn.type = QUEUE, one->turn.memory = V4L2_MEMORY_DMABUF;
		one->turn.m.fd = one->its.fd;
		one->turn.length = (uint32_t)plan->layout.objects[0].size;
		one->turn.index = n_buffers;
		if (give(buffers[n_buffers++] = one) < 0)
			return -1;
	}
	return camera < 0 ? 0 : ioctl(camera, VIDIOC_STREAMON, &queue);
}
static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	struct heapwire_error why = {HEAPWIRE_NO_FAULT, "the camera does not take it"};
	uint32_t i;
	(void)data, again = 0;
	if (!plans && busy < 3 &&
	    heapwire_negotiation_reason(negotiation) == XX_DMABUF_NEGOTIATION_V1_REASON_BUSY)
		again = now() + (100 << 2 * busy++); /* after 0.1, 0.4 and 1.6 seconds */
	for (i = 0; plans && i < plans->n; i++) {
		stop();
		if (follow(&plans->plans[i], &why) < 0)
			continue;
		heapwire_negotiation_use(negotiation, plans->serial, i), busy = 0;
		return;
	}
	need(again || (!plans && n_buffers), "no plan", plans ? why.text : error->text);
}
/* Asks for plans for what the camera requires, or for pictures that the CPU writes. */
static void ask(void)
{
	enum { MUST = XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND };
	struct heapwire_pair pairs[FORMATS] = {{XR24, 0, 0}, {YUYV, 0, 0}};
	struct heapwire_constraint needs[FORMATS][NEEDS];
	struct heapwire_set sets[FORMATS] = {{0, 1, pairs, 0, NULL}}; /* of the CPU */
	struct heapwire_error error;
	uint32_t usage = camera < 0 ? XX_DMABUF_NEGOTIATION_V1_USAGE_CPU_WRITE
				    : XX_DMABUF_NEGOTIATION_V1_USAGE_CAMERA;
	uint64_t pitches[FORMATS], sizes[FORMATS];
	size_t i, n = 0;
	/* Drivers that take pointers write with the CPU. Others, as a rule, want one run of memory. */
	is_dirty = camera >= 0 && room_for(0) & V4L2_BUF_CAP_SUPPORTS_USERPTR;
	for (i = 0; camera >= 0 && i < FORMATS; i++) {
		struct v4l2_pix_format pix = format_of(VIDIOC_TRY_FMT, pairs[i].fourcc, 0);
		struct heapwire_set one = {0, 1, &pairs[i], NEEDS, needs[i]};
		const struct heapwire_constraint those[NEEDS] = {
			{XX_DMABUF_SOURCES_V1_TYPE_MIN_PITCH, 0, MUST, 8, &pitches[i]},
			{XX_DMABUF_SOURCES_V1_TYPE_MAX_PITCH, 0, MUST, 8, &pitches[i]},
			{XX_DMABUF_SOURCES_V1_TYPE_MIN_SIZE, 0, MUST, 8, &sizes[i]},
			{is_dirty ? XX_DMABUF_SOURCES_V1_TYPE_DIRTY_LINES
				  : XX_DMABUF_SOURCES_V1_TYPE_CONTIGUOUS, 0, MUST, 0, NULL}};
		memcpy(needs[i], those, sizeof those);
		pitches[i] = pix.bytesperline, sizes[i] = pix.sizeimage;
		if (pix.pixelformat == pairs[i].fourcc)
			sets[n++] = one;
	}
	need(camera < 0 || n, name, "it makes nothing that is known here");
	struct heapwire_participant me = {1, usage, node.st_rdev, name, camera < 0 ? 1 : n, sets};
	struct heapwire_extents extents = {width, height, 0, 0, 0, 0};
	negotiation = heapwire_negotiation_create(client, surface, planned, NULL, &error);
	need(negotiation && !heapwire_negotiation_set_participant(negotiation, &me, &error) &&
		     !heapwire_negotiation_set_extents(negotiation, &extents, &error) &&
		     !heapwire_negotiation_set_buffers(negotiation, 2, 1, &error) &&
		     !heapwire_negotiation_commit(negotiation, &error),
	     "negotiation", error.text);
}
static void global(void *d, struct wl_registry *all, uint32_t id, const char *what, uint32_t v)
{
	(void)d, (void)v;
	if (!strcmp(what, "wl_compositor"))
		compositor = (struct wl_compositor *)wl_registry_bind(all, id, &wl_compositor_interface, 1);
	else if (!strcmp(what, "xdg_wm_base"))
		shell = (struct xdg_wm_base *)wl_registry_bind(all, id, &xdg_wm_base_interface, 1);
}
static void gone(void *d, struct wl_registry *r, uint32_t n) { (void)d, (void)r, (void)n; }
static void ping(void *d, struct xdg_wm_base *w, uint32_t n) { (void)d, xdg_wm_base_pong(w, n); }
static void closed(void *d, struct xdg_toplevel *w) { (void)d, (void)w, over = 1; }
static void size(void *d, struct xdg_toplevel *window, int32_t w, int32_t h, struct wl_array *a)
{
	(void)d, (void)window, (void)a;
	width = w > 0 && !negotiation ? (uint32_t)w : width;
	height = h > 0 && !negotiation ? (uint32_t)h : height;
}
static void configure(void *d, struct xdg_surface *w, uint32_t serial)
{
	(void)d, xdg_surface_ack_configure(w, serial);
	negotiation ? (void)0 : ask();
}
static void open_window(void)
{
	static const struct xdg_wm_base_listener on_ping = {ping};
	static const struct xdg_surface_listener on_configure = {configure};
	static struct xdg_toplevel_listener on_size;
	need(compositor && shell, "the compositor", "it has no xdg-shell");
	surface = wl_compositor_create_surface(compositor);
	struct xdg_surface *window = xdg_wm_base_get_xdg_surface(shell, surface);
	struct xdg_toplevel *toplevel = xdg_surface_get_toplevel(window);
	on_size.configure = size, on_size.close = closed;
	xdg_wm_base_add_listener(shell, &on_ping, NULL);
	xdg_surface_add_listener(window, &on_configure, NULL);
	xdg_toplevel_add_listener(toplevel, &on_size, NULL);
	xdg_toplevel_set_fullscreen(toplevel, NULL);
	wl_surface_commit(surface);
}
int main(int argc, char **argv)
{
	static const struct wl_registry_listener on_global = {global, gone};
	struct wl_display *display = wl_display_connect(NULL);
	struct heapwire_error error;
	wanted = argc > 1 ? atoi(argv[1]) : 0;
	if (argc > 2)
		need((camera = open(name = argv[2], O_RDWR | O_NONBLOCK | O_CLOEXEC)) >= 0 &&
		     !fstat(camera, &node), argv[2], NULL);
	need(display != NULL, "no compositor", NULL);
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	need((client = heapwire_client_create(display, NULL, &error)) != NULL, "client", error.text);
	while (!over) {
		struct pollfd fds[2] = {{wl_display_get_fd(display), POLLIN, 0}, {camera, POLLIN, 0}};
		while (wl_display_prepare_read(display) < 0)
			wl_display_dispatch_pending(display);
		if (!surface && heapwire_client_ready(client))
			open_window();
		camera < 0 ? draw() : (void)0;
		if (wl_display_flush(display) < 0 && errno == EAGAIN)
			fds[0].events |= POLLOUT;
		/* A camera that has nothing to fill would call. */
		poll(fds, n_filling ? 2 : 1, again ? 10 : -1);
		if (again && now() >= again && !(again = 0))
			need(!heapwire_negotiation_commit(negotiation, &error), "negotiation", error.text);
		fds[0].revents & ~POLLOUT ? (void)wl_display_read_events(display)
					  : wl_display_cancel_read(display);
		need(wl_display_dispatch_pending(display) >= 0, "the compositor", NULL);
		if (n_filling && fds[1].revents)
			take();
	}
	return 0; /* all that there is goes with the process */
}
