/* A compositor with linux-dmabuf feedback and no more, for sources_table.c to stand beside. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-server.h>

#include "linux-dmabuf-unstable-v1.private-code"
#include "linux-dmabuf-unstable-v1.server-header"

int sources_table_create(struct wl_display *display, const char *node);

static const struct {
	uint32_t format, padding;
	uint64_t modifier;
} pair = {0x34325258, 0, 0};

static void destroy(struct wl_client *client, struct wl_resource *resource)
{
	(void)client;
	wl_resource_destroy(resource);
}

static void get_feedback(struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
	static const struct zwp_linux_dmabuf_feedback_v1_interface requests = {destroy};
	struct wl_resource *feedback =
		wl_resource_create(client, &zwp_linux_dmabuf_feedback_v1_interface,
				   wl_resource_get_version(resource), id);
	int table = memfd_create("formats", MFD_CLOEXEC);
	uint64_t no_device = 0;
	uint16_t first = 0;
	struct wl_array device = {.size = sizeof no_device, .data = &no_device};
	struct wl_array indices = {.size = sizeof first, .data = &first};

	wl_resource_set_implementation(feedback, &requests, NULL, NULL);
	if (write(table, &pair, sizeof pair) != sizeof pair)
		wl_client_post_no_memory(client);
	zwp_linux_dmabuf_feedback_v1_send_format_table(feedback, table, sizeof pair);
	close(table);
	zwp_linux_dmabuf_feedback_v1_send_main_device(feedback, &device);
	zwp_linux_dmabuf_feedback_v1_send_tranche_target_device(feedback, &device);
	zwp_linux_dmabuf_feedback_v1_send_tranche_flags(feedback, 1);
	zwp_linux_dmabuf_feedback_v1_send_tranche_formats(feedback, &indices);
	zwp_linux_dmabuf_feedback_v1_send_tranche_done(feedback);
	zwp_linux_dmabuf_feedback_v1_send_done(feedback);
}

static void bind_dmabuf(struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
	static const struct zwp_linux_dmabuf_v1_interface requests = {
		.destroy = destroy, .get_default_feedback = get_feedback};
	struct wl_resource *resource =
		wl_resource_create(client, &zwp_linux_dmabuf_v1_interface, version, id);
	(void)data;
	wl_resource_set_implementation(resource, &requests, NULL, NULL);
}

int main(int argc, char **argv)
{
	struct wl_display *display = wl_display_create();

	if (argc != 3 || wl_display_add_socket(display, argv[1]) < 0 ||
	    !wl_global_create(display, &zwp_linux_dmabuf_v1_interface, 4, NULL, bind_dmabuf) ||
	    sources_table_create(display, argv[2]) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	wl_display_run(display);
	wl_display_destroy(display);
	return 0;
}
