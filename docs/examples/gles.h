/* OpenGL ES 2 into a plan: what draw_egl.c and draw_gbm.c share is in gles.c. */
#ifndef GLES_H
#define GLES_H

#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include "render_into_plan.h"

/* Makes a context without a window on a display, and names what draws. */
void begin_gles(EGLDisplay display);

/* The plan's memory as an image to draw into; EGL_NO_IMAGE if the driver does not take it. */
EGLImage image_of_plan(EGLDisplay display, const struct heapwire_buffer *buffer);

#endif
