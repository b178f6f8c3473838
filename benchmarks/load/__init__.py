"""Simulated callers, whose packets a C library sends, receives and counts."""
