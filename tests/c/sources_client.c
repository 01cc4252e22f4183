/* Prints what linux-dmabuf feedback and xx-dmabuf-sources-v1 say, a line an event. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wayland-client.h>

#include "linux-dmabuf-unstable-v1.client-header"
#include "linux-dmabuf-unstable-v1.private-code"
#include "xx-dmabuf-sources-v1.client-header"
#include "xx-dmabuf-sources-v1.private-code"

static struct zwp_linux_dmabuf_v1 *dmabuf;
static struct xx_dmabuf_sources_v1 *sources;

static void source(void *data, struct xx_dmabuf_sources_v1 *object, uint32_t kind, uint32_t major,
		   uint32_t minor, uint32_t properties, uint32_t known, uint32_t hi, uint32_t lo,
		   const char *name)
{
	(void)data, (void)object;
	printf("source %u %u:%u %u/%u %" PRIu64 " %s\n", kind, major, minor, properties, known,
	       (uint64_t)hi << 32 | lo, name);
}

static void source_gone(void *data, struct xx_dmabuf_sources_v1 *object, uint32_t kind,
			uint32_t major, uint32_t minor)
{
	(void)data, (void)object;
	printf("source_gone %u %u:%u\n", kind, major, minor);
}

static void sources_done(void *data, struct xx_dmabuf_sources_v1 *object)
{
	(void)data, (void)object;
	puts("sources done");
}

static void tranche_source(void *data, struct xx_dmabuf_feedback_sources_v1 *object, uint32_t kind,
			   uint32_t major, uint32_t minor)
{
	(void)data, (void)object;
	printf("tranche_source %u %u:%u\n", kind, major, minor);
}

static void tranche_set(void *data, struct xx_dmabuf_feedback_sources_v1 *object, uint32_t device,
			struct wl_array *indices)
{
	(void)data, (void)object;
	printf("tranche_set %u %zu\n", device, indices->size / 2);
}

static void tranche_constraint(void *data, struct xx_dmabuf_feedback_sources_v1 *object,
			       uint32_t type, uint32_t planes, uint32_t flags, struct wl_array *value)
{
	uint64_t number = 0;
	(void)data, (void)object;
	memcpy(&number, value->data, value->size < sizeof number ? value->size : sizeof number);
	printf("tranche_constraint %u %u %u %" PRIu64 "\n", type, planes, flags, number);
}

static void tranche_done(void *data, struct xx_dmabuf_feedback_sources_v1 *object)
{
	(void)data, (void)object;
	puts("sources tranche_done");
}

static void described(void *data, struct xx_dmabuf_feedback_sources_v1 *object, uint32_t batch)
{
	(void)data, (void)object;
	printf("described %u\n", batch);
}

static void feedback_done(void *data, struct zwp_linux_dmabuf_feedback_v1 *object)
{
	(void)data, (void)object;
	puts("feedback done");
}

static void format_table(void *data, struct zwp_linux_dmabuf_feedback_v1 *object, int32_t fd,
			 uint32_t size)
{
	(void)data, (void)object, (void)size;
	close(fd);
}

static void an_array(void *data, struct zwp_linux_dmabuf_feedback_v1 *object, struct wl_array *array)
{
	(void)data, (void)object, (void)array;
}

static void feedback_tranche_done(void *data, struct zwp_linux_dmabuf_feedback_v1 *object)
{
	(void)data, (void)object;
	puts("feedback tranche_done");
}

static void flags(void *data, struct zwp_linux_dmabuf_feedback_v1 *object, uint32_t value)
{
	(void)data, (void)object, (void)value;
}

static void global(void *data, struct wl_registry *registry, uint32_t name, const char *interface,
		   uint32_t version)
{
	(void)data;
	if (!strcmp(interface, zwp_linux_dmabuf_v1_interface.name) && version >= 4)
		dmabuf = wl_registry_bind(registry, name, &zwp_linux_dmabuf_v1_interface, 4);
	if (!strcmp(interface, xx_dmabuf_sources_v1_interface.name))
		sources = wl_registry_bind(registry, name, &xx_dmabuf_sources_v1_interface, 1);
}

static void global_gone(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data, (void)registry, (void)name;
}

int main(void)
{
	static const struct wl_registry_listener on_global = {global, global_gone};
	static const struct xx_dmabuf_sources_v1_listener on_source = {source, source_gone,
								       sources_done};
	static const struct xx_dmabuf_feedback_sources_v1_listener on_tranche = {
		tranche_source, tranche_set, tranche_constraint, tranche_done, described};
	static const struct zwp_linux_dmabuf_feedback_v1_listener on_feedback = {
		feedback_done,	       format_table, an_array, feedback_tranche_done, an_array,
		an_array,	       flags};
	struct wl_display *display = wl_display_connect(NULL);
	struct zwp_linux_dmabuf_feedback_v1 *feedback;

	if (!display)
		return 1;
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	wl_display_roundtrip(display);
	if (!dmabuf || !sources)
		return 2;
	xx_dmabuf_sources_v1_add_listener(sources, &on_source, NULL);
	feedback = zwp_linux_dmabuf_v1_get_default_feedback(dmabuf);
	zwp_linux_dmabuf_feedback_v1_add_listener(feedback, &on_feedback, NULL);
	/* Once in the same write as the feedback object, and once when its batch has been sent. */
	for (int i = 0; i < 2; i++) {
		xx_dmabuf_feedback_sources_v1_add_listener(
			xx_dmabuf_sources_v1_extend_feedback(sources, feedback), &on_tranche, NULL);
		if (wl_display_roundtrip(display) < 0)
			return 3;
	}
	wl_display_disconnect(display);
	return 0;
}
