/*
 * Which buffers clients attach to their surfaces, by what they request.
 *
 * A host on wlroots has surfaces and no wl_buffers: the library wraps them. What a client has
 * attached and committed is on the wire all the same, and libwayland shows a logger each request
 * before it is handled. A subsurface in its synchronized mode shows what it has committed when its
 * parent commits, and not before; that is followed too.
 *
 * Only a host that asks for it pays (message_log.h).
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdbool.h>
#include <stdlib.h>

#include "message_log.h"
#include "surface_log.h"

/* The requests that matter, as core Wayland numbers them. */
enum { SURFACE_ATTACH = 1, SURFACE_COMMIT = 6 };
enum { SUBCOMPOSITOR_GET_SUBSURFACE = 1 };
enum { SUBSURFACE_DESTROY = 0, SUBSURFACE_SET_SYNC = 4, SUBSURFACE_SET_DESYNC = 5 };

/* A buffer that may be destroyed at any time. */
struct held {
	struct wl_resource *buffer;
	struct wl_listener destroyed;
};

struct followed {
	struct wl_list link; /* surface_log.surfaces */
	struct surface_log *log;
	struct wl_listener destroyed;    /* of the surface */
	struct followed *parent;         /* NULL: no subsurface */
	const struct wl_client *client;  /* of its wl_subsurface, with the id there */
	uint32_t subsurface;
	bool synchronized;
	bool attached, has_cached; /* whether something is pending or cached: a buffer, or none */
	struct held pending, cached, current;
};

struct surface_log {
	struct wl_list link; /* logs */
	struct wl_display *display;
	unsigned users;
	struct message_log messages;
	struct wl_list surfaces;
	const char *surface, *subsurface, *subcompositor; /* the interfaces' names, where last seen */
};

/* A surface's record is found by its listener's function, so a display has one log. */
static struct wl_list logs = {&logs, &logs};

static void
held_destroyed(struct wl_listener *listener, void *data)
{
	struct held *held = wl_container_of(listener, held, destroyed);

	(void)data;
	wl_list_remove(&held->destroyed.link);
	wl_list_init(&held->destroyed.link);
	held->buffer = NULL;
}

static void
hold(struct held *held, struct wl_resource *buffer)
{
	wl_list_remove(&held->destroyed.link);
	wl_list_init(&held->destroyed.link);
	held->buffer = buffer;
	if (buffer)
		wl_resource_add_destroy_listener(buffer, &held->destroyed);
}

static void
held_init(struct held *held)
{
	held->destroyed.notify = held_destroyed;
	wl_list_init(&held->destroyed.link);
}

static void
forget(struct followed *followed)
{
	struct followed *other;

	wl_list_for_each(other, &followed->log->surfaces, link)
		if (other->parent == followed)
			other->parent = NULL;
	hold(&followed->pending, NULL);
	hold(&followed->cached, NULL);
	hold(&followed->current, NULL);
	wl_list_remove(&followed->destroyed.link);
	wl_list_remove(&followed->link);
	free(followed);
}

static void
surface_destroyed(struct wl_listener *listener, void *data)
{
	struct followed *followed = wl_container_of(listener, followed, destroyed);

	(void)data;
	forget(followed);
}

static struct followed *
find(struct wl_resource *surface)
{
	struct wl_listener *listener = wl_resource_get_destroy_listener(surface, surface_destroyed);
	struct followed *followed;

	return listener ? wl_container_of(listener, followed, destroyed) : NULL;
}

static struct followed *
follow(struct surface_log *log, struct wl_resource *surface)
{
	struct followed *followed = find(surface);

	if (followed)
		return followed;
	followed = calloc(1, sizeof *followed);
	if (!followed)
		return NULL;
	followed->log = log;
	held_init(&followed->pending);
	held_init(&followed->cached);
	held_init(&followed->current);
	followed->destroyed.notify = surface_destroyed;
	wl_resource_add_destroy_listener(surface, &followed->destroyed);
	wl_list_insert(&log->surfaces, &followed->link);
	return followed;
}

static bool
waits_for_parent(const struct followed *followed)
{
	return followed->parent &&
	       (followed->synchronized || waits_for_parent(followed->parent));
}

/* What the surface has committed is shown now, and so is what has waited for it. */
static void
apply(struct followed *followed)
{
	struct followed *child;

	if (followed->has_cached)
		hold(&followed->current, followed->cached.buffer);
	followed->has_cached = false;
	hold(&followed->cached, NULL);
	wl_list_for_each(child, &followed->log->surfaces, link)
		if (child->parent == followed)
			apply(child);
}

static void
surface_request(struct followed *followed, const struct wl_protocol_logger_message *message)
{
	switch (message->message_opcode) {
	case SURFACE_ATTACH:
		/* An object of the server's is the beginning of its resource, as handlers have it. */
		hold(&followed->pending, (struct wl_resource *)message->arguments[0].o);
		followed->attached = true;
		break;
	case SURFACE_COMMIT:
		if (followed->attached) {
			hold(&followed->cached, followed->pending.buffer);
			hold(&followed->pending, NULL);
			followed->has_cached = true;
			followed->attached = false;
		}
		if (!waits_for_parent(followed))
			apply(followed);
		break;
	}
}

static void
begin_subsurface(struct surface_log *log, const struct wl_protocol_logger_message *message)
{
	const union wl_argument *arguments = message->arguments;
	struct followed *child = follow(log, (struct wl_resource *)arguments[1].o);
	struct followed *parent = follow(log, (struct wl_resource *)arguments[2].o);

	if (!child || !parent || child == parent)
		return; /* no memory, or misuse that ends the client */
	for (struct followed *above = parent; above; above = above->parent)
		if (above == child)
			return;
	child->parent = parent;
	child->client = wl_resource_get_client(message->resource);
	child->subsurface = arguments[0].n;
	child->synchronized = true;
}

static void
subsurface_request(struct surface_log *log, const struct wl_protocol_logger_message *message)
{
	const struct wl_client *client = wl_resource_get_client(message->resource);
	const uint32_t id = wl_resource_get_id(message->resource);
	struct followed *followed;

	wl_list_for_each(followed, &log->surfaces, link) {
		if (!followed->parent || followed->client != client || followed->subsurface != id)
			continue;
		switch (message->message_opcode) {
		case SUBSURFACE_DESTROY:
			followed->parent = NULL;
			break;
		case SUBSURFACE_SET_SYNC:
			followed->synchronized = true;
			break;
		case SUBSURFACE_SET_DESYNC:
			followed->synchronized = false;
			if (!waits_for_parent(followed))
				apply(followed);
			break;
		}
		return;
	}
}

static void
heard(void *data, enum wl_protocol_logger_type type,
      const struct wl_protocol_logger_message *message)
{
	struct surface_log *log = data;
	struct followed *followed;
	const char *name;

	if (type != WL_PROTOCOL_LOGGER_REQUEST)
		return;
	name = wl_resource_get_class(message->resource);
	if (is_named(name, "wl_surface", &log->surface)) {
		followed = follow(log, message->resource);
		if (followed)
			surface_request(followed, message);
	} else if (is_named(name, "wl_subsurface", &log->subsurface)) {
		subsurface_request(log, message);
	} else if (is_named(name, "wl_subcompositor", &log->subcompositor) &&
		   message->message_opcode == SUBCOMPOSITOR_GET_SUBSURFACE) {
		begin_subsurface(log, message);
	}
}

struct surface_log *
surface_log_join(struct wl_display *display)
{
	struct surface_log *log;

	wl_list_for_each(log, &logs, link) {
		/* One without a logger is of a display that has ended. */
		if (log->display == display && log->messages.logger) {
			log->users++;
			return log;
		}
	}
	log = calloc(1, sizeof *log);
	if (!log)
		return NULL;
	if (message_log_start(&log->messages, display, heard, log) < 0) {
		free(log);
		return NULL;
	}
	log->display = display;
	log->users = 1;
	wl_list_init(&log->surfaces);
	wl_list_insert(&logs, &log->link);
	return log;
}

void
surface_log_leave(struct surface_log *log)
{
	struct followed *followed, *next;

	if (!log || --log->users)
		return;
	message_log_stop(&log->messages);
	wl_list_for_each_safe(followed, next, &log->surfaces, link)
		forget(followed);
	wl_list_remove(&log->link);
	free(log);
}

struct wl_resource *
surface_log_buffer(struct wl_resource *surface)
{
	struct followed *followed = find(surface);

	return followed ? followed->current.buffer : NULL;
}
