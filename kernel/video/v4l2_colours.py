"""Which colours V4L2 says that pictures have."""

from __future__ import annotations

from heapwire.protocol.values import Colour, ColourEncoding, ColourRange

# include/uapi/linux/videodev2.h, enum v4l2_colorspace and V4L2_MAP_YCBCR_ENC_DEFAULT.
_REC709, _JPEG, _BT2020, _DCI_P3 = 3, 7, 10, 12
# enum v4l2_ycbcr_encoding: 240M's weights (8) are closest to BT.709's, and those of the xv
# encodings are the ones that they extend.
_ENCODINGS = {
    1: ColourEncoding.BT601,
    2: ColourEncoding.BT709,
    3: ColourEncoding.BT601,
    4: ColourEncoding.BT709,
    5: ColourEncoding.BT601,
    6: ColourEncoding.BT2020,
    7: ColourEncoding.BT2020,
    8: ColourEncoding.BT709,
}
_OF_SPACE = {
    _REC709: ColourEncoding.BT709,
    _DCI_P3: ColourEncoding.BT709,
    _BT2020: ColourEncoding.BT2020,
}
_FULL, _LIMITED = 1, 2  # enum v4l2_quantization


def v4l2_colour(space: int, encoding: int, quantization: int) -> Colour:
    """Matrix and range of YCbCr by the three numbers of a format; 0 stands for the default.

    The defaults are those of V4L2_MAP_YCBCR_ENC_DEFAULT and V4L2_MAP_QUANTIZATION_DEFAULT.
    """
    matrix = _ENCODINGS.get(encoding) or _OF_SPACE.get(space, ColourEncoding.BT601)
    is_full = quantization == _FULL or (quantization != _LIMITED and space == _JPEG)
    return matrix, ColourRange.FULL if is_full else ColourRange.LIMITED
