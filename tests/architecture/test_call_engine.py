"""The calls in progress: no lock is held across an await, and no listener registers itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parents[2] / "src" / "visavis"
CALLS: Final = SOURCES / "services" / "calls"
MAX_FILES: Final = 10


def names_in(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
                yield type(node).__name__


def test_no_lock_is_used() -> None:
    assert not {"Lock", "Semaphore", "Condition", "acquire"} & set(names_in(CALLS))


def test_nothing_happens_because_it_was_registered_first() -> None:
    assert not {name for name in names_in(CALLS) if "listener" in name.lower()} - {"MediaListener"}


def test_the_engine_never_waits() -> None:
    names = set(names_in(SOURCES / "domain"))
    assert not {"AsyncFunctionDef", "Await"} & names


def test_the_owner_of_a_site_is_a_few_files() -> None:
    assert len(list(CALLS.glob("*.py"))) <= MAX_FILES
