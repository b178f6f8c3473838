"""Framing of datagrams in a TCP stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.media.rfc4571 import MAX_FRAME_BYTES, Deframer, FramingError, frame


@given(st.lists(st.binary(min_size=1, max_size=300)), st.integers(1, 400))
def test_however_a_stream_is_cut_its_datagrams_are_whole(
    datagrams: list[bytes], piece: int
) -> None:
    stream = b"\0\0" + b"".join(map(frame, datagrams))
    deframer = Deframer()
    found = []
    for start in range(0, len(stream), piece):
        found += deframer.feed(stream[start : start + piece])
    assert found == datagrams


def test_a_frame_that_no_browser_sends_is_refused() -> None:
    assert Deframer().feed(frame(b"x" * MAX_FRAME_BYTES)) == [b"x" * MAX_FRAME_BYTES]
    with pytest.raises(FramingError):
        Deframer().feed(frame(b"x" * (MAX_FRAME_BYTES + 1)))
    with pytest.raises(FramingError):
        Deframer().feed(b"GET / HTTP/1.1")
