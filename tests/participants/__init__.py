"""People without browsers: real signalling, real ICE, DTLS and SRTP; many fit on one core."""
