/* Prints of each pair of the first tranche which memory the client library takes for it. */
#include <inttypes.h>
#include <stdio.h>
#include <wayland-client.h>

#include "heapwire-client.h"

static void told(void *data, const struct heapwire_batch *batch, const struct heapwire_error *error)
{
	const struct heapwire_tranche *tranche;
	struct heapwire_layout layout;
	size_t i;

	(void)data, (void)error;
	if (!batch)
		return;
	tranche = &batch->tranches[0];
	printf("[");
	for (i = 0; i < tranche->n_pairs; i++) {
		const struct heapwire_pair *pair = &tranche->pairs[i];
		const struct heapwire_source_id *source = &layout.objects[0].source;
		printf("%s[%" PRIu32 ", %" PRIu64 ", ", i ? ", " : "", pair->fourcc, pair->modifier);
		if (heapwire_lay_out(tranche, pair->fourcc, pair->modifier, 64, 64, &layout, NULL) < 0)
			printf("null]");
		else
			printf("[%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]]", source->kind,
			       source->major, source->minor);
	}
	printf("]\n");
}

int main(void)
{
	struct wl_display *display = wl_display_connect(NULL);
	struct heapwire_client *client =
		display ? heapwire_client_create(display, NULL, NULL) : NULL;
	struct heapwire_feedback *feedback;

	if (!client)
		return 3;
	while (!heapwire_client_ready(client))
		if (wl_display_dispatch(display) < 0)
			return 3;
	feedback = heapwire_feedback_create(client, NULL, told, NULL, NULL);
	while (wl_display_dispatch(display) >= 0) {}
	heapwire_feedback_destroy(feedback);
	heapwire_client_destroy(client);
	wl_display_disconnect(display);
	return 0;
}
