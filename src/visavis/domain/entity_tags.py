"""Comparison of entity tags (RFC 9110 §8.8.3.2) for If-Match and If-None-Match."""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(r'(W/)?("[^"]*")')


def is_listed(etag: str, tags: str) -> bool:
    """Whether an If-Match header lists the tag. Comparison is strong: a weak tag never matches."""
    return tags.strip() == "*" or ("", etag) in _TAG.findall(tags)


def is_listed_weakly(etag: str, tags: str) -> bool:
    """Whether an If-None-Match header lists the tag. Comparison is weak.

    Proxies that compress a response make its tag weak, and clients send the weak tag back.
    """
    return tags.strip() == "*" or etag in {value for _, value in _TAG.findall(tags)}
