/*
 * Starting Python in somebody else's process, and handing it the host's table.
 *
 * This file and the logs beside it are all the C that the plugin needs. It knows how to
 * find libpython and a virtual environment. libpython is opened at run
 * time, with its symbols visible to all: a C extension of Python's (cffi's is
 * one) expects them there, while a compositor's modules are loaded with theirs
 * hidden. So too a missing or different Python is a line in the log, and not a
 * module that cannot be loaded.
 *
 * The interpreter is configured in isolation: it reads no environment variable,
 * leaves signals, locale and standard streams alone, and takes no part in the
 * host's command line. The thread that starts it gives the interpreter's lock
 * back at once, and every call takes it for as long as it lasts.
 *
 * HEAPWIRE_PYTHON and HEAPWIRE_LIBPYTHON, given to the compiler, are the paths of
 * the environment's interpreter and of the shared library of the same Python.
 *
 * SPDX-License-Identifier: MIT
 */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wayland-server-core.h>

#include "feedback_log.h"
#include "heapwire.h"
#include "message_log.h"
#include "surface_log.h"

#define EXPORT __attribute__((visibility("default")))
#define ENTRY_MODULE "heapwire.compositor_plugin.hosts.embed"

struct heapwire {
	struct heapwire_calls calls;
	struct wl_display *display;
	struct feedback_user feedback_user; /* of calls.feedback */
	struct message_log imports; /* what of it clients ask, while somebody listens */
	const char *params_name, *display_name;
	struct surface_log *surfaces; /* NULL: the host has its buffers at hand */
};

/* The functions of libpython that are used here. Objects' macros are not: they
 * are compiled against one Python, and these are looked up in whichever is found. */
static struct {
	__typeof__(Py_GetVersion) *GetVersion;
	__typeof__(Py_IsInitialized) *IsInitialized;
	__typeof__(PyConfig_InitIsolatedConfig) *Config_InitIsolatedConfig;
	__typeof__(PyConfig_SetBytesString) *Config_SetBytesString;
	__typeof__(PyConfig_Clear) *Config_Clear;
	__typeof__(PyStatus_Exception) *Status_Exception;
	__typeof__(Py_InitializeFromConfig) *InitializeFromConfig;
	__typeof__(PyEval_SaveThread) *Eval_SaveThread;
	__typeof__(PyGILState_Ensure) *GILState_Ensure;
	__typeof__(PyGILState_Release) *GILState_Release;
	__typeof__(PyImport_ImportModule) *Import_ImportModule;
	__typeof__(PyObject_CallMethod) *Object_CallMethod;
	__typeof__(PyObject_IsTrue) *Object_IsTrue;
	__typeof__(PyErr_Fetch) *Err_Fetch;
	__typeof__(PyObject_Str) *Object_Str;
	__typeof__(PyUnicode_AsUTF8) *Unicode_AsUTF8;
	__typeof__(PyErr_Clear) *Err_Clear;
	__typeof__(PyGC_Disable) *GC_Disable;
	__typeof__(PyGC_Enable) *GC_Enable;
	__typeof__(Py_DecRef) *DecRef;
} py;

static void
say(const struct heapwire_host *host, enum heapwire_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
say(const struct heapwire_host *host, enum heapwire_log_level level, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (host->log)
		host->log(host->data, level, line);
	else
		fprintf(stderr, "heapwire: %s\n", line);
}

static const char *
option(const char *variable, const char *given, const char *otherwise)
{
	const char *value = getenv(variable);

	if (value && *value)
		return value;
	return given && *given ? given : otherwise;
}

static int
look_up(void *library, const char *name, void *function)
{
	/* ISO C has no cast from an object's to a function's address; POSIX has this. */
	void *address = dlsym(library, name);

	memcpy(function, &address, sizeof address);
	return address != NULL;
}

/* Fill in `py` from the Python that the process has, or from the one built for. */
static int
find_python(const struct heapwire_host *host)
{
	void *library = RTLD_DEFAULT;
	const char *version;
	char wanted[16];

	if (!dlsym(RTLD_DEFAULT, "Py_IsInitialized")) {
		library = dlopen(HEAPWIRE_LIBPYTHON, RTLD_NOW | RTLD_GLOBAL);
		if (!library) {
			say(host, HEAPWIRE_LOG_ERROR,
			    "not available: the Python that it was built for cannot be loaded (%s); "
			    "build it again",
			    dlerror());
			return -1;
		}
	}
	if (!look_up(library, "Py_GetVersion", &py.GetVersion)) {
		say(host, HEAPWIRE_LOG_ERROR, "not available: %s is not a Python", HEAPWIRE_LIBPYTHON);
		return -1;
	}
	/* The layout of PyConfig belongs to one minor version. */
	snprintf(wanted, sizeof wanted, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
	version = py.GetVersion();
	if (strncmp(version, wanted, strlen(wanted)) != 0) {
		say(host, HEAPWIRE_LOG_ERROR,
		    "not available: it was built for Python %s* and the process has Python %.*s; "
		    "build it again",
		    wanted, (int)strcspn(version, " "), version);
		return -1;
	}
	if (!look_up(library, "Py_IsInitialized", &py.IsInitialized) ||
	    !look_up(library, "PyConfig_InitIsolatedConfig", &py.Config_InitIsolatedConfig) ||
	    !look_up(library, "PyConfig_SetBytesString", &py.Config_SetBytesString) ||
	    !look_up(library, "PyConfig_Clear", &py.Config_Clear) ||
	    !look_up(library, "PyStatus_Exception", &py.Status_Exception) ||
	    !look_up(library, "Py_InitializeFromConfig", &py.InitializeFromConfig) ||
	    !look_up(library, "PyEval_SaveThread", &py.Eval_SaveThread) ||
	    !look_up(library, "PyGILState_Ensure", &py.GILState_Ensure) ||
	    !look_up(library, "PyGILState_Release", &py.GILState_Release) ||
	    !look_up(library, "PyImport_ImportModule", &py.Import_ImportModule) ||
	    !look_up(library, "PyObject_CallMethod", &py.Object_CallMethod) ||
	    !look_up(library, "PyObject_IsTrue", &py.Object_IsTrue) ||
	    !look_up(library, "PyErr_Fetch", &py.Err_Fetch) ||
	    !look_up(library, "PyObject_Str", &py.Object_Str) ||
	    !look_up(library, "PyUnicode_AsUTF8", &py.Unicode_AsUTF8) ||
	    !look_up(library, "PyErr_Clear", &py.Err_Clear) ||
	    !look_up(library, "PyGC_Disable", &py.GC_Disable) ||
	    !look_up(library, "PyGC_Enable", &py.GC_Enable) ||
	    !look_up(library, "Py_DecRef", &py.DecRef)) {
		say(host, HEAPWIRE_LOG_ERROR, "not available: Python %s lacks a function: %s", version,
		    dlerror());
		return -1;
	}
	return 0;
}

static int
start_python(const struct heapwire_host *host)
{
	const char *executable = option("HEAPWIRE_PYTHON", host->python, HEAPWIRE_PYTHON);
	PyConfig config;
	PyStatus status;

	if (find_python(host) < 0)
		return -1;
	if (py.IsInitialized())
		return 0;
	if (access(executable, X_OK) < 0) {
		say(host, HEAPWIRE_LOG_ERROR, "not available: there is no Python at %s", executable);
		return -1;
	}
	py.Config_InitIsolatedConfig(&config);
	/* From the interpreter's path Python finds the environment that it belongs to. */
	status = py.Config_SetBytesString(&config, &config.executable, executable);
	if (!py.Status_Exception(status))
		status = py.InitializeFromConfig(&config);
	py.Config_Clear(&config);
	if (py.Status_Exception(status)) {
		say(host, HEAPWIRE_LOG_ERROR, "not available: Python does not start from %s: %s",
		    executable, status.err_msg ? status.err_msg : "it wants to exit");
		return -1;
	}
	py.Eval_SaveThread();
	return 0;
}

/* Log the exception that is set, as one line. */
static void
say_exception(const struct heapwire_host *host)
{
	PyObject *type = NULL, *value = NULL, *traceback = NULL, *text = NULL;
	const char *message = NULL;

	py.Err_Fetch(&type, &value, &traceback);
	if (value)
		text = py.Object_Str(value);
	if (text)
		message = py.Unicode_AsUTF8(text);
	say(host, HEAPWIRE_LOG_ERROR, "not available: %s (Python of %s)",
	    message ? message : "an exception without a message",
	    option("HEAPWIRE_PYTHON", host->python, HEAPWIRE_PYTHON));
	py.DecRef(text);
	py.DecRef(traceback);
	py.DecRef(value);
	py.DecRef(type);
	py.Err_Clear();
}

static void
import_heard(void *data, enum wl_protocol_logger_type type,
	     const struct wl_protocol_logger_message *message)
{
	const char *name = wl_resource_get_class(message->resource);
	const bool event = type == WL_PROTOCOL_LOGGER_EVENT;
	struct heapwire *heapwire = data;
	enum heapwire_heard what;

	if (is_named(name, "zwp_linux_buffer_params_v1", &heapwire->params_name))
		what = event ? HEAPWIRE_HEARD_IMPORT_EVENT : HEAPWIRE_HEARD_IMPORT_REQUEST;
	else if (event && message->message_opcode == 0 &&
		 is_named(name, "wl_display", &heapwire->display_name))
		what = HEAPWIRE_HEARD_ERROR;
	else
		return;
	heapwire->calls.import_heard(heapwire->calls.plugin, message->resource, what,
				     (uint32_t)message->message_opcode, message->arguments);
}

static void
post_events(struct wl_resource *resource, const uintptr_t *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wl_resource_post_event_array(resource, (uint32_t)events[2 * i],
					     (union wl_argument *)events[2 * i + 1]);
}

EXPORT struct heapwire *
heapwire_attach(const struct heapwire_host *host)
{
	struct heapwire *heapwire;
	PyObject *module, *attached = NULL;
	PyGILState_STATE lock;
	struct heapwire_host given = {0};
	int done = 0, collecting;

	/* A host of another age has a table of another size: what it lacks is NULL. */
	memcpy(&given, host, host->size < sizeof given ? host->size : sizeof given);
	if (start_python(&given) < 0)
		return NULL;
	heapwire = calloc(1, sizeof *heapwire);
	if (!heapwire)
		return NULL;
	heapwire->calls.size = sizeof heapwire->calls;
	heapwire->calls.post_events = post_events;
	heapwire->calls.batch_of = feedback_log_of;
	heapwire->calls.batch_for = feedback_log_for;
	heapwire->calls.extend = feedback_log_extend;
	heapwire->calls.batch_to = feedback_log_to;

	lock = py.GILState_Ensure();
	/* What is imported stays: looking for garbage in it would take a tenth of the time. */
	collecting = py.GC_Disable();
	module = py.Import_ImportModule(ENTRY_MODULE);
	if (module)
		attached = py.Object_CallMethod(module, "attach", "KKsss",
						(unsigned long long)(uintptr_t)host,
						(unsigned long long)(uintptr_t)&heapwire->calls,
						option("HEAPWIRE_PLATFORM", given.platform, ""),
						option("HEAPWIRE_LOG_LEVEL", given.log_level, "info"),
						option("HEAPWIRE_POLICY", given.policy, ""));
	if (attached)
		done = py.Object_IsTrue(attached) == 1;
	else
		say_exception(&given);
	py.DecRef(attached);
	py.DecRef(module);
	if (collecting)
		py.GC_Enable();
	py.GILState_Release(lock);

	if (!done) {
		free(heapwire);
		return NULL;
	}
	heapwire->display = given.display;
	heapwire->feedback_user.calls = &heapwire->calls;
	if (heapwire->calls.batch_ends)
		heapwire->calls.feedback =
			feedback_log_join(given.display, &heapwire->feedback_user);
	if (given.hides_buffers)
		heapwire->surfaces = surface_log_join(given.display);
	return heapwire;
}

EXPORT void
heapwire_detach(struct heapwire *heapwire)
{
	if (!heapwire)
		return;
	surface_log_leave(heapwire->surfaces);
	message_log_stop(&heapwire->imports);
	feedback_log_leave(heapwire->calls.feedback, &heapwire->feedback_user);
	heapwire->calls.feedback = NULL; /* detaching asks it no more */
	heapwire->calls.detach(heapwire->calls.plugin);
	free(heapwire);
}

EXPORT void
heapwire_surface_changed(struct heapwire *heapwire, struct wl_resource *surface)
{
	if (heapwire)
		heapwire->calls.surface_changed(heapwire->calls.plugin, surface);
}

EXPORT void
heapwire_buffer_shown(struct heapwire *heapwire, struct wl_resource *buffer, int scanned_out,
		      enum heapwire_reason reason)
{
	if (heapwire)
		heapwire->calls.buffer_shown(heapwire->calls.plugin, buffer, scanned_out != 0, reason);
}

EXPORT void
heapwire_surface_shown(struct heapwire *heapwire, struct wl_resource *surface, int scanned_out,
		       enum heapwire_reason reason)
{
	struct wl_resource *buffer;

	if (!heapwire || !heapwire->surfaces)
		return;
	buffer = surface_log_buffer(surface);
	if (buffer)
		heapwire_buffer_shown(heapwire, buffer, scanned_out, reason);
}

EXPORT int
heapwire_surface_colour(struct heapwire *heapwire, struct wl_resource *surface, uint32_t *encoding,
			uint32_t *range)
{
	if (!heapwire || !heapwire->calls.surface_colour)
		return -1;
	return heapwire->calls.surface_colour(heapwire->calls.plugin, surface, encoding, range);
}

EXPORT void
heapwire_tested(struct heapwire *heapwire, uint32_t number, int error)
{
	/* A heapwire of before there were tests asks for none. */
	if (heapwire && heapwire->calls.tested)
		heapwire->calls.tested(heapwire->calls.plugin, number, error);
}

EXPORT void
heapwire_listen(struct heapwire *heapwire, int listening)
{
	/* A heapwire of before there were such lines makes none. */
	if (!heapwire || !heapwire->calls.listen)
		return;
	heapwire->calls.listen(heapwire->calls.plugin, listening != 0);
	if (listening && heapwire->calls.import_heard)
		message_log_start(&heapwire->imports, heapwire->display, import_heard, heapwire);
	else
		message_log_stop(&heapwire->imports);
}
