/*
 * planning.h - asking the compositor how buffers are to be made.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_PLANNING_H
#define HEAPWIRE_GST_PLANNING_H

#include "screen.h"

/*
 * The plan for pictures of a format, which is asked for and waited for unless it is known. `device`
 * is that of the camera that will fill them, or NULL. FALSE with the error.
 */
gboolean hw_plan(struct hw_screen *screen, const struct hw_format *format, const char *device,
		 struct heapwire_plan *plan, guint *generation, struct heapwire_error *error);

/* With the lock: forgets the plan, and the negotiation. */
void hw_planning_end(struct hw_screen *screen);

#endif
