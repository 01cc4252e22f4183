/*
 * window.h - what the screen's own files know of its window, beside screen.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_WINDOW_H
#define HEAPWIRE_GST_WINDOW_H

#include "screen.h"

void hw_window_bind_shell(struct hw_screen *screen, struct xdg_wm_base *shell);
void hw_window_bind_seat(struct hw_screen *screen, struct wl_seat *seat);
void hw_window_unbind(struct hw_screen *screen);

#endif
