/*
 * What the feedback objects of each of a client's surfaces said last. See told_surfaces.c.
 *
 * Not for compositors: feedback_log.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_TOLD_SURFACES_H
#define HEAPWIRE_TOLD_SURFACES_H

#include <stdbool.h>
#include <wayland-server-core.h>

#include "batch_store.h"

/* Surfaces of one client that are followed at most, and objects of which nothing was heard yet. */
enum { TOLD_SURFACES = 1024 };

/* A surface; it is there as long as somebody holds it or it has not been destroyed. */
struct told_surface;

/* Of one client. */
struct told_surfaces {
	struct wl_list surfaces, asked;
	unsigned surface_count, asked_count;
	bool lost; /* there was no room once: an object without a surface may have one */
};

void told_surfaces_init(struct told_surfaces *all);
/* Nobody may hold a surface any more. */
void told_surfaces_finish(struct told_surfaces *all);

/* The client asks for an object that has this id: for a surface, or for none (NULL). */
void told_surfaces_ask(struct told_surfaces *all, uint32_t id, struct wl_resource *surface);
/* Something is heard of an object for the first time: its surface is held, if it is for one. */
void told_surfaces_take(struct told_surfaces *all, uint32_t id, struct told_surface **place);
/* The object is gone. */
void told_surface_leave(struct told_surface **place);

/* An object of the surface's has said this last. */
void told_surface_said(struct told_surface *told, struct batch *batch);
/* That, or NULL if there is none. */
const struct batch *told_surface_last(struct wl_resource *surface);

#endif
