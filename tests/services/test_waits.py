"""Sentences about a time to wait agree in number."""

from __future__ import annotations

import pytest

from visavis.services.visitor_limits import seconds_in_words


@pytest.mark.parametrize(
    ("wait", "words"), [(0.2, "1 second"), (1, "1 second"), (1.1, "2 seconds")]
)
def test_seconds_agree_in_number(wait: float, words: str) -> None:
    assert seconds_in_words(wait) == words
