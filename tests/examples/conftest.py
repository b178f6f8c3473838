"""A served product for the examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.web.conftest import Served

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path, "").start()
    yield running
    running.stop()
