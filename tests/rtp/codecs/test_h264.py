from __future__ import annotations

import pytest

from tests.rtp.codecs.streams import SIZE, decoded, numbered, packet, packets, push_all
from tests.synthetic import media
from tests.synthetic.packetise import nal_units, stap_a
from visavis.rtp.codecs.h264 import H264Depacketiser


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
    # The next key frame is found.
    assert any(depacketiser.push(number + 5, stamp, *sent) for number, stamp, sent in rest)
