/*
 * Plays a pipeline, and does what it is told on standard input, a line each:
 *   set ELEMENT PROPERTY VALUE
 *   state null|ready|paused|playing
 *   seek                            to the beginning, flushing
 *   step                            to the next picture, flushing
 *   hold                            what is upstream of the sink; says "held up"
 *   go                              on with that, and with no sink: it stops, and gets nothing
 *   stats                           of the element `sink`, as a line of text
 *   end                             (or the end of the input)
 * Prints "stats ..." where it is asked, "eos", "warning ELEMENT: TEXT", and "error ELEMENT: TEXT",
 * upon which it ends.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

static GstElement *pipeline;
static GMainLoop *loop;
static int status;
static GMutex gate;
static GList *kept;

/* Lets nothing through to the sink, and gives nothing back to who fills buffers. */
static GstPadProbeReturn keep(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
	(void)pad, (void)data;
	if (!kept)
		puts("held up");
	g_mutex_lock(&gate);
	kept = g_list_prepend(kept, gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
	g_mutex_unlock(&gate);
	return GST_PAD_PROBE_DROP;
}

static void hold_up(void)
{
	GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
	GstPad *own = gst_element_get_static_pad(sink, "sink");
	GstPad *peer = gst_pad_get_peer(own);

	g_mutex_lock(&gate);
	gst_pad_add_probe(peer, GST_PAD_PROBE_TYPE_BUFFER, keep, NULL, NULL);
	gst_object_unref(peer);
	gst_object_unref(own);
	gst_object_unref(sink);
}

static void go_on(void)
{
	GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");

	gst_element_set_state(sink, GST_STATE_READY);
	gst_object_unref(sink);
	g_mutex_unlock(&gate);
}

static void say_stats(void)
{
	GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
	GstStructure *stats = NULL;
	gchar *text;

	g_object_get(sink, "stats", &stats, NULL);
	text = stats ? gst_structure_to_string(stats) : g_strdup("heapwire;");
	printf("stats %s\n", text);
	g_free(text);
	if (stats)
		gst_structure_free(stats);
	gst_object_unref(sink);
}

static GstState state_of(const char *name)
{
	return !strcmp(name, "null")	? GST_STATE_NULL
	       : !strcmp(name, "ready") ? GST_STATE_READY
	       : !strcmp(name, "paused") ? GST_STATE_PAUSED
					 : GST_STATE_PLAYING;
}

static gboolean told(GIOChannel *channel, GIOCondition condition, gpointer data)
{
	gchar *line = NULL, **words;
	guint n;

	(void)condition, (void)data;
	if (g_io_channel_read_line(channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(loop);
		return FALSE;
	}
	words = g_strsplit(g_strstrip(line), " ", 4);
	n = g_strv_length(words);
	if (n == 4 && !strcmp(words[0], "set")) {
		GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), words[1]);
		gst_util_set_object_arg(G_OBJECT(element), words[2], words[3]);
		gst_object_unref(element);
	} else if (n == 2 && !strcmp(words[0], "state")) {
		gst_element_set_state(pipeline, state_of(words[1]));
	} else if (n && !strcmp(words[0], "seek")) {
		gst_element_seek_simple(pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
	} else if (n && !strcmp(words[0], "step")) {
		gst_element_send_event(pipeline,
				       gst_event_new_step(GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE));
	} else if (n && !strcmp(words[0], "hold")) {
		hold_up();
	} else if (n && !strcmp(words[0], "go")) {
		go_on();
	} else if (n && !strcmp(words[0], "stats")) {
		say_stats();
	} else {
		g_main_loop_quit(loop);
	}
	g_strfreev(words);
	g_free(line);
	return TRUE;
}

static gboolean heard(GstBus *bus, GstMessage *message, gpointer data)
{
	(void)bus, (void)data;
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
		puts("eos");
	} else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
		GError *warning = NULL;
		gst_message_parse_warning(message, &warning, NULL);
		printf("warning %s: %s\n", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)),
		       warning->message);
		g_error_free(warning);
	} else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		GError *error = NULL;
		gst_message_parse_error(message, &error, NULL);
		printf("error %s: %s\n", GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), error->message);
		g_error_free(error);
		status = 1;
		g_main_loop_quit(loop);
	}
	return TRUE;
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	GstBus *bus;
	guint watch;

	setvbuf(stdout, NULL, _IOLBF, 0);
	gst_init(&argc, &argv);
	pipeline = gst_parse_launch(argv[1], &error);
	if (!pipeline || error) {
		printf("error: %s\n", error ? error->message : "no pipeline");
		return 2;
	}
	loop = g_main_loop_new(NULL, FALSE);
	bus = gst_element_get_bus(pipeline);
	watch = gst_bus_add_watch(bus, heard, NULL);
	g_io_add_watch(g_io_channel_unix_new(0), G_IO_IN | G_IO_HUP, told, NULL);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	g_main_loop_run(loop);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	g_list_free_full(kept, (GDestroyNotify)gst_mini_object_unref);
	g_source_remove(watch);
	gst_object_unref(bus);
	gst_object_unref(pipeline);
	g_main_loop_unref(loop);
	return status;
}
