"""`kill -9` while administrators change things: what was acknowledged is there afterwards."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests import http_clients
from tests.faults.config_api_process import ConfigApiProcess
from tests.running import eventually

pytestmark = pytest.mark.fault

KILLS = 50
WRITERS = 4
PATH = "/v4/livechat/audioVideoChatConfig"
OF_CONFIGURATION = "SELECT count(*) FROM audit WHERE action_type = 'audioAndVideoChatManagement'"


@dataclass
class Writers:
    """Each puts addresses of its own, one after the other, and remembers what was acknowledged."""

    acknowledged: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)

    async def write_until_killed(self, board: ConfigApiProcess, token: str, life: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{board.port}"
        async with http_clients.AsyncClient(base_url=url, headers=headers) as client:
            writing = [self._write(client, f"{life}-{n}") for n in range(WRITERS)]
            killing = asyncio.to_thread(self._kill_soon, board, life)
            await asyncio.gather(killing, *writing)

    async def _write(self, client: httpx2.AsyncClient, name: str) -> None:
        for number in range(100_000):
            url = f"https://{name}-{number}.example/"
            self.tried.add(url)
            try:
                answer = await client.put(PATH, json={"recordingServerUrl": url})
            except httpx2.HTTPError:
                return
            assert answer.json()["recordingServerUrl"] == url
            self.acknowledged.add(url)

    def _kill_soon(self, board: ConfigApiProcess, life: int) -> None:
        before = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) > before)
        chance = random.Random(life)
        eventually(lambda: len(self.acknowledged) > before + chance.randrange(20) or None)
        board.kill()


def audited(database: Path) -> set[str]:
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT changes FROM audit").fetchall()
    return {part for (text,) in rows for part in text.split('"') if part.startswith("https://")}


def test_fifty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    board, writers = ConfigApiProcess(tmp_path), Writers()
    database = tmp_path / "visavis.db"
    for life in range(KILLS):
        token = board.start()
        asyncio.run(writers.write_until_killed(board, token, life))
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            version, stored = connection.execute(
                "SELECT version, recording_server_url FROM av_configs"
            ).fetchone()
            (entries,) = connection.execute(
                "SELECT count(*) FROM audit WHERE changes LIKE '%recordingServerUrl%'"
            ).fetchone()
        connection.close()
        assert writers.acknowledged <= audited(database)
        assert audited(database) <= writers.tried
        assert stored in writers.tried
        assert version == entries
    assert len(writers.acknowledged) > KILLS
