from __future__ import annotations

from tests.rtp.codecs.streams import packet, push_all
from tests.synthetic import media
from visavis.rtp.codecs import vp9
from visavis.rtp.codecs.vp9 import Vp9Depacketiser
from visavis.rtp.codecs.vp9_header import HeaderReader, hide


def test_vp9_descriptors_of_every_kind() -> None:
    key = media.video("VP9", 0.1)[0][1]
    heads = [
        "0c",  # no picture id
        "8c7f",
        "8cffff",
        "2c0100",  # layers, not flexible
        "3c01",  # layers, flexible
        "5c0302",  # flexible, two references
        "0e00",  # An empty scalability structure.
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
        "00": "001 0",  # Colour space, range.
        "10": "001 0 000",  # Profile 1 also has subsampling and a reserved bit.
        "01": "0 001 0",  # Profile 2 has the bit depth first.
        "110": "0 111 0",  # RGB, a reserved bit; profile 3 is itself followed by one.
    }
    for profile, colour in colours.items():
        bits = f"10{profile}0000{sync}{colour}{size}".replace(" ", "").ljust(128, "0")
        assert vp9.key_frame_size(int(bits, 2).to_bytes(16)) == (640, 360), profile
    assert vp9.key_frame_size(b"") is None
    assert vp9.key_frame_size(b"\x82\x49\x83\x42\x00") is None
