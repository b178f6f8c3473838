"""The media worker: ICE-lite, DTLS-SRTP and a transparent relay between two legs."""
