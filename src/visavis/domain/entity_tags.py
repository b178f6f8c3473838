"""Comparison of entity tags (RFC 9110 §8.8.3.2) for If-Match and If-None-Match."""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(r'(W/)?("[^"]*")')


def is_listed(etag: str, tags: str) -> bool:
    """Whether If-Match names the strong tag (strong comparison: a weak tag never matches)."""
    return tags.strip() == "*" or ("", etag) in _TAG.findall(tags)


def is_listed_weakly(etag: str, tags: str) -> bool:
    """Whether If-None-Match names the tag (weak comparison).

    Proxies that compress an answer make its tag weak, and clients send it back so.
    """
    return tags.strip() == "*" or etag in {value for _, value in _TAG.findall(tags)}
