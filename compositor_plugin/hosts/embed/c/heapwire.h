/*
 * heapwire in a compositor written in C.
 *
 * Link with libheapwire (or compile heapwire.c into the compositor), fill in a
 * struct heapwire_host, and call heapwire_attach() once the display exists. The
 * library starts a Python interpreter in the process, announces the protocol on
 * the display, and from then on works inside the compositor's event loop.
 *
 * Everything here is called, in both directions, on the thread that runs the
 * display's event loop. No function blocks, and none ends the process.
 *
 * The structs carry their own size, so that a compositor and a library of
 * different ages understand each other: both sides look at `size` before they
 * touch a field, and fields are only ever added at the end.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HEAPWIRE_H
#define HEAPWIRE_H

#ifdef __cplusplus
extern "C" {
#endif

#include <stddef.h>
#include <stdint.h>

/* What follows, to the line that says so, is also read by cffi. */
/* declarations */

struct wl_client;
struct wl_display;
struct wl_resource;

enum heapwire_log_level {
	HEAPWIRE_LOG_ERROR = 0,
	HEAPWIRE_LOG_WARNING = 1,
	HEAPWIRE_LOG_INFO = 2,
	HEAPWIRE_LOG_DEBUG = 3
};

/* Why a buffer was not, or a surface cannot be, scanned out. */
enum heapwire_reason {
	HEAPWIRE_REASON_NONE = 0,            /* it was, or it can be */
	HEAPWIRE_REASON_NOT_A_CANDIDATE = 1, /* covered, blended, does not fill a plane */
	HEAPWIRE_REASON_NO_PLANE = 2,        /* none free, or an output without planes */
	HEAPWIRE_REASON_FORMAT = 3,          /* no plane takes the format and modifier */
	HEAPWIRE_REASON_MEMORY = 4,          /* the display cannot read this memory */
	HEAPWIRE_REASON_LAYOUT = 5,          /* a pitch, offset or size */
	HEAPWIRE_REASON_TRANSFORM = 6,       /* scaling, cropping, rotation, conversion */
	HEAPWIRE_REASON_PROTECTION = 7,      /* content protection forbids it */
	HEAPWIRE_REASON_REFUSED = 8,         /* the driver said no, and not why */
	HEAPWIRE_REASON_UNKNOWN = 9          /* the compositor does not know */
};

/*
 * An output that a surface is on. `name` is the connector's ("HDMI-A-1") or any
 * other. `device_major` and `device_minor` are the number of the KMS device that
 * drives it, with `has_device` 1. A compositor that does not have it at hand
 * leaves `has_device` 0: heapwire then looks for a connector of that name among
 * the DRM devices that this process has open. An output that has neither is
 * taken to have no planes.
 */
struct heapwire_output {
	char name[64]; /* ends with a NUL */
	uint32_t has_device;
	uint32_t device_major;
	uint32_t device_minor;
};

/*
 * What the compositor makes of a surface now. `output_count` of `outputs` are
 * set, the main one first. `width` and `height` are the size on screen in
 * pixels, 0 if not known: a candidate's picture is taken to be scaled to it, so
 * leave them 0 where only a part of a buffer is shown. `candidate` says whether the surface could be scanned
 * out if its buffer suited the plane, `reason` (enum heapwire_reason) why not.
 * A surface without a buffer is judged by what it has been configured to be.
 * `rotation` is what the display would have to rotate a buffer by: 0, 90, 180 or
 * 270 degrees, counter-clockwise. `black` says whether the compositor takes buffers that
 * its renderer cannot read, which are protected or in a format that linux-dmabuf lists and
 * the renderer does not sample, and shows black wherever it does not scan them out: if so,
 * they may be planned for the display alone.
 */
struct heapwire_surface_state {
	size_t size; /* set by the library */
	uint32_t output_count;
	uint32_t candidate;
	uint32_t reason;
	uint32_t rotation;
	int32_t width;
	int32_t height;
	struct heapwire_output outputs[8];
	uint32_t black;
};

/* A format (drm_fourcc.h) and a modifier that linux-dmabuf takes. */
struct heapwire_format {
	uint32_t fourcc;
	uint32_t reserved; /* 0 */
	uint64_t modifier;
};

/*
 * What a sandbox has said of a client. The strings stay the compositor's, and are
 * copied before anything else is asked; NULL for what was not said.
 */
struct heapwire_security_context {
	size_t size; /* set by the library */
	const char *sandbox_engine;
	const char *app_id;
	const char *instance_id;
};

/*
 * A buffer of which a compositor is asked whether a plane of its display would show
 * it: one dma-buf with `plane_count` planes of a picture as large as the screen.
 * `plane` is the plane's id in KMS, 0 on a simulated platform. The fd stays the
 * library's, and is open until the test is answered or heapwire_detach() is called.
 */
struct heapwire_test {
	size_t size; /* set by the library */
	uint32_t device_major;
	uint32_t device_minor;
	uint32_t plane;
	uint32_t fourcc;
	uint64_t modifier;
	uint32_t width;
	uint32_t height;
	int fd;
	uint32_t plane_count;
	uint32_t offsets[4];
	uint32_t pitches[4];
};

/*
 * What a compositor gives. It has to stay where it is, and as it is, until
 * heapwire_detach() has returned. Strings are UTF-8; NULL takes the default,
 * and an environment variable goes before either.
 */
struct heapwire_host {
	size_t size; /* sizeof(struct heapwire_host) */
	struct wl_display *display;
	void *data; /* handed to the functions below */

	const char *platform;  /* HEAPWIRE_PLATFORM: a platform's name or file; NULL: this machine */
	const char *log_level; /* HEAPWIRE_LOG_LEVEL: error, warning, info (default), debug */
	const char *python;    /* HEAPWIRE_PYTHON: the interpreter of the environment to use */

	/* One line, without a newline. Optional: by default lines go to standard error. */
	void (*log)(void *data, enum heapwire_log_level level, const char *line);

	/* Fill in `state`, which is zeroed but for `size`. 0, or -1 if the surface is not known. */
	int (*surface_state)(void *data, struct wl_resource *surface,
			     struct heapwire_surface_state *state);

	/*
	 * The pairs that linux-dmabuf takes from this client: write up to `capacity` of
	 * them, return how many there are. Optional: by default heapwire listens to what
	 * the display's own linux-dmabuf says.
	 */
	uint32_t (*importable_formats)(void *data, struct wl_client *client,
				       struct heapwire_format *formats, uint32_t capacity);

	void *reserved; /* NULL */

	const char *policy; /* HEAPWIRE_POLICY: a file that says what may be done; NULL: anything */

	/*
	 * Fill in `context`, which is zeroed, with what a sandbox has said of the client by
	 * wp_security_context_v1. 0, or -1 if none has. It is asked once for each client.
	 * Optional: by default no client counts as sandboxed.
	 */
	int (*security_context)(void *data, struct wl_client *client,
				struct heapwire_security_context *context);

	/*
	 * Begin to ask the driver, by a commit with DRM_MODE_ATOMIC_TEST_ONLY, whether the
	 * plane would show the buffer, unscaled; return at once, and answer with
	 * heapwire_tested(), now or later, by the same number. 0, or -1 if this device
	 * cannot be asked. One test is under way at a time; `test` is gone when the
	 * function returns. Optional: by default memory counts as good for all planes that
	 * list its format, if the driver makes a framebuffer of it.
	 */
	int (*test)(void *data, uint32_t number, const struct heapwire_test *test);

	/*
	 * 1 if the compositor calls heapwire_surface_shown() in place of heapwire_buffer_shown():
	 * which buffer a surface shows is then followed by what clients attach and commit.
	 */
	uint32_t hides_buffers;

	/*
	 * A line, without a newline, on what a client asks, is answered, has allocated, imports
	 * or is refused. There are such lines while somebody listens: see heapwire_listen(),
	 * which is not to be called from here. Optional.
	 */
	void (*client_line)(void *data, const char *line);

	/*
	 * 1 if the compositor sets COLOR_ENCODING and COLOR_RANGE of a plane by what clients say
	 * of their pictures (by wp_color_representation_v1, or heapwire_surface_colour()). By
	 * default planes convert YCbCr as they are set to when the machine is looked at, and
	 * pictures of other colours are not planned for them.
	 */
	uint32_t sets_colours;
};

/* What the Python side and the C side offer each other; not for compositors. */
enum heapwire_heard {
	HEAPWIRE_HEARD_IMPORT_REQUEST = 0, /* of a zwp_linux_buffer_params_v1 */
	HEAPWIRE_HEARD_IMPORT_EVENT = 1,   /* the same's */
	HEAPWIRE_HEARD_ERROR = 2           /* wl_display.error */
};

/*
 * A batch of one of the display's own zwp_linux_dmabuf_feedback_v1. `number` is another one for each
 * that differs in anything. `events` are those between the format table and `done`, as they came: of
 * each its opcode and the bytes of its argument, both of 32 bits, and these, filled up to whole words.
 */
struct heapwire_batch {
	uint64_t number;
	uint32_t version;
	uint32_t table_size;
	const void *table;
	const void *events;
	size_t size;
};

struct heapwire_feedback;

struct heapwire_calls {
	size_t size;
	uintptr_t plugin;
	void (*surface_changed)(uintptr_t plugin, struct wl_resource *surface);
	void (*buffer_shown)(uintptr_t plugin, struct wl_resource *buffer, uint32_t scanned_out,
			     uint32_t reason);
	void (*detach)(uintptr_t plugin);
	void *reserved; /* NULL: where older libraries look whom to tell each event of feedback */
	void (*tested)(uintptr_t plugin, uint32_t number, int32_t error);
	/* The C side's own, there before attaching: post so many events, of each its opcode and the
	 * address of its arguments. */
	void (*post_events)(struct wl_resource *resource, const uintptr_t *events, size_t count);
	void (*listen)(uintptr_t plugin, uint32_t listening);
	/* A message of a client's, before it is handled or queued, while somebody listens. */
	void (*import_heard)(uintptr_t plugin, struct wl_resource *resource, uint32_t what,
			     uint32_t opcode, const void *arguments);
	int32_t (*surface_colour)(uintptr_t plugin, struct wl_resource *surface,
				  uint32_t *encoding, uint32_t *range);
	/* A batch is about to end that was not told of before, or that is of an object that is
	 * extended: that is `object` then, else NULL. 0 if the batch breaks the rules. */
	uint32_t (*batch_ends)(uintptr_t plugin, const struct heapwire_batch *batch,
			       struct wl_resource *object);
	/* The C side's own: what it keeps of feedback, there from attaching to detaching, and
	 * functions, there before, which give NULL for what is not known. The last batch of an object,
	 * or the one that ends: */
	struct heapwire_feedback *feedback;
	const struct heapwire_batch *(*batch_of)(const struct heapwire_feedback *feedback,
						 struct wl_resource *object);
	/* What batch_to gives for no surface, for who knows no other: */
	const struct heapwire_batch *(*batch_for)(const struct heapwire_feedback *feedback,
						  struct wl_client *client);
	/* Whether each batch of an object is told of from now on, and not only those that are new: */
	void (*extend)(struct heapwire_feedback *feedback, struct wl_resource *object,
		       uint32_t extended);
	/* The last batch of a surface's objects, else of those of the client's that are for no
	 * surface in particular, else of anybody's; `surface` may be NULL: */
	const struct heapwire_batch *(*batch_to)(const struct heapwire_feedback *feedback,
						 struct wl_client *client,
						 struct wl_resource *surface);
};

/* end of declarations */

/* One plugin on one display. */
struct heapwire;

/*
 * Announce the protocol on host->display. NULL if that cannot be; host->log has
 * then been given one line that says why, and the compositor goes on without.
 * The functions below ignore NULL.
 */
struct heapwire *heapwire_attach(const struct heapwire_host *host);

/*
 * Take the protocol off the display and destroy what clients have of it. Call it
 * before wl_display_destroy(). The interpreter stays, idle, until the process
 * ends; attaching again is fine.
 */
void heapwire_detach(struct heapwire *heapwire);

/*
 * What `surface_state` would say of the surface is no longer what it said last:
 * it was mapped, moved to an output, went fullscreen or back, was covered. A
 * surface's destruction needs no call. Repaints in which nothing changed need
 * none either.
 */
void heapwire_surface_changed(struct heapwire *heapwire, struct wl_resource *surface);

/*
 * A client's wl_buffer was shown: scanned out (`scanned_out` 1) or composited, and
 * why. Needed when a surface shows another buffer than in the last frame, or the
 * same one in another way; more often does no harm. Who cannot tell does not call.
 */
void heapwire_buffer_shown(struct heapwire *heapwire, struct wl_resource *buffer,
			   int scanned_out, enum heapwire_reason reason);

/*
 * The same of whatever buffer the surface shows, for a compositor whose library hides the
 * wl_buffers, with host->hides_buffers 1; nothing happens without it. Call it after a frame,
 * when the commits that the frame shows have been handled, for each surface in it. A surface
 * that is not in the frame needs no call.
 */
void heapwire_surface_shown(struct heapwire *heapwire, struct wl_resource *surface,
			    int scanned_out, enum heapwire_reason reason);

/*
 * The matrix and the range of YCbCr as the client that negotiates for a surface says them, by
 * enum encoding and enum range of xx_dmabuf_negotiation_v1: for what the surface shows from its next
 * commit on. 0, or -1 where no client has said any, and nothing is written.
 */
int heapwire_surface_colour(struct heapwire *heapwire, struct wl_resource *surface,
			    uint32_t *encoding, uint32_t *range);

/*
 * The answer to a test: `error` is 0 if the plane would show the buffer, the errno with
 * which the driver refused it (EINVAL, 22), or -1 if that could not be told. An answer
 * that comes too late is ignored, and one that never comes does no harm.
 */
void heapwire_tested(struct heapwire *heapwire, uint32_t number, int error);

/*
 * Somebody listens to host->client_line, or (`listening` 0) nobody does any more. Lines are made
 * in between and at no other time, so that they cost nothing otherwise.
 */
void heapwire_listen(struct heapwire *heapwire, int listening);

#ifdef __cplusplus
}
#endif

#endif
