"""Cleaning of names and texts: what must go, and what must stay."""

from __future__ import annotations

import pytest

from visavis.domain.text import clean_line, clean_text

NAMES = (
    "Jean\u00a0Dupont",  # no-break space
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # zero-width non-joiner
    "श्री\u200dमान",  # zero-width joiner
    "👩\u200d👩\u200d👧\u200d👦 family ❤\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # tag characters
    "山田\u3000太郎",  # ideographic space
    "\u2067\u05e9\u05dc\u05d5\u05dd\u2069 world",  # directional isolates
    "soft\u00adhyphen",
    "new emoji \U0001fae9 of a later Unicode",
    "\ue000 private use",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_texts_keep_what_belongs_to_a_script(name: str) -> None:
    assert clean_line(name) == name
    assert clean_text(f"{name}\n{name}") == f"{name}\n{name}"


@pytest.mark.parametrize("code", [*range(9), *range(0x0E, 0x1C), 0x1F, 0x7F, 0x80, 0x9F, 0xD800])
def test_control_characters_and_lone_surrogates_are_removed(code: int) -> None:
    assert clean_line(f"An{chr(code)}n") == clean_text(f"An{chr(code)}n") == "Ann"


def test_a_line_has_no_line_breaks_and_a_text_keeps_them() -> None:
    assert clean_line(" Ann\r\nof\u2028Green\tGables\n") == "Ann of Green Gables"
    assert clean_text("\n one\r\n\ttwo\x0c\n") == "one\n\ttwo"


def test_an_indented_paragraph_keeps_its_ideographic_space() -> None:
    assert clean_text("\u3000吾輩は猫である\n") == "\u3000吾輩は猫である"


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u00a0\u3000", "\u2060\u200e", "\0"])
def test_what_shows_nothing_is_empty(text: str) -> None:
    assert clean_line(text) == clean_text(text) == ""
