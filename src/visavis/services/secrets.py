"""Secrets of programs: random, shown once, stored as a digest."""

from __future__ import annotations

import hashlib


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a secret.

    A secret has 192 random bits and cannot be guessed, so a slow password hash is not needed.
    """
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
