from __future__ import annotations

from tests.rtp.codecs.streams import SIZE, packet, push_all
from tests.synthetic import media
from tests.synthetic.packetise import PACKETISERS
from visavis.rtp.codecs import vp8


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
