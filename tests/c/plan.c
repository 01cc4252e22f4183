/* Asks where a decoder is to put pictures, with the client library; prints the plans as JSON.
 *
 *   plan PITCH_ALIGNMENT MAX_PITCH   of the decoder's set; the second 0 for none */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heapwire-client.h"

enum { DECODE = 1, PITCH = 1, MAX_PITCH = 6, CONTIGUOUS = 16, MUST_UNDERSTAND = 1 };
enum { NV12 = 0x3231564e, XRGB8888 = 0x34325258 };
static int over;

static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	size_t i;
	uint32_t n;

	(void)data;
	over = 1;
	if (!plans) {
		printf("{\"fault\": %d}\n", error->fault);
		fprintf(stderr, "%s\n", error->text);
		return;
	}
	printf("[");
	for (i = 0; i < plans->n; i++) {
		const struct heapwire_plan *plan = &plans->plans[i];
		const struct heapwire_layout *layout = &plan->layout;
		printf("%s{\"pair\": [%" PRIu32 ", %" PRIu64 "], \"kind\": %" PRIu32
		       ", \"goal\": %" PRIu32 ", \"count\": %" PRIu32
		       ", \"extent\": [%" PRIu32 ", %" PRIu32 "], \"objects\": [",
		       i ? ", " : "", layout->fourcc, layout->modifier, plan->kind, plan->goal,
		       plan->count, layout->width, layout->height);
		for (n = 0; n < layout->n_objects; n++)
			printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu64 ", %" PRIu32
			       "]",
			       n ? ", " : "", layout->objects[n].source.kind,
			       layout->objects[n].source.major, layout->objects[n].source.minor,
			       layout->objects[n].size, plan->access[n]);
		printf("], \"planes\": [");
		for (n = 0; n < layout->n_planes; n++)
			printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", n ? ", " : "",
			       layout->planes[n].object, layout->planes[n].offset,
			       layout->planes[n].pitch);
		printf("]}");
	}
	printf("]\n");
}

int main(int argc, char **argv)
{
	uint64_t alignment = argc > 1 ? strtoull(argv[1], NULL, 0) : 64;
	uint64_t most = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	struct heapwire_constraint constraints[] = {
		{PITCH, 0, MUST_UNDERSTAND, sizeof alignment, &alignment},
		{CONTIGUOUS, 0, MUST_UNDERSTAND, 0, NULL},
		{MAX_PITCH, 0, MUST_UNDERSTAND, sizeof most, &most}};
	struct heapwire_pair pairs[] = {{NV12, 0, 0}, {XRGB8888, 0, 0}};
	struct heapwire_set set = {0, 2, pairs, most ? 3 : 2, constraints};
	struct heapwire_participant decoder = {1, DECODE, 0, "decoder", 1, &set};
	struct heapwire_extents extents = {1920, 1080, 0, 0, 0, 0};
	struct heapwire_error error = {HEAPWIRE_MACHINE, "there is no compositor"};
	struct wl_display *display = wl_display_connect(NULL);
	struct heapwire_client *client =
		display ? heapwire_client_create(display, NULL, &error) : NULL;
	struct heapwire_negotiation *negotiation = NULL;

	while (client && !heapwire_client_ready(client) && wl_display_dispatch(display) >= 0)
		;
	if (client)
		negotiation = heapwire_negotiation_create(client, NULL, planned, NULL, &error);
	if (!negotiation || !heapwire_negotiation_commit(negotiation, &error)) {
		fprintf(stderr, "%s\n", error.text); /* or it was sent before any size */
		return 3;
	}
	heapwire_negotiation_set_reasons(negotiation, 1);
	if (heapwire_negotiation_set_participant(negotiation, &decoder, &error) < 0 ||
	    heapwire_negotiation_set_extents(negotiation, &extents, &error) < 0 ||
	    heapwire_negotiation_set_buffers(negotiation, 3, 2, &error) < 0 ||
	    heapwire_negotiation_commit(negotiation, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	while (!over && wl_display_dispatch(display) >= 0)
		;
	heapwire_negotiation_destroy(negotiation);
	heapwire_client_destroy(client);
	wl_display_disconnect(display);
	return 0;
}
