"""Journals made without a browser: encoded, packetised, sent over a seeded network."""
