/*
 * heapwire-client.h - which memory a compositor can use, and buffers of it, for clients in C.
 *
 * Nothing here waits, and nothing has a thread of its own: make a client of your wl_display,
 * dispatch as you do anyway, and be called back. `heapwire docs client-c` begins at nothing and ends with
 * a buffer on the screen.
 *
 * Whatever can fail takes a struct heapwire_error, which may be NULL: who is at fault, and a
 * sentence. Functions return NULL or -1 then, and have changed nothing. All functions are for one
 * thread, that which dispatches the queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_CLIENT_H
#define HEAPWIRE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <wayland-client-core.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

struct wl_buffer;
struct wl_surface;
struct heapwire_allocation;
struct heapwire_client;
struct heapwire_feedback;
struct heapwire_heap;
struct heapwire_import;
struct heapwire_negotiation;
struct heapwire_status;
struct heapwire_sync;
struct heapwire_timeline;

enum heapwire_fault {
	HEAPWIRE_NO_FAULT,
	HEAPWIRE_CALLER,       /* the program is wrong, or out of memory */
	HEAPWIRE_MACHINE,      /* the machine lacks something, or a device failed */
	HEAPWIRE_PEER,	       /* the compositor broke the protocol */
	HEAPWIRE_NOT_POSSIBLE, /* nobody's: it cannot be had, here or now */
};

struct heapwire_error {
	enum heapwire_fault fault;
	char text[256]; /* a sentence without its full stop */
};

/* -- The client ------------------------------------------------------------------------------- */

/*
 * Begins to ask the compositor what it has. All events come on the queue, or on the display's own
 * if that is NULL. Destroy what was made with a client before the client.
 */
struct heapwire_client *heapwire_client_create(struct wl_display *display,
					       struct wl_event_queue *queue,
					       struct heapwire_error *error);
void heapwire_client_destroy(struct heapwire_client *client);

/* Whether the compositor has said which protocols and sources it has. */
int heapwire_client_ready(const struct heapwire_client *client);

/* The protocols that a client uses; those that it has are told once it is ready. */
enum heapwire_protocol {
	HEAPWIRE_LINUX_DMABUF, /* version 3 to 6; there is feedback from 4 on */
	HEAPWIRE_SOURCES,      /* xx-dmabuf-sources-v1 */
	HEAPWIRE_NEGOTIATION,  /* xx-dmabuf-negotiation-v1 */
	HEAPWIRE_ALLOCATION,   /* xx-dmabuf-allocation-v1 */
	HEAPWIRE_STATUS,       /* xx-dmabuf-buffer-status-v1 */
	HEAPWIRE_SYNC,	       /* linux-drm-syncobj-v1 */
};

/* The version that is spoken, 0 if the compositor lacks it. */
uint32_t heapwire_client_version(const struct heapwire_client *client,
				 enum heapwire_protocol protocol);

/* -- Sources of memory ------------------------------------------------------------------------ */

/*
 * The kinds are those of enum xx_dmabuf_sources_v1_kind: 0 a DMA heap, 1 a device that allocates
 * by its own interface, 2 udmabuf. The numbers are of the device node, for this boot alone.
 */
struct heapwire_source_id {
	uint32_t kind, major, minor;
};

struct heapwire_source {
	struct heapwire_source_id id;
	uint32_t properties, known; /* enum xx_dmabuf_sources_v1_property: true, and known */
	uint64_t size;		    /* bytes that there are in all, 0 if that is not known */
	char *name;		    /* of a heap, below /dev/dma_heap: the same at each boot */
};

/* All that there are; valid until events are dispatched. */
const struct heapwire_source *heapwire_client_sources(const struct heapwire_client *client,
						      size_t *number);

/* One of them by its numbers; NULL if the compositor has told of none that has them. */
const struct heapwire_source *heapwire_client_source(const struct heapwire_client *client,
						     const struct heapwire_source_id *id);

/* -- Feedback --------------------------------------------------------------------------------- */

struct heapwire_pair {
	uint32_t fourcc, padding; /* of drm_fourcc.h */
	uint64_t modifier;
};

struct heapwire_constraint {
	uint32_t type;	 /* enum xx_dmabuf_sources_v1_type, or a vendor's */
	uint32_t planes; /* bit n: plane n; 0: the buffer, or all planes */
	uint32_t flags;	 /* enum xx_dmabuf_feedback_sources_v1_flag */
	uint32_t size;	 /* bytes of the value */
	void *value;	 /* aligned for 64-bit integers */
};

/* What a device requires for some pairs. Of its sets that have a pair, one must be met. */
struct heapwire_set {
	uint32_t device; /* tells the tranche's devices apart */
	size_t n_pairs;	 /* 0: all of the tranche's */
	struct heapwire_pair *pairs;
	size_t n_constraints;
	struct heapwire_constraint *constraints;
};

struct heapwire_tranche {
	uint64_t device; /* a dev_t, 0 where the compositor names none */
	uint32_t flags;	 /* of linux-dmabuf: 1 for scanout; 2 for sampling, from version 6 on */
	size_t n_pairs;
	struct heapwire_pair *pairs;
	size_t n_sources; /* 0: it is not known which memory these devices can use */
	struct heapwire_source_id *sources; /* the best first */
	size_t n_sets;
	struct heapwire_set *sets;
};

struct heapwire_batch {
	uint64_t main_device; /* a dev_t, 0 for none: from version 6 on tranches say who samples */
	int described;	      /* whether the compositor told of sources and sets */
	size_t n_tranches;
	struct heapwire_tranche *tranches; /* in the compositor's order of preference */
};

/*
 * Called with each batch when all of it is there; it stays valid until the next one. If the
 * compositor breaks the protocol, called a last time without a batch and with the error. The
 * feedback may be destroyed here.
 */
typedef void (*heapwire_told)(void *data, const struct heapwire_batch *batch,
			      const struct heapwire_error *error);

/*
 * Feedback for a surface, or for none in particular if that is NULL. The client must be ready.
 * `told` may be NULL, for who rather looks at heapwire_feedback_batch() after dispatching.
 */
struct heapwire_feedback *heapwire_feedback_create(struct heapwire_client *client,
						   struct wl_surface *surface, heapwire_told told,
						   void *data, struct heapwire_error *error);
void heapwire_feedback_destroy(struct heapwire_feedback *feedback);

/*
 * The batch that was told last; NULL as long as there is none (HEAPWIRE_NO_FAULT), and from when
 * the compositor broke the protocol. Of a feedback of NULL there is none, and the error stays.
 */
const struct heapwire_batch *heapwire_feedback_batch(const struct heapwire_feedback *feedback,
						     struct heapwire_error *error);

/* Whether a tranche lists a pair, or what stands for it: columns (SAND) of any height. */
int heapwire_tranche_has(const struct heapwire_tranche *tranche, uint32_t fourcc,
			 uint64_t modifier);

/*
 * The device that samples a pair, a dev_t: for the layout's sampling_device. 0 where the
 * compositor does not say (linux-dmabuf before version 6) or there are several.
 */
uint64_t heapwire_batch_sampler(const struct heapwire_batch *batch, uint32_t fourcc,
				uint64_t modifier);

/* -- Buffers ---------------------------------------------------------------------------------- */

#define HEAPWIRE_PLANES 4

struct heapwire_object {
	struct heapwire_source_id source;
	uint64_t size; /* bytes */
};

struct heapwire_plane {
	uint32_t object, offset, pitch; /* an index, bytes, bytes */
};

struct heapwire_layout {
	uint32_t fourcc;
	uint64_t modifier;
	uint32_t width, height; /* pixels that there is room for */
	uint32_t n_objects, n_planes;
	struct heapwire_object objects[HEAPWIRE_PLANES];
	struct heapwire_plane planes[HEAPWIRE_PLANES];
	/* The compositor's device that is to sample it, a dev_t; 0: it tries those that it has. */
	uint64_t sampling_device;
};

/*
 * Lays out a picture in rows (DRM_FORMAT_MOD_LINEAR, or DRM_FORMAT_MOD_INVALID) as all devices of
 * a tranche require it: one object, of the tranche's best source that they permit. This is for
 * who writes the buffer with the CPU; who has a device of their own negotiates, or merges its
 * requirements with these. What it does not understand and must, it refuses by name.
 */
int heapwire_lay_out(const struct heapwire_tranche *tranche, uint32_t fourcc, uint64_t modifier,
		     uint32_t width, uint32_t height, struct heapwire_layout *layout,
		     struct heapwire_error *error);

/* Opens the node that has these numbers, by whatever name it goes: a heap, or udmabuf. */
struct heapwire_heap *heapwire_heap_open(const struct heapwire_source_id *source,
					 struct heapwire_error *error);
void heapwire_heap_close(struct heapwire_heap *heap);

/* A dma-buf of at least so many bytes; the descriptor is the caller's to close. */
int heapwire_heap_allocate(const struct heapwire_heap *heap, uint64_t size,
			   struct heapwire_error *error);

/*
 * The objects of a layout, each from its source. With a tranche, a source that gives nothing is
 * replaced by the next of the tranche's that its devices permit and that does, and the layout says
 * which that is. `fds` has layout->n_objects descriptors then, which are the caller's to close; 0,
 * or -1.
 *
 * For tests against a simulated machine (heapwire compositor --platform ...) there is the
 * environment variable HEAPWIRE_SIMULATED: where it is set, these are memfds that go by the name
 * of the source, and no device can use them.
 */
int heapwire_allocate(struct heapwire_client *client, const struct heapwire_tranche *tranche,
		      struct heapwire_layout *layout, int *fds, struct heapwire_error *error);

/* Bracket what the CPU does with a mapped dma-buf (DMA_BUF_IOCTL_SYNC); 0, or -1. */
enum heapwire_access {
	HEAPWIRE_READ = 1,
	HEAPWIRE_WRITE = 2,
};
int heapwire_access_begin(int fd, unsigned int access, struct heapwire_error *error);
int heapwire_access_end(int fd, unsigned int access, struct heapwire_error *error);

/*
 * Called once: with the buffer, which is the caller's from then on, or with the error if the
 * compositor does not take it. `import` is over then.
 */
typedef void (*heapwire_imported)(void *data, struct wl_buffer *buffer,
				  const struct heapwire_error *error);

/*
 * Asks linux-dmabuf for a wl_buffer with pictures of width x height, which fit into the layout;
 * `fds` has one descriptor for each object, and they stay the caller's.
 */
struct heapwire_import *heapwire_import(struct heapwire_client *client,
					const struct heapwire_layout *layout, uint32_t width,
					uint32_t height, const int *fds, heapwire_imported imported,
					void *data, struct heapwire_error *error);

/* Wants the buffer no more: the callback will not come. */
void heapwire_import_cancel(struct heapwire_import *import);

/* The same without an answer to wait for: a buffer that is refused ends the connection. */
struct wl_buffer *heapwire_import_now(struct heapwire_client *client,
				      const struct heapwire_layout *layout, uint32_t width,
				      uint32_t height, const int *fds,
				      struct heapwire_error *error);

/* All of that at once, for who writes pictures in rows with the CPU. */
struct heapwire_buffer {
	struct heapwire_layout layout;
	int fd;		 /* the dma-buf */
	uint32_t *pixels; /* all of it, mapped; heapwire_access_begin() before it is touched */
	struct wl_buffer *proxy;
};

/*
 * A buffer by the first tranche that it can be had by. The compositor ends the
 * connection if it does not take what it said it would. Destroying one that is zeroed does nothing.
 */
int heapwire_buffer_create(struct heapwire_client *client, const struct heapwire_batch *batch,
			   uint32_t fourcc, uint64_t modifier, uint32_t width, uint32_t height,
			   struct heapwire_buffer *buffer, struct heapwire_error *error);
/* A buffer by a layout with one object, such as that of a plan, from the source that it names. */
int heapwire_buffer_make(struct heapwire_client *client, const struct heapwire_layout *layout,
			 uint32_t width, uint32_t height, struct heapwire_buffer *buffer,
			 struct heapwire_error *error);
void heapwire_buffer_destroy(struct heapwire_buffer *buffer);

/* -- Plans from the compositor ---------------------------------------------------------------- */

/* A device of the client's, and what it requires; `device` of its sets means nothing here. */
struct heapwire_participant {
	uint32_t id;	 /* your own number for it, from 1 to 0x7fffffff */
	uint32_t usage;	 /* enum xx_dmabuf_negotiation_v1_usage */
	uint64_t device; /* a dev_t, 0 for the CPU */
	const char *name; /* at most 128 bytes, for people */
	size_t n_sets; /* alternatives, the best first; without any it can use everything */
	const struct heapwire_set *sets; /* each with its pairs */
};

/*
 * On what all have agreed beyond the layout. `agreed` is an enum
 * xx_dmabuf_negotiation_v1_agreement; a member whose bit it lacks is 0 and means nothing. Where the coherency is RAM, whoever touches a
 * buffer with the CPU brackets that with heapwire_access_begin() and _end(); so does who passes it
 * to a device whose driver does so for it and tells nobody (the constraint dirty_lines).
 */
struct heapwire_agreement {
	uint32_t agreed;
	uint32_t coherency, fence, encoding, range; /* the enums that are called so */
};

struct heapwire_plan {
	uint32_t goal; /* enum xx_dmabuf_negotiation_v1_goal */
	uint32_t kind; /* enum xx_dmabuf_negotiation_v1_layout_kind; exact has a whole layout */
	uint32_t count; /* of buffers to allocate */
	uint32_t access[HEAPWIRE_PLANES]; /* of each object: 1 the client, 2 the compositor */
	struct heapwire_layout layout;
	struct heapwire_agreement agreement;
	size_t n_constraints; /* which the allocator keeps to, where the layout is left to it */
	struct heapwire_constraint *constraints;
};

struct heapwire_plans {
	uint32_t serial;
	size_t n;
	const struct heapwire_plan *plans; /* the best first */
};

/*
 * Called with the answer to the last commit, and unasked when another is right: without plans and
 * with the error if there is none. Plans stay valid until the next call. If the compositor breaks
 * the protocol (HEAPWIRE_PEER), it is the last one. The negotiation may be destroyed here.
 */
typedef void (*heapwire_planned)(void *data, const struct heapwire_plans *plans,
				 const struct heapwire_error *error);

/* One requirement of those that contradict each other; an enum is one of the negotiation's. */
struct heapwire_conflict {
	uint32_t goal, cause; /* enum goal, enum conflict_cause */
	uint32_t flags;	      /* enum conflict_flag */
	uint32_t participant; /* your own number for it; others are the compositor's */
	struct heapwire_constraint constraint; /* without flags; of type 0 if it is about formats */
	char *text;
};

/* A negotiation for a surface, or for none in particular. */
struct heapwire_negotiation *heapwire_negotiation_create(struct heapwire_client *client,
							 struct wl_surface *surface,
							 heapwire_planned planned, void *data,
							 struct heapwire_error *error);
void heapwire_negotiation_destroy(struct heapwire_negotiation *negotiation);

/* These take effect with the next commit. They return 0, or -1 for what is no such thing. */
int heapwire_negotiation_set_participant(struct heapwire_negotiation *negotiation,
					 const struct heapwire_participant *participant,
					 struct heapwire_error *error);
int heapwire_negotiation_remove_participant(struct heapwire_negotiation *negotiation, uint32_t id,
					    struct heapwire_error *error);
/* What is written into a buffer, the part that is seen, and the most there is to be room for. */
struct heapwire_extents {
	uint32_t coded_width, coded_height;
	uint32_t visible_width, visible_height; /* 0 x 0: the coded size */
	uint32_t maximum_width, maximum_height; /* 0 x 0: the coded size */
};
int heapwire_negotiation_set_extents(struct heapwire_negotiation *negotiation,
				     const struct heapwire_extents *extents,
				     struct heapwire_error *error);
/*
 * Buffers that exist already: whether they are good as they are, or what would have to change. No
 * plan is for new ones then; NULL asks for those again. `sampling_device` means nothing here. Before
 * any extents its size is that of the pictures too.
 */
int heapwire_negotiation_set_fixed(struct heapwire_negotiation *negotiation,
				   const struct heapwire_layout *layout,
				   struct heapwire_error *error);
/* How many buffers the producer holds, and how many more are in flight; 64 together at most. */
int heapwire_negotiation_set_buffers(struct heapwire_negotiation *negotiation, uint32_t held,
				     uint32_t queued, struct heapwire_error *error);
/* Which sources this process can open; unless it is said, all of them. At most 256. */
int heapwire_negotiation_set_openable(struct heapwire_negotiation *negotiation,
				      const struct heapwire_source_id *sources, size_t n,
				      struct heapwire_error *error);
/* Whether errors are to name who contradicts whom; the compositor has more to say then. */
void heapwire_negotiation_set_reasons(struct heapwire_negotiation *negotiation, int wanted);
/* What the pictures are beyond their size; unless it is said, nothing in particular. */
struct heapwire_content {
	uint32_t flags;		   /* enum content_flag: protected, interlaced */
	uint32_t rotation;	   /* degrees, counter-clockwise: 0, 90, 180 or 270 */
	uint32_t encoding, range; /* enum encoding, enum range */
};
int heapwire_negotiation_set_content(struct heapwire_negotiation *negotiation,
				     const struct heapwire_content *content,
				     struct heapwire_error *error);

int heapwire_negotiation_commit(struct heapwire_negotiation *negotiation,
				struct heapwire_error *error);

/*
 * Why the last answer has no plan (an enum reason; -1 if it has some), and what contradicts what,
 * which is told to who wants reasons: of a goal without plans where there are others. Valid until
 * the next answer. Who is told XX_DMABUF_NEGOTIATION_V1_REASON_BUSY may commit again after a while.
 */
int heapwire_negotiation_reason(const struct heapwire_negotiation *negotiation);
const struct heapwire_conflict *
heapwire_negotiation_conflicts(const struct heapwire_negotiation *negotiation, size_t *number);

/* Says by which plan buffers have been made, so that it stays the best as long as it is good. */
void heapwire_negotiation_use(struct heapwire_negotiation *negotiation, uint32_t serial,
			      uint32_t plan);

/* -- Memory from the compositor --------------------------------------------------------------- */

/*
 * Called once: with a descriptor for each object of the layout, which are the caller's to close,
 * or with the error. The allocation may be destroyed here.
 */
typedef void (*heapwire_allocated)(void *data, const int *fds, uint32_t n_fds,
				   const struct heapwire_error *error);

/*
 * Has the compositor allocate the objects of a layout, for who may not open the heap. Destroy the
 * allocation when the descriptors are closed: until then their memory counts against the client.
 * One that is destroyed before the answer is cancelled.
 */
struct heapwire_allocation *heapwire_allocation_create(struct heapwire_client *client,
						       const struct heapwire_layout *layout,
						       heapwire_allocated allocated, void *data,
						       struct heapwire_error *error);
void heapwire_allocation_destroy(struct heapwire_allocation *allocation);

/* -- What becomes of a buffer ----------------------------------------------------------------- */

/*
 * Called whenever it changes; `reason` is an enum xx_dmabuf_buffer_status_v1_reason. A compositor
 * that does not know says nothing: never wait for it. The status may be destroyed here.
 */
typedef void (*heapwire_shown)(void *data, int scanned_out, uint32_t reason);

/* Asks what becomes of a buffer. */
struct heapwire_status *heapwire_status_create(struct heapwire_client *client,
					       struct wl_buffer *buffer, heapwire_shown shown,
					       void *data, struct heapwire_error *error);
void heapwire_status_destroy(struct heapwire_status *status);

/* -- Explicit synchronisation ----------------------------------------------------------------- */

/*
 * For who has the fences of whoever fills the buffers in hand, such as a GPU's (linux-drm-syncobj-v1).
 * Who writes with the CPU, or by a driver that waits for itself or puts its fences into the dma-bufs,
 * needs none of it.
 *
 * Has the compositor know a timeline, which is a synchronisation object of DRM's, by a descriptor of
 * it (DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD). `device` is a node of any DRM device that has timelines, for
 * heapwire_timeline_notify(), or -1. Both descriptors stay the caller's. Where there is no device to
 * look it up at, what is no timeline ends the connection.
 */
struct heapwire_timeline *heapwire_timeline_import(struct heapwire_client *client, int syncobj,
						   int device, struct heapwire_error *error);
/* Points of it that were named stay so. */
void heapwire_timeline_destroy(struct heapwire_timeline *timeline);

/*
 * Has the kernel write to an eventfd, which is for your loop to poll, when the timeline has come to a
 * point, or at once if it has: 0, or -1 where nobody tells (before Linux 6.6). The eventfd stays the
 * caller's.
 */
int heapwire_timeline_notify(const struct heapwire_timeline *timeline, uint64_t point, int eventfd,
			     struct heapwire_error *error);

/*
 * Synchronises a surface explicitly: from now on each commit that attaches a buffer has to have points,
 * which heapwire_sync_set_points() gives it. There is one of it for a surface, which is destroyed after
 * it.
 */
struct heapwire_sync *heapwire_sync_create(struct heapwire_client *client, struct wl_surface *surface,
					   struct heapwire_error *error);
void heapwire_sync_destroy(struct heapwire_sync *sync);

/*
 * The points of the buffer that is committed next: it is read once `acquire` has come to the one, and
 * written again once `release` has come to the other, whatever wl_buffer.release says. 0, or -1 for
 * points that contradict each other: on one timeline a buffer is released after it is acquired.
 */
int heapwire_sync_set_points(struct heapwire_sync *sync, const struct heapwire_timeline *acquire,
			     uint64_t acquire_point, const struct heapwire_timeline *release,
			     uint64_t release_point, struct heapwire_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
