from __future__ import annotations

from visavis.rtp.codecs.rtx import unwrap_rtx
from visavis.rtp.packet import RtpPacket


def test_rtx() -> None:
    repaired = unwrap_rtx(RtpPacket(97, True, 5, 77, 2, b"\x01\x02payload"), 96, 1)
    assert repaired == RtpPacket(96, True, 0x102, 77, 1, b"payload")
    assert unwrap_rtx(RtpPacket(97, True, 5, 77, 2, b"\x01\x02"), 96, 1) is None
