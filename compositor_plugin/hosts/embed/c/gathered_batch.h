/*
 * The events of a batch that has not ended, as bytes. See gathered_batch.c.
 *
 * Not for compositors: feedback_log.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_GATHERED_BATCH_H
#define HEAPWIRE_GATHERED_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be zeroed. */
struct gathered_batch {
	bool lost; /* there was no room for some of it */
	unsigned char *events;
	size_t size, room;
};

/* Let go of what was gathered; `all` are the bytes of room of all batches that have not ended. */
void gathered_batch_begin(struct gathered_batch *batch, size_t *all);
/* An event as it is told of: its opcode, the bytes of its argument, and these in whole words. */
void gathered_batch_add(struct gathered_batch *batch, size_t *all, uint32_t opcode,
			const void *argument, size_t size);

#endif
