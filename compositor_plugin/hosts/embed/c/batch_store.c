/*
 * Batches of feedback objects and their format tables, each kept once.
 *
 * Most objects say the same, so what they say is compared by its bytes with what is known. Nothing
 * that is held goes; what nobody holds stays as long as there is room, so that the next object
 * that says it says nothing new.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch_store.h"

struct format_table {
	struct wl_list link; /* batch_store.tables */
	struct batch_store *store;
	unsigned references;
	uint32_t size;
	unsigned char content[];
};

void
table_hold(struct format_table **place, struct format_table *table)
{
	struct format_table *before = *place;

	if (table)
		table->references++;
	*place = table;
	if (!before || --before->references)
		return;
	before->store->table_count--;
	wl_list_remove(&before->link);
	free(before);
}

void
batch_hold(struct batch **place, struct batch *batch)
{
	if (batch)
		batch->references++;
	if (*place)
		(*place)->references--;
	*place = batch;
}

/* Let go of the batch that nobody holds and that was used longest ago. */
static bool
forget_a_batch(struct batch_store *store)
{
	struct batch *batch;

	wl_list_for_each_reverse(batch, &store->batches, link) {
		if (batch->references)
			continue;
		store->batch_count--;
		wl_list_remove(&batch->link);
		table_hold(&batch->table, NULL);
		free(batch);
		return true;
	}
	return false;
}

static void
to_front(struct wl_list *list, struct wl_list *link)
{
	wl_list_remove(link);
	wl_list_insert(list, link);
}

static bool
read_table(struct batch_store *store, int fd, uint32_t size)
{
	if (store->read_room < size) {
		unsigned char *larger = realloc(store->read, size);

		if (!larger)
			return false;
		store->read = larger;
		store->read_room = size;
	}
	return pread(fd, store->read, size, 0) == (ssize_t)size;
}

struct format_table *
batch_store_table(struct batch_store *store, int fd, uint32_t size)
{
	struct format_table *table;

	if (!size || size > FORMAT_TABLE_BYTES || !read_table(store, fd, size))
		return NULL;
	wl_list_for_each(table, &store->tables, link) {
		if (table->size == size && memcmp(table->content, store->read, size) == 0) {
			to_front(&store->tables, &table->link);
			return table;
		}
	}
	while (store->table_count >= KEPT_TABLES)
		if (!forget_a_batch(store))
			return NULL;
	table = malloc(sizeof *table + size);
	if (!table)
		return NULL;
	*table = (struct format_table){.store = store, .size = size};
	memcpy(table->content, store->read, size);
	wl_list_insert(&store->tables, &table->link);
	store->table_count++;
	return table;
}

struct batch *
batch_store_batch(struct batch_store *store, struct format_table *table, uint32_t version,
		  uint64_t main_device, const void *events, size_t size)
{
	struct batch *batch;

	wl_list_for_each(batch, &store->batches, link) {
		if (batch->content.size == size && batch->table == table &&
		    batch->content.version == version && memcmp(batch->events, events, size) == 0) {
			to_front(&store->batches, &batch->link);
			return batch;
		}
	}
	if (store->batch_count >= KEPT_BATCHES && !forget_a_batch(store))
		return NULL;
	batch = malloc(sizeof *batch + size);
	if (!batch)
		return NULL;
	*batch = (struct batch){
		.main_device = main_device,
		.content = {.number = ++store->numbers,
			    .version = version,
			    .table_size = table->size,
			    .table = table->content,
			    .events = batch->events,
			    .size = size},
	};
	table_hold(&batch->table, table);
	memcpy(batch->events, events, size);
	wl_list_insert(&store->batches, &batch->link);
	store->batch_count++;
	return batch;
}

void
batch_store_init(struct batch_store *store)
{
	wl_list_init(&store->batches);
	wl_list_init(&store->tables);
}

void
batch_store_finish(struct batch_store *store)
{
	while (forget_a_batch(store))
		;
	free(store->read);
}
