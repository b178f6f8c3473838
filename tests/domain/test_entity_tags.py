"""Entity tags in If-Match and If-None-Match."""

from __future__ import annotations

import pytest

from visavis.domain.entity_tags import is_listed, is_listed_weakly


@pytest.mark.parametrize(
    ("tags", "is_strong", "is_weak"),
    [
        ('"a"', True, True),
        ('W/"a"', False, True),
        (' "b" ,W/"a"', False, True),
        ('"b,c", "a"', True, True),
        ('"a,b"', False, False),
        ("*", True, True),
        ("a", False, False),
        ("", False, False),
    ],
)
def test_comparison(tags: str, *, is_strong: bool, is_weak: bool) -> None:
    assert is_listed('"a"', tags) is is_strong
    assert is_listed_weakly('"a"', tags) is is_weak
