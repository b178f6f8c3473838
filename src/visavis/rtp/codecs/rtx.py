"""Unwrapping of retransmitted packets (RTX, RFC 4588)."""

from __future__ import annotations

from visavis.rtp.packet import RtpPacket


def unwrap_rtx(packet: RtpPacket, payload_type: int, ssrc: int) -> RtpPacket | None:
    """Return the original packet that `packet` retransmits.

    `payload_type` and `ssrc` are those of the original stream. Returns `None` if there is no
    payload: browsers send such packets to probe the bandwidth.
    """
    if len(packet.payload) <= 2:
        return None
    number = int.from_bytes(packet.payload[:2])
    return RtpPacket(
        payload_type, packet.marker, number, packet.timestamp, ssrc, packet.payload[2:]
    )
