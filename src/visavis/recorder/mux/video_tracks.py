"""Headers of a Matroska file's video tracks, and black frames for them."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import av

from visavis.recorder.mux.scheduling import preserved_scheduling
from visavis.rtp.codecs import vp8, vp9

MAX_BLACK_PIXELS: Final = 1920 * 1088
"""Largest black frame that is encoded; players scale it up."""

_TEMPORAL_DELIMITER: Final = b"\x12\0"
"""Temporal delimiter OBU, which begins an AV1 temporal unit outside of a container."""

_DEMUXERS: Final = {"H264": ("h264", b""), "AV1": ("obu", _TEMPORAL_DELIMITER)}
"""FFmpeg's demuxers for raw frames, and the prefix that they require."""

_SIZES: Final = {"VP8": vp8.key_frame_size, "VP9": vp9.key_frame_size}
_NAMES: Final = {"VP8": "vp8", "VP9": "vp9"}
_ENCODERS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "VP9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    "AV1": ("libsvtav1", {"preset": "12", "crf": "40", "svtav1-params": "pred-struct=1:lp=1"}),
}
_BLACK: Final = (16, 128, 128)  # Y, U, V (limited range)


def add_video_stream(
    container: Any, codec: str, key_frame: bytes, size: tuple[int, int] | None = None
) -> Any:
    """Add a video stream for unchanged frames to an FFmpeg container and return it.

    `size` is the width and height of the highest spatial layer, if the video has layers. For H.264
    and AV1, the file needs codec parameters, which FFmpeg reads from the key frame. Raises
    `av.FFmpegError` if that is not a key frame.
    """
    if codec in _SIZES:
        size = size or _SIZES[codec](key_frame)
        if size is None:
            raise av.InvalidDataError(0, "no key frame")
        return container.add_mux_stream(_NAMES[codec], width=size[0], height=size[1])
    with _opened(codec, key_frame) as source:
        template = source.streams.video[0]
        if not template.codec_context.width:
            raise av.InvalidDataError(0, "no key frame")
        # `opaque` takes the parameters from the decoder, as FFmpeg may not have such an encoder.
        stream = container.add_stream_from_template(template, opaque=True)
        if size:
            stream.codec_context.width, stream.codec_context.height = size
        return stream


def picture_size(codec: str, key_frame: bytes) -> tuple[int, int] | None:
    """Return width and height of a key frame; `None` if they cannot be determined."""
    if codec in _SIZES:
        return _SIZES[codec](key_frame)
    try:
        with _opened(codec, key_frame) as source:
            context = source.streams.video[0].codec_context
            return (context.width, context.height) if context.width else None
    except (av.FFmpegError, IndexError):
        return None


def _opened(codec: str, key_frame: bytes) -> Any:
    name, prefix = _DEMUXERS[codec]
    return av.open(io.BytesIO(prefix + key_frame), format=name)


def black_frame(codec: str, key_frame: bytes) -> bytes | None:
    """Return a black key frame of the size of another; `None` if it cannot be encoded."""
    size = picture_size(codec, key_frame)
    if size is None:
        return None
    width, height = size
    while width * height > MAX_BLACK_PIXELS:
        width, height = width // 2, height // 2
    return _encode_black(codec, max(64, width & ~1), max(64, height & ~1))


@lru_cache(maxsize=16)
def _encode_black(codec: str, width: int, height: int) -> bytes | None:
    name, options = _ENCODERS[codec]
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, _BLACK, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    try:
        context: Any = av.CodecContext.create(name, "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, 30)
        context.options = options
        with preserved_scheduling():
            packets = [*context.encode(frame), *context.encode(None)]
    except (av.FFmpegError, ValueError):  # FFmpeg was built without this encoder.
        return None
    return bytes(packets[0]).removeprefix(_TEMPORAL_DELIMITER) if packets else None
