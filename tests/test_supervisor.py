"""The supervisor's tasks: if one dies, its part is started again, and only once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.dying import dies_once
from tests.running import PATIENCE
from visavis.settings import Settings
from visavis.supervisor import CANNOT_START, Part, start_supervision

pytestmark = pytest.mark.anyio

UP_UNTIL_STOPPED = "read -r settings; echo '{}'; echo $$ >> started; read -r end; exit 0"


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    """A part whose program is a script, which says that it is up and runs until it is stopped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("visavis.tasks.FIRST_PAUSE_SECONDS", 0.01)
    write_program(tmp_path, UP_UNTIL_STOPPED)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "program"))
    return Part("app", Settings())


def write_program(directory: Path, script: str) -> None:
    program = directory / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)


async def until_up(part: Part) -> None:
    async with asyncio.timeout(PATIENCE):
        while not part.state.is_up:
            await asyncio.sleep(0.01)


async def test_reports_are_heard_after_their_task_died(part: Part) -> None:
    with dies_once("reports of app", part, "_listen_to"):
        running = start_supervision(part)
        await until_up(part)
    await part.stop()
    await running


async def test_a_part_runs_once_after_its_supervision_died(part: Part, tmp_path: Path) -> None:
    with dies_once("supervision of app", part, "_try_once"):
        running = start_supervision(part)
        await until_up(part)
    await part.stop()
    await running
    assert len((tmp_path / "started").read_text().split()) == 1


async def test_a_process_ends_with_its_supervision(part: Part) -> None:
    running = start_supervision(part)
    await until_up(part)
    process = part._process
    assert process
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == -9


async def test_a_part_that_cannot_start_is_not_tried_again(part: Part, tmp_path: Path) -> None:
    write_program(tmp_path, f"exit {CANNOT_START}")
    await start_supervision(part)
    assert part.cannot_start
