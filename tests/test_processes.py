"""The parts of `visavis serve`, and the modules that each part does not import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from visavis.lifecycle import RELOAD
from visavis.processes import process_main
from visavis.settings import Settings, encode_settings

RELOADED_ONCE = """
import asyncio, sys
from visavis.cli import part

async def run(settings, lifecycle):
    reloaded = asyncio.Event()
    lifecycle.reload_listeners.append(reloaded.set)
    async with asyncio.timeout(20):
        await reloaded.wait()
    print("reloaded", file=sys.stderr)

part.process_main = lambda name: run
part.part(["recorder"])
"""
"""Run a part that ends once it was asked to reload."""


def test_there_is_no_other_part() -> None:
    with pytest.raises(KeyError):
        process_main("kitchen")


PART = "from visavis.processes import process_main as run; run"
ENGINE = "visavis.domain.call.call"
DIALECT = "sqlalchemy.dialects.postgresql"


@pytest.mark.parametrize(
    ("imports", "foreign"),
    [
        (f"{PART}('media-0')", {"sqlalchemy", "starlette", "av", "httpx2"}),
        (f"{PART}('recorder')", {"starlette", "uvicorn", "av", DIALECT, ENGINE}),
        (f"{PART}('app')", {"av", "alembic", "pylibsrtp", DIALECT}),
        (
            "import visavis.cli.serve",
            {"starlette", "av", "cryptography", DIALECT, ENGINE},
        ),
        (
            "import visavis.cli.accounts",
            {"starlette", "av", "httpx2", DIALECT, ENGINE},
        ),
        ("import visavis.archive.inspect", {"structlog", "asyncio", "sqlalchemy"}),
        (
            "from visavis.cli import main; main(['--help'], standalone_mode=False)",
            {"sqlalchemy", "starlette", "av", "visavis.compose", "visavis.cli.serve"},
        ),
    ],
)
def test_a_process_imports_only_what_it_runs(imports: str, foreign: set[str]) -> None:
    program = f"import sys; {imports}; print(*sys.modules)"
    foreign = foreign | {"rich", "pygments"}
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not foreign & set(told.stdout.split())


def test_a_request_right_behind_the_settings_is_not_lost() -> None:
    said = encode_settings(Settings()) + b"\n" + RELOAD + b"\n"
    command = [sys.executable, "-c", RELOADED_ONCE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(said)
        process.stdin.flush()
        assert "reloaded" in [line.decode().strip() for line in process.stderr]
