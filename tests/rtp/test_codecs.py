from __future__ import annotations

import io
from typing import Any, NamedTuple

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthetic import media
from tests.synthetic.packetise import PACKETISERS, av1, nal_units, obus, stap_a
from visavis.rtp.codecs import DEPACKETISERS, Frame, opus, vp8, vp9
from visavis.rtp.codecs.av1 import Av1Depacketiser
from visavis.rtp.codecs.frame import MAX_FRAME_BYTES
from visavis.rtp.codecs.h264 import H264Depacketiser
from visavis.rtp.codecs.rtx import unwrap_rtx
from visavis.rtp.codecs.vp9 import Vp9Depacketiser
from visavis.rtp.codecs.vp9_header import HeaderReader, hide
from visavis.rtp.packet import RtpPacket
from visavis.rtp.sdp import RECORDABLE

VIDEO = ("VP8", "VP9", "H264", "AV1")
SIZE = (640, 360)


class Sent(NamedTuple):
    """Marker and payload of a packet."""

    marker: bool
    payload: bytes


def packet(payload: bytes, *, marker: bool = False) -> Sent:
    return Sent(marker, payload)


def packets(codec: str, seconds: float = 1.0) -> list[tuple[int, Sent]]:
    """Timestamps and packets of a short film."""
    return [
        (number, packet(payload, marker=index == len(payloads) - 1))
        for number, (_, frame) in enumerate(media.video(codec, seconds, SIZE, 0.5))
        for payloads in [PACKETISERS[codec](frame, number)]
        for index, payload in enumerate(payloads)
    ]


def push_all(codec: str, sent: list[tuple[int, int, Sent]]) -> list[Frame]:
    depacketiser = DEPACKETISERS[codec]()
    pushed = [depacketiser.push(number, stamp, *one) for number, stamp, one in sent]
    return [frame for frame in pushed if frame]


def numbered(sent: list[tuple[int, Sent]]) -> list[tuple[int, int, Sent]]:
    return [(number, *item) for number, item in enumerate(sent)]


def decoded(codec: str, frames: list[Frame]) -> list[tuple[int, int]]:
    """The sizes of the pictures that a decoder makes of them."""
    name = {"VP8": "vp8", "VP9": "vp9", "H264": "h264", "AV1": "libdav1d"}[codec]
    context: Any = av.CodecContext.create(name, "r")
    context.thread_count = 1
    pictures = [p for frame in frames for p in context.decode(av.Packet(frame.data))]
    pictures += context.decode(None)
    return [(picture.width, picture.height) for picture in pictures]


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


@pytest.mark.parametrize("codec", sorted(DEPACKETISERS))
@settings(max_examples=200, deadline=None)
@given(
    items=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans(), st.binary(max_size=40))
    )
)
def test_garbage_never_raises(codec: str, items: list[tuple[int, int, bool, bytes]]) -> None:
    depacketiser, number = DEPACKETISERS[codec](), 0
    for step, timestamp, marker, payload in items:
        number += 1 if step < 8 else step
        depacketiser.push(number, timestamp, *packet(payload, marker=marker))


@pytest.mark.parametrize("codec", VIDEO)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_mangled_packets_never_raise(codec: str, data: st.DataObject) -> None:
    depacketiser = DEPACKETISERS[codec]()
    for number, (timestamp, sent) in enumerate(packets(codec)[:12]):
        payload = bytearray(sent.payload[: data.draw(st.integers(1, len(sent.payload)))])
        for _ in range(data.draw(st.integers(0, 3))):
            payload[data.draw(st.integers(0, min(20, len(payload) - 1)))] = data.draw(
                st.integers(0, 255)
            )
        depacketiser.push(number, timestamp, *packet(bytes(payload), marker=sent.marker))


@pytest.mark.parametrize("codec", VIDEO)
def test_a_frame_without_end_is_given_up(codec: str) -> None:
    key = packets(codec)[:1]
    start = key[0][1].payload
    depacketiser = DEPACKETISERS[codec]()
    depacketiser.push(0, 0, *packet(start))
    for number in range(1, MAX_FRAME_BYTES // 1000 + 2):
        depacketiser.push(number, 0, *packet(start[:1] + bytes(1200)))
    assert depacketiser.push(9_999, 0, *packet(start[:1] + bytes(9), marker=True)) is None


def test_probes_between_frames_do_no_harm() -> None:
    sent = packets("VP8")
    probed = [item for pair in sent for item in (pair, (pair[0], packet(b"")))]
    assert len(push_all("VP8", numbered(probed))) == 15


def test_a_frame_whose_end_never_came_breaks_what_follows() -> None:
    sent = packets("VP8")
    ends = [index for index, (_, p) in enumerate(sent) if p.marker]
    first = sent[ends[1]]
    sent[ends[1]] = (first[0], packet(first[1].payload))
    assert [frame.timestamp for frame in push_all("VP8", numbered(sent))] == [0, *range(8, 15)]


def test_vp8_descriptors_of_every_length() -> None:
    key = media.video("VP8", 0.1)[0][1]
    heads = [
        "10",
        "9000",
        "90807f",
        "9080ffff",
        "90c07f01",
        "904001",
        "902001",
        "9010ff",
        "90f07f0101",
    ]
    for head in heads:
        frames = push_all("VP8", [(0, 0, packet(bytes.fromhex(head) + key, marker=True))])
        assert [frame.data for frame in frames] == [key]
    for head in ["", "90", "9080", "9080ff", "10"]:
        assert not push_all("VP8", [(0, 0, packet(bytes.fromhex(head), marker=True))])


def test_a_key_frame_may_have_hundreds_of_packets() -> None:
    key = media.video("VP8", 0.1, SIZE)[0][1] + bytes(400_000)
    payloads = PACKETISERS["VP8"](key, 1)
    assert len(payloads) > 300
    sent = [
        (number, 0, packet(payload, marker=number == len(payloads) - 1))
        for number, payload in enumerate(payloads)
    ]
    (frame,) = push_all("VP8", sent)
    assert (frame.is_key, frame.data, frame.packets) == (True, key, len(payloads))


def test_vp8_sizes() -> None:
    assert vp8.key_frame_size(media.video("VP8", 0.1)[0][1]) == (160, 120)
    assert vp8.key_frame_size(bytes.fromhex("1000009d012a00000000")) is None
    assert vp8.key_frame_size(media.video("VP8", 0.2)[1][1]) is None


def test_vp9_descriptors_of_every_kind() -> None:
    key = media.video("VP9", 0.1)[0][1]
    heads = [
        "0c",  # no picture id
        "8c7f",
        "8cffff",
        "2c0100",  # layers, not flexible
        "3c01",  # layers, flexible
        "5c0302",  # flexible, two references
        "0e00",  # a structure that tells nothing
        "0e18 02800168 02 04 01 00".replace(" ", ""),  # one size, two pictures, one reference
    ]
    for head in heads:
        frames = push_all("VP9", [(0, 0, packet(bytes.fromhex(head) + key, marker=True))])
        assert [frame.data for frame in frames] == [key], head
    for head in ["8c", "2c01", "0e", "0e18", "0e08", "5c01"]:
        assert not push_all("VP9", [(0, 0, packet(bytes.fromhex(head), marker=True))])


def test_vp9_layers_become_a_superframe() -> None:
    key = media.video("VP9", 0.1)[0][1]
    depacketiser = Vp9Depacketiser()
    assert depacketiser.push(0, 5, *packet(b"\x2c\x00\x00" + key)) is None
    frame = depacketiser.push(1, 5, *packet(b"\x6c\x03\x00" + key, marker=True))
    assert frame
    assert frame.is_key
    size = len(key).to_bytes(4, "little")
    header = HeaderReader().read(key)
    assert header
    assert frame.data == hide(key, header) + key + b"\xd9" + size + size + b"\xd9"
    assert frame.size == (160, 120)
    for number in range(2, 11):
        assert depacketiser.push(number, 6, *packet(b"\x0c" + key)) is None
    assert depacketiser.push(11, 6, *packet(b"\x0c" + key, marker=True)) is None


def test_vp9_sizes_in_every_profile() -> None:
    assert vp9.key_frame_size(media.video("VP9", 0.1, (320, 180))[0][1]) == (320, 180)
    assert vp9.key_frame_size(media.video("VP9", 0.2)[1][1]) is None
    sync, size = f"{0x498342:024b}", f"{639:016b}{359:016b}"
    colours = {
        "00": "001 0",  # space, range
        "10": "001 0 000",  # and in profile 1 subsampling, a reserved bit
        "01": "0 001 0",  # before it in profile 2 the depth
        "110": "0 111 0",  # RGB, a reserved bit; profile 3 itself is followed by one
    }
    for profile, colour in colours.items():
        bits = f"10{profile}0000{sync}{colour}{size}".replace(" ", "").ljust(128, "0")
        assert vp9.key_frame_size(int(bits, 2).to_bytes(16)) == (640, 360), profile
    assert vp9.key_frame_size(b"") is None
    assert vp9.key_frame_size(b"\x82\x49\x83\x42\x00") is None


def test_h264_parameter_sets_are_put_before_a_key_frame_that_lacks_them() -> None:
    units = nal_units(media.video("H264", 0.1, SIZE)[0][1])
    sets = [unit for unit in units if unit[0] & 31 in {7, 8}]
    picture = next(unit for unit in units if unit[0] & 31 == 5)
    depacketiser = H264Depacketiser()
    assert depacketiser.push(0, 0, *packet(picture, marker=True)) is None
    assert depacketiser.push(1, 1, *packet(stap_a(sets), marker=True)) is None
    frame = depacketiser.push(2, 2, *packet(picture, marker=True))
    assert frame
    assert frame.is_key
    assert nal_units(frame.data) == [*sets, picture]
    assert decoded("H264", [frame]) == [SIZE]


def test_h264_single_units_of_mode_0() -> None:
    units = nal_units(media.video("H264", 0.1, SIZE)[0][1])
    sent = [(0, packet(unit, marker=unit is units[-1])) for unit in units]
    assert decoded("H264", push_all("H264", numbered(sent))) == [SIZE]


@pytest.mark.parametrize(
    "payload", ["18", "180005aa", "18000067", "1a00", "1c", "1c85", "00", "1e0000"]
)
def test_h264_payloads_that_are_malformed(payload: str) -> None:
    rest = numbered(packets("H264"))
    depacketiser = H264Depacketiser()
    assert depacketiser.push(0, 0, *packet(bytes.fromhex(payload), marker=True)) is None
    # and the next key frame is found
    assert any(depacketiser.push(number + 5, stamp, *sent) for number, stamp, sent in rest)


def test_av1_units_with_their_sizes_and_what_is_not_wanted() -> None:
    key = media.video("AV1", 0.1, SIZE)[0][1]
    (payload,) = av1(key, 0)
    unit = Av1Depacketiser().push(0, 0, *packet(payload, marker=True))
    assert unit
    delimiter_and_sizes = (
        b"\x08"
        + bytes([2])
        + b"\x12\0"
        + b"".join(bytes([len(obu)]) + obu for obu in _sized_units(unit.data))
    )
    again = Av1Depacketiser().push(0, 0, *packet(delimiter_and_sizes, marker=True))
    assert again == unit


def _sized_units(data: bytes) -> list[bytes]:
    units, position = [], 0
    while position < len(data):
        size = data[position + 1]
        units.append(data[position : position + 2 + size])
        position += 2 + size
    return units


@pytest.mark.parametrize(
    "payload",
    [
        "08",
        "88aa",  # a new sequence that continues
        "0805aa",  # longer than the packet
        "08ffffffffffff",  # a length without end
        "0800",  # nothing
        "2802aabb",  # two promised, one there
        "480130",  # to be continued, and the marker
        "180a",  # forbidden bit comes next
        "18b0",
        "1812",  # a temporal delimiter only, sized and cut off
        "180e",
    ],
)
def test_av1_payloads_that_are_malformed(payload: str) -> None:
    assert Av1Depacketiser().push(0, 0, *packet(bytes.fromhex(payload), marker=True)) is None


def test_av1_with_extension_headers() -> None:
    sequence = next(u for k, u in _obus("AV1") if k == 1)
    frame = next(u for k, u in _obus("AV1") if k == 6)
    extended = bytes([frame[0] | 4, 0]) + frame[1:]
    payload = b"\x28" + bytes([len(sequence)]) + sequence + extended
    unit = Av1Depacketiser().push(0, 0, *packet(payload, marker=True))
    assert unit
    assert unit.is_key
    assert decoded("AV1", [unit]) == [SIZE]


def _obus(codec: str) -> list[tuple[int, bytes]]:
    return list(obus(media.video(codec, 0.1, SIZE)[0][1]))


def test_opus_packets_pass_and_malformed_ones_do_not() -> None:
    for _, data in media.audio(0.2):
        frames = push_all("OPUS", [(1, 960, packet(data))])
        assert frames == [Frame(960, True, data)]
    assert not push_all("OPUS", [(1, 0, packet(b""))])


@pytest.mark.parametrize(
    ("hexadecimal", "samples"),
    [
        ("f8fffe", 960),
        ("00", 480),
        ("18aa", 2880),
        ("60aa", 480),
        ("80aa", 120),
        ("f9aabb", 1920),
        ("f9aa", 0),
        ("fa01aabb", 1920),
        ("fa", 0),
        ("fa09aa", 0),
        ("fafc", 0),
        ("fafc01", 0),
        ("fb03aabbcc", 2880),
        ("fb07aabbcc", 0),
        ("fb", 0),
        ("fb00", 0),
    ],
)
def test_opus_durations(hexadecimal: str, samples: int) -> None:
    assert opus.samples(bytes.fromhex(hexadecimal)) == samples


def test_opus_frames_have_a_greatest_length() -> None:
    assert opus.samples(b"\xf8" + bytes(1275)) == 960
    assert opus.samples(b"\xf8" + bytes(1276)) == 0
    assert opus.samples(b"\xf9" + bytes(2552)) == 0


def test_silence_is_silent() -> None:
    context: Any = av.CodecContext.create("libopus", "r")
    context.sample_rate, context.layout = 48_000, "stereo"
    heard = io.BytesIO()
    for _ in range(5):
        for frame in context.decode(av.Packet(opus.SILENCE)):
            heard.write(bytes(frame.planes[0]))
    assert heard.getvalue()
    assert set(heard.getvalue()) == {0}


def test_rtx() -> None:
    repaired = unwrap_rtx(RtpPacket(97, True, 5, 77, 2, b"\x01\x02payload"), 96, 1)
    assert repaired == RtpPacket(96, True, 0x102, 77, 1, b"payload")
    assert unwrap_rtx(RtpPacket(97, True, 5, 77, 2, b"\x01\x02"), 96, 1) is None
