/*
 * upstream.h - who fills the buffers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HEAPWIRE_GST_UPSTREAM_H
#define HEAPWIRE_GST_UPSTREAM_H

#include <gst/gst.h>

/*
 * The path of the camera that imports what is downstream of it (v4l2src with
 * io-mode=dmabuf-import), if nothing is between that makes buffers of its own; else NULL. It is
 * the caller's to free.
 */
gchar *hw_upstream_camera(GstPad *sink);

#endif
