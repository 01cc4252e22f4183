/* A libEGL with one GPU and one software device, for tests of what asks it. What the GPU says
 * follows EGL_DOUBLE: "takes", "refuses" (imports), "implicit" (no modifiers), "crash", "none". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NV12 0x3231564e
#define XR24 0x34325258

static int gpu, software, image, last_error = 0x3000;

static int is(const char *word)
{
	const char *mode = getenv("EGL_DOUBLE");
	return mode && strcmp(mode, word) == 0;
}

int eglGetError(void)
{
	int error = last_error;
	last_error = 0x3000;
	return error;
}

unsigned eglInitialize(void *display, int *major, int *minor)
{
	(void)major, (void)minor;
	if (is("crash"))
		raise(SIGSEGV);
	return display != NULL;
}

unsigned eglTerminate(void *display)
{
	return display != NULL;
}

const char *eglQueryString(void *display, int name)
{
	if (name == 0x3053)
		return "A vendor";
	return display == &software ? "EGL_KHR_image_base"
				    : "EGL_EXT_image_dma_buf_import "
				      "EGL_EXT_image_dma_buf_import_modifiers";
}

static unsigned query_devices(int most, void **devices, int *count)
{
	(void)most;
	devices[0] = &software;
	devices[1] = &gpu;
	*count = 2;
	return 1;
}

static const char *device_string(void *device, int name)
{
	if (name == 0x3055)
		return device == &software ? "EGL_MESA_device_software"
					   : "EGL_EXT_device_drm EGL_EXT_device_drm_render_node";
	if (device == &software)
		return NULL;
	return name == 0x3233 ? "/dev/dri/card0" : "/dev/dri/renderD128";
}

static void *platform_display(unsigned platform, void *device, const int *attributes)
{
	(void)attributes;
	return platform == 0x313f ? device : NULL;
}

static unsigned formats(void *display, int most, int *codes, int *count)
{
	(void)display, (void)most;
	codes[0] = XR24;
	codes[1] = NV12;
	*count = 2;
	return 1;
}

static unsigned modifiers(void *display, int code, int most, uint64_t *list, unsigned *external,
			  int *count)
{
	(void)display, (void)most;
	if (is("implicit")) {
		*count = 0;
		return 1;
	}
	list[0] = 0x0300000000606010;
	list[1] = 0;
	external[0] = external[1] = code == NV12;
	*count = 2;
	return 1;
}

/* Takes a descriptor that is open, and a modifier only where it lists any. */
static void *create_image(void *display, void *context, unsigned target, void *buffer,
			  const int *attributes)
{
	int fd = -1, named = 0;
	(void)display, (void)context, (void)buffer;
	for (; *attributes != 0x3038; attributes += 2) {
		if (attributes[0] == 0x3272)
			fd = attributes[1];
		named |= attributes[0] == 0x3443;
	}
	if (target != 0x3270 || fcntl(fd, F_GETFD) < 0 || named == is("implicit"))
		last_error = 0x300c;
	else if (is("refuses"))
		last_error = 0x3003;
	else
		return &image;
	return NULL;
}

static unsigned destroy_image(void *display, void *made)
{
	(void)display;
	return made == &image;
}

void *eglGetProcAddress(const char *name)
{
	static const struct {
		const char *name;
		void *address;
	} all[] = {
		{ "eglQueryDevicesEXT", (void *)query_devices },
		{ "eglQueryDeviceStringEXT", (void *)device_string },
		{ "eglGetPlatformDisplayEXT", (void *)platform_display },
		{ "eglQueryDmaBufFormatsEXT", (void *)formats },
		{ "eglQueryDmaBufModifiersEXT", (void *)modifiers },
		{ "eglCreateImageKHR", (void *)create_image },
		{ "eglDestroyImageKHR", (void *)destroy_image },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(name, all[i].name) == 0)
			return is("none") ? NULL : all[i].address;
	return NULL;
}
