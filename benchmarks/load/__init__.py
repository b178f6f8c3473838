"""Callers without browsers, whose packets a C helper sends, receives and counts."""
