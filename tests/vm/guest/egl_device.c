/*
 * Names a DRM device to who asks EGL for that of its display, as drivers of hardware do and Mesa's
 * software renderers do not: compositors then offer the feedback of linux-dmabuf. To be preloaded.
 * It lists no devices: those of cards without a driver in Mesa are there and cannot be used, while
 * GBM draws on the CPU for them.
 *
 *   EGL_DEVICE_CARD, EGL_DEVICE_RENDER   the nodes that are named, each if it is set
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXTENSIONS = 0x3055, DEVICE = 0x322c, CARD = 0x3233, RENDER = 0x3377 }; /* eglext.h */
typedef void (*function)(void);

static unsigned int (*attribute_of)(void *display, int name, intptr_t *value);
static const char *(*string_of)(void *device, int name);
static intptr_t in_use; /* the device of a display */

static unsigned int devices(int most, void **found, int *count)
{
	(void)most, (void)found;
	*count = 0;
	return 1;
}

static unsigned int attribute(void *display, int name, intptr_t *value)
{
	unsigned int done = attribute_of(display, name, value);

	if (done && name == DEVICE)
		in_use = *value;
	return done;
}

static const char *string(void *device, int name)
{
	static char extensions[4096];
	const char *card = getenv("EGL_DEVICE_CARD"), *render = getenv("EGL_DEVICE_RENDER");
	const char *others;

	if (!in_use || (intptr_t)device != in_use)
		return string_of(device, name);
	if (name == CARD && card)
		return card;
	if (name == RENDER && render)
		return render;
	others = string_of(device, name);
	if (name != EXTENSIONS)
		return others;
	snprintf(extensions, sizeof extensions, "%s%s%s", others ? others : "",
		 card ? " EGL_EXT_device_drm" : "", render ? " EGL_EXT_device_drm_render_node" : "");
	return extensions;
}

function eglGetProcAddress(const char *name);

function eglGetProcAddress(const char *name)
{
	/* Not RTLD_NEXT: where a module has loaded EGL, it is not among the program's own libraries. */
	void *library = dlopen("libEGL.so.1", RTLD_LAZY);
	function (*next)(const char *) = NULL, found;

	if (library)
		*(void **)&next = dlsym(library, "eglGetProcAddress");
	found = next ? next(name) : NULL;
	if (found && !strcmp(name, "eglQueryDevicesEXT"))
		return (function)devices;
	if (found && !strcmp(name, "eglQueryDisplayAttribEXT")) {
		*(function *)&attribute_of = found;
		return (function)attribute;
	}
	if (found && !strcmp(name, "eglQueryDeviceStringEXT")) {
		*(function *)&string_of = found;
		return (function)string;
	}
	return found;
}
