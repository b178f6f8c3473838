"""Retransmissions (RFC 4588): the packet inside the packet."""

from __future__ import annotations

from visavis.rtp.packet import RtpPacket


def unwrap_rtx(packet: RtpPacket, payload_type: int, ssrc: int) -> RtpPacket | None:
    """The repaired packet of the stream `ssrc`; `None` for a mere probe."""
    if len(packet.payload) <= 2:
        return None
    number = int.from_bytes(packet.payload[:2])
    return RtpPacket(
        payload_type, packet.marker, number, packet.timestamp, ssrc, packet.payload[2:]
    )
