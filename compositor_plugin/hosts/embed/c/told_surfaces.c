/*
 * What the feedback objects of each of a client's surfaces said last.
 *
 * A feedback object does not tell which surface it is for: the request that makes it does. That is
 * heard before there is the object, which is known by its first event; until then its id stands for
 * it. What was said of a surface outlives the object, and ends with the surface.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>

#include "told_surfaces.h"

struct told_surface {
	struct wl_list link; /* told_surfaces.surfaces */
	struct told_surfaces *all;
	struct wl_listener destroyed;
	struct wl_resource *surface; /* NULL: it is gone */
	unsigned references;
	struct batch *last;
};

/* An object that a client has asked for, and of which nothing was heard yet. */
struct asked {
	struct wl_list link; /* told_surfaces.asked */
	uint32_t id;
	struct told_surface *told;
};

static void
forget_unused(struct told_surface *told)
{
	if (told->surface || told->references)
		return;
	told->all->surface_count--;
	wl_list_remove(&told->link);
	free(told);
}

static void
surface_gone(struct told_surface *told)
{
	batch_hold(&told->last, NULL);
	wl_list_remove(&told->destroyed.link);
	told->surface = NULL;
	forget_unused(told);
}

static void
told_surface_destroyed(struct wl_listener *listener, void *data)
{
	struct told_surface *told = wl_container_of(listener, told, destroyed);

	(void)data;
	surface_gone(told);
}

static struct told_surface *
find(struct wl_resource *surface)
{
	struct wl_listener *listener =
		wl_resource_get_destroy_listener(surface, told_surface_destroyed);
	struct told_surface *told;

	return listener ? wl_container_of(listener, told, destroyed) : NULL;
}

static struct told_surface *
follow(struct told_surfaces *all, struct wl_resource *surface)
{
	struct told_surface *told = find(surface);

	if (told || all->surface_count >= TOLD_SURFACES)
		return told;
	told = calloc(1, sizeof *told);
	if (!told)
		return NULL;
	told->all = all;
	told->surface = surface;
	told->destroyed.notify = told_surface_destroyed;
	wl_resource_add_destroy_listener(surface, &told->destroyed);
	wl_list_insert(&all->surfaces, &told->link);
	all->surface_count++;
	return told;
}

static void
hold(struct told_surface **place, struct told_surface *told)
{
	told->references++;
	*place = told;
}

void
told_surface_leave(struct told_surface **place)
{
	struct told_surface *told = *place;

	*place = NULL;
	if (told) {
		told->references--;
		forget_unused(told);
	}
}

static void
forget_asked(struct told_surfaces *all, struct asked *asked)
{
	told_surface_leave(&asked->told);
	all->asked_count--;
	wl_list_remove(&asked->link);
	free(asked);
}

static struct asked *
find_asked(struct told_surfaces *all, uint32_t id)
{
	struct asked *asked;

	wl_list_for_each(asked, &all->asked, link)
		if (asked->id == id)
			return asked;
	return NULL;
}

void
told_surfaces_init(struct told_surfaces *all)
{
	wl_list_init(&all->surfaces);
	wl_list_init(&all->asked);
	all->surface_count = all->asked_count = 0;
	all->lost = false;
}

void
told_surfaces_finish(struct told_surfaces *all)
{
	struct told_surface *told, *next_told;
	struct asked *asked, *next_asked;

	wl_list_for_each_safe(asked, next_asked, &all->asked, link)
		forget_asked(all, asked);
	wl_list_for_each_safe(told, next_told, &all->surfaces, link)
		surface_gone(told);
}

void
told_surfaces_ask(struct told_surfaces *all, uint32_t id, struct wl_resource *surface)
{
	/* Of an object that had this id before nothing was heard. */
	struct asked *asked = find_asked(all, id);
	struct told_surface *told = surface ? follow(all, surface) : NULL;

	if (asked)
		forget_asked(all, asked);
	if (!surface)
		return;
	asked = told && all->asked_count < TOLD_SURFACES ? calloc(1, sizeof *asked) : NULL;
	if (!asked) {
		all->lost = true;
		return;
	}
	asked->id = id;
	hold(&asked->told, told);
	wl_list_insert(&all->asked, &asked->link);
	all->asked_count++;
}

void
told_surfaces_take(struct told_surfaces *all, uint32_t id, struct told_surface **place)
{
	struct asked *asked = find_asked(all, id);

	if (!asked)
		return;
	hold(place, asked->told);
	forget_asked(all, asked);
}

void
told_surface_said(struct told_surface *told, struct batch *batch)
{
	if (told->surface)
		batch_hold(&told->last, batch);
}

const struct batch *
told_surface_last(struct wl_resource *surface)
{
	const struct told_surface *told = find(surface);

	return told ? told->last : NULL;
}
