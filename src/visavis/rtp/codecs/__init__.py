"""Depacketisers, which turn the RTP payloads of a codec into complete frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from visavis.rtp.codecs import av1, h264, vp8, vp9
from visavis.rtp.codecs.av1 import Av1Depacketiser
from visavis.rtp.codecs.frame import Depacketiser, Frame
from visavis.rtp.codecs.h264 import H264Depacketiser
from visavis.rtp.codecs.opus import OpusDepacketiser
from visavis.rtp.codecs.vp8 import Vp8Depacketiser
from visavis.rtp.codecs.vp9 import Vp9Depacketiser

__all__ = ["DEPACKETISERS", "KEY_FRAME_STARTS", "Depacketiser", "Frame"]

DEPACKETISERS: Final[dict[str, Callable[[], Depacketiser]]] = {
    "OPUS": OpusDepacketiser,
    "VP8": Vp8Depacketiser,
    "VP9": Vp9Depacketiser,
    "H264": H264Depacketiser,
    "AV1": Av1Depacketiser,
}
"""Depacketisers by the codec's name in an `a=rtpmap` line, in upper case."""

KEY_FRAME_STARTS: Final[dict[str, Callable[[bytes], bool]]] = {
    "VP8": vp8.begins_key_frame,
    "VP9": vp9.begins_key_frame,
    "H264": h264.begins_key_frame,
    "AV1": av1.begins_key_frame,
}
"""Functions that tell whether a payload, which is not empty, begins a key frame, by codec name."""
