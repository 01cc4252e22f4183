/* Draws with OpenGL ES 2, on whatever EGL display: what render_into_plan.c wants, but begin_gpu. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define GL_GLEXT_PROTOTYPES
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include "gles.h"

static EGLDisplay egl;

static int has(const char *extensions, const char *one)
{
	return extensions && strstr(extensions, one) != NULL;
}

void begin_gles(EGLDisplay display)
{
	static const EGLint wanted[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_SURFACE_TYPE, 0,
					EGL_NONE};
	static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
	EGLConfig config;
	EGLint n;
	egl = display;
	need(egl != EGL_NO_DISPLAY && eglInitialize(egl, NULL, NULL), "EGL does not begin");
	need(eglBindAPI(EGL_OPENGL_ES_API) && eglChooseConfig(egl, wanted, &config, 1, &n) && n,
	     "no OpenGL ES 2");
	need(eglMakeCurrent(egl, EGL_NO_SURFACE, EGL_NO_SURFACE,
			    eglCreateContext(egl, config, EGL_NO_CONTEXT, version)),
	     "no context");
	puts((const char *)glGetString(GL_RENDERER));
}
static int imports(void)
{
	return has(eglQueryString(egl, EGL_EXTENSIONS), "EGL_EXT_image_dma_buf_import_modifiers") &&
	       has((const char *)glGetString(GL_EXTENSIONS), "GL_OES_EGL_image");
}
/* What the GPU can draw into: its modifiers, or rows that are copied. */
size_t pairs_of_the_gpu(struct heapwire_pair *pairs)
{
	PFNEGLQUERYDMABUFMODIFIERSEXTPROC query =
		(PFNEGLQUERYDMABUFMODIFIERSEXTPROC)eglGetProcAddress("eglQueryDmaBufModifiersEXT");
	EGLuint64KHR modifiers[PAIRS];
	EGLBoolean external[PAIRS];
	EGLint n = 0, i;
	size_t found = 0;
	if (imports() && query && query(egl, XR24, PAIRS, modifiers, external, &n))
		for (i = 0; i < n; i++)
			if (!external[i]) /* else it is only sampled */
				pairs[found++] = (struct heapwire_pair){XR24, 0, modifiers[i]};
	if (!found)
		pairs[found++] = (struct heapwire_pair){XR24, 0, LINEAR};
	return found;
}
/* The plan's memory as what is drawn into; 0 if the driver does not take it. */
static int draw_into_plan(const struct heapwire_buffer *buffer)
{
	PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC target =
		(PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC)eglGetProcAddress(
			"glEGLImageTargetRenderbufferStorageOES");
	EGLImage image = EGL_NO_IMAGE;
	if (imports() && target && buffer->layout.n_planes == 1)
		image = image_of_plan(egl, buffer);
	if (image == EGL_NO_IMAGE)
		return 0;
	target(GL_RENDERBUFFER, image);
	return 1;
}
/* OpenGL's first row is the first in memory, and so the highest on the screen. */
int draw(const struct heapwire_buffer *buffer)
{
	GLuint frame, pixels;
	int is_direct;
	void *rows;
	glGenRenderbuffers(1, &pixels);
	glBindRenderbuffer(GL_RENDERBUFFER, pixels);
	if (!(is_direct = draw_into_plan(buffer)))
		glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8_OES, WIDTH, HEIGHT);
	glGenFramebuffers(1, &frame);
	glBindFramebuffer(GL_FRAMEBUFFER, frame);
	glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, pixels);
	need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "no framebuffer");
	glClearColor(1, 0.5f, 0, 1);
	glClear(GL_COLOR_BUFFER_BIT);
	glEnable(GL_SCISSOR_TEST);
	glScissor(WIDTH / 4, HEIGHT / 4, WIDTH / 2, HEIGHT / 2);
	glClearColor(0, 1, 0, 1);
	glClear(GL_COLOR_BUFFER_BIT);
	if (is_direct) {
		glFinish(); /* or a fence of EGL_ANDROID_native_fence_sync, with linux-drm-syncobj */
		return 1;
	}
	need(has((const char *)glGetString(GL_EXTENSIONS), "GL_EXT_read_format_bgra"),
	     "rows cannot be read as XRGB8888");
	need((rows = malloc(4 * WIDTH * HEIGHT)) != NULL, "no memory");
	glReadPixels(0, 0, WIDTH, HEIGHT, GL_BGRA_EXT, GL_UNSIGNED_BYTE, rows);
	copy_rows(buffer, rows, 4 * WIDTH);
	free(rows);
	return 0;
}
