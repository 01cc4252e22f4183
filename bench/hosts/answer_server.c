/* What nothing can be below: a server in C that sends an answer of given sizes when asked.
 *
 *     answer_server SOCKET SIZE...    the bytes of each event, the last one that ends the answer
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wayland-server-core.h>

enum { PIECE, DONE };

static const struct wl_interface *none[] = {NULL, NULL};
static const struct wl_message requests[] = {{"ask", "u", none}};
static const struct wl_message events[] = {{"piece", "a", none}, {"done", "uu", none}};
static const struct wl_interface interface = {"heapwire_answer", 1, 1, requests, 2, events};

static int pieces;
static struct wl_array *arrays;

static int ask(const void *handler, void *target, uint32_t opcode,
	       const struct wl_message *message, union wl_argument *arguments)
{
	(void)handler, (void)opcode, (void)message;
	for (int i = 0; i < pieces; i++)
		wl_resource_post_event(target, PIECE, &arrays[i]);
	wl_resource_post_event(target, DONE, arguments[0].u, 1);
	return 0;
}

static void bind(struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
	struct wl_resource *resource = wl_resource_create(client, &interface, (int)version, id);
	(void)data;
	if (resource == NULL)
		abort();
	wl_resource_set_dispatcher(resource, ask, NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
	struct wl_display *display = wl_display_create();
	if (argc < 3 || display == NULL || wl_display_add_socket(display, argv[1]) != 0)
		return 1;
	pieces = argc - 3;
	arrays = calloc((size_t)pieces + 1, sizeof *arrays);
	for (int i = 0; i < pieces; i++) {
		int size = atoi(argv[i + 2]) - 12; /* the head, and the array's length */
		wl_array_init(&arrays[i]);
		if (size > 0 && wl_array_add(&arrays[i], (size_t)size) == NULL)
			return 1;
	}
	wl_global_create(display, &interface, 1, NULL, bind);
	puts("ready");
	fflush(stdout);
	wl_display_run(display);
	return 0;
}
