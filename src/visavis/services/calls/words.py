"""What people type, made fit for a database and a page."""

from __future__ import annotations


def line_of(text: str) -> str:
    """No database takes control characters, and no page shows them."""
    return "".join(letter for letter in text if letter.isprintable())


def text_of(text: str) -> str:
    """As `line_of`, with the line breaks kept."""
    return "\n".join(map(line_of, text.splitlines())).strip()
