"""Names and prose follow docs/glossary.md: one word for one thing, subject first."""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
GLOSSARY: Final = ROOT / "docs" / "glossary.md"

CORE: Final = ("services", "domain", "web", "cli", "store", "bus", "protocol")
ROOT_PACKAGE: Final = "."
OUTER: Final = ("recorder", "rtp", "media", "archive", "spool", "outbound")

RETIRED: Final = frozenset(
    {
        *("Floor", "LiveCall", "LiveLink", "Seat", "Tape", "Chronicle", "Ears", "Lobby", "News"),
        *("Parties", "Taping", "Desk", "Desks", "Ringing", "Joins", "Joining", "Invitee", "Probes"),
        *(
            "CallBook",
            "Story",
            "story",
            "RecordedStory",
            "Happening",
            "Staff",
            "RecordingDesk",
            "Office",
        ),
        *("Pace", "Front", "SafeHeaders", "PatientProtocol", "PacedWebSocket", "House", "Notebook"),
        *(
            "story",
            "at_office",
            "is_engaged",
            "tell_socket",
            "tell_both",
            "tell_state",
            "demand_free",
        ),
        *("take_up", "desk_of", "seat_of_agent", "line_of", "text_of", "hurry"),
        *("Legend", "Meter", "Inlet", "Outlet", "Wires", "Scribe", "Kept", "Making", "Sending"),
        *("MuxingPlant", "Carrier", "Ledger", "Survey", "Pipeline", "Filler", "kept_priority"),
        *("Muxers", "Deliverer", "Abilities", "Told", "Trial", "Trials", "Outlook", "Wire"),
        *("Patience", "Deed", "Deeds", "Pane", "Wall", "Gapless", "Workshop", "MediaWorkers"),
        *("MediaClient", "MediaLink", "RouteChecks", "Switchboard", "Storm", "Misdeed"),
    }
)
"""Identifiers that no code of ours has any longer."""

PROSE_TERMS: Final = frozenset(
    {
        "address guard",
        "datagram",
        "transfer",
        "renegotiation",
        "film",
        "administrator",
        "place",
        "missed call",
    }
)
"""Terms of the documents and pages alone."""

SOME_RETIRED: Final = re.compile(rf"\b({'|'.join(RETIRED)})\b")

OPENERS: Final = re.compile(r"(What|Who|Whose|How|Which)\b")
SOME_OPENER: Final = re.compile(rf'("""|#[# ]*){OPENERS.pattern}')
"""Begins a docstring or a comment, or is a part of other text."""


@cache
def sources(package: str) -> tuple[Path, ...]:
    base = ROOT / "src" / "visavis"
    found = base.glob("*.py") if package == ROOT_PACKAGE else (base / package).rglob("*.py")
    return tuple(sorted(found))


def python_of(package: str) -> Iterator[Path]:
    yield from sources(package)
    if package != ROOT_PACKAGE:
        yield from sorted((ROOT / "tests" / package).rglob("*.py"))


def tokens_of(path: Path, pattern: re.Pattern[str]) -> list[tokenize.TokenInfo]:
    """Return the tokens of a file in which the pattern occurs; none of another file.

    Few files have it, and to tokenize all of them takes seconds.
    """
    text = path.read_text()
    if not pattern.search(text):
        return []
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


@pytest.mark.parametrize("package", [*CORE, ROOT_PACKAGE, *OUTER])
def test_no_retired_name_comes_back(package: str) -> None:
    names = {
        (path.name, token.string)
        for path in python_of(package)
        for token in tokens_of(path, SOME_RETIRED)
        if token.type == tokenize.NAME and token.string in RETIRED
    }
    assert not names


@pytest.mark.parametrize("package", [*CORE, ROOT_PACKAGE, *OUTER])
def test_docstrings_and_comments_begin_with_their_subject(package: str) -> None:
    openings = []
    for path in python_of(package):
        last_comment = 0
        for token in tokens_of(path, SOME_OPENER):
            text = ""
            if token.type == tokenize.STRING and token.string.startswith('"""'):
                text = token.string[3:]
            elif token.type == tokenize.COMMENT:
                if last_comment != token.start[0] - 1:
                    text = token.string.lstrip("# ")
                last_comment = token.start[0]
            if OPENERS.match(text):
                openings.append(f"{path.relative_to(ROOT)}:{token.start[0]}: {text[:60]}")
    assert not openings


def test_no_class_name_stands_for_two_things() -> None:
    homes = defaultdict(list)
    for package in (*CORE, ROOT_PACKAGE, *OUTER):
        for path in sources(package):
            for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE):
                homes[name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_every_term_of_the_glossary_is_used() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(), re.MULTILINE)
    terms = {term.strip() for row in rows for term in row.split(",")} - PROSE_TERMS
    code = "\n".join(path.read_text().lower() for path in (ROOT / "src" / "visavis").rglob("*.py"))
    unused = {
        term
        for term in terms
        if not re.search(r"[\s_]*".join(map(re.escape, re.split(r"[\s-]+", term.lower()))), code)
    }
    assert terms
    assert not unused
