/*
 * What a host's feedback objects say, kept without a word to Python.
 *
 * A client makes as many feedback objects as it likes, and each is told a batch of some seven events,
 * as a rule the same as the one before. So a batch is gathered as bytes (batch_store.c), and Python
 * hears of one that is new, once, and of each batch of an object that is extended.
 *
 * Clients are followed from their first request to zwp_linux_dmabuf_v1 on, and not from an event:
 * a client that is being destroyed can still be sent events, but its end is not told any more then.
 *
 * What is not understood, or has no room, is passed over: its object has said nothing.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "batch_store.h"
#include "feedback_log.h"
#include "gathered_batch.h"
#include "message_log.h"
#include "told_surfaces.h"

/* As zwp_linux_dmabuf_feedback_v1 numbers its events. */
enum { DONE = 0, FORMAT_TABLE = 1, MAIN_DEVICE = 2, TRANCHE_DONE = 3, TARGET_DEVICE = 4,
       TRANCHE_FORMATS = 5, TRANCHE_FLAGS = 6 };

/* As zwp_linux_dmabuf_v1 numbers its requests. */
enum { GET_DEFAULT_FEEDBACK = 2, GET_SURFACE_FEEDBACK = 3 };

struct followed {
	struct wl_list link; /* follower.objects */
	struct follower *client;
	struct wl_listener destroyed;
	struct format_table *table;
	struct batch *last;
	bool extended;
	struct told_surface *surface; /* NULL: it is for none in particular */
	/* The batch that has not ended: */
	uint64_t main_device;
	struct gathered_batch gathered;
};

/* A client that has asked linux-dmabuf for something. */
struct follower {
	struct wl_list link; /* feedback_log.clients */
	struct heapwire_feedback *log;
	struct wl_listener destroyed;
	struct wl_list objects;
	struct told_surfaces surfaces;
	unsigned count;
	struct batch *last; /* for no surface in particular */
};

struct heapwire_feedback {
	struct wl_list link; /* logs */
	struct wl_list users;
	struct wl_display *display;
	struct message_log messages;
	const char *feedback, *dmabuf; /* the interfaces' names, where last seen */
	struct wl_list clients;
	unsigned objects;
	size_t gathered; /* bytes of room of batches that have not ended */
	struct batch_store store;
	struct batch *last, *last_for_all; /* of any object, and for no surface in particular */
	uint64_t main_device;		   /* that was told of last */
};

static struct wl_list logs = {&logs, &logs};

/* Say that a batch ends. Nothing of the object or its client is touched afterwards. */
static void
tell(struct heapwire_feedback *log, struct batch *batch, struct wl_resource *extended)
{
	struct feedback_user *user = wl_container_of(log->users.next, user, link);
	const struct heapwire_calls *calls = user->calls;
	struct batch *before = NULL, *kept = NULL;

	batch_hold(&before, log->last);
	batch_hold(&kept, batch);
	batch_hold(&log->last, batch);
	batch->told = true;
	if (!calls->batch_ends(calls->plugin, &batch->content, extended)) {
		batch->wrong = true;
		batch_hold(&log->last, before);
	} else if (batch->main_device) {
		log->main_device = batch->main_device;
	}
	batch_hold(&kept, NULL);
	batch_hold(&before, NULL);
}

static void
end_batch(struct followed *followed, struct wl_resource *resource)
{
	struct heapwire_feedback *log = followed->client->log;
	struct batch *batch = NULL;

	if (followed->table && followed->gathered.events && !followed->gathered.lost)
		batch = batch_store_batch(&log->store, followed->table,
					  (uint32_t)wl_resource_get_version(resource),
					  followed->main_device, followed->gathered.events,
					  followed->gathered.size);
	gathered_batch_begin(&followed->gathered, &log->gathered);
	followed->main_device = 0;
	batch = batch && batch->wrong ? NULL : batch;
	batch_hold(&followed->last, batch);
	if (!batch)
		return;
	if (followed->surface) {
		told_surface_said(followed->surface, batch);
	} else if (!followed->client->surfaces.lost) {
		batch_hold(&followed->client->last, batch);
		batch_hold(&log->last_for_all, batch);
	}
	if (!batch->told || followed->extended ||
	    (batch->main_device && batch->main_device != log->main_device))
		tell(log, batch, followed->extended ? resource : NULL);
	else
		batch_hold(&log->last, batch);
}

static void
unfollow(struct followed *followed)
{
	gathered_batch_begin(&followed->gathered, &followed->client->log->gathered);
	batch_hold(&followed->last, NULL);
	table_hold(&followed->table, NULL);
	told_surface_leave(&followed->surface);
	followed->client->count--;
	followed->client->log->objects--;
	wl_list_remove(&followed->destroyed.link);
	wl_list_remove(&followed->link);
	free(followed);
}

static void
object_destroyed(struct wl_listener *listener, void *data)
{
	struct followed *followed = wl_container_of(listener, followed, destroyed);

	(void)data;
	unfollow(followed);
}

static void
forget_client(struct follower *client)
{
	struct followed *followed, *next;

	wl_list_for_each_safe(followed, next, &client->objects, link)
		unfollow(followed);
	told_surfaces_finish(&client->surfaces);
	batch_hold(&client->last, NULL);
	wl_list_remove(&client->destroyed.link);
	wl_list_remove(&client->link);
	free(client);
}

static void
client_destroyed(struct wl_listener *listener, void *data)
{
	struct follower *client = wl_container_of(listener, client, destroyed);

	(void)data;
	forget_client(client);
}

static struct follower *
find_client(struct wl_client *client)
{
	struct wl_listener *listener = wl_client_get_destroy_listener(client, client_destroyed);
	struct follower *found;

	return listener ? wl_container_of(listener, found, destroyed) : NULL;
}

static struct follower *
follow_client(struct heapwire_feedback *log, struct wl_client *client)
{
	struct follower *follower = find_client(client);

	if (follower)
		return follower;
	follower = calloc(1, sizeof *follower);
	if (!follower)
		return NULL;
	follower->log = log;
	wl_list_init(&follower->objects);
	told_surfaces_init(&follower->surfaces);
	follower->destroyed.notify = client_destroyed;
	wl_client_add_destroy_listener(client, &follower->destroyed);
	wl_list_insert(&log->clients, &follower->link);
	return follower;
}

static struct followed *
find(struct wl_resource *resource)
{
	struct wl_listener *listener = wl_resource_get_destroy_listener(resource, object_destroyed);
	struct followed *followed;

	return listener ? wl_container_of(listener, followed, destroyed) : NULL;
}

static struct followed *
follow(struct wl_resource *resource)
{
	struct followed *followed = find(resource);
	struct follower *client;

	if (followed)
		return followed;
	client = find_client(wl_resource_get_client(resource));
	if (!client || client->count >= FEEDBACKS_OF_CLIENT ||
	    (client->log->objects >= FEEDBACKS_OF_ALL && client->count >= FEEDBACKS_WHATEVER))
		return NULL;
	followed = calloc(1, sizeof *followed);
	if (!followed)
		return NULL;
	followed->client = client;
	told_surfaces_take(&client->surfaces, wl_resource_get_id(resource), &followed->surface);
	followed->destroyed.notify = object_destroyed;
	wl_resource_add_destroy_listener(resource, &followed->destroyed);
	wl_list_insert(&client->objects, &followed->link);
	client->count++;
	client->log->objects++;
	return followed;
}

static void
request(struct heapwire_feedback *log, const struct wl_protocol_logger_message *message)
{
	struct follower *client = follow_client(log, wl_resource_get_client(message->resource));
	const union wl_argument *arguments = message->arguments;
	struct wl_resource *surface = NULL;

	/* An object of the server's begins its resource, as handlers have it. */
	if (message->message_opcode == GET_SURFACE_FEEDBACK)
		surface = (struct wl_resource *)arguments[1].o;
	else if (message->message_opcode != GET_DEFAULT_FEEDBACK)
		return;
	if (client)
		told_surfaces_ask(&client->surfaces, arguments[0].n, surface);
}

static void
gather(struct followed *followed, uint32_t opcode, const void *argument, size_t size)
{
	size_t *all = &followed->client->log->gathered;

	gathered_batch_add(&followed->gathered, all, opcode, argument, size);
}

static void
event(struct wl_resource *resource, uint32_t opcode, const union wl_argument *arguments)
{
	struct followed *followed = follow(resource);
	const struct wl_array *array;

	if (!followed)
		return;
	switch (opcode) {
	case FORMAT_TABLE:
		table_hold(&followed->table,
			   batch_store_table(&followed->client->log->store, arguments[0].h,
					     arguments[1].u));
		break;
	case MAIN_DEVICE:
	case TARGET_DEVICE:
	case TRANCHE_FORMATS:
		array = arguments[0].a;
		if (opcode == MAIN_DEVICE && array->size <= sizeof followed->main_device) {
			followed->main_device = 0;
			if (array->size)
				memcpy(&followed->main_device, array->data, array->size);
		}
		gather(followed, opcode, array->data, array->size);
		break;
	case TRANCHE_FLAGS:
		gather(followed, opcode, &arguments[0].u, sizeof arguments[0].u);
		break;
	case TRANCHE_DONE:
		gather(followed, opcode, NULL, 0);
		break;
	case DONE:
		end_batch(followed, resource);
		break;
	}
}

static void
heard(void *data, enum wl_protocol_logger_type type,
      const struct wl_protocol_logger_message *message)
{
	const char *name = wl_resource_get_class(message->resource);
	struct heapwire_feedback *log = data;

	if (type == WL_PROTOCOL_LOGGER_EVENT) {
		if (is_named(name, "zwp_linux_dmabuf_feedback_v1", &log->feedback))
			event(message->resource, (uint32_t)message->message_opcode,
			      message->arguments);
	} else if (is_named(name, "zwp_linux_dmabuf_v1", &log->dmabuf)) {
		request(log, message);
	}
}

struct heapwire_feedback *
feedback_log_join(struct wl_display *display, struct feedback_user *user)
{
	struct heapwire_feedback *log;

	wl_list_for_each(log, &logs, link) {
		/* One without a logger is of a display that has ended. */
		if (log->display == display && log->messages.logger) {
			wl_list_insert(log->users.prev, &user->link);
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
	wl_list_init(&log->users);
	wl_list_init(&log->clients);
	batch_store_init(&log->store);
	wl_list_insert(&log->users, &user->link);
	wl_list_insert(&logs, &log->link);
	return log;
}

void
feedback_log_leave(struct heapwire_feedback *log, struct feedback_user *user)
{
	struct follower *client, *next;

	if (!log)
		return;
	wl_list_remove(&user->link);
	if (!wl_list_empty(&log->users))
		return;
	message_log_stop(&log->messages);
	wl_list_for_each_safe(client, next, &log->clients, link)
		forget_client(client);
	batch_hold(&log->last, NULL);
	batch_hold(&log->last_for_all, NULL);
	batch_store_finish(&log->store);
	wl_list_remove(&log->link);
	free(log);
}

static const struct heapwire_batch *
readable(const struct batch *batch)
{
	return batch && !batch->wrong ? &batch->content : NULL;
}

const struct heapwire_batch *
feedback_log_of(const struct heapwire_feedback *log, struct wl_resource *object)
{
	const struct followed *followed = log ? find(object) : NULL;

	return followed ? readable(followed->last) : NULL;
}

const struct heapwire_batch *
feedback_log_to(const struct heapwire_feedback *log, struct wl_client *client,
		struct wl_resource *surface)
{
	const struct follower *follower = log && client ? find_client(client) : NULL;
	const struct heapwire_batch *said = NULL;

	if (follower && surface)
		said = readable(told_surface_last(surface));
	if (!said && follower)
		said = readable(follower->last);
	if (!said && log)
		said = readable(log->last_for_all);
	return said || !log ? said : readable(log->last);
}

const struct heapwire_batch *
feedback_log_for(const struct heapwire_feedback *log, struct wl_client *client)
{
	return feedback_log_to(log, client, NULL);
}

void
feedback_log_extend(struct heapwire_feedback *log, struct wl_resource *object, uint32_t extended)
{
	struct followed *followed = !log ? NULL : extended ? follow(object) : find(object);

	if (followed)
		followed->extended = extended != 0;
}
