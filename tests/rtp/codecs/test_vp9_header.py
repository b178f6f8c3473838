from __future__ import annotations

import pytest

from tests.rtp.codecs.streams import SIZE, decoded
from tests.synthetic import media
from visavis.rtp.codecs import Frame, vp9
from visavis.rtp.codecs.vp9_header import HeaderReader, hide


def test_a_key_frame_has_the_size_that_it_was_encoded_with() -> None:
    key = media.video("VP9", 0.1, SIZE)[0][1]
    header = HeaderReader().read(key)
    assert header
    assert vp9.key_frame_size(key) == SIZE


def test_a_hidden_frame_differs_in_whether_it_is_shown() -> None:
    key = media.video("VP9", 0.1)[0][1]
    reader = HeaderReader()
    header = reader.read(key)
    assert header
    hidden = hide(key, header)
    assert hidden != key
    assert decoded("VP9", [Frame(0, True, key)]) == [(160, 120)]
    assert decoded("VP9", [Frame(0, True, hidden)]) == []


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x82\x49\x83\x42\x00"])
def test_malformed_headers_are_none(data: bytes) -> None:
    assert HeaderReader().read(data) is None
