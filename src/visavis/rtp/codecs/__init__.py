"""Depacketisers: RTP payloads of one codec to whole frames."""
