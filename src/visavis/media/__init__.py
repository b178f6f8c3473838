"""The media worker: ICE-lite, DTLS-SRTP and a transparent relay between the legs of a bridge."""
