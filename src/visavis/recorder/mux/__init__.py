"""Muxing of a recording: its journals are scanned, demuxed and written as one Matroska file."""
