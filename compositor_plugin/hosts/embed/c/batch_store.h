/*
 * Batches of feedback objects and their format tables, each kept once. See batch_store.c.
 *
 * Not for compositors: feedback_log.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_BATCH_STORE_H
#define HEAPWIRE_BATCH_STORE_H

#include <stdbool.h>
#include <wayland-server-core.h>

#include "heapwire.h"

/* What is kept at most; a host can make up either without end. */
enum {
	KEPT_BATCHES = 64,
	KEPT_TABLES = 16,
	BATCH_BYTES = 256 * 1024,       /* to list 65,536 pairs takes half of that */
	FORMAT_TABLE_BYTES = 65536 * 16 /* all pairs that an index of 16 bits reaches */
};

struct format_table; /* the content of a file */

struct batch {
	struct wl_list link;  /* batch_store.batches */
	unsigned references;  /* without any it stays while there is room */
	bool told, wrong;     /* whether Python was told of it, and what it made of that */
	uint64_t main_device; /* its bytes; 0: none was named */
	struct format_table *table;
	struct heapwire_batch content;
	unsigned char events[];
};

struct batch_store {
	struct wl_list batches, tables; /* what was used last is the first */
	unsigned batch_count, table_count;
	uint64_t numbers;    /* given to batches */
	unsigned char *read; /* room for a table */
	size_t read_room;
};

void batch_store_init(struct batch_store *store);
/* Nobody may hold anything any more. */
void batch_store_finish(struct batch_store *store);

/* The table of a file that is the host's, and whose position is; NULL: it cannot be kept. */
struct format_table *batch_store_table(struct batch_store *store, int fd, uint32_t size);
/* The batch that has these events, of `size` bytes; NULL: it cannot be kept. */
struct batch *batch_store_batch(struct batch_store *store, struct format_table *table,
				uint32_t version, uint64_t main_device, const void *events,
				size_t size);

/* Put something, or NULL, where it is referred to, and let go of what was there. */
void table_hold(struct format_table **place, struct format_table *table);
void batch_hold(struct batch **place, struct batch *batch);

#endif
