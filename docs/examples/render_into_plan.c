/*
 * Renders with OpenGL ES into a buffer of the compositor's plan, and shows it.
 *
 * Where EGL imports dma-bufs (EGL_EXT_image_dma_buf_import), the GPU draws into the plan's memory
 * itself. Where it does not (llvmpipe without a device), it draws into memory of its own, and the
 * rows are copied to where the plan has them; which of the two it was is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define EGL_EGLEXT_PROTOTYPES
#define GL_GLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <wayland-client.h>
#include "heapwire-client.h"
#include "xdg-shell-client-protocol.h"
#include "xx-dmabuf-negotiation-v1-client-protocol.h"

enum { WIDTH = 640, HEIGHT = 360, XR24 = 0x34325258, LINEAR = 0, PAIRS = 64 };
static struct wl_display *display;
static struct wl_compositor *compositor;
static struct xdg_wm_base *shell;
static struct heapwire_client *client;
static struct heapwire_buffer buffer;
static EGLDisplay egl;
static int answered, configured, shown;

static void need(int is, const char *what)
{
	is ? (void)0 : (fprintf(stderr, "%s\n", what), exit(1));
}
static int has(const char *extensions, const char *one)
{
	return extensions && strstr(extensions, one) != NULL;
}

/* A context without a window; what it draws into is made below. */
static void begin_egl(void)
{
	static const EGLint wanted[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_SURFACE_TYPE, 0,
					EGL_NONE};
	static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
	EGLConfig config;
	EGLint n;
	egl = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
	need(egl != EGL_NO_DISPLAY && eglInitialize(egl, NULL, NULL), "no EGL without a window");
	need(eglBindAPI(EGL_OPENGL_ES_API) && eglChooseConfig(egl, wanted, &config, 1, &n) && n,
	     "no OpenGL ES 2");
	need(eglMakeCurrent(egl, EGL_NO_SURFACE, EGL_NO_SURFACE,
			    eglCreateContext(egl, config, EGL_NO_CONTEXT, version)),
	     "no context");
}
static int imports(void)
{
	return has(eglQueryString(egl, EGL_EXTENSIONS), "EGL_EXT_image_dma_buf_import_modifiers") &&
	       has((const char *)glGetString(GL_EXTENSIONS), "GL_OES_EGL_image");
}
/* What the GPU can draw into: its modifiers, or rows that are copied. */
static size_t pairs_of_the_gpu(struct heapwire_pair *pairs)
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
/* The plan's memory as something to draw into; 0 if EGL does not take it. */
static int draw_into_plan(void)
{
	PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC target =
		(PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC)eglGetProcAddress(
			"glEGLImageTargetRenderbufferStorageOES");
	const struct heapwire_layout *layout = &buffer.layout;
	const EGLAttrib told[] = {
		EGL_WIDTH, WIDTH, EGL_HEIGHT, HEIGHT, EGL_LINUX_DRM_FOURCC_EXT, XR24,
		EGL_DMA_BUF_PLANE0_FD_EXT, buffer.fd,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, (EGLAttrib)layout->planes[0].offset,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLAttrib)layout->planes[0].pitch,
		EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT, (EGLAttrib)(layout->modifier & 0xffffffff),
		EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT, (EGLAttrib)(layout->modifier >> 32), EGL_NONE};
	EGLImage image;
	if (!imports() || !target || layout->n_planes != 1)
		return 0;
	image = eglCreateImage(egl, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, told);
	if (image == EGL_NO_IMAGE)
		return 0;
	target(GL_RENDERBUFFER, image);
	return 1;
}
/* An orange picture with a green square in its middle. OpenGL's first row is the first in memory, and
 * so the highest on the screen. */
static void draw(void)
{
	GLuint name;
	int is_direct;
	glGenRenderbuffers(1, &name);
	glBindRenderbuffer(GL_RENDERBUFFER, name);
	if (!(is_direct = draw_into_plan()))
		glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8_OES, WIDTH, HEIGHT);
	glGenFramebuffers(1, &name);
	glBindFramebuffer(GL_FRAMEBUFFER, name);
	glGetIntegerv(GL_RENDERBUFFER_BINDING, (GLint *)&name);
	glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, name);
	need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "no framebuffer");
	glClearColor(1, 0.5f, 0, 1);
	glClear(GL_COLOR_BUFFER_BIT);
	glEnable(GL_SCISSOR_TEST);
	glScissor(WIDTH / 4, HEIGHT / 4, WIDTH / 2, HEIGHT / 2);
	glClearColor(0, 1, 0, 1);
	glClear(GL_COLOR_BUFFER_BIT);
	if (is_direct)
		glFinish(); /* or a fence of EGL_ANDROID_native_fence_sync, with linux-drm-syncobj */
	else {
		const struct heapwire_layout *layout = &buffer.layout;
		struct heapwire_error error;
		unsigned char *pixels = (unsigned char *)buffer.pixels + layout->planes[0].offset;
		int row;
		need(layout->modifier == LINEAR, "EGL does not take the buffer of the plan");
		need(has((const char *)glGetString(GL_EXTENSIONS), "GL_EXT_read_format_bgra"),
		     "rows cannot be read as XRGB8888");
		need(!heapwire_access_begin(buffer.fd, HEAPWIRE_WRITE, &error), error.text);
		for (row = 0; row < HEIGHT; row++)
			glReadPixels(0, row, WIDTH, 1, GL_BGRA_EXT, GL_UNSIGNED_BYTE,
				     pixels + (size_t)row * layout->planes[0].pitch);
		need(!heapwire_access_end(buffer.fd, HEAPWIRE_WRITE, &error), error.text);
	}
	printf("%s\n%s\n", (const char *)glGetString(GL_RENDERER),
	       is_direct ? "drawn into the plan's memory" : "drawn elsewhere, and copied");
}

static void planned(void *data, const struct heapwire_plans *plans,
		    const struct heapwire_error *error)
{
	struct heapwire_error why = {HEAPWIRE_NO_FAULT, "there is no plan"};
	size_t i;
	(void)data;
	for (i = 0; plans && i < plans->n && !buffer.proxy; i++)
		if (!heapwire_buffer_make(client, &plans->plans[i].layout, WIDTH, HEIGHT, &buffer, &why))
			answered = 1;
	need(answered, plans ? why.text : error->text);
}
static void global(void *d, struct wl_registry *all, uint32_t name, const char *what, uint32_t v)
{
	(void)d, (void)v;
	if (!strcmp(what, "wl_compositor"))
		compositor = wl_registry_bind(all, name, &wl_compositor_interface, 1);
	else if (!strcmp(what, "xdg_wm_base"))
		shell = wl_registry_bind(all, name, &xdg_wm_base_interface, 1);
}
static void gone(void *d, struct wl_registry *r, uint32_t n) { (void)d, (void)r, (void)n; }
static void ping(void *d, struct xdg_wm_base *w, uint32_t n) { (void)d, xdg_wm_base_pong(w, n); }
static void size(void *d, struct xdg_surface *w, uint32_t n)
{
	(void)d, configured = 1, xdg_surface_ack_configure(w, n);
}
static void done(void *d, struct wl_callback *c, uint32_t t) { (void)d, (void)c, (void)t, shown = 1; }
static const struct wl_registry_listener on_global = {global, gone};
static const struct xdg_wm_base_listener on_ping = {ping};
static const struct xdg_surface_listener on_size = {size};
static const struct wl_callback_listener on_frame = {done};

static void wait_for(const int *flag)
{
	while (!*flag)
		need(wl_display_dispatch(display) >= 0, "the compositor is gone");
}

int main(void)
{
	struct heapwire_pair pairs[PAIRS];
	struct heapwire_set set = {0, 0, pairs, 0, NULL};
	struct heapwire_participant gpu = {1, XX_DMABUF_NEGOTIATION_V1_USAGE_RENDER, 0, "the GPU", 1, &set};
	struct heapwire_extents extents = {WIDTH, HEIGHT, 0, 0, 0, 0};
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	need((display = wl_display_connect(NULL)) != NULL, "there is no compositor");
	wl_registry_add_listener(wl_display_get_registry(display), &on_global, NULL);
	need(wl_display_roundtrip(display) >= 0 && compositor && shell, "it has no xdg-shell");
	struct wl_surface *surface = wl_compositor_create_surface(compositor);
	struct xdg_surface *window = xdg_wm_base_get_xdg_surface(shell, surface);
	xdg_wm_base_add_listener(shell, &on_ping, NULL);
	xdg_surface_add_listener(window, &on_size, NULL);
	xdg_surface_get_toplevel(window);
	wl_surface_commit(surface);
	wait_for(&configured);
	begin_egl();
	set.n_pairs = pairs_of_the_gpu(pairs);
	need((client = heapwire_client_create(display, NULL, &error)) != NULL, error.text);
	while (!heapwire_client_ready(client))
		need(wl_display_dispatch(display) >= 0, "the compositor is gone");
	struct heapwire_negotiation *negotiation =
		heapwire_negotiation_create(client, surface, planned, NULL, &error);
	need(negotiation && !heapwire_negotiation_set_participant(negotiation, &gpu, &error) &&
		     !heapwire_negotiation_set_extents(negotiation, &extents, &error) &&
		     !heapwire_negotiation_commit(negotiation, &error),
	     error.text);
	wait_for(&answered);
	draw();
	wl_callback_add_listener(wl_surface_frame(surface), &on_frame, NULL);
	wl_surface_attach(surface, buffer.proxy, 0, 0);
	wl_surface_commit(surface);
	wait_for(&shown);
	return 0; /* all that there is goes with the process */
}
