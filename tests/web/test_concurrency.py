"""Many administrators at once lose nothing of each other."""

from __future__ import annotations

import asyncio
import itertools
import random

import httpx2

from tests import http_clients
from tests.web.conftest import PATH, Served
from visavis.domain.audit import AuditEntry

CLIENTS = 8
CHANGES = 200
FIELDS = ("isEnabled", "isAutomaticallyRecordingAudioVideoChatsEnabled", "recordingServerUrl")


class Administrator:
    """Changes things as fast as the server answers, every second time with If-Match."""

    def __init__(self, client: httpx2.AsyncClient, number: int) -> None:
        self._client = client
        self._number = number
        self._chance = random.Random(number)
        self.guarded: list[tuple[str, str]] = []
        self.refused = 0

    async def work(self, changes: int) -> None:
        for n in range(changes):
            await self._change(n, is_guarded=n % 2 == 0)

    async def _change(self, n: int, *, is_guarded: bool) -> None:
        headers, before = {}, ""
        if is_guarded:
            seen = await self._client.get(PATH)
            headers, before = {"If-Match": seen.headers["etag"]}, seen.headers["etag"]
        match self._chance.randrange(3):
            case 0:
                url = f"https://{self._number}-{n}.example/"
                values = {"recordingServerUrl": url, "isEnabled": bool(n % 3)}
                answer = await self._client.put(PATH, json=values, headers=headers)
            case 1:
                answer = await self._client.post(f"{PATH}:enable", headers=headers)
            case _:
                answer = await self._client.post(f"{PATH}:disable", headers=headers)
        if answer.status_code == 412:
            assert is_guarded
            self.refused += 1
            return
        assert answer.status_code == 200, answer.text
        if is_guarded and answer.headers["etag"] != before:
            self.guarded.append((before, answer.headers["etag"]))


async def crowd(served: Served) -> list[Administrator]:
    headers = {"Authorization": f"Bearer {served.token}"}
    limits = httpx2.Limits(max_connections=CLIENTS)
    async with http_clients.AsyncClient(
        base_url=served.url, headers=headers, limits=limits
    ) as client:
        crowd = [Administrator(client, number) for number in range(CLIENTS)]
        await asyncio.gather(*(one.work(CHANGES // CLIENTS) for one in crowd))
        return crowd


def history(served: Served) -> tuple[int, list[AuditEntry]]:
    """The version that is stored, and the audit entries from the first on."""

    async def read() -> tuple[int, list[AuditEntry]]:
        config = await served.store.read(lambda rows: rows.settings.get(1).config)
        entries = await served.store.read(lambda rows: rows.audit.list_page(1, 10_000))
        return config.version, list(reversed(entries))

    return asyncio.run(read())


def test_every_change_is_counted_audited_and_in_its_place(served: Served) -> None:
    administrators = asyncio.run(crowd(served))
    version, entries = history(served)
    assert version == len(entries), "one entry for each real change, and no version twice"

    # the entries are one unbroken chain: each begins with what the one before left
    state = {"isEnabled": "false", FIELDS[1]: "false", "recordingServerUrl": ""}
    for entry in entries:
        assert entry.changes
        for change in entry.changes:
            assert change.old_value == state[change.field_name]
            assert change.new_value != change.old_value
            state[change.field_name] = change.new_value

    # no two guarded changes began with the same state: none of them was lost
    begun = [before for before, _ in itertools.chain(*(one.guarded for one in administrators))]
    assert len(set(begun)) == len(begun)
    assert begun, "somebody got through"
    assert sum(one.refused for one in administrators) > 0, "somebody came too late"
