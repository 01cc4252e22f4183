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
 * What is not understood, does not fit or has no room is passed over: its object has said nothing.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "batch_store.h"
#include "feedback_log.h"
#include "message_log.h"

/* As zwp_linux_dmabuf_feedback_v1 numbers its events. */
enum { DONE = 0, FORMAT_TABLE = 1, MAIN_DEVICE = 2, TRANCHE_DONE = 3, TARGET_DEVICE = 4,
       TRANCHE_FORMATS = 5, TRANCHE_FLAGS = 6 };

/* Bytes of a batch that has not ended: as a rule of one at a time, of all at most. */
enum { FIRST_ROOM = 256, GATHERED_BYTES = 1024 * 1024 };

struct followed {
	struct wl_list link; /* follower.objects */
	struct follower *client;
	struct wl_listener destroyed;
	struct format_table *table;
	struct batch *last;
	bool extended;
	/* The batch that has not ended: */
	bool lost;
	uint64_t main_device;
	unsigned char *gathered;
	size_t size, room;
};

/* A client that has asked linux-dmabuf for something. */
struct follower {
	struct wl_list link; /* feedback_log.clients */
	struct heapwire_feedback *log;
	struct wl_listener destroyed;
	struct wl_list objects;
	unsigned count;
	struct batch *last;
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
	struct batch *last;
	uint64_t main_device; /* that was told of last */
};

static struct wl_list logs = {&logs, &logs};

static void
begin_batch(struct followed *followed)
{
	followed->client->log->gathered -= followed->room;
	free(followed->gathered);
	followed->gathered = NULL;
	followed->size = followed->room = 0;
	followed->main_device = 0;
	followed->lost = false;
}

static bool
make_room(struct followed *followed, size_t more)
{
	struct heapwire_feedback *log = followed->client->log;
	size_t room = followed->room ? followed->room : FIRST_ROOM;
	unsigned char *larger;

	if (followed->size + more <= followed->room)
		return true;
	while (room < followed->size + more)
		room *= 2;
	if (room > BATCH_BYTES || log->gathered - followed->room + room > GATHERED_BYTES)
		return false;
	larger = realloc(followed->gathered, room);
	if (!larger)
		return false;
	log->gathered += room - followed->room;
	followed->gathered = larger;
	followed->room = room;
	return true;
}

/* An event as it is told of: its opcode, the bytes of its argument, and these in whole words. */
static void
gather(struct followed *followed, uint32_t opcode, const void *argument, size_t size)
{
	const uint32_t head[] = {opcode, (uint32_t)size};
	const size_t padded = (size + 3) & ~(size_t)3, more = sizeof head + padded;

	if (followed->lost || !make_room(followed, more)) {
		followed->lost = true;
		return;
	}
	memcpy(followed->gathered + followed->size, head, sizeof head);
	memset(followed->gathered + followed->size + sizeof head, 0, padded);
	if (size)
		memcpy(followed->gathered + followed->size + sizeof head, argument, size);
	followed->size += more;
}

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

	if (followed->table && followed->gathered && !followed->lost)
		batch = batch_store_batch(&log->store, followed->table,
					  (uint32_t)wl_resource_get_version(resource),
					  followed->main_device, followed->gathered,
					  followed->size);
	begin_batch(followed);
	if (batch && batch->wrong)
		batch = NULL;
	batch_hold(&followed->last, batch);
	if (!batch)
		return;
	batch_hold(&followed->client->last, batch);
	if (!batch->told || followed->extended ||
	    (batch->main_device && batch->main_device != log->main_device))
		tell(log, batch, followed->extended ? resource : NULL);
	else
		batch_hold(&log->last, batch);
}

static void
unfollow(struct followed *followed)
{
	begin_batch(followed);
	batch_hold(&followed->last, NULL);
	table_hold(&followed->table, NULL);
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

static void
follow_client(struct heapwire_feedback *log, struct wl_client *client)
{
	struct follower *follower = find_client(client) ? NULL : calloc(1, sizeof *follower);

	if (!follower)
		return; /* it is known, or there is no memory */
	follower->log = log;
	wl_list_init(&follower->objects);
	follower->destroyed.notify = client_destroyed;
	wl_client_add_destroy_listener(client, &follower->destroyed);
	wl_list_insert(&log->clients, &follower->link);
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
	followed->destroyed.notify = object_destroyed;
	wl_resource_add_destroy_listener(resource, &followed->destroyed);
	wl_list_insert(&client->objects, &followed->link);
	client->count++;
	client->log->objects++;
	return followed;
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
		follow_client(log, wl_resource_get_client(message->resource));
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
feedback_log_for(const struct heapwire_feedback *log, struct wl_client *client)
{
	const struct follower *follower = log && client ? find_client(client) : NULL;
	const struct heapwire_batch *own = follower ? readable(follower->last) : NULL;

	return own || !log ? own : readable(log->last);
}

void
feedback_log_extend(struct heapwire_feedback *log, struct wl_resource *object, uint32_t extended)
{
	struct followed *followed = !log ? NULL : extended ? follow(object) : find(object);

	if (followed)
		followed->extended = extended != 0;
}
