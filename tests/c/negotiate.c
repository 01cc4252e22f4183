/* A client in plain C: asks where a decoder is to put pictures of 1920x1080, and prints
 * the best plan as one line of JSON.
 *
 *   negotiate default | surface
 *
 * Exit status: 0 a plan; 1 there is none; 3 no compositor, no protocol, or an error of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <wayland-client.h>
#include "xx-dmabuf-negotiation-v1.h"

enum { COOKIE = 7, PITCH_ALIGNMENT = 0x01, CONTIGUOUS = 0x10, LINEAR = 0 };
static const uint32_t NV12 = 0x3231564e, XRGB8888 = 0x34325258; /* drm_fourcc.h */

static struct xx_dmabuf_negotiation_manager_v1 *manager;
static struct wl_compositor *compositor;

static struct { uint32_t kind, major, minor; char name[128]; } sources[64];
static struct { uint32_t kind, major, minor; uint64_t size; } objects[4];
static struct { uint32_t object, offset, pitch; } planes[4];
static unsigned n_sources, n_objects, n_planes, n_plans;
static uint32_t format, layout, goal;
static uint64_t modifier;
static int answer = -1;

static uint64_t u64(union wl_argument *hi) { return (uint64_t)hi[0].u << 32 | hi[1].u; }

/* One function for all events, by name: those that this client has no use for need none. */
static int event(const void *unused, void *proxy, uint32_t opcode,
		 const struct wl_message *message, union wl_argument *a)
{
	const char *name = message->name;
	int first = n_plans == 1; /* plans come best first */

	(void)unused, (void)proxy, (void)opcode;
	if (!strcmp(name, "source") && n_sources < 64) {
		sources[n_sources].kind = a[0].u;
		sources[n_sources].major = a[1].u;
		sources[n_sources].minor = a[2].u;
		snprintf(sources[n_sources++].name, sizeof sources->name, "%s", a[4].s);
	} else if (!strcmp(name, "plan") && ++n_plans == 1) {
		goal = a[1].u, format = a[2].u, modifier = u64(&a[3]), layout = a[5].u;
	} else if (!strcmp(name, "plan_object") && first && n_objects < 4) {
		objects[n_objects].kind = a[0].u;
		objects[n_objects].major = a[1].u;
		objects[n_objects].minor = a[2].u;
		objects[n_objects++].size = u64(&a[4]);
	} else if (!strcmp(name, "plan_plane") && first && n_planes < 4) {
		planes[n_planes].object = a[0].u;
		planes[n_planes].offset = a[1].u;
		planes[n_planes++].pitch = a[2].u;
	} else if (!strcmp(name, "done") && message->signature[0] && a[0].u == COOKIE) {
		answer = 0;
	} else if (!strcmp(name, "failed") && a[0].u == COOKIE) {
		fprintf(stderr, "no plan (%" PRIu32 "): %s\n", a[2].u, a[3].s);
		answer = 1;
	}
	return 0;
}

static void global(void *data, struct wl_registry *registry, uint32_t id, const char *interface,
		   uint32_t version)
{
	(void)data, (void)version;
	if (!strcmp(interface, xx_dmabuf_negotiation_manager_v1_interface.name)) {
		manager = wl_registry_bind(registry, id, &xx_dmabuf_negotiation_manager_v1_interface, 1);
		wl_proxy_add_dispatcher((struct wl_proxy *)manager, event, NULL, NULL);
	} else if (!strcmp(interface, wl_compositor_interface.name)) {
		compositor = wl_registry_bind(registry, id, &wl_compositor_interface, 1);
	}
}

static void global_remove(void *data, struct wl_registry *registry, uint32_t id)
{
	(void)data, (void)registry, (void)id;
}

static struct xx_dmabuf_constraint_set_v1 *decoder_set(void)
{
	struct xx_dmabuf_constraint_set_creator_v1 *creator =
		xx_dmabuf_negotiation_manager_v1_create_constraint_set(manager);
	struct { uint32_t format, padding; uint64_t modifier; } pairs[] = {
		{ NV12, 0, LINEAR }, { XRGB8888, 0, LINEAR } };
	uint64_t alignment = 64;
	struct wl_array array = { sizeof pairs, sizeof pairs, pairs }, none = { 0, 0, NULL };
	const uint32_t must = XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_CONSTRAINT_FLAG_MUST_UNDERSTAND;
	const uint32_t kernel = XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_PROVENANCE_KERNEL;

	xx_dmabuf_constraint_set_creator_v1_add_formats(creator, 0, &array);
	array = (struct wl_array){ sizeof alignment, sizeof alignment, &alignment };
	xx_dmabuf_constraint_set_creator_v1_add(creator, PITCH_ALIGNMENT, 0, must, kernel, &array);
	xx_dmabuf_constraint_set_creator_v1_add(creator, CONTIGUOUS, 0, must, kernel, &none);
	return xx_dmabuf_constraint_set_creator_v1_create(creator);
}

static void print_plan(void)
{
	static const char *const kinds[] = { "heap", "device", "udmabuf" };
	static const char *const layouts[] = { "exact", "allocator", "fixed" };
	unsigned i, s;

	printf("{\"fourcc\": \"%s\", \"modifier\": \"0x%" PRIx64 "\", \"scanout\": %s, "
	       "\"layout\": \"%s\", \"objects\": [", format == NV12 ? "NV12" : "XRGB8888", modifier,
	       goal & XX_DMABUF_NEGOTIATION_V1_GOAL_SCANOUT ? "true" : "false",
	       layout < 3 ? layouts[layout] : "?");
	for (i = 0; i < n_objects; i++) {
		for (s = 0; s < n_sources; s++)
			if (sources[s].kind == objects[i].kind && sources[s].major == objects[i].major &&
			    sources[s].minor == objects[i].minor)
				break;
		printf("%s{\"source\": {\"kind\": \"%s\", \"name\": \"%s\", \"major\": %" PRIu32
		       ", \"minor\": %" PRIu32 "}, \"size\": %" PRIu64 "}", i ? ", " : "",
		       objects[i].kind < 3 ? kinds[objects[i].kind] : "?",
		       s < n_sources ? sources[s].name : "", objects[i].major, objects[i].minor,
		       objects[i].size);
	}
	printf("], \"planes\": [");
	for (i = 0; i < n_planes; i++)
		printf("%s{\"object\": %" PRIu32 ", \"offset\": %" PRIu32 ", \"pitch\": %" PRIu32 "}",
		       i ? ", " : "", planes[i].object, planes[i].offset, planes[i].pitch);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	static const struct wl_registry_listener registry_listener = { global, global_remove };
	struct wl_display *display = wl_display_connect(NULL);
	struct xx_dmabuf_negotiation_v1 *negotiation;
	struct xx_dmabuf_constraint_set_v1 *set;
	struct wl_surface *surface = NULL;

	if (argc != 2 || (strcmp(argv[1], "default") && strcmp(argv[1], "surface"))) {
		fprintf(stderr, "usage: negotiate default | surface\n");
		return 2;
	}
	if (!display)
		return fprintf(stderr, "no compositor\n"), 3;
	wl_registry_add_listener(wl_display_get_registry(display), &registry_listener, NULL);
	if (wl_display_roundtrip(display) < 0 || !manager || !compositor)
		return fprintf(stderr, "the compositor lacks a global\n"), 3;

	set = decoder_set();
	if (!strcmp(argv[1], "surface")) {
		surface = wl_compositor_create_surface(compositor);
		negotiation = xx_dmabuf_negotiation_manager_v1_get_surface_negotiation(manager, surface);
	} else {
		negotiation = xx_dmabuf_negotiation_manager_v1_get_default_negotiation(manager);
	}
	wl_proxy_add_dispatcher((struct wl_proxy *)negotiation, event, NULL, NULL);
	xx_dmabuf_negotiation_v1_set_participant(
		negotiation, 1, XX_DMABUF_NEGOTIATION_V1_USAGE_DECODE, 0, 0, "decoder");
	xx_dmabuf_negotiation_v1_add_alternative(negotiation, 1, set);
	xx_dmabuf_negotiation_v1_set_extents(negotiation, 1920, 1080, 0, 0, 0, 0);
	xx_dmabuf_negotiation_v1_commit(negotiation, COOKIE);
	xx_dmabuf_constraint_set_v1_destroy(set);
	while (answer < 0)
		if (wl_display_dispatch(display) < 0)
			return fprintf(stderr, "the connection broke\n"), 3;
	if (answer == 0 && n_plans == 0)
		answer = 1, fprintf(stderr, "an answer without a plan\n");
	if (answer == 0)
		print_plan();

	xx_dmabuf_negotiation_v1_destroy(negotiation);
	if (surface)
		wl_surface_destroy(surface);
	xx_dmabuf_negotiation_manager_v1_destroy(manager);
	wl_display_roundtrip(display);
	wl_display_disconnect(display);
	return answer;
}
