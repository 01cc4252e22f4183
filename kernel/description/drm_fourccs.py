"""The pixel formats that DRM has a code for, so that a slip in a file is told from a format."""

from __future__ import annotations

from heapwire.protocol import InputError, shown
from heapwire.protocol.values import FORMATS, fourcc, parse_fourcc

# include/uapi/drm/drm_fourcc.h of Linux 6.12, every DRM_FORMAT_ that is a fourcc_code.
_CODES = """
AB10 AB12 AB15 AB24 AB30 AB48 AB4H AR12 AR15 AR24 AR30 AR48 AR4H AVUY AYUV B5A8 B8A8
BA12 BA15 BA24 BA30 BG16 BG24 BGR8 BX12 BX15 BX24 BX30 BXA8 C1 C2 C4 C8 D1 D2 D4 D8 GR32
GR88 NV12 NV15 NV16 NV20 NV21 NV24 NV30 NV42 NV61 P010 P012 P016 P030 P210 Q401 Q410 R1
R10 R12 R16 R2 R4 R5A8 R8 R8A8 RA12 RA15 RA24 RA30 RG16 RG24 RG32 RG88 RGB8 RX12 RX15
RX24 RX30 RXA8 UYVY VU24 VU30 VYUY X0L0 X0L2 XB12 XB15 XB24 XB30 XB48 XB4H XBA8 XR12
XR15 XR24 XR30 XR48 XR4H XRA8 XV30 XV36 XV48 XVUY XYUV Y0L0 Y0L2 Y210 Y212 Y216 Y410
Y412 Y416 YU08 YU10 YU11 YU12 YU16 YU24 YUV9 YUYV YV11 YV12 YV16 YV24 YVU9 YVYU
"""
_KNOWN = FORMATS.keys() | {fourcc(code) for code in _CODES.split()}


def parse_known_fourcc(text: str) -> int:
    """The format of a name or code that DRM has, or of any number; `InputError` for others."""
    code = parse_fourcc(text)
    if code not in _KNOWN and not text.lower().startswith("0x"):
        raise InputError(
            f"there is no format {shown(text)} in drm_fourcc.h: one from later is written "
            f"as its number, {code:#010x}"
        )
    return code
