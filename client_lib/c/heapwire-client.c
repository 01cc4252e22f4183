/*
 * heapwire-client.c - see heapwire-client.h. One file, so that it can be copied into a program:
 * beside it, wayland-scanner makes the client-header and the private-code of each protocol that
 * is included here.
 *
 * What a compositor sends is checked before it is used, and bounded before it is kept.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <wayland-client.h>

#include "heapwire-client.h"
#include "linux-dmabuf-v1-client-protocol.h"
#include "xx-dmabuf-allocation-v1-client-protocol.h"
#include "xx-dmabuf-buffer-status-v1-client-protocol.h"
#include "xx-dmabuf-negotiation-v1-client-protocol.h"
#include "xx-dmabuf-sources-v1-client-protocol.h"

#define FLAGGED 6  /* the version of linux-dmabuf from which each tranche says what it is for */
#define SAMPLING 2 /* zwp_linux_dmabuf_feedback_v1.tranche_flags.sampling, which is since then */
#define MOST_PERMITTED 16    /* lists of sources that a tranche's sets have for one pair */
#define MOST_SOURCES 4096     /* of the compositor, and of a tranche */
#define MOST_TRANCHES 256     /* of a batch */
#define MOST_SETS 4096	      /* of a tranche */
#define MOST_CONSTRAINTS 256  /* of a set */
#define MOST_VALUE 1024	      /* bytes of a constraint's value: the protocol's limit */
#define MOST_PAIRS 65536      /* of a format table: indices of 16 bits reach no further */
#define MOST_PLANS 256	      /* of an answer */
#define MOST_COMMITS 256      /* without an answer: the protocol's limit */
#define MOST_BUFFER ((uint64_t)1 << 40) /* bytes */
#define MOST_BYTES (16 << 20) /* kept of what is said of one batch */

struct pending_source {
	struct heapwire_source source;
	int gone;
};

struct heapwire_client {
	struct wl_display *display;
	struct wl_event_queue *queue;
	struct wl_registry *registry;
	struct wl_callback *callback; /* which stands for what is being waited for */
	struct zwp_linux_dmabuf_v1 *dmabuf;
	struct xx_dmabuf_sources_v1 *sources_proxy;
	struct xx_dmabuf_negotiation_manager_v1 *negotiator;
	struct xx_dmabuf_allocation_manager_v1 *allocator;
	struct xx_dmabuf_buffer_status_manager_v1 *teller;
	struct wl_proxy *synchroniser; /* wp_linux_drm_syncobj_manager_v1 */
	int simulated;
	int rounds; /* of waiting that are left until all has been told */
	size_t n_sources, n_pending;
	struct heapwire_source *sources;
	struct pending_source *pending; /* until the group ends */
	struct heapwire_import *imports;
};

/* -- Errors and memory ------------------------------------------------------------------------ */

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static int fail(struct heapwire_error *error, enum heapwire_fault fault, const char *format, ...)
{
	if (error) {
		va_list list;
		va_start(list, format);
		error->fault = fault;
		vsnprintf(error->text, sizeof error->text, format, list);
		va_end(list);
	}
	return -1;
}

static int no_memory(struct heapwire_error *error)
{
	return fail(error, HEAPWIRE_CALLER, "out of memory");
}

/* Room for one entry more of an array that has n; NULL without memory. */
static void *grown(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);
}

static void *copied(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);
	if (copy && size)
		memcpy(copy, data, size);
	return copy;
}

static uint64_t whole(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

static int same_source(const struct heapwire_source_id *a, const struct heapwire_source_id *b)
{
	return a->kind == b->kind && a->major == b->major && a->minor == b->minor;
}

/* -- Sources ---------------------------------------------------------------------------------- */

static void keep_pending(struct heapwire_client *client, const struct heapwire_source *source,
			 int gone)
{
	struct pending_source *pending;

	if (client->n_pending >= 2 * MOST_SOURCES)
		return; /* more than there can be: what is left out is not known */
	pending = (struct pending_source *)grown(client->pending, client->n_pending,
						 sizeof *pending);
	if (!pending)
		return;
	client->pending = pending;
	pending += client->n_pending;
	pending->source = *source;
	pending->gone = gone;
	pending->source.name = NULL;
	if (!gone && !(pending->source.name = strdup(source->name)))
		return;
	client->n_pending++;
}

static void source(void *data, struct xx_dmabuf_sources_v1 *proxy, uint32_t kind, uint32_t major,
		   uint32_t minor, uint32_t properties, uint32_t known, uint32_t size_hi,
		   uint32_t size_lo, const char *name)
{
	struct heapwire_source told = {{kind, major, minor}, properties & known, known,
				       whole(size_hi, size_lo), (char *)name};
	(void)proxy;
	keep_pending((struct heapwire_client *)data, &told, 0);
}

static void source_gone(void *data, struct xx_dmabuf_sources_v1 *proxy, uint32_t kind,
			uint32_t major, uint32_t minor)
{
	struct heapwire_source told = {{kind, major, minor}, 0, 0, 0, NULL};
	(void)proxy;
	keep_pending((struct heapwire_client *)data, &told, 1);
}

static void sources_done(void *data, struct xx_dmabuf_sources_v1 *proxy)
{
	struct heapwire_client *client = (struct heapwire_client *)data;
	size_t i, at;

	(void)proxy;
	for (i = 0; i < client->n_pending; i++) {
		struct pending_source *change = &client->pending[i];
		struct heapwire_source *sources = client->sources;
		for (at = 0; at < client->n_sources; at++)
			if (same_source(&sources[at].id, &change->source.id))
				break;
		if (at < client->n_sources) {
			free(sources[at].name);
			if (change->gone)
				memmove(&sources[at], &sources[at + 1],
					(--client->n_sources - at) * sizeof *sources);
			else
				sources[at] = change->source;
		} else if (!change->gone) {
			/* It shrinks as well: grown() would then grow it at the wrong places. */
			sources = at < MOST_SOURCES ? (struct heapwire_source *)realloc(
							      sources, (at + 1) * sizeof *sources)
						    : NULL;
			if (sources) {
				client->sources = sources;
				sources[client->n_sources++] = change->source;
			} else {
				free(change->source.name);
			}
		}
	}
	client->n_pending = 0;
	free(client->pending);
	client->pending = NULL;
}

static const struct xx_dmabuf_sources_v1_listener sources_listener = {source, source_gone,
								      sources_done};

const struct heapwire_source *heapwire_client_sources(const struct heapwire_client *client,
						      size_t *number)
{
	*number = client->n_sources;
	return client->sources;
}

const struct heapwire_source *heapwire_client_source(const struct heapwire_client *client,
						     const struct heapwire_source_id *id)
{
	size_t i;
	for (i = 0; i < client->n_sources; i++)
		if (same_source(&client->sources[i].id, id))
			return &client->sources[i];
	return NULL;
}

/* -- The client ------------------------------------------------------------------------------- */

/*
 * linux-drm-syncobj-v1 as libwayland has to know it. There is no file of it among the protocols, since
 * releases of wayland-protocols before 1.34 do not have it.
 */
enum { SYNCOBJ_DESTROY = 0, SYNCOBJ_GET_SURFACE = 1, SYNCOBJ_IMPORT_TIMELINE = 2 };
enum { SYNCOBJ_SET_ACQUIRE_POINT = 1, SYNCOBJ_SET_RELEASE_POINT = 2 };

static const struct wl_message timeline_requests[] = {{"destroy", "", NULL}};
static const struct wl_interface syncobj_timeline = {
	"wp_linux_drm_syncobj_timeline_v1", 1, 1, timeline_requests, 0, NULL};
static const struct wl_interface *point_types[] = {&syncobj_timeline, NULL, NULL};
static const struct wl_message syncobj_surface_requests[] = {
	{"destroy", "", NULL},
	{"set_acquire_point", "ouu", point_types},
	{"set_release_point", "ouu", point_types}};
static const struct wl_interface syncobj_surface = {
	"wp_linux_drm_syncobj_surface_v1", 1, 3, syncobj_surface_requests, 0, NULL};
static const struct wl_interface *get_surface_types[] = {&syncobj_surface, &wl_surface_interface};
static const struct wl_interface *import_types[] = {&syncobj_timeline, NULL};
static const struct wl_message syncobj_manager_requests[] = {
	{"destroy", "", NULL},
	{"get_surface", "no", get_surface_types},
	{"import_timeline", "nh", import_types}};
static const struct wl_interface syncobj_manager = {
	"wp_linux_drm_syncobj_manager_v1", 1, 3, syncobj_manager_requests, 0, NULL};

/* All of these interfaces have the same destructor. */
static void end_proxy(struct wl_proxy *proxy)
{
	if (proxy) {
		wl_proxy_marshal(proxy, SYNCOBJ_DESTROY);
		wl_proxy_destroy(proxy);
	}
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void global(void *data, struct wl_registry *registry, uint32_t name, const char *interface,
		   uint32_t version)
{
	struct heapwire_client *client = (struct heapwire_client *)data;

	if (!client->dmabuf && version >= 3 &&
	    !strcmp(interface, zwp_linux_dmabuf_v1_interface.name)) {
		/* No version that the headers lack. */
		uint32_t most = lesser(6, (uint32_t)zwp_linux_dmabuf_v1_interface.version);
		client->dmabuf = (struct zwp_linux_dmabuf_v1 *)wl_registry_bind(
			registry, name, &zwp_linux_dmabuf_v1_interface, lesser(version, most));
	} else if (!client->sources_proxy &&
		   !strcmp(interface, xx_dmabuf_sources_v1_interface.name)) {
		client->sources_proxy = (struct xx_dmabuf_sources_v1 *)wl_registry_bind(
			registry, name, &xx_dmabuf_sources_v1_interface, 1);
		if (client->sources_proxy)
			xx_dmabuf_sources_v1_add_listener(client->sources_proxy, &sources_listener,
							  client);
	} else if (!client->negotiator &&
		   !strcmp(interface, xx_dmabuf_negotiation_manager_v1_interface.name)) {
		client->negotiator = (struct xx_dmabuf_negotiation_manager_v1 *)wl_registry_bind(
			registry, name, &xx_dmabuf_negotiation_manager_v1_interface, 1);
	} else if (!client->allocator &&
		   !strcmp(interface, xx_dmabuf_allocation_manager_v1_interface.name)) {
		/* What it tells of sources is not listened to: asking is always allowed. */
		client->allocator = (struct xx_dmabuf_allocation_manager_v1 *)wl_registry_bind(
			registry, name, &xx_dmabuf_allocation_manager_v1_interface, 1);
	} else if (!client->teller &&
		   !strcmp(interface, xx_dmabuf_buffer_status_manager_v1_interface.name)) {
		client->teller = (struct xx_dmabuf_buffer_status_manager_v1 *)wl_registry_bind(
			registry, name, &xx_dmabuf_buffer_status_manager_v1_interface, 1);
	} else if (!client->synchroniser && !strcmp(interface, syncobj_manager.name)) {
		client->synchroniser = (struct wl_proxy *)wl_registry_bind(registry, name,
									   &syncobj_manager, 1);
	}
}

static void global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
	(void)data, (void)registry, (void)name; /* what was bound is inert, and no harm */
}

static const struct wl_registry_listener registry_listener = {global, global_remove};

static void wait_for_all(struct heapwire_client *client);

static void round_over(void *data, struct wl_callback *callback, uint32_t serial)
{
	struct heapwire_client *client = (struct heapwire_client *)data;
	(void)serial;
	wl_callback_destroy(callback);
	client->callback = NULL;
	if (--client->rounds)
		wait_for_all(client);
}

static const struct wl_callback_listener round_listener = {round_over};

/* A callback on the client's queue; NULL without memory. */
static struct wl_callback *synced(struct heapwire_client *client)
{
	struct wl_display *wrapper =
		(struct wl_display *)wl_proxy_create_wrapper(client->display);
	struct wl_callback *callback;

	if (!wrapper)
		return NULL;
	wl_proxy_set_queue((struct wl_proxy *)wrapper, client->queue);
	callback = wl_display_sync(wrapper);
	wl_proxy_wrapper_destroy(wrapper);
	return callback;
}

/* In a first round the globals come, in a second what the bound ones tell. */
static void wait_for_all(struct heapwire_client *client)
{
	client->callback = synced(client);
	if (client->callback)
		wl_callback_add_listener(client->callback, &round_listener, client);
}

struct heapwire_client *heapwire_client_create(struct wl_display *display,
					       struct wl_event_queue *queue,
					       struct heapwire_error *error)
{
	struct heapwire_client *client = (struct heapwire_client *)calloc(1, sizeof *client);
	struct wl_display *wrapper = (struct wl_display *)wl_proxy_create_wrapper(display);

	if (client && wrapper) {
		client->display = display;
		client->queue = queue; /* NULL is the display's own */
		client->rounds = 2;
		client->simulated = getenv("HEAPWIRE_SIMULATED") != NULL;
		wl_proxy_set_queue((struct wl_proxy *)wrapper, queue);
		client->registry = wl_display_get_registry(wrapper);
	}
	if (wrapper)
		wl_proxy_wrapper_destroy(wrapper);
	if (!client || !client->registry) {
		free(client);
		no_memory(error);
		return NULL;
	}
	wl_registry_add_listener(client->registry, &registry_listener, client);
	wait_for_all(client);
	return client;
}

static void forget_imports(struct heapwire_client *client);

void heapwire_client_destroy(struct heapwire_client *client)
{
	size_t i;

	if (!client)
		return;
	forget_imports(client);
	if (client->callback)
		wl_callback_destroy(client->callback);
	if (client->sources_proxy)
		xx_dmabuf_sources_v1_destroy(client->sources_proxy);
	if (client->negotiator)
		xx_dmabuf_negotiation_manager_v1_destroy(client->negotiator);
	if (client->allocator)
		xx_dmabuf_allocation_manager_v1_destroy(client->allocator);
	if (client->teller)
		xx_dmabuf_buffer_status_manager_v1_destroy(client->teller);
	end_proxy(client->synchroniser);
	if (client->dmabuf)
		zwp_linux_dmabuf_v1_destroy(client->dmabuf);
	wl_registry_destroy(client->registry);
	for (i = 0; i < client->n_pending; i++)
		free(client->pending[i].source.name);
	for (i = 0; i < client->n_sources; i++)
		free(client->sources[i].name);
	free(client->pending);
	free(client->sources);
	free(client);
}

int heapwire_client_ready(const struct heapwire_client *client)
{
	return client->rounds == 0;
}

uint32_t heapwire_client_version(const struct heapwire_client *client,
				 enum heapwire_protocol protocol)
{
	struct wl_proxy *proxy = NULL;

	switch (protocol) {
	case HEAPWIRE_LINUX_DMABUF:
		proxy = (struct wl_proxy *)client->dmabuf;
		break;
	case HEAPWIRE_SOURCES:
		proxy = (struct wl_proxy *)client->sources_proxy;
		break;
	case HEAPWIRE_NEGOTIATION:
		proxy = (struct wl_proxy *)client->negotiator;
		break;
	case HEAPWIRE_ALLOCATION:
		proxy = (struct wl_proxy *)client->allocator;
		break;
	case HEAPWIRE_STATUS:
		proxy = (struct wl_proxy *)client->teller;
		break;
	case HEAPWIRE_SYNC:
		proxy = client->synchroniser;
		break;
	}
	return proxy ? wl_proxy_get_version(proxy) : 0;
}

/* -- Feedback --------------------------------------------------------------------------------- */

struct table {
	unsigned int holders;
	size_t n;
	struct heapwire_pair pairs[1];
};

/* What was said of a tranche before it is known which pairs it has. */
struct told_set {
	uint32_t device;
	size_t n_indices;
	uint16_t *indices;
	size_t n_constraints;
	struct heapwire_constraint *constraints;
};

struct told_tranche {
	size_t n_sources, n_sets;
	struct heapwire_source_id *sources;
	struct told_set *sets;
};

struct told {
	size_t n, bytes;
	struct told_tranche *tranches;
};

struct heapwire_feedback {
	struct zwp_linux_dmabuf_feedback_v1 *proxy;
	struct xx_dmabuf_feedback_sources_v1 *extension;
	struct wl_callback *settled; /* by then the first batch is described, or never will be */
	heapwire_told told;
	void *data;
	int waits, has_batch, has_next, has_told;
	struct heapwire_error failed; /* with a fault: nothing more is heard */

	struct table *table, *batch_table; /* the newest, and that of the batch */
	struct heapwire_tranche now;	   /* the tranche that is being told of */
	int targeted, flagged;
	unsigned char *seen; /* bit n: pair n of the table is in `now` */
	struct heapwire_batch coming, batch;
	size_t coming_pairs;

	struct told_tranche telling; /* and the same of the extension */
	struct told described, next;
};

static void table_release(struct table *table)
{
	if (table && --table->holders == 0)
		free(table);
}

static void told_tranche_free(struct told_tranche *tranche)
{
	size_t i, j;
	for (i = 0; i < tranche->n_sets; i++) {
		for (j = 0; j < tranche->sets[i].n_constraints; j++)
			free(tranche->sets[i].constraints[j].value);
		free(tranche->sets[i].constraints);
		free(tranche->sets[i].indices);
	}
	free(tranche->sets);
	free(tranche->sources);
	memset(tranche, 0, sizeof *tranche);
}

static void told_free(struct told *told)
{
	size_t i;
	for (i = 0; i < told->n; i++)
		told_tranche_free(&told->tranches[i]);
	free(told->tranches);
	memset(told, 0, sizeof *told);
}

/* Frees what the extension has added to a tranche. */
static void memory_free(struct heapwire_tranche *tranche)
{
	size_t i, j;
	for (i = 0; i < tranche->n_sets; i++) {
		for (j = 0; j < tranche->sets[i].n_constraints; j++)
			free(tranche->sets[i].constraints[j].value);
		free(tranche->sets[i].constraints);
		free(tranche->sets[i].pairs);
	}
	free(tranche->sets);
	free(tranche->sources);
	tranche->sets = NULL;
	tranche->sources = NULL;
	tranche->n_sets = tranche->n_sources = 0;
}

static void batch_free(struct heapwire_batch *batch)
{
	size_t i;
	for (i = 0; i < batch->n_tranches; i++) {
		memory_free(&batch->tranches[i]);
		free(batch->tranches[i].pairs);
	}
	free(batch->tranches);
	memset(batch, 0, sizeof *batch);
}

/* The compositor broke the protocol, or memory ran out: nothing more is heard of the object. */
#define BREAK(feedback, ...)                                                                      \
	do {                                                                                      \
		fail(&(feedback)->failed, HEAPWIRE_PEER, __VA_ARGS__);                            \
		tell_failure(feedback);                                                           \
		return;                                                                           \
	} while (0)
#define OUT_OF_MEMORY(feedback)                                                                   \
	do {                                                                                      \
		no_memory(&(feedback)->failed);                                                   \
		tell_failure(feedback);                                                           \
		return;                                                                           \
	} while (0)

/* These two come last in what calls them: the feedback may be gone afterwards. */
static void tell_failure(struct heapwire_feedback *feedback)
{
	struct heapwire_error error = feedback->failed;
	if (feedback->told)
		feedback->told(feedback->data, NULL, &error);
}

static void tell_batch(struct heapwire_feedback *feedback)
{
	feedback->waits = 0;
	feedback->has_told = 1;
	if (feedback->told)
		feedback->told(feedback->data, &feedback->batch, NULL);
}

static void format_table(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy, int32_t fd,
			 uint32_t size)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct table *table;
	struct stat status;
	size_t done = 0;
	ssize_t part = 1;

	(void)proxy;
	if (feedback->failed.fault || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    size == 0 || size % sizeof table->pairs[0] || size / sizeof table->pairs[0] > MOST_PAIRS) {
		close(fd);
		if (!feedback->failed.fault)
			BREAK(feedback, "a format table of %u bytes, which cannot be one", size);
		return;
	}
	/* Read and not mapped: a mapping of a file that is cut later kills its reader. */
	table = (struct table *)calloc(1, sizeof *table + size);
	while (table && done < size && part > 0) {
		part = pread(fd, (char *)table->pairs + done, size - done, (off_t)done);
		done += part > 0 ? (size_t)part : 0;
	}
	close(fd);
	if (!table)
		OUT_OF_MEMORY(feedback);
	if (done < size) {
		free(table);
		BREAK(feedback, "the format table is announced with %u bytes and has %zu", size,
		      done);
	}
	table->holders = 1;
	table->n = size / sizeof table->pairs[0];
	table_release(feedback->table);
	feedback->table = table;
}

static int device_of(const struct wl_array *array, uint64_t *device)
{
	uint32_t narrow;
	if (array->size == sizeof *device) {
		memcpy(device, array->data, sizeof *device);
	} else if (array->size == sizeof narrow) {
		memcpy(&narrow, array->data, sizeof narrow);
		*device = narrow;
	} else {
		return -1;
	}
	return 0;
}

static void main_device(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy,
			struct wl_array *array)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	(void)proxy;
	if (!feedback->failed.fault && device_of(array, &feedback->coming.main_device) < 0)
		BREAK(feedback, "a device number of %zu bytes", array->size);
}

static void tranche_target_device(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy,
				  struct wl_array *array)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	(void)proxy;
	if (!feedback->failed.fault && device_of(array, &feedback->now.device) < 0)
		BREAK(feedback, "a device number of %zu bytes", array->size);
	feedback->targeted = 1;
}

static void tranche_flags(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy, uint32_t flags)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	(void)proxy;
	/* Those of later versions mean nothing here. */
	feedback->now.flags = flags & (ZWP_LINUX_DMABUF_FEEDBACK_V1_TRANCHE_FLAGS_SCANOUT | SAMPLING);
	feedback->flagged = 1;
}

static void tranche_formats(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy,
			    struct wl_array *array)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct heapwire_tranche *now = &feedback->now;
	size_t i, n = array->size / sizeof(uint16_t);

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (!feedback->table)
		BREAK(feedback, "the formats of a tranche before any format table");
	if (array->size % sizeof(uint16_t))
		BREAK(feedback, "the formats of a tranche in %zu bytes", array->size);
	if (!feedback->seen && !(feedback->seen = (unsigned char *)calloc(1, MOST_PAIRS / 8)))
		OUT_OF_MEMORY(feedback);
	for (i = 0; i < n; i++) {
		uint16_t index;
		struct heapwire_pair *pairs;
		memcpy(&index, (char *)array->data + i * sizeof index, sizeof index);
		if (index >= feedback->table->n)
			BREAK(feedback, "format %u of a format table with %zu entries",
			      (unsigned int)index, feedback->table->n);
		if (feedback->seen[index / 8] & 1u << index % 8)
			continue;
		if (feedback->coming_pairs++ == MOST_BYTES / sizeof *pairs)
			BREAK(feedback, "tranches with more than %d bytes of formats", MOST_BYTES);
		pairs = (struct heapwire_pair *)grown(now->pairs, now->n_pairs, sizeof *pairs);
		if (!pairs)
			OUT_OF_MEMORY(feedback);
		feedback->seen[index / 8] |= (unsigned char)(1u << index % 8);
		now->pairs = pairs;
		pairs[now->n_pairs++] = feedback->table->pairs[index];
	}
}

static int says_who_samples(const struct heapwire_feedback *feedback)
{
	return wl_proxy_get_version((struct wl_proxy *)feedback->proxy) >= FLAGGED;
}

static void tranche_done(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct heapwire_batch *coming = &feedback->coming;
	struct heapwire_tranche *tranches;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (!feedback->targeted)
		BREAK(feedback, "a tranche without a target device");
	if (says_who_samples(feedback) && !feedback->now.flags)
		BREAK(feedback, "a tranche that is for nothing: it has no flags");
	if (coming->n_tranches >= MOST_TRANCHES)
		BREAK(feedback, "more than %d tranches", MOST_TRANCHES);
	tranches = (struct heapwire_tranche *)grown(coming->tranches, coming->n_tranches,
						    sizeof *tranches);
	if (!tranches)
		OUT_OF_MEMORY(feedback);
	coming->tranches = tranches;
	tranches[coming->n_tranches++] = feedback->now;
	memset(&feedback->now, 0, sizeof feedback->now);
	feedback->targeted = feedback->flagged = 0;
	free(feedback->seen);
	feedback->seen = NULL;
}

/* One told set for a tranche; what it holds moves. -1 without memory, -2 for a wrong index. */
static int move_set(struct heapwire_set *set, struct told_set *told, const struct table *table)
{
	size_t i;

	memset(set, 0, sizeof *set);
	set->device = told->device;
	if (told->n_indices) {
		set->pairs = (struct heapwire_pair *)malloc(told->n_indices * sizeof *set->pairs);
		if (!set->pairs)
			return -1;
	}
	for (i = 0; i < told->n_indices; i++) {
		if (!table || told->indices[i] >= table->n)
			return free(set->pairs), set->pairs = NULL, -2;
		set->pairs[i] = table->pairs[told->indices[i]];
	}
	set->n_pairs = told->n_indices;
	set->n_constraints = told->n_constraints;
	set->constraints = told->constraints;
	told->constraints = NULL;
	told->n_constraints = 0;
	return 0;
}

/* Puts what was said into the batch, in place of what was said of it before; tells its owner. */
static void tell(struct heapwire_feedback *feedback, struct told *told)
{
	struct heapwire_batch *batch = &feedback->batch;
	size_t i, j;
	int fault = 0;

	if (told->n != batch->n_tranches)
		BREAK(feedback, "%zu tranches were described of %zu", told->n, batch->n_tranches);
	for (i = 0; i < told->n && !fault; i++) {
		struct heapwire_tranche *tranche = &batch->tranches[i];
		struct told_tranche *said = &told->tranches[i];
		memory_free(tranche);
		tranche->sources = said->sources;
		tranche->n_sources = said->n_sources;
		said->sources = NULL;
		if (said->n_sets) {
			tranche->sets = (struct heapwire_set *)calloc(said->n_sets,
								      sizeof *tranche->sets);
			fault = tranche->sets ? 0 : -1;
		}
		for (j = 0; j < said->n_sets && !fault; j++) {
			fault = move_set(&tranche->sets[j], &said->sets[j], feedback->batch_table);
			tranche->n_sets = fault ? j : j + 1;
		}
	}
	told_free(told);
	if (fault == -1)
		OUT_OF_MEMORY(feedback);
	if (fault)
		BREAK(feedback, "a set for formats that are not in the format table");
	batch->described = 1;
	tell_batch(feedback);
}

static void feedback_done(void *data, struct zwp_linux_dmabuf_feedback_v1 *proxy)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	size_t i;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (feedback->targeted || feedback->flagged || feedback->now.n_pairs)
		BREAK(feedback, "done in the middle of a tranche");
	if (!feedback->coming.n_tranches)
		BREAK(feedback, "feedback without a tranche");
	for (i = 0; i < feedback->coming.n_tranches && says_who_samples(feedback); i++)
		if (feedback->coming.tranches[i].flags & SAMPLING)
			break;
	if (i == feedback->coming.n_tranches)
		BREAK(feedback, "feedback without a tranche for sampling");
	batch_free(&feedback->batch);
	feedback->batch = feedback->coming;
	memset(&feedback->coming, 0, sizeof feedback->coming);
	feedback->coming_pairs = 0;
	table_release(feedback->batch_table);
	feedback->batch_table = feedback->table;
	if (feedback->table)
		feedback->table->holders++;
	feedback->has_batch = 1;
	feedback->has_told = 0;
	if (feedback->has_next) {
		feedback->has_next = 0;
		tell(feedback, &feedback->next);
	} else if (!feedback->waits) {
		tell_batch(feedback);
	}
}

static const struct zwp_linux_dmabuf_feedback_v1_listener feedback_listener = {
	feedback_done,	       format_table,	main_device, tranche_done,
	tranche_target_device, tranche_formats, tranche_flags};

static void tranche_source(void *data, struct xx_dmabuf_feedback_sources_v1 *proxy, uint32_t kind,
			   uint32_t major, uint32_t minor)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct told_tranche *telling = &feedback->telling;
	struct heapwire_source_id *sources, id = {kind, major, minor};
	size_t i;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (kind > 2)
		BREAK(feedback, "a source of kind %u, which there is not", kind);
	if (major > 0xfff || minor > 0xfffff)
		BREAK(feedback, "a source %u:%u, which is no device number", major, minor);
	for (i = 0; i < telling->n_sources; i++)
		if (same_source(&telling->sources[i], &id))
			return;
	if (telling->n_sources >= MOST_SOURCES)
		BREAK(feedback, "more than %d sources of a tranche", MOST_SOURCES);
	sources = (struct heapwire_source_id *)grown(telling->sources, i, sizeof id);
	if (!sources)
		OUT_OF_MEMORY(feedback);
	telling->sources = sources;
	sources[telling->n_sources++] = id;
}

static void tranche_set(void *data, struct xx_dmabuf_feedback_sources_v1 *proxy, uint32_t device,
			struct wl_array *indices)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct told_tranche *telling = &feedback->telling;
	struct told_set *sets;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (indices->size % sizeof(uint16_t))
		BREAK(feedback, "indices in %zu bytes", indices->size);
	feedback->described.bytes += sizeof *sets + 8 * indices->size;
	if (telling->n_sets >= MOST_SETS || feedback->described.bytes > MOST_BYTES)
		BREAK(feedback, "more sets of a tranche than are taken");
	sets = (struct told_set *)grown(telling->sets, telling->n_sets, sizeof *sets);
	if (!sets)
		OUT_OF_MEMORY(feedback);
	telling->sets = sets;
	sets += telling->n_sets;
	memset(sets, 0, sizeof *sets);
	sets->device = device;
	sets->n_indices = indices->size / sizeof(uint16_t);
	if (!(sets->indices = (uint16_t *)copied(indices->data, indices->size)))
		OUT_OF_MEMORY(feedback);
	telling->n_sets++;
}

/* Whether a type can have such a value; one that is not known here may have any. */
static int fits(uint32_t type, const struct wl_array *value)
{
	uint64_t numbers[2] = {1, 1};

	if (value->size == 8 || value->size == 16)
		memcpy(numbers, value->data, value->size);
	switch (type) {
	case XX_DMABUF_SOURCES_V1_TYPE_PITCH_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_OFFSET_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_SIZE_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_SCANLINE_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_WIDTH_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_HEIGHT_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_ADDRESS_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_VISIBLE_WIDTH_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_VISIBLE_HEIGHT_ALIGNMENT:
		return value->size == 8 && numbers[0] != 0; /* a multiple of 0 is nothing */
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_AREA:
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_SIZE:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_SIZE:
	case XX_DMABUF_SOURCES_V1_TYPE_PROTECTED:
	case XX_DMABUF_SOURCES_V1_TYPE_DMA_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_SEGMENTS:
	case XX_DMABUF_SOURCES_V1_TYPE_PADDING:
	case XX_DMABUF_SOURCES_V1_TYPE_MACROBLOCK_PADDING:
	case XX_DMABUF_SOURCES_V1_TYPE_LEAST_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_LEAST_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_LEAST_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_LEAST_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_COHERENCY_DOMAINS:
	case XX_DMABUF_SOURCES_V1_TYPE_ALLOCATION_FLAGS:
	case XX_DMABUF_SOURCES_V1_TYPE_CPU_ACCESS:
	case XX_DMABUF_SOURCES_V1_TYPE_FENCES:
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_BUFFERS:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_BUFFERS:
	case XX_DMABUF_SOURCES_V1_TYPE_SHARED_BUFFERS:
	case XX_DMABUF_SOURCES_V1_TYPE_COLOURS:
	case XX_DMABUF_SOURCES_V1_TYPE_ALPHA:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_INTERLACED:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_ROTATION:
		return value->size == 8;
	case XX_DMABUF_SOURCES_V1_TYPE_CONTIGUOUS:
	case XX_DMABUF_SOURCES_V1_TYPE_PIXEL_BOUNDARY_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_POWER_OF_TWO_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_EXACT_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_BUFFER:
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_SOURCE:
	case XX_DMABUF_SOURCES_V1_TYPE_DIFFERENT_SOURCE:
	case XX_DMABUF_SOURCES_V1_TYPE_TIED_PITCH:
	case XX_DMABUF_SOURCES_V1_TYPE_ADJACENT_PLANES:
	case XX_DMABUF_SOURCES_V1_TYPE_NO_SNOOP:
	case XX_DMABUF_SOURCES_V1_TYPE_DIRTY_LINES:
	case XX_DMABUF_SOURCES_V1_TYPE_NO_SYNC:
		return value->size == 0;
	case XX_DMABUF_SOURCES_V1_TYPE_ADDRESS_RANGE:
	case XX_DMABUF_SOURCES_V1_TYPE_SCALING:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_HEIGHT:
		return value->size == 16 && numbers[0] <= numbers[1];
	case XX_DMABUF_SOURCES_V1_TYPE_PERMITTED_SOURCES:
		return value->size % 12 == 0 && value->size > 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_HOPS:
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_NUMA_NODE:
	case XX_DMABUF_SOURCES_V1_TYPE_PEER_LINK:
	case XX_DMABUF_SOURCES_V1_TYPE_NEAR:
	case XX_DMABUF_SOURCES_V1_TYPE_NOT_LOCAL:
		return value->size % 16 == 0 && value->size > 0;
	default:
		return 1;
	}
}

static void tranche_constraint(void *data, struct xx_dmabuf_feedback_sources_v1 *proxy,
			       uint32_t type, uint32_t planes, uint32_t flags,
			       struct wl_array *value)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct told_tranche *telling = &feedback->telling;
	struct heapwire_constraint *constraints;
	struct told_set *set;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (!telling->n_sets)
		BREAK(feedback, "a constraint before any set");
	if (value->size > MOST_VALUE || !fits(type, value))
		BREAK(feedback, "a value of %zu bytes for a constraint of type %u", value->size,
		      type);
	set = &telling->sets[telling->n_sets - 1];
	feedback->described.bytes += sizeof *constraints + value->size;
	if (set->n_constraints >= MOST_CONSTRAINTS || feedback->described.bytes > MOST_BYTES)
		BREAK(feedback, "more constraints of a set than are taken");
	constraints = (struct heapwire_constraint *)grown(set->constraints, set->n_constraints,
							  sizeof *constraints);
	if (!constraints)
		OUT_OF_MEMORY(feedback);
	set->constraints = constraints;
	constraints += set->n_constraints;
	constraints->type = type;
	constraints->planes = planes;
	constraints->flags = flags;
	constraints->size = (uint32_t)value->size;
	if (!(constraints->value = copied(value->data, value->size)))
		OUT_OF_MEMORY(feedback);
	set->n_constraints++;
}

static void described_tranche_done(void *data, struct xx_dmabuf_feedback_sources_v1 *proxy)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	struct told *described = &feedback->described;
	struct told_tranche *tranches;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (described->n >= MOST_TRANCHES)
		BREAK(feedback, "more than %d tranches", MOST_TRANCHES);
	tranches = (struct told_tranche *)grown(described->tranches, described->n,
						sizeof *tranches);
	if (!tranches)
		OUT_OF_MEMORY(feedback);
	described->tranches = tranches;
	tranches[described->n++] = feedback->telling;
	memset(&feedback->telling, 0, sizeof feedback->telling);
}

static void described_done(void *data, struct xx_dmabuf_feedback_sources_v1 *proxy, uint32_t which)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;

	(void)proxy;
	if (feedback->failed.fault)
		return;
	if (feedback->telling.n_sources || feedback->telling.n_sets)
		BREAK(feedback, "done in the middle of a tranche");
	if (which == XX_DMABUF_FEEDBACK_SOURCES_V1_BATCH_NEXT) {
		told_free(&feedback->next);
		feedback->next = feedback->described;
		feedback->has_next = 1;
		memset(&feedback->described, 0, sizeof feedback->described);
	} else if (which != XX_DMABUF_FEEDBACK_SOURCES_V1_BATCH_LAST) {
		BREAK(feedback, "a batch %u, which is neither the last nor the next", which);
	} else if (!feedback->has_batch) {
		BREAK(feedback, "the last batch was described before there was one");
	} else {
		tell(feedback, &feedback->described);
	}
}

static const struct xx_dmabuf_feedback_sources_v1_listener extension_listener = {
	tranche_source, tranche_set, tranche_constraint, described_tranche_done, described_done};

/* A compositor that says nothing of the batch that it has sent is not waited for. */
static void settled(void *data, struct wl_callback *callback, uint32_t serial)
{
	struct heapwire_feedback *feedback = (struct heapwire_feedback *)data;
	int waited = feedback->waits;

	(void)serial;
	wl_callback_destroy(callback);
	feedback->settled = NULL;
	feedback->waits = 0;
	if (waited && feedback->has_batch && !feedback->failed.fault)
		tell_batch(feedback);
}

static const struct wl_callback_listener settled_listener = {settled};

struct heapwire_feedback *heapwire_feedback_create(struct heapwire_client *client,
						   struct wl_surface *surface, heapwire_told told,
						   void *data, struct heapwire_error *error)
{
	struct heapwire_feedback *feedback;
	uint32_t version = heapwire_client_version(client, HEAPWIRE_LINUX_DMABUF);

	if (!heapwire_client_ready(client)) {
		fail(error, HEAPWIRE_CALLER, "the client is not ready");
		return NULL;
	}
	if (version < 4) {
		fail(error, HEAPWIRE_NOT_POSSIBLE,
		     "the compositor has no linux-dmabuf feedback (version %u, and 4 is needed)",
		     version);
		return NULL;
	}
	feedback = (struct heapwire_feedback *)calloc(1, sizeof *feedback);
	if (feedback)
		feedback->proxy =
			surface ? zwp_linux_dmabuf_v1_get_surface_feedback(client->dmabuf, surface)
				: zwp_linux_dmabuf_v1_get_default_feedback(client->dmabuf);
	if (feedback && feedback->proxy && client->sources_proxy) {
		feedback->extension = xx_dmabuf_sources_v1_extend_feedback(client->sources_proxy,
									   feedback->proxy);
		feedback->settled = synced(client);
	}
	if (!feedback || !feedback->proxy ||
	    (client->sources_proxy && (!feedback->extension || !feedback->settled))) {
		heapwire_feedback_destroy(feedback);
		no_memory(error);
		return NULL;
	}
	feedback->told = told;
	feedback->data = data;
	zwp_linux_dmabuf_feedback_v1_add_listener(feedback->proxy, &feedback_listener, feedback);
	if (feedback->extension) {
		feedback->waits = 1;
		xx_dmabuf_feedback_sources_v1_add_listener(feedback->extension,
							   &extension_listener, feedback);
		wl_callback_add_listener(feedback->settled, &settled_listener, feedback);
	}
	return feedback;
}

void heapwire_feedback_destroy(struct heapwire_feedback *feedback)
{
	if (!feedback)
		return;
	if (feedback->settled)
		wl_callback_destroy(feedback->settled);
	if (feedback->extension)
		xx_dmabuf_feedback_sources_v1_destroy(feedback->extension);
	if (feedback->proxy)
		zwp_linux_dmabuf_feedback_v1_destroy(feedback->proxy);
	table_release(feedback->table);
	table_release(feedback->batch_table);
	free(feedback->now.pairs);
	free(feedback->seen);
	batch_free(&feedback->coming);
	batch_free(&feedback->batch);
	told_tranche_free(&feedback->telling);
	told_free(&feedback->described);
	told_free(&feedback->next);
	free(feedback);
}

const struct heapwire_batch *heapwire_feedback_batch(const struct heapwire_feedback *feedback,
						     struct heapwire_error *error)
{
	if (!feedback)
		return NULL;
	if (error && feedback->failed.fault)
		*error = feedback->failed;
	else
		fail(error, HEAPWIRE_NO_FAULT, "the compositor has sent no complete feedback");
	return feedback->has_told && !feedback->failed.fault ? &feedback->batch : NULL;
}

/*
 * The modifier that stands for another one in a list: of Broadcom's columns (SAND32 to SAND256) the
 * one without a height, which is the parameter in bits 8 to 55. Any other stands for itself alone.
 */
static uint64_t family_of(uint64_t modifier)
{
	uint64_t vendor = modifier >> 56, code = modifier & 0xff;

	return vendor == 7 && code >= 2 && code <= 5 ? vendor << 56 | code : modifier;
}

static int has_pair(const struct heapwire_pair *pairs, size_t n, uint32_t fourcc, uint64_t modifier)
{
	uint64_t family = family_of(modifier);
	size_t i;

	for (i = 0; i < n; i++)
		if (pairs[i].fourcc == fourcc &&
		    (pairs[i].modifier == modifier || pairs[i].modifier == family))
			return 1;
	return 0;
}

int heapwire_tranche_has(const struct heapwire_tranche *tranche, uint32_t fourcc, uint64_t modifier)
{
	return has_pair(tranche->pairs, tranche->n_pairs, fourcc, modifier);
}

uint64_t heapwire_batch_sampler(const struct heapwire_batch *batch, uint32_t fourcc,
				uint64_t modifier)
{
	uint64_t device = 0;
	size_t i, n = 0;

	for (i = 0; i < batch->n_tranches; i++) {
		const struct heapwire_tranche *one = &batch->tranches[i];
		if (!(one->flags & SAMPLING) || !heapwire_tranche_has(one, fourcc, modifier))
			continue;
		if (!n++ || one->device == device)
			device = one->device;
		else
			return 0;
	}
	return device;
}

/* -- Layouts ---------------------------------------------------------------------------------- */

#define FOURCC(a, b, c, d)                                                                        \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define INVALID_MODIFIER 0x00ffffffffffffffULL /* DRM_FORMAT_MOD_INVALID: rows, as drivers do */

/* Formats in rows: of each plane the bytes of a sample, and how many pixels one stands for. */
static const struct format {
	uint32_t fourcc, n_planes;
	struct {
		uint32_t bytes, across, down;
	} planes[3];
} formats[] = {
	{FOURCC('X', 'R', '2', '4'), 1, {{4, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('A', 'R', '2', '4'), 1, {{4, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('X', 'B', '2', '4'), 1, {{4, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('A', 'B', '2', '4'), 1, {{4, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('X', 'R', '3', '0'), 1, {{4, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('R', 'G', '2', '4'), 1, {{3, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('B', 'G', '2', '4'), 1, {{3, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('R', 'G', '1', '6'), 1, {{2, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('Y', 'U', 'Y', 'V'), 1, {{4, 2, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('U', 'Y', 'V', 'Y'), 1, {{4, 2, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('R', '8', ' ', ' '), 1, {{1, 1, 1}, {0, 1, 1}, {0, 1, 1}}},
	{FOURCC('N', 'V', '1', '2'), 2, {{1, 1, 1}, {2, 2, 2}, {0, 1, 1}}},
	{FOURCC('N', 'V', '2', '1'), 2, {{1, 1, 1}, {2, 2, 2}, {0, 1, 1}}},
	{FOURCC('N', 'V', '1', '6'), 2, {{1, 1, 1}, {2, 2, 1}, {0, 1, 1}}},
	{FOURCC('P', '0', '1', '0'), 2, {{2, 1, 1}, {4, 2, 2}, {0, 1, 1}}},
	{FOURCC('Y', 'U', '1', '2'), 3, {{1, 1, 1}, {1, 2, 2}, {1, 2, 2}}},
	{FOURCC('Y', 'V', '1', '2'), 3, {{1, 1, 1}, {1, 2, 2}, {1, 2, 2}}},
};

/* What the constraints of all devices come to; the arrays are by plane. */
struct demand {
	uint64_t pitch_alignment[3], offset_alignment[3], rows_alignment[3];
	uint64_t min_pitch[3], max_pitch[3], padding[3];
	uint64_t size_alignment, min_size, max_size;
	uint64_t width_alignment, height_alignment, min_width, min_height;
	uint64_t max_width, max_height, max_area, macroblock_padding;
	uint64_t least_width, least_height, visible_width_alignment, visible_height_alignment;
	uint64_t power_of_two[3], whole_pixels[3], exact[3]; /* flags */
	int tied, adjacent;
	size_t n_permitted; /* lists of sources: the memory is in each of them */
	const struct heapwire_constraint *permitted[MOST_PERMITTED];
};

static const struct demand no_demand = {
	{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {UINT32_MAX, UINT32_MAX, UINT32_MAX},
	{0, 0, 0}, 1, 0, UINT32_MAX, 1, 1, 0, 0, UINT32_MAX, UINT32_MAX, UINT64_MAX, 0,
	0, 0, 1, 1, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, 0, 0, 0, {NULL}};

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The least common multiple; 0 if it is too large for anything, or one of them was. */
static uint64_t common(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return 0;
	a /= common_divisor(a, b);
	return a > UINT32_MAX / b ? 0 : a * b;
}

static uint64_t up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) / alignment * alignment;
}

static void at_least(uint64_t *all, uint64_t one)
{
	*all = one > *all ? one : *all;
}

static void at_most(uint64_t *all, uint64_t one)
{
	*all = one < *all ? one : *all;
}

static uint64_t number_of(const struct heapwire_constraint *constraint)
{
	uint64_t number = 0;
	if (constraint->size == sizeof number)
		memcpy(&number, constraint->value, sizeof number);
	return number;
}

/*
 * Takes a constraint in; -1 if it is not understood, or there is no room for it. What is about the
 * properties of memory has been answered by the tranche's sources.
 */
static int demand_add(struct demand *demand, const struct heapwire_constraint *constraint)
{
	uint64_t number = number_of(constraint);
	uint32_t plane;

	if (number > UINT32_MAX)
		number = UINT32_MAX; /* beyond all that a buffer can have */
#define EACH(merge, field)                                                                        \
	for (plane = 0; plane < 3; plane++)                                                       \
		if (!constraint->planes || constraint->planes & 1u << plane)                      \
	merge(demand->field[plane])
#define LCM(value) ((value) = common((value), number ? number : 1))
#define MAX(value) at_least(&(value), number)
#define MIN(value) at_most(&(value), number)
#define SET(value) ((value) = 1)
	switch (constraint->type) {
	case XX_DMABUF_SOURCES_V1_TYPE_PITCH_ALIGNMENT:
		EACH(LCM, pitch_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_OFFSET_ALIGNMENT:
	case XX_DMABUF_SOURCES_V1_TYPE_ADDRESS_ALIGNMENT:
		EACH(LCM, offset_alignment);
		if (constraint->type == XX_DMABUF_SOURCES_V1_TYPE_ADDRESS_ALIGNMENT &&
		    4096 % (number ? number : 1))
			return -1; /* a buffer begins at a page, and no more is known of it */
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_SIZE_ALIGNMENT:
		LCM(demand->size_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_SCANLINE_ALIGNMENT:
		EACH(LCM, rows_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_PITCH:
		EACH(MAX, min_pitch);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_PITCH:
		EACH(MIN, max_pitch);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_PADDING:
		EACH(MAX, padding);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MACROBLOCK_PADDING:
		MAX(demand->macroblock_padding);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_SIZE:
		MAX(demand->min_size);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_SIZE:
		MIN(demand->max_size);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_WIDTH:
		MAX(demand->min_width);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_MUST_FIT_HEIGHT:
		MAX(demand->min_height);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_LEAST_WIDTH:
		MAX(demand->least_width);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_LEAST_HEIGHT:
		MAX(demand->least_height);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_VISIBLE_WIDTH_ALIGNMENT:
		LCM(demand->visible_width_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_VISIBLE_HEIGHT_ALIGNMENT:
		LCM(demand->visible_height_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_WIDTH:
		MIN(demand->max_width);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_HEIGHT:
		MIN(demand->max_height);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_AREA:
		demand->max_area = demand->max_area < number ? demand->max_area : number;
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_WIDTH_ALIGNMENT:
		LCM(demand->width_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_HEIGHT_ALIGNMENT:
		LCM(demand->height_alignment);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_POWER_OF_TWO_PITCH:
		EACH(SET, power_of_two);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_PIXEL_BOUNDARY_PITCH:
		EACH(SET, whole_pixels);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_EXACT_PITCH:
		EACH(SET, exact);
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_ADJACENT_PLANES:
		demand->adjacent = 1;
		demand->tied = 1;
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_TIED_PITCH:
		demand->tied = 1;
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_PERMITTED_SOURCES:
		if (demand->n_permitted == MOST_PERMITTED)
			return -1;
		demand->permitted[demand->n_permitted++] = constraint;
		return 0;
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_BUFFER: /* there is one object, from one source */
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_SOURCE:
	case XX_DMABUF_SOURCES_V1_TYPE_CONTIGUOUS: /* what the sources answer */
	case XX_DMABUF_SOURCES_V1_TYPE_ADDRESS_RANGE:
	case XX_DMABUF_SOURCES_V1_TYPE_PROTECTED:
	case XX_DMABUF_SOURCES_V1_TYPE_DMA_WIDTH:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_SEGMENTS:
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_HOPS:
	case XX_DMABUF_SOURCES_V1_TYPE_SAME_NUMA_NODE:
	case XX_DMABUF_SOURCES_V1_TYPE_PEER_LINK:
	case XX_DMABUF_SOURCES_V1_TYPE_NEAR:
	case XX_DMABUF_SOURCES_V1_TYPE_NOT_LOCAL:
	case XX_DMABUF_SOURCES_V1_TYPE_ALLOCATION_FLAGS:
	case XX_DMABUF_SOURCES_V1_TYPE_COHERENCY_DOMAINS: /* what SYNC and implicit fences do */
	case XX_DMABUF_SOURCES_V1_TYPE_CPU_ACCESS:
	case XX_DMABUF_SOURCES_V1_TYPE_NO_SNOOP:
	case XX_DMABUF_SOURCES_V1_TYPE_FENCES:
	case XX_DMABUF_SOURCES_V1_TYPE_MIN_BUFFERS: /* what is about more than one buffer */
	case XX_DMABUF_SOURCES_V1_TYPE_MAX_BUFFERS:
	case XX_DMABUF_SOURCES_V1_TYPE_SHARED_BUFFERS:
	case XX_DMABUF_SOURCES_V1_TYPE_COLOURS:
	case XX_DMABUF_SOURCES_V1_TYPE_ALPHA:
	case XX_DMABUF_SOURCES_V1_TYPE_SCALING: /* what is about the screen */
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_WIDTH: /* what set_applies() has answered */
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_HEIGHT:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_INTERLACED:
	case XX_DMABUF_SOURCES_V1_TYPE_WHEN_ROTATION:
		return 0;
	default:
		return constraint->flags & XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND ? -1
											      : 0;
	}
#undef EACH
#undef LCM
#undef MAX
#undef MIN
#undef SET
}

/* The demand with a set in it; 0, or the type of the constraint that is not understood. */
static uint32_t demand_with(struct demand *demand, const struct heapwire_set *set)
{
	struct demand with = *demand;
	size_t i;
	for (i = 0; i < set->n_constraints; i++)
		if (demand_add(&with, &set->constraints[i]) < 0)
			return set->constraints[i].type;
	*demand = with;
	return 0;
}

static int is_in(const struct heapwire_constraint *constraint, uint64_t number)
{
	uint64_t range[2] = {0, UINT64_MAX};
	if (constraint->size == sizeof range)
		memcpy(range, constraint->value, sizeof range);
	return range[0] <= number && number <= range[1];
}

/* Whether a set holds for upright, progressive pictures of that size. */
static int set_applies(const struct heapwire_set *set, uint32_t width, uint32_t height)
{
	size_t i;
	for (i = 0; i < set->n_constraints; i++) {
		const struct heapwire_constraint *one = &set->constraints[i];
		if ((one->type == XX_DMABUF_SOURCES_V1_TYPE_WHEN_WIDTH && !is_in(one, width)) ||
		    (one->type == XX_DMABUF_SOURCES_V1_TYPE_WHEN_HEIGHT && !is_in(one, height)) ||
		    (one->type == XX_DMABUF_SOURCES_V1_TYPE_WHEN_INTERLACED && number_of(one)) ||
		    (one->type == XX_DMABUF_SOURCES_V1_TYPE_WHEN_ROTATION &&
		     !(number_of(one) & 1)))
			return 0;
	}
	return 1;
}

/* Of the sets of each device that have the pair, the first that applies and is understood. */
static int demand_of(struct demand *demand, const struct heapwire_tranche *tranche,
		     const struct heapwire_pair *pair, uint32_t width, uint32_t height,
		     struct heapwire_error *error)
{
	size_t i, j;

	for (i = 0; i < tranche->n_sets; i++) {
		uint32_t device = tranche->sets[i].device, unknown = 0, has = 0;
		for (j = 0; j < i && tranche->sets[j].device != device; j++)
			;
		if (j < i)
			continue; /* this device has been looked at */
		for (j = i; j < tranche->n_sets; j++) {
			const struct heapwire_set *set = &tranche->sets[j];
			if (set->device != device ||
			    (set->n_pairs && !has_pair(set->pairs, set->n_pairs, pair->fourcc,
						       pair->modifier)))
				continue;
			has = 1;
			if (!set_applies(set, width, height))
				continue;
			unknown = demand_with(demand, set);
			if (!unknown)
				break;
		}
		if (j == tranche->n_sets && unknown)
			return fail(error, HEAPWIRE_NOT_POSSIBLE,
				    "a device requires constraint type %u, which is not "
				    "understood here",
				    unknown);
		if (j == tranche->n_sets && has)
			return fail(error, HEAPWIRE_NOT_POSSIBLE,
				    "a device takes no pictures of %u x %u", width, height);
	}
	return 0;
}

/* Whether each list of sources has this one. */
static int is_permitted(const struct demand *demand, const struct heapwire_source_id *source)
{
	struct heapwire_source_id listed;
	size_t i, at;

	for (i = 0; i < demand->n_permitted; i++) {
		const struct heapwire_constraint *list = demand->permitted[i];
		for (at = 0; at + sizeof listed <= list->size; at += sizeof listed) {
			memcpy(&listed, (const char *)list->value + at, sizeof listed);
			if (same_source(&listed, source))
				break;
		}
		if (at + sizeof listed > list->size)
			return 0;
	}
	return 1;
}

/* The least pitch that will do, 0 if there is none. */
static uint64_t least_pitch(uint64_t least, uint64_t alignment, int power_of_two)
{
	uint64_t pitch = 1;

	if (!alignment || (power_of_two && alignment & (alignment - 1)))
		return 0; /* no power of two is a multiple of what is none */
	if (!power_of_two)
		return up(least, alignment);
	while (pitch < least || pitch < alignment)
		pitch *= 2;
	return pitch;
}

/* The bytes of a row of a plane. */
static uint64_t row_bytes(const struct format *format, uint32_t plane, uint64_t width)
{
	uint32_t across = format->planes[plane].across;

	return (width + across - 1) / across * format->planes[plane].bytes;
}

/* The pitch of each plane, 0 where there is none. */
static void choose_pitches(const struct demand *demand, const struct format *format,
			   uint64_t width, uint64_t *pitches)
{
	uint64_t least[3] = {0, 0, 0}, alignment[3] = {0, 0, 0};
	int power_of_two = demand->power_of_two[0] != 0;
	uint32_t i;

	for (i = 0; i < format->n_planes; i++) {
		uint32_t bytes = format->planes[i].bytes, across = format->planes[i].across;
		least[i] = row_bytes(format, i, width);
		at_least(&least[i], demand->min_pitch[i]);
		alignment[i] = demand->pitch_alignment[i];
		if (demand->whole_pixels[i])
			alignment[i] = common(alignment[i], bytes);
		if (demand->tied && i) { /* what is asked of this plane is asked of plane 0 */
			uint64_t ratio = format->planes[0].bytes * across;
			uint64_t multiple = alignment[i] * ratio;
			at_least(&least[0], (least[i] * ratio + bytes - 1) / bytes);
			multiple /= common_divisor(multiple, bytes) + !multiple;
			alignment[0] = common(alignment[0], multiple);
			/* The ratio of two planes is a power of two in every format above. */
			power_of_two |= demand->power_of_two[i] != 0;
		}
	}
	pitches[0] = least_pitch(least[0], alignment[0], power_of_two);
	for (i = 1; i < format->n_planes; i++)
		pitches[i] = demand->tied
				     ? pitches[0] * format->planes[i].bytes /
					       (format->planes[0].bytes * format->planes[i].across)
				     : least_pitch(least[i], alignment[i],
						   demand->power_of_two[i] != 0);
}

int heapwire_lay_out(const struct heapwire_tranche *tranche, uint32_t fourcc, uint64_t modifier,
		     uint32_t width, uint32_t height, struct heapwire_layout *layout,
		     struct heapwire_error *error)
{
	struct demand demand = no_demand;
	const struct heapwire_pair pair = {fourcc, 0, modifier};
	const struct format *format = formats;
	struct heapwire_layout made;
	uint64_t room_width = width, room_height = height, end = 0, pitches[3];
	size_t source = 0;
	uint32_t i;

	while (format->fourcc != fourcc)
		if (++format == formats + sizeof formats / sizeof *formats)
			return fail(error, HEAPWIRE_NOT_POSSIBLE,
				    "format 0x%08x is not laid out here", fourcc);
	if (modifier && modifier != INVALID_MODIFIER)
		return fail(error, HEAPWIRE_NOT_POSSIBLE,
			    "modifier 0x%llx is not rows, and only rows are laid out here",
			    (unsigned long long)modifier);
	if (!heapwire_tranche_has(tranche, fourcc, modifier))
		return fail(error, HEAPWIRE_CALLER, "the tranche has no such format and modifier");
	if (!width || !height || width > 65536 || height > 65536)
		return fail(error, HEAPWIRE_CALLER, "%u x %u pixels are no picture", width, height);
	if (!tranche->n_sources)
		return fail(error, HEAPWIRE_NOT_POSSIBLE,
			    "it is not known which memory the tranche's devices can use");
	if (demand_of(&demand, tranche, &pair, width, height, error) < 0)
		return -1;
	while (!is_permitted(&demand, &tranche->sources[source]))
		if (++source == tranche->n_sources)
			return fail(error, HEAPWIRE_NOT_POSSIBLE,
				    "the devices are permitted none of the tranche's memory for this");
	if (!demand.visible_width_alignment || width % demand.visible_width_alignment ||
	    !demand.visible_height_alignment || height % demand.visible_height_alignment ||
	    width < demand.least_width || height < demand.least_height)
		return fail(error, HEAPWIRE_NOT_POSSIBLE,
			    "a device takes no pictures of %u x %u", width, height);
	if (width > demand.max_width || height > demand.max_height ||
	    (uint64_t)width * height > demand.max_area)
		return fail(error, HEAPWIRE_NOT_POSSIBLE,
			    "pictures of %u x %u are too large for a device", width, height);
	at_least(&room_width, demand.min_width);
	at_least(&room_height, demand.min_height);
	if (!demand.width_alignment || !demand.height_alignment || !demand.size_alignment)
		return fail(error, HEAPWIRE_NOT_POSSIBLE, "no size is a multiple of all that is asked");
	room_width = up(room_width, demand.width_alignment);
	room_height = up(room_height, demand.height_alignment);

	memset(&made, 0, sizeof made);
	choose_pitches(&demand, format, room_width, pitches);
	for (i = 0; i < format->n_planes; i++) {
		uint64_t down = format->planes[i].down, rows = (room_height + down - 1) / down;
		uint64_t pitch = pitches[i], offset = end;
		if (pitch && demand.offset_alignment[i])
			offset = up(end, demand.offset_alignment[i]);
		if (!pitch || pitch > demand.max_pitch[i] || !demand.offset_alignment[i] ||
		    !demand.rows_alignment[i] || (demand.adjacent && offset != end) ||
		    (demand.exact[i] && pitch != row_bytes(format, i, width)))
			return fail(error, HEAPWIRE_NOT_POSSIBLE,
				    "the devices' requirements of plane %u contradict each other",
				    i);
		end = offset + up(rows, demand.rows_alignment[i]) * pitch;
		if (end > UINT32_MAX)
			return fail(error, HEAPWIRE_NOT_POSSIBLE, "the buffer would have 4 GiB");
		made.planes[i].offset = (uint32_t)offset;
		made.planes[i].pitch = (uint32_t)pitch;
		if (i + 1 == format->n_planes || !demand.adjacent)
			end += demand.padding[i];
	}
	end += (uint64_t)((width + 15) / 16) * ((height + 15) / 16) * demand.macroblock_padding;
	at_least(&end, demand.min_size);
	end = up(end, demand.size_alignment);
	if (end > demand.max_size)
		return fail(error, HEAPWIRE_NOT_POSSIBLE,
			    "the buffer would have %llu bytes, more than a device takes",
			    (unsigned long long)end);
	made.fourcc = fourcc;
	made.modifier = modifier;
	made.width = (uint32_t)room_width;
	made.height = (uint32_t)room_height;
	made.n_objects = 1;
	made.n_planes = format->n_planes;
	made.objects[0].source = tranche->sources[source];
	made.objects[0].size = end;
	*layout = made;
	return 0;
}

/* -- Memory ----------------------------------------------------------------------------------- */

struct heapwire_heap {
	uint32_t kind;
	int fd; /* of the node */
};

static int is_node(int fd, const struct heapwire_source_id *source)
{
	struct stat status;
	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
	       major(status.st_rdev) == source->major && minor(status.st_rdev) == source->minor;
}

static int open_node(const char *folder, const char *name, const struct heapwire_source_id *source)
{
	char path[512];
	int fd, length = snprintf(path, sizeof path, "%s/%s", folder, name);

	if (length < 0 || (size_t)length >= sizeof path)
		return errno = ENAMETOOLONG, -1;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !is_node(fd, source)) {
		close(fd);
		return errno = ENODEV, -1;
	}
	return fd;
}

/* What sysfs calls the node of a device with these numbers, below /dev. */
static int node_name(const struct heapwire_source_id *source, char *name, size_t size)
{
	char path[64], line[512];
	FILE *file;
	int found = -1;

	snprintf(path, sizeof path, "/sys/dev/char/%u:%u/uevent", source->major, source->minor);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof line, file))
		if (!strncmp(line, "DEVNAME=", 8)) {
			line[strcspn(line, "\n")] = '\0';
			found = (size_t)snprintf(name, size, "%s", line + 8) < size ? 0 : -1;
		}
	fclose(file);
	return found;
}

/* Without sysfs: each node below /dev/dma_heap is asked for its numbers. */
static int search_heaps(const struct heapwire_source_id *source)
{
	DIR *folder = opendir("/dev/dma_heap");
	struct dirent *entry;
	int fd = -1;

	if (!folder)
		return -1;
	while (fd < 0 && (entry = readdir(folder))) {
		struct stat status;
		if (fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 &&
		    S_ISCHR(status.st_mode) && major(status.st_rdev) == source->major &&
		    minor(status.st_rdev) == source->minor)
			fd = open_node("/dev/dma_heap", entry->d_name, source);
	}
	closedir(folder);
	return fd;
}

struct heapwire_heap *heapwire_heap_open(const struct heapwire_source_id *source,
					 struct heapwire_error *error)
{
	struct heapwire_heap *heap;
	char name[256];
	int fd = -1;

	if (source->kind != XX_DMABUF_SOURCES_V1_KIND_HEAP &&
	    source->kind != XX_DMABUF_SOURCES_V1_KIND_UDMABUF) {
		fail(error, HEAPWIRE_NOT_POSSIBLE,
		     "device %u:%u allocates by its own interface, which is not spoken here",
		     source->major, source->minor);
		return NULL;
	}
	errno = ENOENT;
	if (node_name(source, name, sizeof name) == 0)
		fd = open_node("/dev", name, source);
	else if (source->kind == XX_DMABUF_SOURCES_V1_KIND_HEAP)
		fd = search_heaps(source);
	else
		fd = open_node("/dev", "udmabuf", source);
	if (fd < 0) {
		fail(error, HEAPWIRE_MACHINE, "the device node %u:%u cannot be opened: %s",
		     source->major, source->minor, strerror(errno));
		return NULL;
	}
	heap = (struct heapwire_heap *)malloc(sizeof *heap);
	if (!heap) {
		close(fd);
		no_memory(error);
		return NULL;
	}
	heap->kind = source->kind;
	heap->fd = fd;
	return heap;
}

void heapwire_heap_close(struct heapwire_heap *heap)
{
	if (!heap)
		return;
	close(heap->fd);
	free(heap);
}

/* A memfd of a size that nobody can change any more. */
static int sealed_memfd(const char *name, uint64_t size, int seals)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)) {
		int fault = errno;
		close(fd);
		errno = fault;
		return -1;
	}
	return fd;
}

static int udmabuf_allocate(int node, uint64_t size)
{
	struct udmabuf_create request;
	int fd, memory = sealed_memfd("heapwire", size, F_SEAL_SHRINK);

	if (memory < 0)
		return -1;
	memset(&request, 0, sizeof request);
	request.memfd = (uint32_t)memory;
	request.flags = UDMABUF_FLAGS_CLOEXEC;
	request.size = size;
	fd = ioctl(node, UDMABUF_CREATE, &request);
	if (fd < 0) {
		int fault = errno;
		close(memory);
		errno = fault;
		return -1;
	}
	close(memory);
	return fd;
}

int heapwire_heap_allocate(const struct heapwire_heap *heap, uint64_t size,
			   struct heapwire_error *error)
{
	int fd;

	if (!size || size > MOST_BUFFER)
		return fail(error, HEAPWIRE_CALLER, "a buffer cannot have %llu bytes",
			    (unsigned long long)size);
	size = up(size, (uint64_t)sysconf(_SC_PAGESIZE));
	if (heap->kind == XX_DMABUF_SOURCES_V1_KIND_UDMABUF) {
		fd = udmabuf_allocate(heap->fd, size);
	} else {
		struct dma_heap_allocation_data request;
		memset(&request, 0, sizeof request);
		request.len = size;
		request.fd_flags = O_RDWR | O_CLOEXEC;
		fd = ioctl(heap->fd, DMA_HEAP_IOCTL_ALLOC, &request) < 0 ? -1 : (int)request.fd;
	}
	if (fd < 0)
		return fail(error, HEAPWIRE_MACHINE, "there are no %llu bytes: %s",
			    (unsigned long long)size, strerror(errno));
	return fd;
}

static int simulated_allocate(const struct heapwire_client *client,
			      const struct heapwire_object *object, struct heapwire_error *error)
{
	const struct heapwire_source *source = heapwire_client_source(client, &object->source);
	char name[250], path[64]; /* the longest name of a memfd */
	int memory, fd;

	if (!source || !object->size || object->size > MOST_BUFFER ||
	    (size_t)snprintf(name, sizeof name, "heapwire:%s", source->name) >= sizeof name)
		return fail(error, HEAPWIRE_CALLER, "that is no buffer of a simulated heap");
	memory = sealed_memfd(name, up(object->size, (uint64_t)sysconf(_SC_PAGESIZE)),
			      F_SEAL_SHRINK | F_SEAL_GROW);
	if (memory < 0)
		return fail(error, HEAPWIRE_MACHINE, "there are no %llu bytes: %s",
			    (unsigned long long)object->size, strerror(errno));
	/* Opened anew, as the compositor tells holders apart by what they opened. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
	fd = open(path, O_RDWR | O_CLOEXEC);
	close(memory);
	return fd < 0 ? fail(error, HEAPWIRE_MACHINE, "%s: %s", path, strerror(errno)) : fd;
}

static int object_allocate(const struct heapwire_client *client,
			   const struct heapwire_object *object, struct heapwire_error *error)
{
	struct heapwire_heap *heap;
	int fd = -1;

	if (client->simulated)
		return simulated_allocate(client, object, error);
	heap = heapwire_heap_open(&object->source, error);
	if (heap)
		fd = heapwire_heap_allocate(heap, object->size, error);
	heapwire_heap_close(heap);
	return fd;
}

int heapwire_allocate(struct heapwire_client *client, const struct heapwire_tranche *tranche,
		      struct heapwire_layout *layout, int *fds, struct heapwire_error *error)
{
	const struct heapwire_pair pair = {layout->fourcc, 0, layout->modifier};
	struct heapwire_layout made = *layout;
	struct demand demand = no_demand;
	uint32_t i;

	/* Of a layout that is not by the tranche no device of it says which memory will do. */
	if (tranche && demand_of(&demand, tranche, &pair, made.width, made.height, NULL) < 0)
		demand = no_demand;
	if (!made.n_objects || made.n_objects > HEAPWIRE_PLANES)
		return fail(error, HEAPWIRE_CALLER, "a layout that contradicts itself");
	for (i = 0; i < made.n_objects; i++) {
		size_t next = 0;
		fds[i] = object_allocate(client, &made.objects[i], error);
		for (; fds[i] < 0 && tranche && next < tranche->n_sources; next++) {
			if (same_source(&layout->objects[i].source, &tranche->sources[next]) ||
			    !is_permitted(&demand, &tranche->sources[next]))
				continue;
			made.objects[i].source = tranche->sources[next];
			fds[i] = object_allocate(client, &made.objects[i], error);
		}
		if (fds[i] < 0) {
			while (i--)
				close(fds[i]);
			return -1;
		}
	}
	*layout = made;
	return 0;
}

static int synchronize(int fd, uint64_t flags, struct heapwire_error *error)
{
	struct dma_buf_sync request;
	struct stat status;
	int done;

	request.flags = flags;
	do {
		done = ioctl(fd, DMA_BUF_IOCTL_SYNC, &request);
	} while (done < 0 && (errno == EINTR || errno == EAGAIN));
	/* The memfd of a simulated heap has no caches to look after. */
	if (done < 0 && errno == ENOTTY && fcntl(fd, F_GET_SEALS) >= 0 && fstat(fd, &status) == 0)
		done = 0;
	if (done < 0)
		return fail(error, HEAPWIRE_MACHINE, "DMA_BUF_IOCTL_SYNC: %s", strerror(errno));
	return 0;
}

int heapwire_access_begin(int fd, unsigned int access, struct heapwire_error *error)
{
	return synchronize(fd, (access & DMA_BUF_SYNC_RW) | DMA_BUF_SYNC_START, error);
}

int heapwire_access_end(int fd, unsigned int access, struct heapwire_error *error)
{
	return synchronize(fd, (access & DMA_BUF_SYNC_RW) | DMA_BUF_SYNC_END, error);
}

/* -- Import ----------------------------------------------------------------------------------- */

struct heapwire_import {
	struct heapwire_client *client;
	struct heapwire_import *next;
	struct zwp_linux_buffer_params_v1 *params;
	heapwire_imported imported; /* NULL if the buffer is not wanted any more */
	void *data;
};

static void import_free(struct heapwire_import *import)
{
	struct heapwire_import **at = &import->client->imports;
	while (*at != import)
		at = &(*at)->next;
	*at = import->next;
	zwp_linux_buffer_params_v1_destroy(import->params);
	free(import);
}

static void created(void *data, struct zwp_linux_buffer_params_v1 *params,
		    struct wl_buffer *buffer)
{
	struct heapwire_import *import = (struct heapwire_import *)data;
	heapwire_imported imported = import->imported;
	void *their_data = import->data;

	(void)params;
	import_free(import);
	if (imported)
		imported(their_data, buffer, NULL);
	else
		wl_buffer_destroy(buffer);
}

static void refused(void *data, struct zwp_linux_buffer_params_v1 *params)
{
	struct heapwire_import *import = (struct heapwire_import *)data;
	heapwire_imported imported = import->imported;
	void *their_data = import->data;
	struct heapwire_error error;

	(void)params;
	import_free(import);
	fail(&error, HEAPWIRE_NOT_POSSIBLE, "linux-dmabuf does not take the buffer");
	if (imported)
		imported(their_data, NULL, &error);
}

static const struct zwp_linux_buffer_params_v1_listener params_listener = {created, refused};

static int layout_check(const struct heapwire_layout *layout, struct heapwire_error *error)
{
	uint32_t i;

	for (i = 0; i < layout->n_planes && i < HEAPWIRE_PLANES; i++)
		if (layout->planes[i].object >= layout->n_objects || !layout->planes[i].pitch ||
		    layout->planes[i].offset >= layout->objects[layout->planes[i].object].size)
			break;
	if (!layout->n_planes || layout->n_objects > HEAPWIRE_PLANES || i < layout->n_planes)
		return fail(error, HEAPWIRE_CALLER, "a layout that contradicts itself");
	return 0;
}

/* Params with the planes of a layout; NULL with the error. */
static struct zwp_linux_buffer_params_v1 *params_of(struct heapwire_client *client,
						    const struct heapwire_layout *layout,
						    uint32_t width, uint32_t height,
						    const int *fds, struct heapwire_error *error)
{
	struct zwp_linux_buffer_params_v1 *params;
	uint32_t i;

	if (!client->dmabuf) {
		fail(error, HEAPWIRE_NOT_POSSIBLE, "the compositor has no linux-dmabuf");
		return NULL;
	}
	if (layout_check(layout, error) < 0)
		return NULL;
	if (!width || !height || width > layout->width || height > layout->height) {
		fail(error, HEAPWIRE_CALLER, "pictures of %u x %u do not fit into a buffer of %u x %u",
		     width, height, layout->width, layout->height);
		return NULL;
	}
	params = zwp_linux_dmabuf_v1_create_params(client->dmabuf);
	if (!params) {
		no_memory(error);
		return NULL;
	}
#ifdef ZWP_LINUX_BUFFER_PARAMS_V1_SET_SAMPLING_DEVICE_SINCE_VERSION
	if (layout->sampling_device && wl_proxy_get_version((struct wl_proxy *)params) >= FLAGGED) {
		dev_t device = (dev_t)layout->sampling_device;
		struct wl_array array = {sizeof device, sizeof device, &device};
		zwp_linux_buffer_params_v1_set_sampling_device(params, &array);
	}
#endif
	for (i = 0; i < layout->n_planes; i++)
		zwp_linux_buffer_params_v1_add(
			params, fds[layout->planes[i].object], i, layout->planes[i].offset,
			layout->planes[i].pitch, (uint32_t)(layout->modifier >> 32),
			(uint32_t)layout->modifier);
	return params;
}

struct heapwire_import *heapwire_import(struct heapwire_client *client,
					const struct heapwire_layout *layout, uint32_t width,
					uint32_t height, const int *fds, heapwire_imported imported,
					void *data, struct heapwire_error *error)
{
	struct heapwire_import *import = (struct heapwire_import *)calloc(1, sizeof *import);

	if (!import) {
		no_memory(error);
		return NULL;
	}
	import->params = params_of(client, layout, width, height, fds, error);
	if (!import->params) {
		free(import);
		return NULL;
	}
	import->client = client;
	import->next = client->imports;
	client->imports = import;
	import->imported = imported;
	import->data = data;
	zwp_linux_buffer_params_v1_add_listener(import->params, &params_listener, import);
	zwp_linux_buffer_params_v1_create(import->params, (int32_t)width, (int32_t)height,
					  layout->fourcc, 0);
	return import;
}

void heapwire_import_cancel(struct heapwire_import *import)
{
	/* The answer is waited for: a wl_buffer that comes to nobody could not be destroyed. */
	import->imported = NULL;
}

static void forget_imports(struct heapwire_client *client)
{
	while (client->imports)
		import_free(client->imports);
}

struct wl_buffer *heapwire_import_now(struct heapwire_client *client,
				      const struct heapwire_layout *layout, uint32_t width,
				      uint32_t height, const int *fds, struct heapwire_error *error)
{
	struct zwp_linux_buffer_params_v1 *params =
		params_of(client, layout, width, height, fds, error);
	struct wl_buffer *buffer;

	if (!params)
		return NULL;
	buffer = zwp_linux_buffer_params_v1_create_immed(params, (int32_t)width, (int32_t)height,
							 layout->fourcc, 0);
	zwp_linux_buffer_params_v1_destroy(params);
	if (!buffer)
		no_memory(error);
	return buffer;
}

/* Maps the dma-buf of a buffer that is being made, and imports it; closes it if it fails. */
static int finish_buffer(struct heapwire_client *client, struct heapwire_buffer *made,
			 uint32_t width, uint32_t height, struct heapwire_buffer *buffer,
			 struct heapwire_error *error)
{
	void *pixels = mmap(NULL, made->layout.objects[0].size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    made->fd, 0);

	if (pixels == MAP_FAILED) {
		fail(error, HEAPWIRE_MACHINE, "the buffer cannot be mapped: %s", strerror(errno));
		close(made->fd);
		return -1;
	}
	made->pixels = (uint32_t *)pixels;
	made->proxy = heapwire_import_now(client, &made->layout, width, height, &made->fd, error);
	if (!made->proxy) {
		heapwire_buffer_destroy(made);
		return -1;
	}
	*buffer = *made;
	return 0;
}

int heapwire_buffer_make(struct heapwire_client *client, const struct heapwire_layout *layout,
			 uint32_t width, uint32_t height, struct heapwire_buffer *buffer,
			 struct heapwire_error *error)
{
	struct heapwire_buffer made;

	memset(&made, 0, sizeof made);
	memset(buffer, 0, sizeof *buffer);
	made.layout = *layout;
	if (layout->n_objects != 1)
		return fail(error, HEAPWIRE_NOT_POSSIBLE, "a buffer of %u objects is not made here",
			    layout->n_objects);
	if (heapwire_allocate(client, NULL, &made.layout, &made.fd, error) < 0)
		return -1;
	return finish_buffer(client, &made, width, height, buffer, error);
}

int heapwire_buffer_create(struct heapwire_client *client, const struct heapwire_batch *batch,
			   uint32_t fourcc, uint64_t modifier, uint32_t width, uint32_t height,
			   struct heapwire_buffer *buffer, struct heapwire_error *error)
{
	struct heapwire_buffer made;
	int done = -1;
	size_t i;

	memset(&made, 0, sizeof made);
	memset(buffer, 0, sizeof *buffer);
	fail(error, HEAPWIRE_NOT_POSSIBLE, "no tranche has format 0x%08x with modifier 0x%llx",
	     fourcc, (unsigned long long)modifier);
	for (i = 0; i < batch->n_tranches && done < 0; i++) {
		const struct heapwire_tranche *tranche = &batch->tranches[i];
		if (heapwire_tranche_has(tranche, fourcc, modifier))
			done = heapwire_lay_out(tranche, fourcc, modifier, width, height,
						&made.layout, error);
		if (done == 0)
			done = heapwire_allocate(client, tranche, &made.layout, &made.fd, error);
	}
	made.layout.sampling_device = heapwire_batch_sampler(batch, fourcc, modifier);
	return done < 0 ? -1 : finish_buffer(client, &made, width, height, buffer, error);
}

void heapwire_buffer_destroy(struct heapwire_buffer *buffer)
{
	if (!buffer->pixels)
		return;
	if (buffer->proxy)
		wl_buffer_destroy(buffer->proxy);
	munmap(buffer->pixels, buffer->layout.objects[0].size);
	close(buffer->fd);
	memset(buffer, 0, sizeof *buffer);
}

/* -- Plans from the compositor ---------------------------------------------------------------- */

#define PAIRS_OF_A_REQUEST 200 /* libwayland's messages have 4096 bytes */

/* What is said of one answer. */
struct answer {
	size_t n_plans, n_conflicts, bytes;
	struct heapwire_plan *plans;
	struct heapwire_conflict *conflicts;
};

struct heapwire_negotiation {
	struct xx_dmabuf_negotiation_v1 *proxy;
	struct xx_dmabuf_negotiation_manager_v1 *manager; /* of the client */
	heapwire_planned planned;
	void *data;
	uint32_t asked, answered; /* cookies: of the last commit, and of that last answered; or 0 */
	int sized, failed, reason;
	struct answer coming, last;
};

static void answer_free(struct answer *answer)
{
	size_t i, j;
	for (i = 0; i < answer->n_plans; i++) {
		for (j = 0; j < answer->plans[i].n_constraints; j++)
			free(answer->plans[i].constraints[j].value);
		free(answer->plans[i].constraints);
	}
	for (i = 0; i < answer->n_conflicts; i++) {
		free(answer->conflicts[i].constraint.value);
		free(answer->conflicts[i].text);
	}
	free(answer->plans);
	free(answer->conflicts);
	memset(answer, 0, sizeof *answer);
}

/* The last thing that a caller does: the negotiation may be gone afterwards. */
static void break_negotiation(struct heapwire_negotiation *negotiation, const char *what)
{
	struct heapwire_error error;
	negotiation->failed = 1;
	fail(&error, HEAPWIRE_PEER, "%s", what);
	negotiation->planned(negotiation->data, NULL, &error);
}

/* The plan that is being told of; NULL, and the end of it, if there is none. */
static struct heapwire_plan *coming_plan(struct heapwire_negotiation *negotiation)
{
	if (negotiation->failed)
		return NULL;
	if (!negotiation->coming.n_plans) {
		break_negotiation(negotiation, "a part of a plan before any plan");
		return NULL;
	}
	return &negotiation->coming.plans[negotiation->coming.n_plans - 1];
}

static int is_device(uint32_t major, uint32_t minor)
{
	return major <= 0xfff && minor <= 0xfffff;
}

static int is_source(uint32_t kind, uint32_t major, uint32_t minor)
{
	return kind <= XX_DMABUF_SOURCES_V1_KIND_UDMABUF && is_device(major, minor);
}

static int is_value(uint32_t type, const struct wl_array *value)
{
	return value->size <= MOST_VALUE && fits(type, value);
}

/* Whether there is room for so many bytes more of the answer that is coming. */
static int has_room(struct heapwire_negotiation *negotiation, size_t bytes)
{
	negotiation->coming.bytes += bytes;
	return negotiation->coming.bytes <= MOST_BYTES;
}

static void plan(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t index, uint32_t goal,
		 uint32_t fourcc, uint32_t modifier_hi, uint32_t modifier_lo, uint32_t layout,
		 uint32_t width, uint32_t height, uint32_t count)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct answer *coming = &negotiation->coming;
	struct heapwire_plan *plans;

	(void)proxy;
	if (negotiation->failed)
		return;
	if (index != coming->n_plans || index >= MOST_PLANS) {
		break_negotiation(negotiation, "plans that are not numbered from 0, or too many");
		return;
	}
	if (layout > XX_DMABUF_NEGOTIATION_V1_LAYOUT_KIND_FIXED || !width || !height ||
	    width > 65536 || height > 65536) {
		break_negotiation(negotiation, "a plan of no kind, or of no size");
		return;
	}
	plans = (struct heapwire_plan *)grown(coming->plans, index, sizeof *plans);
	if (!plans) {
		break_negotiation(negotiation, "out of memory");
		return;
	}
	coming->plans = plans;
	plans += coming->n_plans++;
	memset(plans, 0, sizeof *plans);
	plans->goal = goal;
	plans->kind = layout;
	plans->count = count;
	plans->layout.fourcc = fourcc;
	plans->layout.modifier = whole(modifier_hi, modifier_lo);
	plans->layout.width = width;
	plans->layout.height = height;
}

static void plan_object(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t kind,
			uint32_t major, uint32_t minor, uint32_t access, uint32_t size_hi,
			uint32_t size_lo)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_plan *one = coming_plan(negotiation);
	struct heapwire_object *object;

	(void)proxy;
	if (!one)
		return;
	if (one->layout.n_objects >= HEAPWIRE_PLANES || !is_source(kind, major, minor)) {
		break_negotiation(negotiation, "a plan with too many objects, or of no source");
		return;
	}
	one->access[one->layout.n_objects] = access;
	object = &one->layout.objects[one->layout.n_objects++];
	object->source.kind = kind;
	object->source.major = major;
	object->source.minor = minor;
	object->size = whole(size_hi, size_lo);
}

static void plan_source(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t kind,
			uint32_t major, uint32_t minor, uint32_t access)
{
	plan_object(data, proxy, kind, major, minor, access, 0, 0);
}

static void plan_plane(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t object,
		       uint32_t offset, uint32_t pitch)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_plan *one = coming_plan(negotiation);
	struct heapwire_plane *plane;

	(void)proxy;
	if (!one)
		return;
	if (one->layout.n_planes >= HEAPWIRE_PLANES || object >= one->layout.n_objects) {
		break_negotiation(negotiation, "a plan with too many planes, or of no object");
		return;
	}
	plane = &one->layout.planes[one->layout.n_planes++];
	plane->object = object;
	plane->offset = offset;
	plane->pitch = pitch;
}

static void told_participant(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t id,
			     uint32_t usage, uint32_t major, uint32_t minor, const char *name)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;

	(void)proxy, (void)id, (void)usage, (void)name; /* texts have the names */
	if (!negotiation->failed && !is_device(major, minor))
		break_negotiation(negotiation, "a participant that is no device");
}

/* ITU-T H.273 has numbers that the enum has not. */
static int is_encoding(uint32_t encoding)
{
	switch (encoding) {
	case XX_DMABUF_NEGOTIATION_V1_ENCODING_RGB:
	case XX_DMABUF_NEGOTIATION_V1_ENCODING_BT709:
	case XX_DMABUF_NEGOTIATION_V1_ENCODING_UNSPECIFIED:
	case XX_DMABUF_NEGOTIATION_V1_ENCODING_BT601:
	case XX_DMABUF_NEGOTIATION_V1_ENCODING_BT2020:
		return 1;
	default:
		return 0;
	}
}

static void plan_agreement(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t agreed,
			   uint32_t coherency, uint32_t fence, uint32_t encoding, uint32_t range)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_plan *one = coming_plan(negotiation);
	struct heapwire_agreement *agreement;

	(void)proxy;
	if (!one)
		return;
	agreement = &one->agreement;
	agreement->agreed = agreed;
	if (agreed & XX_DMABUF_NEGOTIATION_V1_AGREEMENT_COHERENCY)
		agreement->coherency = coherency;
	if (agreed & XX_DMABUF_NEGOTIATION_V1_AGREEMENT_FENCE)
		agreement->fence = fence;
	if (agreed & XX_DMABUF_NEGOTIATION_V1_AGREEMENT_COLOUR) {
		agreement->encoding = encoding;
		agreement->range = range;
	}
	if (agreement->coherency > XX_DMABUF_NEGOTIATION_V1_COHERENCY_INACCESSIBLE ||
	    agreement->fence > XX_DMABUF_NEGOTIATION_V1_FENCE_EXPLICIT ||
	    !is_encoding(agreement->encoding) ||
	    agreement->range > XX_DMABUF_NEGOTIATION_V1_RANGE_FULL)
		break_negotiation(negotiation, "an agreement on what is not known");
}

static void plan_constraint(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t type,
			    uint32_t planes, uint32_t flags, uint32_t provenance,
			    struct wl_array *value)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_plan *one = coming_plan(negotiation);
	struct heapwire_constraint *constraints;

	(void)proxy;
	if (!one)
		return;
	if (one->n_constraints >= MOST_CONSTRAINTS || !is_value(type, value) ||
	    !has_room(negotiation, sizeof *constraints + value->size)) {
		break_negotiation(negotiation, "a constraint that cannot be, or too many");
		return;
	}
	constraints = (struct heapwire_constraint *)grown(one->constraints, one->n_constraints,
							  sizeof *constraints);
	if (constraints)
		one->constraints = constraints;
	if (!constraints ||
	    !(constraints[one->n_constraints].value = copied(value->data, value->size))) {
		break_negotiation(negotiation, "out of memory");
		return;
	}
	constraints += one->n_constraints++;
	constraints->type = type;
	constraints->planes = planes;
	constraints->size = (uint32_t)value->size;
	constraints->flags = flags & XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND;
	/* One of a later version is trusted least. */
	if (provenance == XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_PROVENANCE_PRESUMPTION ||
	    provenance > XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_PROVENANCE_USER)
		constraints->flags |= XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_PRESUMED;
}

static void plan_reason(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t subject,
			uint32_t planes, const char *text)
{
	(void)proxy, (void)subject, (void)planes, (void)text;
	coming_plan((struct heapwire_negotiation *)data);
}

static void refusal(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t kind,
		    uint32_t major, uint32_t minor, uint32_t cause, uint32_t participant,
		    uint32_t type, uint32_t planes, const char *text)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;

	(void)proxy, (void)cause, (void)participant, (void)type, (void)planes, (void)text;
	if (!negotiation->failed && !is_source(kind, major, minor))
		break_negotiation(negotiation, "a refusal of no source");
}

static void conflict(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t goal,
		     uint32_t cause, uint32_t flags, uint32_t participant, uint32_t type,
		     uint32_t planes, struct wl_array *value, const char *text)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct answer *coming = &negotiation->coming;
	struct heapwire_conflict *conflicts;
	const struct wl_array nothing = {0, 0, NULL};

	(void)proxy;
	if (negotiation->failed)
		return;
	if (cause != XX_DMABUF_NEGOTIATION_V1_CONFLICT_CAUSE_CONSTRAINT)
		type = 0;
	if ((type && !is_value(type, value)) ||
	    !has_room(negotiation, sizeof *conflicts + value->size + strlen(text))) {
		break_negotiation(negotiation, "a conflict that cannot be, or too many");
		return;
	}
	conflicts = (struct heapwire_conflict *)grown(coming->conflicts, coming->n_conflicts,
						      sizeof *conflicts);
	if (conflicts) {
		const struct wl_array *kept = type ? value : &nothing;
		coming->conflicts = conflicts;
		conflicts += coming->n_conflicts;
		memset(conflicts, 0, sizeof *conflicts);
		conflicts->text = strdup(text);
		conflicts->constraint.value = copied(kept->data, kept->size);
		conflicts->constraint.size = (uint32_t)kept->size;
		coming->n_conflicts++;
	}
	if (!conflicts || !conflicts->text || !conflicts->constraint.value) {
		break_negotiation(negotiation, "out of memory");
		return;
	}
	conflicts->goal = goal;
	conflicts->cause = cause;
	conflicts->flags = flags;
	conflicts->participant = participant;
	conflicts->constraint.type = type;
	conflicts->constraint.planes = planes;
}

static uint32_t after(uint32_t cookie)
{
	return cookie == UINT32_MAX ? 1 : cookie + 1; /* never 0 */
}

/* Whether an answer is one that is to be told of; what was said of it is the last answer then. */
static int completed(struct heapwire_negotiation *negotiation, uint32_t cookie, int reason)
{
	if (negotiation->failed)
		return 0;
	if (cookie && (negotiation->answered == negotiation->asked ||
		       cookie != after(negotiation->answered))) {
		break_negotiation(negotiation, "an answer that is not due");
		return 0;
	}
	if (cookie)
		negotiation->answered = cookie;
	if ((cookie && cookie != negotiation->asked) ||
	    reason == XX_DMABUF_NEGOTIATION_V1_REASON_SUPERSEDED) {
		answer_free(&negotiation->coming); /* of a commit that is not the last */
		return 0;
	}
	answer_free(&negotiation->last);
	negotiation->last = negotiation->coming;
	memset(&negotiation->coming, 0, sizeof negotiation->coming);
	negotiation->reason = reason;
	return 1;
}

/* Whether all that was said of plans makes plans of them. */
static int are_plans(const struct answer *answer)
{
	size_t i;
	for (i = 0; i < answer->n_plans; i++) {
		const struct heapwire_plan *one = &answer->plans[i];
		if (!one->layout.n_objects ||
		    (one->kind != XX_DMABUF_NEGOTIATION_V1_LAYOUT_KIND_ALLOCATOR &&
		     layout_check(&one->layout, NULL) < 0))
			return 0;
	}
	return 1;
}

static void negotiation_done(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t cookie,
			     uint32_t serial)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_plans told;

	(void)proxy;
	if (!negotiation->failed && !are_plans(&negotiation->coming)) {
		break_negotiation(negotiation, "a plan that contradicts itself");
		return;
	}
	if (!completed(negotiation, cookie, -1))
		return;
	told.serial = serial;
	told.n = negotiation->last.n_plans;
	told.plans = negotiation->last.plans;
	negotiation->planned(negotiation->data, &told, NULL);
}

static void negotiation_failed(void *data, struct xx_dmabuf_negotiation_v1 *proxy, uint32_t cookie,
			       uint32_t serial, uint32_t reason, const char *message)
{
	struct heapwire_negotiation *negotiation = (struct heapwire_negotiation *)data;
	struct heapwire_error error;

	(void)proxy, (void)serial;
	/* One of a later version is something that went wrong with the compositor. */
	if (reason > XX_DMABUF_NEGOTIATION_V1_REASON_BUSY)
		reason = XX_DMABUF_NEGOTIATION_V1_REASON_INTERNAL;
	if (!completed(negotiation, cookie, (int)reason))
		return;
	fail(&error, HEAPWIRE_NOT_POSSIBLE, "%s%s%s", message,
	     negotiation->last.n_conflicts ? ": " : "",
	     negotiation->last.n_conflicts ? negotiation->last.conflicts[0].text : "");
	negotiation->planned(negotiation->data, NULL, &error);
}

static const struct xx_dmabuf_negotiation_v1_listener negotiation_listener = {
	told_participant, plan,	   plan_object, plan_source, plan_plane,       plan_agreement,
	plan_constraint,  plan_reason, refusal,	    conflict,	 negotiation_done, negotiation_failed};

int heapwire_negotiation_reason(const struct heapwire_negotiation *negotiation)
{
	return negotiation->reason;
}

const struct heapwire_conflict *
heapwire_negotiation_conflicts(const struct heapwire_negotiation *negotiation, size_t *number)
{
	*number = negotiation->last.n_conflicts;
	return negotiation->last.conflicts;
}

struct heapwire_negotiation *heapwire_negotiation_create(struct heapwire_client *client,
							 struct wl_surface *surface,
							 heapwire_planned planned, void *data,
							 struct heapwire_error *error)
{
	struct xx_dmabuf_negotiation_manager_v1 *manager = client->negotiator;
	struct heapwire_negotiation *negotiation;

	if (!manager) {
		fail(error, HEAPWIRE_NOT_POSSIBLE, "the compositor does not negotiate");
		return NULL;
	}
	negotiation = (struct heapwire_negotiation *)calloc(1, sizeof *negotiation);
	if (negotiation)
		negotiation->proxy =
			surface ? xx_dmabuf_negotiation_manager_v1_get_surface_negotiation(manager,
											   surface)
				: xx_dmabuf_negotiation_manager_v1_get_default_negotiation(manager);
	if (!negotiation || !negotiation->proxy) {
		free(negotiation);
		no_memory(error);
		return NULL;
	}
	negotiation->manager = manager;
	negotiation->planned = planned;
	negotiation->data = data;
	negotiation->reason = -1;
	xx_dmabuf_negotiation_v1_add_listener(negotiation->proxy, &negotiation_listener,
					      negotiation);
	return negotiation;
}

void heapwire_negotiation_destroy(struct heapwire_negotiation *negotiation)
{
	if (!negotiation)
		return;
	answer_free(&negotiation->coming);
	answer_free(&negotiation->last);
	xx_dmabuf_negotiation_v1_destroy(negotiation->proxy);
	free(negotiation);
}

/* Sends a set; NULL, and nothing is to be undone, if it cannot be one. */
static struct xx_dmabuf_constraint_set_v1 *send_set(struct heapwire_negotiation *negotiation,
						    const struct heapwire_set *set,
						    struct heapwire_error *error)
{
	struct xx_dmabuf_constraint_set_creator_v1 *creator;
	struct wl_array array;
	size_t i, n;

	for (i = 0; i < set->n_constraints; i++) {
		array.size = set->constraints[i].size;
		array.data = set->constraints[i].value;
		if (array.size > MOST_VALUE || !fits(set->constraints[i].type, &array))
			break;
	}
	if (i < set->n_constraints || !set->n_pairs || set->n_pairs > 4096 ||
	    set->n_constraints > MOST_CONSTRAINTS) {
		fail(error, HEAPWIRE_CALLER, "a set that cannot be: %zu pairs, %zu constraints",
		     set->n_pairs, set->n_constraints);
		return NULL;
	}
	creator = xx_dmabuf_negotiation_manager_v1_create_constraint_set(negotiation->manager);
	if (!creator) {
		no_memory(error);
		return NULL;
	}
	for (i = 0; i < set->n_pairs; i += n) {
		n = set->n_pairs - i < PAIRS_OF_A_REQUEST ? set->n_pairs - i : PAIRS_OF_A_REQUEST;
		array.data = &set->pairs[i];
		array.size = array.alloc = n * sizeof *set->pairs;
		xx_dmabuf_constraint_set_creator_v1_add_formats(creator, 0, &array);
	}
	for (i = 0; i < set->n_constraints; i++) {
		const struct heapwire_constraint *one = &set->constraints[i];
		array.data = one->value;
		array.size = array.alloc = one->size;
		xx_dmabuf_constraint_set_creator_v1_add(
			creator, one->type, one->planes,
			one->flags & XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_MUST_UNDERSTAND,
			one->flags & XX_DMABUF_FEEDBACK_SOURCES_V1_FLAG_PRESUMED
				? XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_PROVENANCE_PRESUMPTION
				: XX_DMABUF_CONSTRAINT_SET_CREATOR_V1_PROVENANCE_KERNEL,
			&array);
	}
	return xx_dmabuf_constraint_set_creator_v1_create(creator);
}

int heapwire_negotiation_set_participant(struct heapwire_negotiation *negotiation,
					 const struct heapwire_participant *participant,
					 struct heapwire_error *error)
{
	const uint32_t usages = 2 * XX_DMABUF_NEGOTIATION_V1_USAGE_CPU_WRITE - 1;
	struct xx_dmabuf_constraint_set_v1 *set;
	size_t i;

	if (!participant->id || participant->id > INT32_MAX || !participant->usage ||
	    participant->usage & ~usages || strlen(participant->name) > 128)
		return fail(error, HEAPWIRE_CALLER, "an id, a usage or a name that cannot be");
	xx_dmabuf_negotiation_v1_set_participant(
		negotiation->proxy, participant->id, participant->usage,
		major((dev_t)participant->device), minor((dev_t)participant->device),
		participant->name);
	for (i = 0; i < participant->n_sets; i++) {
		set = send_set(negotiation, &participant->sets[i], error);
		if (!set) {
			xx_dmabuf_negotiation_v1_remove_participant(negotiation->proxy,
								    participant->id);
			return -1;
		}
		xx_dmabuf_negotiation_v1_add_alternative(negotiation->proxy, participant->id, set);
		xx_dmabuf_constraint_set_v1_destroy(set);
	}
	return 0;
}

int heapwire_negotiation_remove_participant(struct heapwire_negotiation *negotiation, uint32_t id,
					    struct heapwire_error *error)
{
	if (!id || id > INT32_MAX)
		return fail(error, HEAPWIRE_CALLER, "%u is no participant of a client's", id);
	xx_dmabuf_negotiation_v1_remove_participant(negotiation->proxy, id);
	return 0;
}

static int is_size(uint32_t width, uint32_t height)
{
	return !width == !height && width <= 65536 && height <= 65536;
}

int heapwire_negotiation_set_extents(struct heapwire_negotiation *negotiation,
				     const struct heapwire_extents *extents,
				     struct heapwire_error *error)
{
	const struct heapwire_extents *of = extents;

	if (!of->coded_width || !is_size(of->coded_width, of->coded_height) ||
	    !is_size(of->visible_width, of->visible_height) ||
	    !is_size(of->maximum_width, of->maximum_height) ||
	    of->visible_width > of->coded_width || of->visible_height > of->coded_height)
		return fail(error, HEAPWIRE_CALLER, "sizes that cannot be");
	negotiation->sized = 1;
	xx_dmabuf_negotiation_v1_set_extents(negotiation->proxy, of->coded_width, of->coded_height,
					     of->visible_width, of->visible_height,
					     of->maximum_width, of->maximum_height);
	return 0;
}

static int is_layout(const struct heapwire_layout *layout)
{
	uint32_t i, object;

	if (!layout->width || !is_size(layout->width, layout->height) || !layout->n_objects ||
	    layout->n_objects > HEAPWIRE_PLANES || !layout->n_planes ||
	    layout->n_planes > HEAPWIRE_PLANES)
		return 0;
	for (i = 0; i < layout->n_objects; i++)
		if (!is_source(layout->objects[i].source.kind, layout->objects[i].source.major,
			       layout->objects[i].source.minor))
			return 0;
	for (i = 0; i < layout->n_planes; i++) {
		object = layout->planes[i].object;
		if (object >= layout->n_objects || !layout->planes[i].pitch ||
		    layout->planes[i].offset >= layout->objects[object].size)
			return 0;
	}
	return 1;
}

int heapwire_negotiation_set_fixed(struct heapwire_negotiation *negotiation,
				   const struct heapwire_layout *layout,
				   struct heapwire_error *error)
{
	struct {
		uint32_t kind, major, minor, padding;
		uint64_t size;
	} objects[HEAPWIRE_PLANES];
	struct wl_array first, second;
	uint32_t i;

	if (!layout) {
		xx_dmabuf_negotiation_v1_unset_fixed_layout(negotiation->proxy);
		return 0;
	}
	if (!is_layout(layout))
		return fail(error, HEAPWIRE_CALLER, "a layout that cannot be");
	memset(objects, 0, sizeof objects);
	for (i = 0; i < layout->n_objects; i++) {
		objects[i].kind = layout->objects[i].source.kind;
		objects[i].major = layout->objects[i].source.major;
		objects[i].minor = layout->objects[i].source.minor;
		objects[i].size = layout->objects[i].size;
	}
	first.data = objects;
	first.size = first.alloc = layout->n_objects * sizeof *objects;
	second.data = (void *)layout->planes;
	second.size = second.alloc = layout->n_planes * sizeof *layout->planes;
	negotiation->sized = 1;
	xx_dmabuf_negotiation_v1_set_fixed_layout(
		negotiation->proxy, layout->fourcc, (uint32_t)(layout->modifier >> 32),
		(uint32_t)layout->modifier, layout->width, layout->height, &first, &second);
	return 0;
}

int heapwire_negotiation_set_buffers(struct heapwire_negotiation *negotiation, uint32_t held,
				     uint32_t queued, struct heapwire_error *error)
{
	if (held > 64 || queued > 64 || !(held + queued) || held + queued > 64)
		return fail(error, HEAPWIRE_CALLER, "%u and %u buffers: 1 to 64 there can be", held,
			    queued);
	xx_dmabuf_negotiation_v1_set_buffer_count(negotiation->proxy, held, queued);
	return 0;
}

int heapwire_negotiation_set_openable(struct heapwire_negotiation *negotiation,
				      const struct heapwire_source_id *sources, size_t n,
				      struct heapwire_error *error)
{
	struct wl_array array;
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_source(sources[i].kind, sources[i].major, sources[i].minor))
			break;
	if (i < n || n > 256)
		return fail(error, HEAPWIRE_CALLER, "sources that cannot be, or too many");
	array.size = array.alloc = n * sizeof *sources;
	array.data = (void *)sources;
	xx_dmabuf_negotiation_v1_set_openable(negotiation->proxy, &array);
	return 0;
}

void heapwire_negotiation_set_reasons(struct heapwire_negotiation *negotiation, int wanted)
{
	xx_dmabuf_negotiation_v1_set_explanation(
		negotiation->proxy, wanted ? XX_DMABUF_NEGOTIATION_V1_EXPLANATION_REASONS
					   : XX_DMABUF_NEGOTIATION_V1_EXPLANATION_NONE);
}

int heapwire_negotiation_set_content(struct heapwire_negotiation *negotiation,
				     const struct heapwire_content *content,
				     struct heapwire_error *error)
{
	const uint32_t flags = XX_DMABUF_NEGOTIATION_V1_CONTENT_FLAG_PROTECTED |
			       XX_DMABUF_NEGOTIATION_V1_CONTENT_FLAG_INTERLACED;

	if (content->flags & ~flags || content->rotation % 90 || content->rotation > 270 ||
	    !is_encoding(content->encoding) || content->range > XX_DMABUF_NEGOTIATION_V1_RANGE_FULL)
		return fail(error, HEAPWIRE_CALLER, "pictures that cannot be");
	xx_dmabuf_negotiation_v1_set_content(negotiation->proxy, content->flags, content->rotation,
					     content->encoding, content->range);
	return 0;
}

int heapwire_negotiation_commit(struct heapwire_negotiation *negotiation,
				struct heapwire_error *error)
{
	if (!negotiation->sized)
		return fail(error, HEAPWIRE_CALLER, "a commit before any size");
	if (negotiation->asked - negotiation->answered >= MOST_COMMITS)
		return fail(error, HEAPWIRE_CALLER, "%d commits wait for their answers",
			    MOST_COMMITS);
	negotiation->asked = after(negotiation->asked);
	xx_dmabuf_negotiation_v1_commit(negotiation->proxy, negotiation->asked);
	return 0;
}

void heapwire_negotiation_use(struct heapwire_negotiation *negotiation, uint32_t serial,
			      uint32_t plan_index)
{
	xx_dmabuf_negotiation_v1_use_plan(negotiation->proxy, serial, plan_index);
}

/* -- Memory from the compositor --------------------------------------------------------------- */

struct heapwire_allocation {
	struct xx_dmabuf_allocation_v1 *proxy;
	heapwire_allocated allocated;
	void *data;
	int answered, wrong; /* an answer came; it is none that the protocol allows */
	uint32_t n_wanted, n_fds;
	uint64_t sizes[HEAPWIRE_PLANES];
	int fds[HEAPWIRE_PLANES];
};

static void close_fds(struct heapwire_allocation *allocation)
{
	while (allocation->n_fds)
		close(allocation->fds[--allocation->n_fds]);
}

static void allocation_object(void *data, struct xx_dmabuf_allocation_v1 *proxy, int32_t fd,
			      uint32_t size_hi, uint32_t size_lo)
{
	struct heapwire_allocation *allocation = (struct heapwire_allocation *)data;
	uint32_t n = allocation->n_fds;

	(void)proxy;
	if (allocation->answered || n >= allocation->n_wanted ||
	    whole(size_hi, size_lo) < allocation->sizes[n]) {
		close(fd);
		allocation->wrong = 1;
		return;
	}
	allocation->fds[allocation->n_fds++] = fd;
}

static void allocation_done(void *data, struct xx_dmabuf_allocation_v1 *proxy)
{
	struct heapwire_allocation *allocation = (struct heapwire_allocation *)data;
	struct heapwire_error error;
	int fds[HEAPWIRE_PLANES];
	uint32_t n = allocation->n_fds;

	(void)proxy;
	if (allocation->answered)
		return;
	allocation->answered = 1;
	if (allocation->wrong || n != allocation->n_wanted) {
		close_fds(allocation);
		fail(&error, HEAPWIRE_PEER, "other buffers than those that were asked for");
		allocation->allocated(allocation->data, NULL, 0, &error);
		return;
	}
	memcpy(fds, allocation->fds, sizeof fds);
	allocation->n_fds = 0; /* they are the caller's now */
	allocation->allocated(allocation->data, fds, n, NULL);
}

static void allocation_failed(void *data, struct xx_dmabuf_allocation_v1 *proxy, uint32_t reason,
			      const char *message)
{
	static const char *const reasons[] = {
		"the compositor does not allocate that", "the source has no memory left",
		"the compositor gives this client no more", "the compositor failed"};
	struct heapwire_allocation *allocation = (struct heapwire_allocation *)data;
	struct heapwire_error error;

	(void)proxy;
	if (allocation->answered)
		return;
	allocation->answered = 1;
	close_fds(allocation);
	fail(&error, HEAPWIRE_NOT_POSSIBLE, "%s: %s",
	     reason < sizeof reasons / sizeof *reasons ? reasons[reason] : "there is no memory",
	     message);
	allocation->allocated(allocation->data, NULL, 0, &error);
}

static const struct xx_dmabuf_allocation_v1_listener allocation_listener = {
	allocation_object, allocation_done, allocation_failed};

struct heapwire_allocation *heapwire_allocation_create(struct heapwire_client *client,
						       const struct heapwire_layout *layout,
						       heapwire_allocated allocated, void *data,
						       struct heapwire_error *error)
{
	struct {
		uint32_t kind, major, minor, padding;
		uint64_t size;
	} objects[HEAPWIRE_PLANES];
	struct wl_array object_array, plane_array;
	struct heapwire_plane planes[HEAPWIRE_PLANES];
	struct heapwire_allocation *allocation;
	uint32_t i;

	if (!client->allocator) {
		fail(error, HEAPWIRE_NOT_POSSIBLE, "the compositor allocates for nobody");
		return NULL;
	}
	if (layout_check(layout, error) < 0)
		return NULL;
	if (!layout->width || !layout->height || layout->width > 65536 || layout->height > 65536) {
		fail(error, HEAPWIRE_CALLER, "%u x %u pixels are no buffer", layout->width,
		     layout->height);
		return NULL;
	}
	allocation = (struct heapwire_allocation *)calloc(1, sizeof *allocation);
	if (!allocation) {
		no_memory(error);
		return NULL;
	}
	memset(objects, 0, sizeof objects);
	for (i = 0; i < layout->n_objects; i++) {
		objects[i].kind = layout->objects[i].source.kind;
		objects[i].major = layout->objects[i].source.major;
		objects[i].minor = layout->objects[i].source.minor;
		objects[i].size = layout->objects[i].size;
		allocation->sizes[i] = layout->objects[i].size;
	}
	memcpy(planes, layout->planes, sizeof planes);
	object_array.data = objects;
	object_array.size = object_array.alloc = layout->n_objects * sizeof *objects;
	plane_array.data = planes;
	plane_array.size = plane_array.alloc = layout->n_planes * sizeof *planes;
	allocation->n_wanted = layout->n_objects;
	allocation->allocated = allocated;
	allocation->data = data;
	allocation->proxy = xx_dmabuf_allocation_manager_v1_allocate(
		client->allocator, layout->fourcc, (uint32_t)(layout->modifier >> 32),
		(uint32_t)layout->modifier, layout->width, layout->height, &object_array,
		&plane_array);
	if (!allocation->proxy) {
		free(allocation);
		no_memory(error);
		return NULL;
	}
	xx_dmabuf_allocation_v1_add_listener(allocation->proxy, &allocation_listener, allocation);
	return allocation;
}

void heapwire_allocation_destroy(struct heapwire_allocation *allocation)
{
	if (!allocation)
		return;
	close_fds(allocation);
	xx_dmabuf_allocation_v1_destroy(allocation->proxy);
	free(allocation);
}

/* -- What becomes of a buffer ----------------------------------------------------------------- */

struct heapwire_status {
	struct xx_dmabuf_buffer_status_v1 *proxy;
	heapwire_shown shown;
	void *data;
};

static void status_shown(void *data, struct xx_dmabuf_buffer_status_v1 *proxy, uint32_t result,
			 uint32_t reason)
{
	struct heapwire_status *status = (struct heapwire_status *)data;

	(void)proxy;
	if (result > XX_DMABUF_BUFFER_STATUS_V1_RESULT_COMPOSITED ||
	    reason > XX_DMABUF_BUFFER_STATUS_V1_REASON_UNKNOWN)
		reason = XX_DMABUF_BUFFER_STATUS_V1_REASON_UNKNOWN;
	status->shown(status->data, result == XX_DMABUF_BUFFER_STATUS_V1_RESULT_SCANOUT, reason);
}

static const struct xx_dmabuf_buffer_status_v1_listener status_listener = {status_shown};

struct heapwire_status *heapwire_status_create(struct heapwire_client *client,
					       struct wl_buffer *buffer, heapwire_shown shown,
					       void *data, struct heapwire_error *error)
{
	struct heapwire_status *status;

	if (!client->teller) {
		fail(error, HEAPWIRE_NOT_POSSIBLE,
		     "the compositor does not tell what becomes of buffers");
		return NULL;
	}
	status = (struct heapwire_status *)calloc(1, sizeof *status);
	if (status)
		status->proxy = xx_dmabuf_buffer_status_manager_v1_get_buffer_status(client->teller,
										     buffer);
	if (!status || !status->proxy) {
		free(status);
		no_memory(error);
		return NULL;
	}
	status->shown = shown;
	status->data = data;
	xx_dmabuf_buffer_status_v1_add_listener(status->proxy, &status_listener, status);
	return status;
}

void heapwire_status_destroy(struct heapwire_status *status)
{
	if (!status)
		return;
	xx_dmabuf_buffer_status_v1_destroy(status->proxy);
	free(status);
}

/* -- Explicit synchronisation ----------------------------------------------------------------- */

/* As include/uapi/drm/drm.h has them; libdrm need not be there. */
struct syncobj_fd {
	uint32_t handle, flags;
	int32_t fd;
	uint32_t pad;
};
struct syncobj_eventfd {
	uint32_t handle, flags;
	uint64_t point;
	int32_t fd;
	uint32_t pad;
};
struct syncobj_handle {
	uint32_t handle, pad;
};
#define SYNCOBJ_FORGET _IOWR('d', 0xC0, struct syncobj_handle)
#define SYNCOBJ_FROM_FD _IOWR('d', 0xC2, struct syncobj_fd)
#define SYNCOBJ_EVENTFD _IOWR('d', 0xCF, struct syncobj_eventfd)

struct heapwire_timeline {
	struct wl_proxy *proxy;
	int device; /* -1: none */
	uint32_t handle;
};

struct heapwire_sync {
	struct wl_proxy *proxy;
};

static int ask_drm(int device, unsigned long request, void *argument)
{
	int done;
	do {
		done = ioctl(device, request, argument);
	} while (done < 0 && (errno == EINTR || errno == EAGAIN));
	return done;
}

/* Whether the compositor has the protocol; 0, or -1. */
static int need_sync(const struct heapwire_client *client, struct heapwire_error *error)
{
	return client->synchroniser ? 0
				    : fail(error, HEAPWIRE_NOT_POSSIBLE,
					   "the compositor has no linux-drm-syncobj-v1");
}

struct heapwire_timeline *heapwire_timeline_import(struct heapwire_client *client, int syncobj,
						   int device, struct heapwire_error *error)
{
	struct heapwire_timeline *timeline;
	struct syncobj_fd request = {0, 0, 0, 0};

	if (need_sync(client, error) < 0)
		return NULL;
	timeline = (struct heapwire_timeline *)calloc(1, sizeof *timeline);
	if (!timeline) {
		no_memory(error);
		return NULL;
	}
	timeline->device = device < 0 ? -1 : fcntl(device, F_DUPFD_CLOEXEC, 0);
	request.fd = syncobj;
	if (device >= 0 && (timeline->device < 0 ||
			    ask_drm(timeline->device, SYNCOBJ_FROM_FD, &request) < 0)) {
		fail(error, HEAPWIRE_CALLER, "that is no timeline: %s", strerror(errno));
		heapwire_timeline_destroy(timeline);
		return NULL;
	}
	timeline->handle = request.handle;
	timeline->proxy = wl_proxy_marshal_constructor(
		client->synchroniser, SYNCOBJ_IMPORT_TIMELINE, &syncobj_timeline, NULL, syncobj);
	if (!timeline->proxy) {
		no_memory(error);
		heapwire_timeline_destroy(timeline);
		return NULL;
	}
	return timeline;
}

void heapwire_timeline_destroy(struct heapwire_timeline *timeline)
{
	struct syncobj_handle request = {0, 0};

	if (!timeline)
		return;
	end_proxy(timeline->proxy);
	request.handle = timeline->handle; /* 0 is none */
	if (request.handle)
		ask_drm(timeline->device, SYNCOBJ_FORGET, &request);
	if (timeline->device >= 0)
		close(timeline->device);
	free(timeline);
}

int heapwire_timeline_notify(const struct heapwire_timeline *timeline, uint64_t point, int eventfd,
			     struct heapwire_error *error)
{
	struct syncobj_eventfd request = {0, 0, 0, 0, 0};

	if (timeline->device < 0)
		return fail(error, HEAPWIRE_CALLER, "the timeline was imported without a device");
	request.handle = timeline->handle;
	request.point = point;
	request.fd = eventfd;
	if (ask_drm(timeline->device, SYNCOBJ_EVENTFD, &request) < 0)
		return fail(error, HEAPWIRE_MACHINE, "nobody tells when the point comes: %s",
			    strerror(errno));
	return 0;
}

struct heapwire_sync *heapwire_sync_create(struct heapwire_client *client, struct wl_surface *surface,
					   struct heapwire_error *error)
{
	struct heapwire_sync *sync;

	if (need_sync(client, error) < 0)
		return NULL;
	sync = (struct heapwire_sync *)calloc(1, sizeof *sync);
	if (sync)
		sync->proxy = wl_proxy_marshal_constructor(client->synchroniser,
							   SYNCOBJ_GET_SURFACE, &syncobj_surface,
							   NULL, surface);
	if (!sync || !sync->proxy) {
		no_memory(error);
		free(sync);
		return NULL;
	}
	return sync;
}

void heapwire_sync_destroy(struct heapwire_sync *sync)
{
	if (!sync)
		return;
	end_proxy(sync->proxy);
	free(sync);
}

int heapwire_sync_set_points(struct heapwire_sync *sync, const struct heapwire_timeline *acquire,
			     uint64_t acquire_point, const struct heapwire_timeline *release,
			     uint64_t release_point, struct heapwire_error *error)
{
	if (acquire == release && release_point <= acquire_point)
		return fail(error, HEAPWIRE_CALLER,
			    "a buffer cannot be released before it is acquired");
	wl_proxy_marshal(sync->proxy, SYNCOBJ_SET_ACQUIRE_POINT, acquire->proxy,
			 (uint32_t)(acquire_point >> 32), (uint32_t)acquire_point);
	wl_proxy_marshal(sync->proxy, SYNCOBJ_SET_RELEASE_POINT, release->proxy,
			 (uint32_t)(release_point >> 32), (uint32_t)release_point);
	return 0;
}
