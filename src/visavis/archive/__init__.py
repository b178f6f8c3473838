"""The built-in recording server: a tus 1.0 server, the library of recordings, and playback."""
