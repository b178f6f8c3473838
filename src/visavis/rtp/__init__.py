"""RTP, RTCP and SDP: pure functions and values, without I/O.

Malformed packets never raise: parsers of network data return `None`, or what they read so far.
"""
