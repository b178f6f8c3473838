"""The parts of `visavis serve`, and what each leaves to the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from visavis.parts import run_of


def test_there_is_no_other_part() -> None:
    with pytest.raises(KeyError):
        run_of("kitchen")


@pytest.mark.parametrize(
    ("part", "foreign"),
    [
        ("media-0", {"sqlalchemy", "starlette", "av", "httpx2"}),
        ("recorder", {"starlette", "uvicorn"}),
    ],
)
def test_a_part_imports_itself_alone(part: str, foreign: set[str]) -> None:
    program = f"import sys; from visavis.parts import run_of; run_of({part!r}); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not foreign & set(told.stdout.split())
