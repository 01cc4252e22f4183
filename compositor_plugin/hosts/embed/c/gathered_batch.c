/*
 * The events of a batch that has not ended, as bytes, within what there is room for.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "batch_store.h"
#include "gathered_batch.h"

/* Bytes of a batch that has not ended: as a rule of one at a time, of all at most. */
enum { FIRST_ROOM = 256, GATHERED_BYTES = 1024 * 1024 };

void
gathered_batch_begin(struct gathered_batch *batch, size_t *all)
{
	*all -= batch->room;
	free(batch->events);
	*batch = (struct gathered_batch){0};
}

static bool
make_room(struct gathered_batch *batch, size_t *all, size_t more)
{
	size_t room = batch->room ? batch->room : FIRST_ROOM;
	unsigned char *larger;

	if (batch->size + more <= batch->room)
		return true;
	while (room < batch->size + more)
		room *= 2;
	if (room > BATCH_BYTES || *all - batch->room + room > GATHERED_BYTES)
		return false;
	larger = realloc(batch->events, room);
	if (!larger)
		return false;
	*all += room - batch->room;
	batch->events = larger;
	batch->room = room;
	return true;
}

void
gathered_batch_add(struct gathered_batch *batch, size_t *all, uint32_t opcode,
		   const void *argument, size_t size)
{
	const uint32_t head[] = {opcode, (uint32_t)size};
	const size_t padded = (size + 3) & ~(size_t)3, more = sizeof head + padded;

	if (batch->lost || !make_room(batch, all, more)) {
		batch->lost = true;
		return;
	}
	memcpy(batch->events + batch->size, head, sizeof head);
	memset(batch->events + batch->size + sizeof head, 0, padded);
	if (size)
		memcpy(batch->events + batch->size + sizeof head, argument, size);
	batch->size += more;
}
