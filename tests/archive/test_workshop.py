"""Work on request: bounded, cancelled, forgotten, swept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.archive.conftest import House
from tests.archive.films import AUDIO_CALL, film
from tests.dying import DiedError, dies_once
from tests.vanishing import remove_at_first_look
from visavis.archive import workshop as module
from visavis.archive.storage import Entry
from visavis.archive.workshop import COMPOSED, TooManyError, Workshop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def entries(house: House, tmp_path: Path) -> list[Entry]:
    content = film(tmp_path / "call.mkv", AUDIO_CALL).read_bytes()
    for number in range(3):
        await house.keep(content, f"rec-{number}")
    library = house.archive._sweeper._library
    return list(library.all())


class Endless:
    """A recording whose file never comes to its end: no program that reads it ends by itself."""

    def __init__(self, house: House, entry: Entry) -> None:
        self._path = house.archive._sweeper._library.file(entry)
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


async def test_two_who_ask_at_once_get_the_same(house: House, entries: list[Entry]) -> None:
    workshop = house.archive._workshop
    one, other = await asyncio.gather(workshop.parts(entries[0]), workshop.parts(entries[0]))
    assert one == other
    assert await workshop.part(entries[0], "nobody") is None


async def test_one_composition_at_a_time_and_few_wait(
    house: House, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 1)
    workshop = house.archive._workshop
    for entry in entries[:2]:
        workshop.compose(entry)
    with pytest.raises(TooManyError):
        workshop.compose(entries[2])
    await asyncio.sleep(0)
    assert [workshop.composition(entry).state for entry in entries] == [
        "running",
        "waiting",
        "none",
    ]
    await workshop.close()
    assert [workshop.composition(entry).state for entry in entries] == ["none"] * 3
    assert workshop.composed(entries[0]) is None


async def test_a_deleted_recording_is_no_longer_worked_on(
    house: House, entries: list[Entry]
) -> None:
    workshop = house.archive._workshop
    endless = Endless(house, entries[0])
    parts = asyncio.create_task(workshop.parts(entries[0]))
    async with endless.read():
        workshop.compose(entries[0])
        await workshop.forget(entries[0])
        assert not endless.is_read
    with pytest.raises(asyncio.CancelledError):
        await parts
    assert not (house.directory / "cache" / "1" / "rec-0").exists()


async def test_what_nobody_uses_is_swept(house: House, entries: list[Entry]) -> None:
    workshop = house.archive._workshop
    for entry in entries[:2]:
        await workshop.parts(entry)
    cache = house.directory / "cache" / "1"
    (cache / "rec-0" / COMPOSED).write_bytes(b"film")
    for path in cache.rglob("*"):
        os.utime(path, (0, 0))
    assert workshop.composed(entries[0])  # this is to use it
    (cache / "gone").mkdir()
    (cache.parent / "strange" / "x").mkdir(parents=True)
    workshop.sweep(time.time())
    assert [path.name for path in cache.iterdir()] == ["rec-0"]
    assert len(await workshop.parts(entries[1])) == 2  # made again


async def test_stopping_stops_the_programs(house: House, entries: list[Entry]) -> None:
    workshop = house.archive._workshop
    films = [Endless(house, entry) for entry in entries[:2]]
    running = asyncio.create_task(house.archive.run())
    workshop.compose(entries[0])
    parts = asyncio.create_task(workshop.parts(entries[1]))
    async with films[0].read(), films[1].read():
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert [film.is_read for film in films] == [False, False]
    with pytest.raises(asyncio.CancelledError):
        await parts
    assert workshop.composition(entries[0]).state == "none"


async def test_a_workshop_without_a_cache_has_nothing_to_sweep(house: House) -> None:
    Workshop(house.directory / "nowhere", house.archive._sweeper._library).sweep(0)


async def test_the_sweep_skips_a_draft_that_is_replaced_meanwhile(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = Workshop(tmp_path / "cache", house.archive._sweeper._library)
    busy, unused = (tmp_path / "cache" / "1" / name for name in ("busy", "unused"))
    for directory in (busy, unused):
        directory.mkdir(parents=True)
        (directory / "draft").touch()
    is_gone = remove_at_first_look(monkeypatch, busy / "draft")
    workshop.sweep(time.time())
    assert is_gone()
    assert not unused.exists()


async def test_work_that_dies_once_can_be_asked_for_again(
    house: House, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, entry = house.archive._workshop, entries[0]
    with dies_once("remuxing", workshop, "_remux"), pytest.raises(DiedError):
        await workshop.parts(entry)
    assert await workshop.parts(entry)
    with dies_once("composition", workshop, "_compose") as is_dead:
        workshop.compose(entry)
        while not is_dead():
            await asyncio.sleep(0.01)
    assert workshop.composition(entry).state == "none"


async def test_a_composition_whose_program_cannot_be_started_has_failed(
    house: House, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_descriptors(*_: object) -> None:
        raise OSError("Too many open files")

    monkeypatch.setattr(module, "_run", no_descriptors)
    workshop, entry = house.archive._workshop, entries[0]
    workshop.compose(entry)
    while workshop.composition(entry).state != "failed":
        await asyncio.sleep(0.01)
