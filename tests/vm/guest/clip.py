"""A real clip as raw pictures, for an encoder."""

import av


def pictures(path, size, count):
    """The first pictures of a clip, scaled to a size, in V4L2's XR24."""
    with av.open(path) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == count:
                return
            small = frame.reformat(size.width, size.height, "bgra")
            yield small.to_ndarray().tobytes()
