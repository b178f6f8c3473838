"""Secrets of programs: random, shown once, kept as a digest."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """SHA-256: enough for a secret with 192 random bits, and fast enough for every request."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
