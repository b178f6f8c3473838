"""Muxing of a recording: scans and demuxes its journals, and writes one Matroska file."""
