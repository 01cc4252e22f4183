/*
 * What listening to linux-dmabuf feedback costs each message that is none.
 *
 * One client asks for syncs, of which each is three messages: the request, done and delete_id.
 * Prints nanoseconds a message, without and with the listener, several times in turn.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wayland-server.h>

#include "feedback_log.h"

enum { BATCH = 64, BATCHES = 4000, TURNS = 15, MESSAGES = 3 };

static unsigned long told;

static uint32_t batch_ends(uintptr_t plugin, const struct heapwire_batch *batch,
			   struct wl_resource *feedback)
{
	(void)plugin, (void)batch, (void)feedback;
	told++;
	return 1;
}

static double measured(struct wl_display *display, int fd)
{
	struct wl_event_loop *loop = wl_display_get_event_loop(display);
	static char answers[BATCH * 64];
	uint32_t requests[BATCH][3];
	struct timespec start, end;

	/* An id is free again with its delete_id, so that each batch can have the same ones. */
	for (uint32_t i = 0; i < BATCH; i++) {
		requests[i][0] = 1;
		requests[i][1] = sizeof requests[i] << 16;
		requests[i][2] = 2 + i;
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < BATCHES; i++) {
		if (write(fd, requests, sizeof requests) != sizeof requests)
			exit(1);
		wl_event_loop_dispatch(loop, 0);
		wl_display_flush_clients(display);
		if (read(fd, answers, sizeof answers) != BATCH * (12 + 12))
			exit(2);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) /
	       ((double)BATCHES * BATCH * MESSAGES);
}

int main(void)
{
	struct wl_display *display = wl_display_create();
	int fds[2];

	if (!display || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    !wl_client_create(display, fds[0]))
		return 1;
	measured(display, fds[1]); /* once for nothing: pages and caches */
	for (int turn = 0; turn < TURNS; turn++) {
		double without = measured(display, fds[1]), with;
		const struct heapwire_calls calls = {.batch_ends = batch_ends};
		struct feedback_user user = {.calls = &calls};
		struct heapwire_feedback *log = feedback_log_join(display, &user);

		if (!log)
			return 3;
		with = measured(display, fds[1]);
		feedback_log_leave(log, &user);
		printf("%f %f\n", without, with);
	}
	close(fds[1]);
	wl_display_destroy_clients(display);
	wl_display_destroy(display);
	return told != 0;
}
