"""The test files that have a marker: a lane collects only these."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOTH_DATABASES = (
    *("tests/archive", "tests/bus", "tests/cli", "tests/media/test_worker_pool.py"),
    *("tests/services", "tests/store", "tests/web"),
)
BY_FIXTURE = {
    "interop": BOTH_DATABASES,
    "postgresql": BOTH_DATABASES,
    "no_cover": ("tests/architecture", "tests/services/calls"),
}
"""Places whose tests have a marker from a `conftest.py`, by the marker."""


def files_with(*markers: str) -> tuple[str, ...]:
    """Return the test files that have one of the markers: only these are collected for them.

    `tests/conftest.py` makes sure that each test has its marker in its own file, or else that its
    file is in a place that gives it the marker.
    """
    places = tuple({place for marker in markers for place in BY_FIXTURE.get(marker, ())})
    names = [f"mark.{marker}" for marker in markers]
    files = {path for path, text in _texts().items() if any(name in text for name in names)}
    return tuple(sorted([*places, *(file for file in files if not file.startswith(places))]))


@cache
def _texts() -> dict[str, str]:
    """Return the text of each test file by its path."""
    texts = {}
    for directory, inside, names in os.walk(ROOT / "tests"):
        inside[:] = [name for name in inside if name not in {"node_modules", "__pycache__"}]
        for name in names:
            if name.startswith("test_") and name.endswith(".py"):
                path = Path(directory, name)
                texts[str(path.relative_to(ROOT))] = path.read_text()
    return texts
