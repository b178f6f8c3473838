"""Work on request: bounded, cancelled, forgotten, swept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.archive.conftest import ArchiveHarness
from tests.archive.recording_files import AUDIO_CALL, make_recording
from tests.dying import DiedError, dies_once
from tests.vanishing import remove_at_first_look
from visavis.archive import renditions as module
from visavis.archive.renditions import COMPOSED, Renditions, TooManyError
from visavis.domain.library import Entry

pytestmark = pytest.mark.anyio


@pytest.fixture
async def entries(harness: ArchiveHarness, tmp_path: Path) -> list[Entry]:
    content = make_recording(tmp_path / "call.mkv", AUDIO_CALL).read_bytes()
    for number in range(3):
        await harness.keep(content, f"rec-{number}")
    return await harness.entries()


class EndlessRecording:
    """A recording whose file never ends, so that no program that reads it ends by itself."""

    def __init__(self, harness: ArchiveHarness, entry: Entry) -> None:
        self._path = harness.directory / f"library/1/{entry.id}.mkv"
        self._path.unlink()
        os.mkfifo(self._path)
        self._pipe = -1

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[None]:
        """As soon as a program reads it."""
        self._pipe = await asyncio.to_thread(os.open, self._path, os.O_WRONLY)
        yield
        os.close(self._pipe)

    @property
    def is_read(self) -> bool:
        try:
            return os.write(self._pipe, b"x") == 1
        except BrokenPipeError:
            return False


async def test_two_who_ask_at_once_get_the_same(
    harness: ArchiveHarness, entries: list[Entry]
) -> None:
    renditions = harness.archive._renditions
    one, other = await asyncio.gather(renditions.parts(entries[0]), renditions.parts(entries[0]))
    assert one == other
    assert await renditions.part(entries[0], "nobody") is None


async def test_one_composition_at_a_time_and_few_wait(
    harness: ArchiveHarness, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    renditions = harness.archive._renditions
    for entry in entries[:2]:
        renditions.compose(entry)
    with pytest.raises(TooManyError):
        renditions.compose(entries[2])
    await asyncio.sleep(0)
    assert [renditions.composition(entry).state for entry in entries] == [
        "running",
        "waiting",
        "none",
    ]
    await renditions.close()
    assert [renditions.composition(entry).state for entry in entries] == ["none"] * 3
    assert renditions.composed(entries[0]) is None


async def test_a_deleted_recording_is_no_longer_worked_on(
    harness: ArchiveHarness, entries: list[Entry]
) -> None:
    renditions = harness.archive._renditions
    endless = EndlessRecording(harness, entries[0])
    parts = asyncio.create_task(renditions.parts(entries[0]))
    async with endless.read():
        renditions.compose(entries[0])
        await renditions.forget(entries[0])
        assert not endless.is_read
    with pytest.raises(asyncio.CancelledError):
        await parts
    assert not (harness.directory / "cache" / "1" / "rec-0").exists()


async def test_what_nobody_uses_is_swept(harness: ArchiveHarness, entries: list[Entry]) -> None:
    renditions = harness.archive._renditions
    for entry in entries[:2]:
        await renditions.parts(entry)
    cache = harness.directory / "cache" / "1"
    (cache / "rec-0" / COMPOSED).write_bytes(b"film")
    for path in cache.rglob("*"):
        os.utime(path, (0, 0))
    assert renditions.composed(entries[0])  # this is to use it
    (cache / "gone").mkdir()
    (cache.parent / "strange" / "x").mkdir(parents=True)
    await renditions.sweep(time.time())
    assert [path.name for path in cache.iterdir()] == ["rec-0"]
    assert len(await renditions.parts(entries[1])) == 2  # made again


async def test_stopping_stops_the_programs(harness: ArchiveHarness, entries: list[Entry]) -> None:
    renditions = harness.archive._renditions
    films = [EndlessRecording(harness, entry) for entry in entries[:2]]
    running = asyncio.create_task(harness.archive.run())
    renditions.compose(entries[0])
    parts = asyncio.create_task(renditions.parts(entries[1]))
    async with films[0].read(), films[1].read():
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert [make_recording.is_read for make_recording in films] == [False, False]
    with pytest.raises(asyncio.CancelledError):
        await parts
    assert renditions.composition(entries[0]).state == "none"


async def test_a_workshop_without_a_cache_has_nothing_to_sweep(harness: ArchiveHarness) -> None:
    library = harness.archive._library
    await Renditions(harness.directory / "nowhere", library).sweep(0)


async def test_the_sweep_skips_a_draft_that_is_replaced_meanwhile(
    harness: ArchiveHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renditions = Renditions(tmp_path / "cache", harness.archive._sweeper._library)
    busy, unused = (tmp_path / "cache" / "1" / name for name in ("busy", "unused"))
    for directory in (busy, unused):
        directory.mkdir(parents=True)
        (directory / "draft").touch()
    is_gone = remove_at_first_look(monkeypatch, busy / "draft")
    await renditions.sweep(time.time())
    assert is_gone()
    assert not unused.exists()


async def test_work_that_dies_once_can_be_asked_for_again(
    harness: ArchiveHarness, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    renditions, entry = harness.archive._renditions, entries[0]
    with dies_once("remuxing", renditions, "_remux"), pytest.raises(DiedError):
        await renditions.parts(entry)
    assert await renditions.parts(entry)
    with dies_once("composition", renditions, "_compose") as is_dead:
        renditions.compose(entry)
        while not is_dead():
            await asyncio.sleep(0.01)
    assert renditions.composition(entry).state == "none"


async def test_a_composition_whose_program_cannot_be_started_has_failed(
    harness: ArchiveHarness, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_descriptors(*_: object) -> None:
        raise OSError("Too many open files")

    monkeypatch.setattr(module, "_run", no_descriptors)
    renditions, entry = harness.archive._renditions, entries[0]
    renditions.compose(entry)
    while renditions.composition(entry).state != "failed":
        await asyncio.sleep(0.01)
