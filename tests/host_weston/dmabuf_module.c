/*
 * linux-dmabuf feedback for a Weston without a GPU, as the DRM backend has it: a module of its own,
 * which knows nothing of heapwire. A surface that is as large as its output may be scanned out,
 * and its feedback objects are told when that changes. No buffer can be made.
 *
 * HEAPWIRE_TEST_DISPLAY and HEAPWIRE_TEST_RENDERER are the dev_t of the two devices.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libweston/libweston.h>

#include "linux-dmabuf-unstable-v1.private-code"
#include "linux-dmabuf-unstable-v1.server-header"

enum { NV12 = 0x3231564e };

static const struct {
	uint32_t format, padding;
	uint64_t modifier;
} table[] = {{0x34325258, 0, 0}, {NV12, 0, 0}, {0x34325241, 0, 0}};

/* A surface with feedback objects, as libweston has it: one listener, however many they are. */
struct watched {
	struct weston_surface *surface;
	struct wl_listener committed;
	struct wl_listener surface_destroyed;
	struct wl_list feedbacks; /* wl_resource_get_link() */
	bool scanout;
};

static void tranche(struct wl_resource *feedback, const char *variable, uint32_t flags, size_t pairs)
{
	uint64_t number = strtoull(getenv(variable), NULL, 10);
	uint16_t indices[] = {0, 1, 2};
	struct wl_array device = {.size = sizeof number, .data = &number};
	struct wl_array formats = {.size = pairs * sizeof *indices, .data = indices};

	zwp_linux_dmabuf_feedback_v1_send_tranche_target_device(feedback, &device);
	zwp_linux_dmabuf_feedback_v1_send_tranche_flags(feedback, flags);
	zwp_linux_dmabuf_feedback_v1_send_tranche_formats(feedback, &formats);
	zwp_linux_dmabuf_feedback_v1_send_tranche_done(feedback);
}

static void batch(struct wl_resource *feedback, bool scanout, bool first)
{
	uint64_t number = strtoull(getenv("HEAPWIRE_TEST_RENDERER"), NULL, 10);
	struct wl_array device = {.size = sizeof number, .data = &number};

	if (first) {
		int fd = memfd_create("formats", MFD_CLOEXEC);

		if (write(fd, table, sizeof table) == sizeof table)
			zwp_linux_dmabuf_feedback_v1_send_format_table(feedback, fd, sizeof table);
		close(fd);
	}
	zwp_linux_dmabuf_feedback_v1_send_main_device(feedback, &device);
	if (scanout)
		tranche(feedback, "HEAPWIRE_TEST_DISPLAY", 1, 2);
	tranche(feedback, "HEAPWIRE_TEST_RENDERER", 0, 3);
	zwp_linux_dmabuf_feedback_v1_send_done(feedback);
}

static bool fills_its_output(const struct weston_surface *surface)
{
	return surface->output && surface->width == surface->output->width &&
	       surface->height == surface->output->height;
}

static void committed(struct wl_listener *listener, void *data)
{
	struct watched *watched = wl_container_of(listener, watched, committed);
	const bool scanout = fills_its_output(watched->surface);
	struct wl_resource *feedback;

	(void)data;
	if (scanout == watched->scanout)
		return;
	watched->scanout = scanout;
	wl_resource_for_each(feedback, &watched->feedbacks)
		batch(feedback, scanout, false);
}

static void surface_destroyed(struct wl_listener *listener, void *data)
{
	struct watched *watched = wl_container_of(listener, watched, surface_destroyed);
	struct wl_resource *feedback, *next;

	(void)data;
	wl_resource_for_each_safe(feedback, next, &watched->feedbacks) {
		wl_list_remove(wl_resource_get_link(feedback));
		wl_list_init(wl_resource_get_link(feedback));
	}
	wl_list_remove(&watched->committed.link);
	wl_list_remove(&watched->surface_destroyed.link);
	free(watched);
}

static struct watched *watch(struct weston_surface *surface)
{
	struct wl_listener *known = wl_signal_get(&surface->destroy_signal, surface_destroyed);
	struct watched *watched;

	if (known)
		return wl_container_of(known, watched, surface_destroyed);
	watched = calloc(1, sizeof *watched);
	watched->surface = surface;
	wl_list_init(&watched->feedbacks);
	watched->committed.notify = committed;
	wl_signal_add(&surface->commit_signal, &watched->committed);
	watched->surface_destroyed.notify = surface_destroyed;
	wl_signal_add(&surface->destroy_signal, &watched->surface_destroyed);
	watched->scanout = fills_its_output(surface);
	return watched;
}

static void feedback_gone(struct wl_resource *resource)
{
	wl_list_remove(wl_resource_get_link(resource));
}

static void destroy(struct wl_client *client, struct wl_resource *resource)
{
	(void)client;
	wl_resource_destroy(resource);
}

static struct wl_resource *get_feedback(struct wl_client *client, struct wl_resource *resource,
					uint32_t id)
{
	static const struct zwp_linux_dmabuf_feedback_v1_interface requests = {destroy};
	struct wl_resource *feedback =
		wl_resource_create(client, &zwp_linux_dmabuf_feedback_v1_interface,
				   wl_resource_get_version(resource), id);

	wl_resource_set_implementation(feedback, &requests, NULL, feedback_gone);
	wl_list_init(wl_resource_get_link(feedback));
	return feedback;
}

static void get_default(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	batch(get_feedback(client, resource, id), false, true);
}

static void get_surface(struct wl_client *client, struct wl_resource *resource, uint32_t id,
			struct wl_resource *surface)
{
	struct wl_resource *feedback = get_feedback(client, resource, id);
	struct watched *watched = watch(wl_resource_get_user_data(surface));

	wl_list_insert(&watched->feedbacks, wl_resource_get_link(feedback));
	batch(feedback, watched->scanout, true);
}

static void add(struct wl_client *client, struct wl_resource *resource, int32_t fd, uint32_t plane,
		uint32_t offset, uint32_t stride, uint32_t modifier_hi, uint32_t modifier_lo)
{
	(void)client, (void)resource, (void)plane, (void)offset, (void)stride;
	(void)modifier_hi, (void)modifier_lo;
	close(fd);
}

/* NV12 is taken, whatever it is made of, and nothing else. */
static void create(struct wl_client *client, struct wl_resource *resource, int32_t width,
		   int32_t height, uint32_t format, uint32_t flags)
{
	static const struct wl_buffer_interface requests = {destroy};
	struct wl_resource *buffer;

	(void)width, (void)height, (void)flags;
	if (format != NV12) {
		zwp_linux_buffer_params_v1_send_failed(resource);
		return;
	}
	buffer = wl_resource_create(client, &wl_buffer_interface, 1, 0);
	wl_resource_set_implementation(buffer, &requests, NULL, NULL);
	zwp_linux_buffer_params_v1_send_created(resource, buffer);
}

static void create_params(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	static const struct zwp_linux_buffer_params_v1_interface requests = {
		.destroy = destroy, .add = add, .create = create};
	struct wl_resource *params =
		wl_resource_create(client, &zwp_linux_buffer_params_v1_interface,
				   wl_resource_get_version(resource), id);

	wl_resource_set_implementation(params, &requests, NULL, NULL);
}

static void bind(struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
	static const struct zwp_linux_dmabuf_v1_interface requests = {
		.destroy = destroy,
		.create_params = create_params,
		.get_default_feedback = get_default,
		.get_surface_feedback = get_surface};
	struct wl_resource *resource =
		wl_resource_create(client, &zwp_linux_dmabuf_v1_interface, (int)version, id);

	(void)data;
	wl_resource_set_implementation(resource, &requests, NULL, NULL);
}

__attribute__((visibility("default"))) int
wet_module_init(struct weston_compositor *compositor, int *argc, char *argv[]);

int wet_module_init(struct weston_compositor *compositor, int *argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return wl_global_create(compositor->wl_display, &zwp_linux_dmabuf_v1_interface, 4, NULL, bind)
		       ? 0
		       : -1;
}
