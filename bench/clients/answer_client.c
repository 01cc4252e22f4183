/* A client that asks and waits for the end of the answer, as fast as one can. */

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

/* Send `count` requests of `size` bytes one after the other; the microseconds until an event of
 * `object` with `opcode` has come for each. -1 if the connection ends. */
int answer_times(int fd, const uint8_t *requests, int count, int size, uint32_t object,
		 uint32_t opcode, double *microseconds)
{
	static uint8_t events[1 << 16];
	for (int i = 0; i < count; i++) {
		size_t filled = 0, at = 0;
		double start = now();
		if (write(fd, requests + (size_t)i * (size_t)size, (size_t)size) != size)
			return -1;
		for (int over = 0; !over;) {
			ssize_t got = read(fd, events + filled, sizeof events - filled);
			if (got <= 0)
				return -1;
			filled += (size_t)got;
			while (filled - at >= 8) {
				uint32_t head[2];
				memcpy(head, events + at, sizeof head);
				if (filled - at < head[1] >> 16)
					break;
				over |= head[0] == object && (head[1] & 0xffff) == opcode;
				at += head[1] >> 16;
			}
		}
		microseconds[i] = now() - start;
	}
	return 0;
}
