/*
 * heapwiresink.c - a video sink for Wayland, whose buffers are where the compositor wants them.
 *
 * It offers a pool of buffers by the negotiated plan to what is upstream (the ALLOCATION query).
 * Pictures in these are shown as they are, those in other dma-bufs too if the compositor takes
 * them; the rest is copied, and counted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool.h"
#include "sink.h"

GST_DEBUG_CATEGORY(heapwire_debug);
#define GST_CAT_DEFAULT heapwire_debug

#define STEPPED GST_FLOW_CUSTOM_ERROR /* gst_base_sink_wait_preroll() says so, after a step */

G_DEFINE_TYPE(HwSink, hw_sink, GST_TYPE_VIDEO_SINK)

/* Of each thread: the sink that it lets pause or step, for as long as that takes. */
static GPrivate halted = G_PRIVATE_INIT(NULL);

struct hw_screen *hw_sink_screen(HwSink *sink)
{
	struct hw_screen *screen;

	GST_OBJECT_LOCK(sink);
	screen = sink->screen ? hw_screen_ref(sink->screen) : NULL;
	GST_OBJECT_UNLOCK(sink);
	return screen;
}

static void failed(void *data, const struct heapwire_error *error)
{
	hw_sink_post(HW_SINK(data), error);
}

/* Whoever is upstream asks again for buffers then; until it does, the old ones are good. */
static void replanned(void *data)
{
	GST_INFO_OBJECT(data, "there is another plan");
	gst_pad_push_event(GST_BASE_SINK_PAD(data), gst_event_new_reconfigure());
}

/* -- States ----------------------------------------------------------------------------------- */

static gboolean open_screen(HwSink *sink)
{
	const struct hw_events events = {replanned, failed, sink};
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	struct hw_screen *screen;
	gchar *display;

	GST_OBJECT_LOCK(sink);
	display = g_strdup(sink->display);
	GST_OBJECT_UNLOCK(sink);
	screen = hw_screen_new(display, &events, &error);
	g_free(display);
	if (!screen) {
		hw_sink_post(sink, &error);
		return FALSE;
	}
	GST_OBJECT_LOCK(sink);
	sink->screen = screen;
	GST_OBJECT_UNLOCK(sink);
	return TRUE;
}

static void close_screen(HwSink *sink)
{
	struct hw_screen *screen;

	GST_OBJECT_LOCK(sink);
	screen = g_steal_pointer(&sink->screen);
	GST_OBJECT_UNLOCK(sink);
	if (screen) {
		hw_screen_end(screen);
		hw_screen_unref(screen);
	}
}

static void stop_flushing(HwSink *sink)
{
	struct hw_screen *screen = hw_sink_screen(sink);

	if (screen) {
		hw_screen_stop_flushing(screen);
		hw_screen_unref(screen);
	}
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
	HwSink *sink = HW_SINK(element);
	GstStateChangeReturn done;

	if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_screen(sink))
		return GST_STATE_CHANGE_FAILURE;
	if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
		stop_flushing(sink);
	g_private_set(&halted, transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED ? sink : NULL);
	done = GST_ELEMENT_CLASS(hw_sink_parent_class)->change_state(element, transition);
	g_private_set(&halted, NULL);
	if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
	    (transition == GST_STATE_CHANGE_NULL_TO_READY && done == GST_STATE_CHANGE_FAILURE))
		close_screen(sink);
	return done;
}

static gboolean send_event(GstElement *element, GstEvent *event)
{
	gboolean done;

	g_private_set(&halted, GST_EVENT_TYPE(event) == GST_EVENT_STEP ? element : NULL);
	done = GST_ELEMENT_CLASS(hw_sink_parent_class)->send_event(element, event);
	g_private_set(&halted, NULL);
	return done;
}

static gboolean start(GstBaseSink *base)
{
	HwSink *sink = HW_SINK(base);
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	const gchar *title = g_get_application_name();

	if (hw_screen_open_window(sink->screen, title ? title : "heapwiresink", sink->fullscreen,
				  &error))
		return TRUE;
	hw_sink_post(sink, &error);
	return FALSE;
}

static gboolean stop(GstBaseSink *base)
{
	HwSink *sink = HW_SINK(base);

	hw_sink_drop_pool(sink);
	gst_clear_caps(&sink->caps);
	sink->prerolled = NULL;
	hw_screen_close_window(sink->screen);
	return TRUE;
}

/*
 * Whoever shows a picture is to let go of the preroll lock. To pause or to step is no more than
 * that: a source whose buffer is being allocated meanwhile, or whose pool is being planned, would
 * take an interruption for the end of the stream. A pad that flushes lets nobody wait until it
 * stops to: to stop the source, GStreamer waits until it has noticed.
 */
static gboolean give_way(HwSink *sink, gboolean starts)
{
	struct hw_screen *screen = hw_sink_screen(sink);

	if (screen) {
		hw_screen_pause(screen, starts);
		if (starts && g_private_get(&halted) != sink)
			hw_screen_interrupt(screen, GST_PAD_IS_FLUSHING(GST_BASE_SINK_PAD(sink)));
		hw_screen_unref(screen);
	}
	return TRUE;
}

static gboolean unlock(GstBaseSink *base)
{
	return give_way(HW_SINK(base), TRUE);
}

static gboolean unlock_stop(GstBaseSink *base)
{
	return give_way(HW_SINK(base), FALSE);
}

static gboolean handle_event(GstBaseSink *base, GstEvent *event)
{
	if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
		stop_flushing(HW_SINK(base));
	return GST_BASE_SINK_CLASS(hw_sink_parent_class)->event(base, event);
}

/* -- Formats and buffers ---------------------------------------------------------------------- */

static GstCaps *caps_of(const GArray *pairs)
{
	return hw_caps_of((const struct heapwire_pair *)(void *)pairs->data, pairs->len);
}

/*
 * Where there are no plans, what wl_shm reads; what is in dma-bufs of others already may be of the
 * other formats, and who can make no RGB is offered these.
 */
static GstCaps *get_caps(GstBaseSink *base, GstCaps *filter)
{
	struct hw_screen *screen = hw_sink_screen(HW_SINK(base));
	GstCaps *caps, *both;

	if (screen) {
		g_mutex_lock(&screen->lock);
		caps = screen->shared ? caps_of(screen->shared_pairs) : gst_caps_new_empty();
		if (!filter || !gst_caps_can_intersect(filter, caps))
			gst_caps_append(caps, caps_of(screen->pairs));
		g_mutex_unlock(&screen->lock);
		hw_screen_unref(screen);
	} else {
		caps = gst_pad_get_pad_template_caps(GST_BASE_SINK_PAD(base));
	}
	if (filter) {
		both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
		gst_caps_unref(caps);
		caps = both;
	}
	return caps;
}

static gboolean set_caps(GstBaseSink *base, GstCaps *caps)
{
	HwSink *sink = HW_SINK(base);
	const GstVideoInfo *info = &sink->format.info;

	if (!hw_format_read(&sink->format, caps)) {
		GST_ELEMENT_ERROR(sink, STREAM, FORMAT, ("such pictures cannot be shown"),
				  ("%" GST_PTR_FORMAT, caps));
		return FALSE;
	}
	gst_caps_replace(&sink->caps, caps);
	GST_VIDEO_SINK_WIDTH(sink) = GST_VIDEO_INFO_WIDTH(info);
	GST_VIDEO_SINK_HEIGHT(sink) = GST_VIDEO_INFO_HEIGHT(info);
	hw_screen_set_shape(sink->screen,
			    gst_util_uint64_scale_int_round((guint64)GST_VIDEO_INFO_WIDTH(info),
							    GST_VIDEO_INFO_PAR_N(info),
							    GST_VIDEO_INFO_PAR_D(info)),
			    GST_VIDEO_INFO_HEIGHT(info));
	hw_sink_drop_pool(sink);
	return TRUE;
}

static gboolean propose_allocation(GstBaseSink *base, GstQuery *query)
{
	HwSink *sink = HW_SINK(base);
	struct heapwire_error error = {HEAPWIRE_NO_FAULT, ""};
	struct hw_format format;
	GstBufferPool *pool;
	gboolean is_wanted;
	GstCaps *caps;

	gst_query_parse_allocation(query, &caps, &is_wanted);
	if (!caps || !hw_format_read(&format, caps))
		return FALSE;
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
	if (!is_wanted)
		return TRUE;
	pool = hw_sink_make_pool(sink, &format, &error);
	if (pool) {
		guint least = MIN(2, hw_pool_count(HW_POOL(pool)));
		gst_query_add_allocation_pool(query, pool, (guint)hw_pool_size(HW_POOL(pool)), least,
					      hw_pool_count(HW_POOL(pool)));
		gst_object_unref(pool);
	} else {
		/* Who has buffers of its own may still be shown. */
		GST_WARNING_OBJECT(sink, "no pool to offer: %s", error.text);
	}
	return TRUE;
}

/*
 * What is shown to preroll comes once more to be rendered. Where it waited, and is now stepped
 * over, GstBaseSink goes on from render() alone: from here it would be the end of the stream.
 */
static GstFlowReturn preroll(GstBaseSink *base, GstBuffer *buffer)
{
	GstFlowReturn flow = GST_BASE_SINK_CLASS(hw_sink_parent_class)->preroll(base, buffer);
	HW_SINK(base)->prerolled = flow == GST_FLOW_OK ? buffer : NULL;
	return flow == STEPPED ? GST_FLOW_OK : flow;
}

static GstFlowReturn render(GstBaseSink *base, GstBuffer *buffer)
{
	HwSink *sink = HW_SINK(base);

	if (g_steal_pointer(&sink->prerolled) == buffer)
		return GST_FLOW_OK;
	return GST_BASE_SINK_CLASS(hw_sink_parent_class)->render(base, buffer);
}

static void finalize(GObject *object)
{
	HwSink *sink = HW_SINK(object);

	g_free(sink->display);
	g_free(sink->device);
	G_OBJECT_CLASS(hw_sink_parent_class)->finalize(object);
}

static void hw_sink_class_init(HwSinkClass *class)
{
	GstElementClass *elements = GST_ELEMENT_CLASS(class);
	GstBaseSinkClass *sinks = GST_BASE_SINK_CLASS(class);
	GstCaps *caps = hw_all_caps();

	G_OBJECT_CLASS(class)->finalize = finalize;
	hw_sink_install_properties(G_OBJECT_CLASS(class));
	elements->change_state = change_state;
	elements->send_event = send_event;
	gst_element_class_add_pad_template(
		elements, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
	gst_caps_unref(caps);
	gst_element_class_set_static_metadata(
		elements, "Negotiated Wayland video sink", "Sink/Video",
		"Shows video on Wayland, in buffers that everybody involved can use", "heapwire");
	sinks->start = start;
	sinks->stop = stop;
	sinks->unlock = unlock;
	sinks->unlock_stop = unlock_stop;
	sinks->event = handle_event;
	sinks->get_caps = get_caps;
	sinks->set_caps = set_caps;
	sinks->propose_allocation = propose_allocation;
	sinks->preroll = preroll;
	sinks->render = render;
	GST_VIDEO_SINK_CLASS(class)->show_frame = hw_sink_show;
}

static void hw_sink_init(HwSink *sink)
{
	(void)sink;
}

static gboolean plugin_init(GstPlugin *plugin)
{
	GST_DEBUG_CATEGORY_INIT(heapwire_debug, "heapwire", 0, "negotiated buffers on Wayland");
	return gst_element_register(plugin, "heapwiresink", GST_RANK_NONE, HW_TYPE_SINK);
}

#define PACKAGE "heapwire" /* GST_PLUGIN_DEFINE wants it */
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, heapwire,
		  "Video in buffers that were negotiated with a Wayland compositor", plugin_init,
		  HEAPWIRE_VERSION, "MIT/X11", "heapwire", "heapwire")
