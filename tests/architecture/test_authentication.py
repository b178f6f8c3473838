"""Callers are authenticated in one place: the gates of `web/authentication.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parents[2] / "src" / "visavis"
OTHER_SECRETS: Final = {"web/metrics.py", "archive/tus_server.py"}
"""Gates of the operator's token and of recorders' upload keys, which are no agents' secrets."""


def files_with(pattern: str) -> set[str]:
    return {
        path.relative_to(PACKAGE).as_posix()
        for package in ("web", "archive")
        for path in (PACKAGE / package).rglob("*.py")
        if re.search(pattern, path.read_text())
    }


def test_one_file_reads_the_credentials_of_agents_and_clients() -> None:
    readers = files_with(r"""header\([^)]*b"authorization"|headers(\.get\(|\[)"authorization""")
    # the challenge of an answer depends on the scheme that was sent, and on nothing else of it
    assert readers - OTHER_SECRETS == {"web/authentication.py", "web/errors.py"}


def test_one_file_asks_who_holds_a_token_a_key_or_a_cookie() -> None:
    assert files_with(r"(_tokens|_keys)\.authenticate\(") == {"web/authentication.py"}


def test_one_file_admits_by_join_link() -> None:
    found = files_with(r"_?find_join_link\(")
    assert found == {"web/authentication.py"}
