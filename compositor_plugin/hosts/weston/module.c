/*
 * heapwire as a module of Weston.
 *
 * Weston loads this, and it hands Weston's display to the library in heapwire.c
 * together with functions that answer for Weston's surfaces. Only libweston's
 * installed headers are used, and libweston's ABI is that of one major version;
 * so the module is compiled on the machine that it runs on, and looks at the
 * version of the libweston in the process before it reads any of its structs.
 * Nothing is linked: each symbol comes from the running Weston, those of
 * libweston as weak ones, so that any Weston at all can load the module and be
 * told what is wrong with it. Weston never fails to start because of it.
 *
 * What is followed, and how. A surface is watched from the first time that the
 * plugin asks about it. After each repaint of an output the state of the watched
 * surfaces is compared with what was last told, in C and without a lock; only a
 * difference goes on to Python, and that from an idle callback of the event loop,
 * when the frame has been handed to the kernel. Hot-plug, mode changes, moves,
 * fullscreen and covering windows all end in a repaint, or in a signal that is
 * listened to.
 *
 * What Weston tells of scanout is `psf_flags` of a view, the flags that
 * wp_presentation's feedback gets: zero-copy means that a plane showed the
 * client's buffer. Why not, it tells no module. Newer libwestons have the flags
 * in a private struct; of a buffer that may be on a plane nothing is told then.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#include <stdlib.h>

#include <libweston/backend-drm.h>
#include <libweston/config-parser.h>
#include <libweston/libweston.h>
#include <libweston/plugin-registry.h>
#include <libweston/version.h>
#include <libweston/weston-log.h>

#include "module.h"

#pragma weak weston_log
#pragma weak weston_version
#pragma weak weston_plugin_api_get
#pragma weak weston_compositor_add_log_scope
#pragma weak weston_log_scope_destroy
#pragma weak weston_log_scope_is_enabled
#pragma weak weston_log_scope_printf
#pragma weak weston_config_get_section
#pragma weak weston_config_section_get_string

#define EXPORT __attribute__((visibility("default")))

/* From the front end's own header, which not every package of libweston brings. */
struct weston_config *wet_get_config(struct weston_compositor *compositor) __attribute__((weak));
int wet_module_init(struct weston_compositor *compositor, int *argc, char *argv[]);

/* The end of a repaint is heard as a frame of an animation that never ends. */
struct watched_output {
	struct wl_list link; /* module.outputs */
	struct module *module;
	struct weston_output *output;
	struct weston_animation frame;
	struct wl_listener destroyed;
};

static void
log_line(void *data, enum heapwire_log_level level, const char *line)
{
	static const char *const prefixes[] = {"error: ", "warning: ", "", "debug: "};

	(void)data;
	if (weston_log)
		weston_log("heapwire: %s%s\n", (unsigned)level < 4 ? prefixes[level] : "", line);
}

static void
client_line(void *data, const char *line)
{
	struct module *module = data;

	if (weston_log_scope_is_enabled(module->scope))
		weston_log_scope_printf(module->scope, "%s\n", line);
}

/* Weston tells of a subscription that ends before it is taken off the scope, so they are counted. */
static void
subscribed(struct weston_log_subscription *subscription, void *data)
{
	struct module *module = data;

	(void)subscription;
	if (module->listeners++ == 0)
		heapwire_listen(module->heapwire, 1);
}

static void
unsubscribed(struct weston_log_subscription *subscription, void *data)
{
	struct module *module = data;

	(void)subscription;
	if (--module->listeners == 0)
		heapwire_listen(module->heapwire, 0);
}

static void
add_scope(struct module *module)
{
	if (!weston_compositor_add_log_scope || !weston_log_scope_destroy ||
	    !weston_log_scope_is_enabled || !weston_log_scope_printf)
		return;
	module->scope = weston_compositor_add_log_scope(
		module->compositor, "heapwire",
		"what clients ask heapwire, are answered, have allocated, import and are refused\n",
		subscribed, unsubscribed, module);
}

static void
output_repainted(struct weston_animation *animation, struct weston_output *output,
		 const struct timespec *time)
{
	struct watched_output *watched = wl_container_of(animation, watched, frame);

	(void)output;
	(void)time;
	compare_surfaces(watched->module);
}

static void
unwatch_output(struct watched_output *watched)
{
	wl_list_remove(&watched->frame.link);
	wl_list_remove(&watched->destroyed.link);
	wl_list_remove(&watched->link);
	free(watched);
}

static void
output_destroyed(struct wl_listener *listener, void *data)
{
	struct watched_output *watched = wl_container_of(listener, watched, destroyed);
	struct module *module = watched->module;

	(void)data;
	unwatch_output(watched);
	compare_surfaces(module);
}

static void
watch_output(struct module *module, struct weston_output *output)
{
	struct watched_output *watched = calloc(1, sizeof *watched);

	if (!watched)
		return;
	watched->module = module;
	watched->output = output;
	watched->frame.frame = output_repainted;
	wl_list_insert(&output->animation_list, &watched->frame.link);
	watched->destroyed.notify = output_destroyed;
	wl_signal_add(&output->destroy_signal, &watched->destroyed);
	wl_list_insert(&module->outputs, &watched->link);
}

static void
output_created(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_created);

	watch_output(module, data);
	compare_surfaces(module);
}

static void
output_moved(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_moved);

	(void)data;
	compare_surfaces(module);
}

static void
output_resized(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, output_resized);

	(void)data;
	compare_surfaces(module);
}

static void
module_free(struct module *module)
{
	struct watched_output *output, *next_output;

	if (module->idle)
		wl_event_source_remove(module->idle);
	unwatch_surfaces(module);
	wl_list_for_each_safe(output, next_output, &module->outputs, link)
		unwatch_output(output);
	wl_list_remove(&module->compositor_destroyed.link);
	wl_list_remove(&module->output_created.link);
	wl_list_remove(&module->output_moved.link);
	wl_list_remove(&module->output_resized.link);
	free(module->platform);
	free(module->log_level);
	free(module->python);
	free(module->policy);
	free(module);
}

static void
compositor_destroyed(struct wl_listener *listener, void *data)
{
	struct module *module = wl_container_of(listener, module, compositor_destroyed);

	(void)data;
	if (module->scope)
		weston_log_scope_destroy(module->scope);
	heapwire_detach(module->heapwire);
	module_free(module);
}

/* Whether the process has the libweston that this was compiled for. Releases keep
 * the ABI of their major version; snapshots (micro 90 and above) keep none. */
static bool
right_libweston(void)
{
	int major = 0, minor = 0, micro = 0;

	if (!weston_version || !weston_log)
		return false;
	weston_version(&major, &minor, &micro);
	if (major == WESTON_VERSION_MAJOR &&
	    ((micro < 90 && WESTON_VERSION_MICRO < 90) ||
	     (minor == WESTON_VERSION_MINOR && micro == WESTON_VERSION_MICRO)))
		return true;
	weston_log("heapwire: not available: it was built for libweston %s and this is %d.%d.%d; "
		   "run \"heapwire weston build\" again\n",
		   WESTON_VERSION, major, minor, micro);
	return false;
}

static void
read_options(struct module *module)
{
	struct weston_config_section *section = NULL;

	if (!wet_get_config || !weston_config_get_section || !weston_config_section_get_string)
		return;
	section = weston_config_get_section(wet_get_config(module->compositor), "heapwire", NULL, NULL);
	weston_config_section_get_string(section, "platform", &module->platform, NULL);
	weston_config_section_get_string(section, "log-level", &module->log_level, NULL);
	weston_config_section_get_string(section, "python", &module->python, NULL);
	weston_config_section_get_string(section, "policy", &module->policy, NULL);
}

static void
listen_to(struct wl_signal *signal, struct wl_listener *listener, wl_notify_func_t notify)
{
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

EXPORT int
wet_module_init(struct weston_compositor *compositor, int *argc, char *argv[])
{
	struct weston_output *output;
	struct module *module;

	(void)argc;
	(void)argv;
	if (!right_libweston())
		return 0;
	module = calloc(1, sizeof *module);
	if (!module)
		return 0;
	module->compositor = compositor;
	module->has_planes = weston_plugin_api_get && weston_drm_output_get_api(compositor) != NULL;
	wl_list_init(&module->watches);
	wl_list_init(&module->outputs);
	read_options(module);
	module->host = (struct heapwire_host){
		.size = sizeof module->host,
		.display = compositor->wl_display,
		.data = module,
		.platform = module->platform,
		.log_level = module->log_level,
		.python = module->python,
		.log = log_line,
		.surface_state = surface_state,
		.policy = module->policy,
		.client_line = client_line,
	};
	listen_to(&compositor->destroy_signal, &module->compositor_destroyed, compositor_destroyed);
	listen_to(&compositor->output_created_signal, &module->output_created, output_created);
	listen_to(&compositor->output_moved_signal, &module->output_moved, output_moved);
	listen_to(&compositor->output_resized_signal, &module->output_resized, output_resized);
	wl_list_for_each(output, &compositor->output_list, link)
		watch_output(module, output);
	module->heapwire = heapwire_attach(&module->host);
	if (module->heapwire)
		add_scope(module);
	else
		module_free(module);
	return 0;
}
