/*
 * A compositor of nothing, which says what it costs to have heapwire in it.
 *
 *   load_host PYTHON SOCKET PLATFORM
 *
 * It starts Python as heapwire.c does, imports what cffi is made of, attaches heapwire, and serves
 * clients until it is told to end. At each of the three steps and at the end it prints the
 * microseconds of processor time since it was started, and the KiB that are its own.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#include <Python.h>

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <wayland-server.h>

#include <heapwire.h>

static void
report(const char *what)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	struct timespec used;
	long kib, sum = 0;
	char line[256];

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			sum += kib;
	if (file)
		fclose(file);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	printf("%s %ld %ld\n", what, (long)used.tv_sec * 1000000 + used.tv_nsec / 1000, sum);
	fflush(stdout);
}

static uint32_t
formats(void *data, struct wl_client *client, struct heapwire_format *pairs, uint32_t capacity)
{
	const struct heapwire_format nv12 = {.fourcc = 0x3231564e, .modifier = 0};

	(void)data, (void)client;
	if (capacity > 0)
		pairs[0] = nv12;
	return 1;
}

static int
no_surface(void *data, struct wl_resource *surface, struct heapwire_surface_state *state)
{
	(void)data, (void)surface, (void)state;
	return -1;
}

static int
end(int number, void *display)
{
	(void)number;
	wl_display_terminate(display);
	return 0;
}

int
main(int count, char **words)
{
	struct wl_display *display = wl_display_create();
	struct heapwire_host host = {
		.size = sizeof host,
		.display = display,
		.surface_state = no_surface,
		.importable_formats = formats,
		.log_level = "error",
	};
	struct heapwire *heapwire;
	PyConfig config;

	if (count != 4 || !display || wl_display_add_socket(display, words[2]) < 0)
		return 1;
	wl_event_loop_add_signal(wl_display_get_event_loop(display), SIGTERM, end, display);
	report("started");
	PyConfig_InitIsolatedConfig(&config);
	PyConfig_SetBytesString(&config, &config.executable, words[1]);
	if (PyStatus_Exception(Py_InitializeFromConfig(&config)))
		return 1;
	PyConfig_Clear(&config);
	if (!PyImport_ImportModule("_cffi_backend"))
		return 1;
	PyEval_SaveThread();
	report("python");
	host.platform = words[3];
	heapwire = heapwire_attach(&host);
	if (!heapwire)
		return 1;
	report("attached");
	wl_display_run(display);
	report("asked");
	heapwire_detach(heapwire);
	wl_display_destroy_clients(display);
	wl_display_destroy(display);
	return 0;
}
