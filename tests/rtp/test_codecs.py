from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rtp.codecs.streams import SIZE, VIDEO, decoded, numbered, packet, packets, push_all
from tests.synthetic import media
from tests.synthetic.packetise import nal_units
from visavis.rtp.codecs import DEPACKETISERS
from visavis.rtp.codecs.frame import MAX_FRAME_BYTES
from visavis.rtp.sdp import RECORDABLE


def test_there_is_a_depacketiser_for_all_that_is_recordable() -> None:
    assert set(DEPACKETISERS) == RECORDABLE["audio"] | RECORDABLE["video"]


@pytest.mark.parametrize("codec", VIDEO)
def test_frames_come_out_as_they_went_in(codec: str) -> None:
    sent = media.video(codec, 1.0, SIZE, 0.5)
    frames = push_all(codec, numbered(packets(codec)))
    assert [frame.timestamp for frame in frames] == list(range(len(sent)))
    assert [frame.timestamp for frame in frames if frame.is_key] == [0, 8]
    assert decoded(codec, frames) == [SIZE] * len(sent)
    for frame, (_, data) in zip(frames, sent, strict=True):
        if codec == "H264":
            assert nal_units(frame.data) == nal_units(data)
        elif codec == "AV1":
            assert frame.data == data.removeprefix(b"\x12\0")
        else:
            assert frame.data == data


@pytest.mark.no_cover
@pytest.mark.parametrize("codec", VIDEO)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_comes_out_after_losses_decodes(codec: str, data: st.DataObject) -> None:
    sent = numbered(packets(codec))
    lost = data.draw(st.sets(st.integers(0, len(sent) - 1), max_size=8))
    frames = push_all(codec, [item for item in sent if item[0] not in lost])
    assert decoded(codec, frames) == [SIZE] * len(frames)
    assert not frames or frames[0].is_key
    hurt = {item[1] for item in sent if item[0] in lost}
    assert not hurt & {frame.timestamp for frame in frames}


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(
    items=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans(), st.binary(max_size=40))
    )
)
def test_garbage_never_raises(items: list[tuple[int, int, bool, bytes]]) -> None:
    """Each example is pushed for every codec, because drawing it takes most of the time."""
    for depacketiser in [DEPACKETISERS[codec]() for codec in sorted(DEPACKETISERS)]:
        number = 0
        for step, timestamp, marker, payload in items:
            number += 1 if step < 8 else step
            depacketiser.push(number, timestamp, *packet(payload, marker=marker))


@pytest.mark.no_cover
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**16),
            st.lists(st.tuples(st.integers(0, 20), st.integers(0, 255)), max_size=3),
        ),
        min_size=12,
        max_size=12,
    )
)
def test_mangled_packets_never_raise(damage: list[tuple[int, list[tuple[int, int]]]]) -> None:
    """Each example cuts the packets of every codec and changes bytes of their headers."""
    for codec in VIDEO:
        depacketiser = DEPACKETISERS[codec]()
        for number, (timestamp, sent) in enumerate(packets(codec)[:12]):
            cut, changes = damage[number]
            payload = bytearray(sent.payload[: 1 + cut % len(sent.payload)])
            for position, value in changes:
                payload[position % len(payload)] = value
            depacketiser.push(number, timestamp, *packet(bytes(payload), marker=sent.marker))


@pytest.mark.no_cover
@pytest.mark.parametrize("codec", VIDEO)
def test_a_frame_without_end_is_given_up(codec: str) -> None:
    key = packets(codec)[:1]
    start = key[0][1].payload
    depacketiser = DEPACKETISERS[codec]()
    depacketiser.push(0, 0, *packet(start))
    for number in range(1, MAX_FRAME_BYTES // 1000 + 2):
        depacketiser.push(number, 0, *packet(start[:1] + bytes(1200)))
    assert depacketiser.push(9_999, 0, *packet(start[:1] + bytes(9), marker=True)) is None
