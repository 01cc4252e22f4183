/*
 * xx-dmabuf-sources-v1 from a table, for a compositor that has linux-dmabuf already: no solver, and
 * nothing of heapwire. Its display takes XRGB8888 in rows of whole 64 bytes, from one heap.
 *
 * The table never changes, so each object is told of the batch before it, and that is all. Whoever
 * has tranches that change tells each object of them before the feedback object's done event, with
 * XX_DMABUF_FEEDBACK_SOURCES_V1_BATCH_NEXT.
 *
 *   for mode in server-header private-code; do
 *       wayland-scanner $mode xx-dmabuf-sources-v1.xml xx-dmabuf-sources-v1.$mode
 *   done
 *   cc -c sources_table.c $(pkg-config --cflags wayland-server)
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <wayland-server.h>

#include "xx-dmabuf-sources-v1.private-code"
#include "xx-dmabuf-sources-v1.server-header"

static const struct {
	uint32_t type;
	uint64_t value;
} needs[] = {
	{XX_DMABUF_SOURCES_V1_TYPE_PITCH_ALIGNMENT, 64},
	{XX_DMABUF_SOURCES_V1_TYPE_MAX_WIDTH, 4096},
};
static struct stat heap; /* of the node whose memory the display takes */
static const char *heap_name;

static void destroy(struct wl_client *client, struct wl_resource *resource)
{
	(void)client;
	wl_resource_destroy(resource);
}

/* What the table says of the only tranche: no indices are all of its pairs. */
static void describe(struct wl_resource *resource, uint32_t batch)
{
	struct wl_array indices = {0};
	xx_dmabuf_feedback_sources_v1_send_tranche_source(resource, XX_DMABUF_SOURCES_V1_KIND_HEAP,
							  major(heap.st_rdev), minor(heap.st_rdev));
	xx_dmabuf_feedback_sources_v1_send_tranche_set(resource, 0, &indices);
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		struct wl_array value = {.size = sizeof needs[i].value, .data = (void *)&needs[i].value};
		xx_dmabuf_feedback_sources_v1_send_tranche_constraint(
			resource, needs[i].type, 0, XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND,
			&value);
	}
	xx_dmabuf_feedback_sources_v1_send_tranche_done(resource);
	xx_dmabuf_feedback_sources_v1_send_done(resource, batch);
}

static void sources_extend(struct wl_client *client, struct wl_resource *resource, uint32_t id,
			   struct wl_resource *feedback)
{
	static const struct xx_dmabuf_feedback_sources_v1_interface requests = {destroy};
	struct wl_resource *extension = wl_resource_create(
		client, &xx_dmabuf_feedback_sources_v1_interface, wl_resource_get_version(resource), id);
	(void)feedback;
	if (!extension) {
		wl_client_post_no_memory(client);
		return;
	}
	wl_resource_set_implementation(extension, &requests, NULL, NULL);
	describe(extension, XX_DMABUF_FEEDBACK_SOURCES_V1_BATCH_LAST);
}

static void sources_bind(struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
	static const struct xx_dmabuf_sources_v1_interface requests = {destroy, sources_extend};
	struct wl_resource *resource = wl_resource_create(
		client, &xx_dmabuf_sources_v1_interface, version, id);
	const uint32_t contiguous = XX_DMABUF_SOURCES_V1_PROPERTY_CONTIGUOUS;
	(void)data;
	if (!resource) {
		wl_client_post_no_memory(client);
		return;
	}
	wl_resource_set_implementation(resource, &requests, NULL, NULL);
	xx_dmabuf_sources_v1_send_source(resource, XX_DMABUF_SOURCES_V1_KIND_HEAP,
					 major(heap.st_rdev), minor(heap.st_rdev), contiguous,
					 contiguous, 0, 0, heap_name);
	xx_dmabuf_sources_v1_send_done(resource);
}

/* Called once, with the node of the heap, which has to stay; -1 without such a node, or memory. */
int sources_table_create(struct wl_display *display, const char *node);

int sources_table_create(struct wl_display *display, const char *node)
{
	if (stat(node, &heap) < 0)
		return -1;
	heap_name = strrchr(node, '/') ? strrchr(node, '/') + 1 : node;
	return wl_global_create(display, &xx_dmabuf_sources_v1_interface, 1, NULL, sources_bind) ? 0 : -1;
}
