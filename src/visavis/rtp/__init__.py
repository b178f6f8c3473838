"""RTP, RTCP and SDP as values: no I/O, and no error that a network byte can cause escapes."""
