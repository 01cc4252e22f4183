/* Prints what the client library makes of a compositor's events, a line of JSON each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <wayland-client.h>

#include "heapwire-client.h"

static int failed; /* the feedback that is listened to */

static void print_id(const struct heapwire_source_id *id)
{
	printf("[%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", id->kind, id->major, id->minor);
}

static void print_pairs(const struct heapwire_pair *pairs, size_t n)
{
	size_t i;
	printf("[");
	for (i = 0; i < n; i++)
		printf("%s[%" PRIu32 ", %" PRIu64 "]", i ? ", " : "", pairs[i].fourcc,
		       pairs[i].modifier);
	printf("]");
}

static void print_set(const struct heapwire_set *set)
{
	size_t i, j;
	printf("{\"device\": %" PRIu32 ", \"pairs\": ", set->device);
	print_pairs(set->pairs, set->n_pairs);
	printf(", \"constraints\": [");
	for (i = 0; i < set->n_constraints; i++) {
		const struct heapwire_constraint *one = &set->constraints[i];
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", \"", i ? ", " : "", one->type,
		       one->planes, one->flags);
		for (j = 0; j < one->size; j++)
			printf("%02x", ((unsigned char *)one->value)[j]);
		printf("\"]");
	}
	printf("]}");
}

static void told(void *data, const struct heapwire_batch *batch, const struct heapwire_error *error)
{
	size_t i, j;

	(void)data;
	if (!batch) {
		printf("{\"fault\": %d, \"text\": \"%s\"}\n", error->fault, error->text);
		failed = 1;
		return;
	}
	printf("{\"main_device\": %" PRIu64 ", \"described\": %s, \"tranches\": [",
	       batch->main_device, batch->described ? "true" : "false");
	for (i = 0; i < batch->n_tranches; i++) {
		const struct heapwire_tranche *tranche = &batch->tranches[i];
		printf("%s{\"device\": %" PRIu64 ", \"flags\": %" PRIu32 ", \"pairs\": ",
		       i ? ", " : "", tranche->device, tranche->flags);
		print_pairs(tranche->pairs, tranche->n_pairs);
		printf(", \"sources\": [");
		for (j = 0; j < tranche->n_sources; j++) {
			printf("%s", j ? ", " : "");
			print_id(&tranche->sources[j]);
		}
		printf("], \"sets\": [");
		for (j = 0; j < tranche->n_sets; j++) {
			printf("%s", j ? ", " : "");
			print_set(&tranche->sets[j]);
		}
		printf("]}");
	}
	printf("]}\n");
}

/* Listens to as many feedback objects as the argument says, each until it fails; to one without. */
int main(int argc, char **argv)
{
	struct wl_display *display = wl_display_connect(NULL);
	struct wl_event_queue *queue = display ? wl_display_create_queue(display) : NULL;
	struct heapwire_client *client = queue ? heapwire_client_create(display, queue, NULL) : NULL;
	struct heapwire_feedback *feedback;
	struct heapwire_error error;
	const struct heapwire_source *sources;
	size_t i, n;
	int rounds;

	if (!client)
		return 3;
	while (!heapwire_client_ready(client))
		if (wl_display_dispatch_queue(display, queue) < 0)
			return 3;
	sources = heapwire_client_sources(client, &n);
	printf("[");
	for (i = 0; i < n; i++) {
		printf("%s{\"id\": ", i ? ", " : "");
		print_id(&sources[i].id);
		printf(", \"properties\": %" PRIu32 ", \"known\": %" PRIu32 ", \"size\": %" PRIu64
		       ", \"name\": \"%s\"}",
		       sources[i].properties, sources[i].known, sources[i].size, sources[i].name);
	}
	printf("]\n");
	for (rounds = argc > 1 ? atoi(argv[1]) : 1; rounds && !wl_display_get_error(display); rounds--) {
		feedback = heapwire_feedback_create(client, NULL, told, NULL, &error);
		if (!feedback)
			printf("{\"fault\": %d, \"text\": \"%s\"}\n", error.fault, error.text);
		for (failed = !feedback; !failed;)
			if (wl_display_dispatch_queue(display, queue) < 0)
				break;
		heapwire_feedback_destroy(feedback);
	}
	heapwire_client_destroy(client);
	wl_event_queue_destroy(queue);
	wl_display_disconnect(display);
	return 0;
}
