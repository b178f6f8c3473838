"""Pictures that flash and a voice that beeps at the same moments, in every codec."""

from __future__ import annotations

import array
import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av

from visavis.recorder.mux.scheduling import preserved_scheduling

FPS = 15
RATE = 48_000
SAMPLES = 960
"""Samples of a packet of audio, 20 ms."""
FLASH_EVERY = 2.0
FLASH_SECONDS = 0.2
FIRST_FLASH = 1.0

_ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "VP9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "H264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}),
    "AV1": ("libsvtav1", {"preset": "12", "crf": "40", "svtav1-params": "pred-struct=1:lp=1"}),
}


def is_flash(time: float) -> bool:
    return (time - FIRST_FLASH) % FLASH_EVERY < FLASH_SECONDS and time >= FIRST_FLASH


@lru_cache(maxsize=64)
def video(
    codec: str, seconds: float, size: tuple[int, int] = (160, 120), key_every: float = 2.0
) -> list[tuple[float, bytes]]:
    """Time and bytes of each frame; white at a flash, else grey with a pattern that moves."""
    name, options = _ENCODERS[codec]
    context: Any = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.framerate = FPS
    context.gop_size = round(key_every * FPS)
    context.options = options
    context.thread_count = 1  # libvpx's threads wait for each other by spinning
    if codec != "AV1":
        context.bit_rate = 300_000
    packets = []
    with preserved_scheduling():
        for number in range(round(seconds * FPS)):
            packets += context.encode(_picture(number, size, is_flash(number / FPS + 1e-6)))
        packets += context.encode(None)
    return [(packet.pts / FPS, bytes(packet)) for packet in packets]


@lru_cache(maxsize=16)
def audio(seconds: float) -> list[tuple[float, bytes]]:
    """Time and bytes of each packet of 20 ms: 1 kHz at a flash, else a hum hardly heard."""
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.format, context.layout = RATE, "s16", "mono"
    context.options = {"application": "voip", "frame_duration": "20"}
    packets = []
    for number in range(round(seconds * 50)):
        frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(_samples(is_flash(number * 0.02 + 1e-6)))
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * SAMPLES, Fraction(1, RATE)
        packets += context.encode(frame)
    return [(number * 0.02, bytes(packet)) for number, packet in enumerate(packets)]


@lru_cache(maxsize=2)
def _samples(is_loud: bool) -> bytes:
    """Samples of a packet: it holds whole periods of the tone, and begins and ends with a beep."""
    loudness = 12_000 if is_loud else 30
    tone = (math.sin(2 * math.pi * 1000 * number / RATE) for number in range(SAMPLES))
    return array.array("h", (round(loudness * value) for value in tone)).tobytes()


def _picture(number: int, size: tuple[int, int], is_white: bool) -> Any:
    width, height = size
    frame = av.VideoFrame(width, height, "yuv420p")
    luma = frame.planes[0]
    line = bytearray([235 if is_white else 90] * luma.line_size)
    if not is_white:
        for x in range(16):
            line[(number * 4 + x) % width] = 150
    luma.update(bytes(line) * (luma.buffer_size // luma.line_size))
    for plane in frame.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    return frame
