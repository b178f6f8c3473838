"""Our recording server: a tus 1.0 server, the files it keeps, and their playback."""
