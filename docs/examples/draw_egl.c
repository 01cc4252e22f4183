/* Draws with OpenGL ES 2 on a display without a window: what render_into_plan.c wants, by EGL alone. */
#include "gles.h"

void begin_gpu(void)
{
	begin_gles(eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL));
}

EGLImage image_of_plan(EGLDisplay display, const struct heapwire_buffer *buffer)
{
	const struct heapwire_layout *layout = &buffer->layout;
	const EGLAttrib told[] = {
		EGL_WIDTH, WIDTH, EGL_HEIGHT, HEIGHT, EGL_LINUX_DRM_FOURCC_EXT, XR24,
		EGL_DMA_BUF_PLANE0_FD_EXT, buffer->fd,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, (EGLAttrib)layout->planes[0].offset,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLAttrib)layout->planes[0].pitch,
		EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT, (EGLAttrib)(layout->modifier & 0xffffffff),
		EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT, (EGLAttrib)(layout->modifier >> 32), EGL_NONE};
	return eglCreateImage(display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, told);
}
