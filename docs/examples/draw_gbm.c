/*
 * Draws with OpenGL ES 2 on the GPU behind one DRM node: what render_into_plan.c wants, by GBM.
 *
 * The node is named by $DRM_NODE, /dev/dri/renderD128 without it. A node of a display alone (cardN)
 * does as well where Mesa draws on the CPU.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <gbm.h>
#include "gles.h"

static struct gbm_device *gbm;

void begin_gpu(void)
{
	const char *node = getenv("DRM_NODE");
	int fd = open(node ? node : "/dev/dri/renderD128", O_RDWR | O_CLOEXEC);
	need(fd >= 0, "the DRM node cannot be opened");
	need((gbm = gbm_create_device(fd)) != NULL, "GBM has no driver for the DRM node");
	begin_gles(eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, gbm, NULL));
}

/* GBM looks at the buffer's planes, so an import that succeeds has been understood by the driver. */
EGLImage image_of_plan(EGLDisplay display, const struct heapwire_buffer *buffer)
{
	const struct heapwire_plane *plane = &buffer->layout.planes[0];
	struct gbm_import_fd_modifier_data told = {
		.width = WIDTH, .height = HEIGHT, .format = XR24, .num_fds = 1, .fds = {buffer->fd},
		.strides = {(int)plane->pitch}, .offsets = {(int)plane->offset},
		.modifier = buffer->layout.modifier};
	struct gbm_bo *bo = gbm_bo_import(gbm, GBM_BO_IMPORT_FD_MODIFIER, &told, GBM_BO_USE_RENDERING);
	if (!bo)
		return EGL_NO_IMAGE;
	/* The bo stays as long as what is drawn into it. */
	return eglCreateImage(display, EGL_NO_CONTEXT, EGL_NATIVE_PIXMAP_KHR, bo, NULL);
}
