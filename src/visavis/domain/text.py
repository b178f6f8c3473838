"""Cleaning of text that people type, so that a database can store it and a page can show it.

Only control characters and lone surrogates are removed. All other characters stay, because scripts
and names need them: no-break and ideographic spaces, joiners, emoji sequences, directional marks.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_REMOVED: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE: Final = frozenset({"Cf", "Zs", "Zl", "Zp"})
"""Unicode general categories of characters that show nothing on their own."""


def clean_line(text: str) -> str:
    """Return a name, title or address on one line; empty if it has no visible character."""
    return _visible_or_empty(
        _REMOVED.sub("", " ".join(text.splitlines()).replace("\t", " ")).strip(" ")
    )


def clean_text(text: str) -> str:
    """Return a text with its line breaks and tabs; empty if it has no visible character."""
    lines = (_REMOVED.sub("", line) for line in text.splitlines())
    return _visible_or_empty("\n".join(lines).strip(" \t\n"))


def _visible_or_empty(text: str) -> str:
    is_visible = any(c not in "\t\n" and unicodedata.category(c) not in _INVISIBLE for c in text)
    return text if is_visible else ""
