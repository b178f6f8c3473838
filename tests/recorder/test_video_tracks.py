from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import pytest

from tests.synthetic import media
from visavis.recorder.mux.video_tracks import (
    _encode_black,
    add_video_stream,
    black_frame,
    picture_size,
)
from visavis.rtp.codecs import vp8

CODECS = ("VP8", "VP9", "H264", "AV1")


def key_frame(codec: str, size: tuple[int, int]) -> bytes:
    return media.video(codec, 0.1, size)[0][1]


@pytest.mark.parametrize("codec", CODECS)
def test_black_has_the_size_of_the_picture_before(codec: str) -> None:
    black = black_frame(codec, key_frame(codec, (320, 180)))
    assert black
    assert picture_size(codec, black) == (320, 180)


def test_making_black_leaves_the_priority_as_it_was() -> None:
    scheduled = os.sched_getscheduler(0)
    _encode_black.cache_clear()
    assert black_frame("AV1", key_frame("AV1", (320, 180)))
    assert os.sched_getscheduler(0) == scheduled == os.SCHED_OTHER


def test_black_is_never_huge() -> None:
    huge = b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(20)
    assert vp8.key_frame_size(huge) == (16383, 16383)
    black = black_frame("VP8", huge)
    assert black
    assert vp8.key_frame_size(black) == (1022, 1022)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("garbage", [b"", b"garbage", bytes(100)])
def test_garbage_has_no_size_and_makes_no_track(tmp_path: Path, codec: str, garbage: bytes) -> None:
    assert picture_size(codec, garbage) is None
    assert black_frame(codec, garbage) is None
    container: Any
    with (
        av.open(str(tmp_path / "x.mkv"), "w", format="matroska") as container,
        pytest.raises((av.FFmpegError, IndexError)),
    ):
        add_video_stream(container, codec, garbage)
