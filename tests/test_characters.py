from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis.internal import charmap

from tests.characters import CHANGED, ENCODABLE, write_table


def test_utf_8_encodes_every_character_of_the_table_and_no_other() -> None:
    (first, before), (after, last) = ENCODABLE
    assert (first, last) == (0, sys.maxunicode)
    text = "".join(map(chr, [*range(before + 1), *range(after, last + 1)]))
    assert text.encode().decode() == text
    assert not CHANGED
    assert not "".join(map(chr, range(before + 1, after))).encode(errors="ignore")


def test_hypothesis_reads_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charmap, "storage_directory", lambda *names: Stored(tmp_path, *names))
    monkeypatch.setattr("tests.characters.CHANGED", ((65, 66),))  # no result of its own
    table = write_table(tmp_path)
    assert charmap.charmap_file("codec-v2-utf-8") == table
    encodable, changed = charmap.intervals_from_codec.__wrapped__("utf-8")
    assert (encodable.intervals, changed.intervals) == (ENCODABLE, ((65, 66),))


class Stored:
    """A storage directory of Hypothesis."""

    def __init__(self, *names: str | Path) -> None:
        self.path = Path(*names)
