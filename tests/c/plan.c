/* Asks where a decoder is to put pictures, with the client library; prints the answer as JSON.
 *
 *   plan PITCH_ALIGNMENT MAX_PITCH [TIMES [PITCH]]   of the decoder's set; the second 0 for none
 *
 * With TIMES, it prints a line for each answer, until there is a fault or the compositor hangs up,
 * and then asks so many times anew. With a PITCH it has buffers of NV12 already, of that pitch, from
 * the first source. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heapwire-client.h"

enum { DECODE = 1, PITCH = 1, MAX_PITCH = 6, CONTIGUOUS = 16, MUST_UNDERSTAND = 1 };
enum { NV12 = 0x3231564e, XRGB8888 = 0x34325258 };
static struct heapwire_negotiation *negotiation;
static uint32_t pitch;
static int over, failed;

static void print_value(const struct heapwire_constraint *one)
{
	uint32_t i;
	printf("\"");
	for (i = 0; i < one->size; i++)
		printf("%02x", ((unsigned char *)one->value)[i]);
	printf("\"");
}

static void print_number(uint32_t agreed, uint32_t number, const char *end)
{
	if (agreed)
		printf("%" PRIu32 "%s", number, end);
	else
		printf("null%s", end);
}

static void print_agreement(const struct heapwire_agreement *one)
{
	printf(", \"agreement\": [");
	print_number(one->agreed & 1, one->coherency, ", ");
	print_number(one->agreed & 2, one->fence, ", ");
	print_number(one->agreed & 4, one->encoding, ", ");
	print_number(one->agreed & 4, one->range, "]");
}

static void print_plan(const struct heapwire_plan *plan)
{
	const struct heapwire_layout *layout = &plan->layout;
	size_t n;

	printf("{\"pair\": [%" PRIu32 ", %" PRIu64 "], \"kind\": %" PRIu32 ", \"goal\": %" PRIu32
	       ", \"count\": %" PRIu32 ", \"extent\": [%" PRIu32 ", %" PRIu32 "], \"objects\": [",
	       layout->fourcc, layout->modifier, plan->kind, plan->goal, plan->count, layout->width,
	       layout->height);
	for (n = 0; n < layout->n_objects; n++)
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu64 ", %" PRIu32 "]",
		       n ? ", " : "", layout->objects[n].source.kind,
		       layout->objects[n].source.major, layout->objects[n].source.minor,
		       layout->objects[n].size, plan->access[n]);
	printf("], \"planes\": [");
	for (n = 0; n < layout->n_planes; n++)
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", n ? ", " : "",
		       layout->planes[n].object, layout->planes[n].offset, layout->planes[n].pitch);
	printf("], \"constraints\": [");
	for (n = 0; n < plan->n_constraints; n++) {
		const struct heapwire_constraint *one = &plan->constraints[n];
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", ", n ? ", " : "", one->type,
		       one->planes, one->flags);
		print_value(one);
		printf("]");
	}
	printf("]");
	print_agreement(&plan->agreement);
	printf("}");
}

static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	const struct heapwire_conflict *conflicts;
	size_t i, n;

	(void)data;
	over = 1;
	if (error && error->fault == HEAPWIRE_PEER) {
		printf("{\"fault\": \"peer\"}\n");
		failed = 1;
		return;
	}
	printf("{\"reason\": %d, \"plans\": [", heapwire_negotiation_reason(negotiation));
	for (i = 0; plans && i < plans->n; i++) {
		printf("%s", i ? ", " : "");
		print_plan(&plans->plans[i]);
	}
	printf("], \"conflicts\": [");
	conflicts = heapwire_negotiation_conflicts(negotiation, &n);
	for (i = 0; i < n; i++) {
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", ", i ? ", " : "",
		       conflicts[i].goal, conflicts[i].participant, conflicts[i].constraint.type,
		       conflicts[i].constraint.planes);
		print_value(&conflicts[i].constraint);
		printf(", %" PRIu32 "]", conflicts[i].flags & 1);
	}
	printf("]}\n");
	fflush(stdout);
	if (!plans && !error->text[0])
		exit(4); /* a sentence is missing */
}

/* Asks about buffers that exist; what no layout can be is refused here, and was never sent. */
static int tell_layout(struct heapwire_client *client, struct heapwire_error *error)
{
	struct heapwire_layout layout, wrong;
	size_t n;

	memset(&layout, 0, sizeof layout);
	layout.fourcc = NV12;
	layout.width = 1920;
	layout.height = 1080;
	layout.n_objects = 1;
	layout.n_planes = 2;
	layout.objects[0].source = heapwire_client_sources(client, &n)->id;
	layout.objects[0].size = (uint64_t)pitch * 1080 * 3 / 2;
	layout.planes[0].pitch = layout.planes[1].pitch = pitch;
	layout.planes[1].offset = pitch * 1080;
	for (n = 0; n < 5; n++) {
		wrong = layout;
		wrong.n_objects -= n == 0;
		wrong.planes[1].object += n == 1;
		wrong.planes[0].pitch = n == 2 ? 0 : pitch;
		wrong.objects[0].size = n == 3 ? wrong.planes[1].offset : wrong.objects[0].size;
		wrong.objects[0].source.kind = n == 4 ? 3 : 0;
		if (!heapwire_negotiation_set_fixed(negotiation, &wrong, error))
			return -1;
	}
	if (heapwire_negotiation_set_fixed(negotiation, NULL, error))
		return -1;
	return heapwire_negotiation_set_fixed(negotiation, &layout, error);
}

/* Asks once; 0, or an exit status. */
static int ask(struct heapwire_client *client, const struct heapwire_participant *decoder)
{
	struct heapwire_extents extents = {1920, 1080, 0, 0, 0, 0};
	struct heapwire_content content = {0, 0, 2, 0};
	struct heapwire_error error = {HEAPWIRE_MACHINE, "there is no compositor"};

	over = failed = 0;
	negotiation = client ? heapwire_negotiation_create(client, NULL, planned, NULL, &error) : NULL;
	if (!negotiation || !heapwire_negotiation_commit(negotiation, &error)) {
		fprintf(stderr, "%s\n", error.text); /* or it was sent before any size */
		return 3;
	}
	heapwire_negotiation_set_reasons(negotiation, 1);
	if (heapwire_negotiation_set_participant(negotiation, decoder, &error) < 0 ||
	    heapwire_negotiation_set_extents(negotiation, &extents, &error) < 0 ||
	    heapwire_negotiation_set_content(negotiation, &content, &error) < 0 ||
	    heapwire_negotiation_set_buffers(negotiation, 3, 2, &error) < 0 ||
	    (pitch && tell_layout(client, &error) < 0) ||
	    heapwire_negotiation_commit(negotiation, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	content.rotation = 45;
	return heapwire_negotiation_set_content(negotiation, &content, &error) < 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
	uint64_t alignment = argc > 1 ? strtoull(argv[1], NULL, 0) : 64;
	uint64_t most = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	int times = argc > 3 ? atoi(argv[3]) : 0, status;
	struct heapwire_constraint constraints[] = {
		{PITCH, 0, MUST_UNDERSTAND, sizeof alignment, &alignment},
		{CONTIGUOUS, 0, MUST_UNDERSTAND, 0, NULL},
		{MAX_PITCH, 0, MUST_UNDERSTAND, sizeof most, &most}};
	struct heapwire_pair pairs[] = {{NV12, 0, 0}, {XRGB8888, 0, 0}};
	struct heapwire_set set = {0, 2, pairs, most ? 3 : 2, constraints};
	struct heapwire_participant decoder = {1, DECODE, 0, "decoder", 1, &set};
	struct wl_display *display = wl_display_connect(NULL);
	struct heapwire_client *client =
		display ? heapwire_client_create(display, NULL, NULL) : NULL;

	pitch = argc > 4 ? (uint32_t)atoi(argv[4]) : 0;
	while (client && !heapwire_client_ready(client) && wl_display_dispatch(display) >= 0)
		;
	do {
		status = ask(client, &decoder);
		if (status)
			return status;
		while (!failed && (times || !over) && wl_display_dispatch(display) >= 0)
			;
		heapwire_negotiation_destroy(negotiation);
	} while (--times > 0 && !wl_display_get_error(display));
	heapwire_client_destroy(client);
	wl_display_disconnect(display);
	return 0;
}
