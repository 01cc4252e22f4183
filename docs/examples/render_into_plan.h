/* What render_into_plan.c wants of who draws: draw_egl.c, or draw_vulkan.c. */
#ifndef RENDER_INTO_PLAN_H
#define RENDER_INTO_PLAN_H

#include "heapwire-client.h"

enum { WIDTH = 640, HEIGHT = 360, XR24 = 0x34325258, LINEAR = 0, PAIRS = 64 };

/* Ends the program with a sentence, unless something is as it has to be. */
void need(int is, const char *what);

/* Finds the GPU, and names what it is called. */
void begin_gpu(void);

/* What it can draw into: XRGB8888 with its modifiers, or in rows that are copied. At most PAIRS. */
size_t pairs_of_the_gpu(struct heapwire_pair *pairs);

/*
 * Draws an orange picture with a green rectangle in its middle, and waits until it is there: 1 where
 * the GPU drew into the memory of the plan, 0 where it drew elsewhere and the CPU copied the rows.
 */
int draw(const struct heapwire_buffer *buffer);

/* The rows of a picture, `pitch` bytes apart, copied to where the plan has them. */
void copy_rows(const struct heapwire_buffer *buffer, const void *rows, size_t pitch);

#endif
