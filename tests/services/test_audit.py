"""The audit log: an entry for each act, in a chain that shows every change of it."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from tests.services.site import (
    EMAIL,
    NOW,
    SECRETS,
    Time,
    actions,
    flip,
    new_id,
    newest,
)
from visavis.domain.audit import ActionType, AuditSearch
from visavis.domain.errors import VisavisError
from visavis.domain.people import Agent, operator
from visavis.services import audit
from visavis.services.accounts import Accounts
from visavis.services.audit import Anchor, Auditor, AuditReader, AuditRetention, AuditTrail
from visavis.services.people import People
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


async def test_a_new_installation_begins_its_log(store: SqlStore, people: People) -> None:
    assert await actions(store, 9) == ["siteCreated", "agentCreated", "clientCreated"]
    assert {entry.author for entry in await newest(store, 9)} == {"command line"}


async def test_no_secret_is_in_any_entry(
    store: SqlStore, people: People, accounts: Accounts, agent: Agent, time: Time
) -> None:
    await people.change_password(agent, SECRETS[0], SECRETS[1], "")
    await accounts.set_password(EMAIL, SECRETS[2])
    for email in (EMAIL, SECRETS[2], "\x00"):
        with pytest.raises(VisavisError):
            await people.sign_in(email, "vv_wrong", "192.0.2.1")
    await people.failures.flush()
    entries = repr(await newest(store, 99))
    assert not any(secret in entries for secret in SECRETS)
    assert "an unknown account" in entries


@pytest.fixture
async def filled(store: SqlStore, people: People, time: Time) -> SqlStore:
    await flip(store, time, 7)
    return store


def tamper(database: str, statement: str) -> None:
    if database.startswith("postgresql"):
        import psycopg

        with psycopg.connect(database) as connection:
            connection.execute(statement)
        return
    import sqlite3

    with sqlite3.connect(database) as file:
        file.execute(statement)
    file.close()


async def test_a_whole_chain_is_unbroken(filled: SqlStore, log: AuditReader) -> None:
    seen: list[int] = []
    found = await log.verify(1, seen.append)
    assert (found.broken, found.checked, found.sequence) == (None, 10, 10)
    assert seen == [10]
    assert (await log.verify(9)).checked == 0


@pytest.mark.parametrize(
    ("statement", "sequence", "reason"),
    [
        ("UPDATE audit SET summary = 'x' WHERE sequence = 4", 4, "content"),
        ("UPDATE audit SET author = 'x' WHERE sequence = 5", 5, "content"),
        ("UPDATE audit SET changes = 'nonsense' WHERE sequence = 5", 5, "content"),
        ("UPDATE audit SET created_at = 'nonsense' WHERE sequence = 6", 6, "content"),
        ("UPDATE audit SET created_at = '2025-01-01T00:00:00+00:00' WHERE sequence = 6", 6, "con"),
        ("UPDATE audit SET agent_id = 1 WHERE sequence = 6", 6, "content"),
        ("UPDATE audit SET previous_hash = hash WHERE sequence = 7", 7, "does not hold"),
        ("DELETE FROM audit WHERE sequence = 1", 2, "from 1 to 1 are missing"),
        ("DELETE FROM audit WHERE sequence IN (4, 5)", 6, "from 4 to 5 are missing"),
        ("DELETE FROM audit WHERE sequence = 10", 10, "from 10 to 10 are missing"),
        ("DELETE FROM audit", 1, "from 1 to 10 are missing"),
        ("UPDATE audit_chains SET hash = 'x'", 10, "not the last one"),
    ],
)
async def test_a_break_is_named(
    filled: SqlStore, log: AuditReader, database: str, statement: str, sequence: int, reason: str
) -> None:
    tamper(database, statement)
    broken = (await log.verify(1)).broken
    assert broken
    assert broken.sequence == sequence
    assert reason in broken.reason


async def test_an_anchor_shows_a_chain_that_was_made_again(
    filled: SqlStore, log: AuditReader, database: str, time: Time
) -> None:
    place = Anchor(10, (await log.verify(1)).hash)
    assert (await log.verify(1, anchor=place)).broken is None
    await flip(filled, time, 1)
    assert (await log.verify(1, anchor=place)).broken is None
    other = (await log.verify(1, anchor=Anchor(10, "1" * 64))).broken
    assert other
    assert "noted elsewhere" in other.reason
    later = (await log.verify(1, anchor=Anchor(99, "1" * 64))).broken
    assert later
    assert later.reason == "the entries from 12 to 99 are missing"


async def test_several_writers_make_one_chain(
    store: SqlStore, database: str, people: People, log: AuditReader, time: Time
) -> None:
    stores = [store, open_store(database), open_store(database)]
    await asyncio.gather(*(flip(one, time, 10) for one in stores for _ in range(3)))
    found = await log.verify(1)
    assert (found.broken, found.checked) == (None, 93)
    for other in stores[1:]:
        other.close()


async def test_old_entries_can_be_removed_and_the_rest_is_a_chain(
    filled: SqlStore, log: AuditReader, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = Auditor(time, new_id)
    assert await AuditRetention(filled, auditor, time, 0).trim() == 0
    assert await AuditRetention(filled, auditor, time, 30).trim() == 0
    time.now += timedelta(days=20)
    await flip(filled, time, 2)
    time.now += timedelta(days=20)
    assert await AuditRetention(filled, auditor, time, 30).trim() == 10
    (entry,) = await newest(filled)
    assert (entry.action_type, entry.author) == ("auditLogTrimmed", "system")
    monkeypatch.setattr(audit, "BATCH", 2)
    found = await log.verify(1)
    assert (found.broken, found.checked, found.sequence) == (None, 3, 13)
    time.now += timedelta(days=99)
    assert await AuditRetention(filled, auditor, time, 30).trim() == 2
    assert await AuditRetention(filled, auditor, time, 30).trim() == 1
    assert (await log.verify(1)).broken is None


async def test_entries_that_are_removed_meanwhile_break_nothing(
    filled: SqlStore, log: AuditReader, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    time.now += timedelta(days=40)
    await flip(filled, time, 2)
    batch, calls = log._batch, itertools.count()

    async def trimming(*arguments: object) -> object:
        if next(calls) == 1:
            await AuditRetention(filled, Auditor(time, new_id), time, 30).trim()
        return await batch(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "_batch", trimming)
    found = await log.verify(1)
    assert found.broken is None
    assert found.sequence == 13


async def test_filters(store: SqlStore, people: People, agent: Agent, log: AuditReader) -> None:
    async def found(**search: object) -> list[str]:
        page = await log.list_page(agent, 1, 99, AuditSearch(**search))  # type: ignore[arg-type]
        assert page.total == len(page.entries)
        return [entry.action_type for entry in page.entries]

    await people.sign_out_everywhere(agent, "")
    assert len(await found()) == 4
    assert await found(agent_id=agent.id) == ["signedOutEverywhere"]
    assert await found(author="EXAMPLE.com") == ["signedOutEverywhere"]
    assert await found(author=agent.name.upper()) == ["signedOutEverywhere"]
    assert len(await found(author="command")) == 3
    assert await found(actions=("siteCreated", "x")) == ["siteCreated"]
    assert await found(object_name="client first") == ["clientCreated"]
    assert await found(object_name="%") == []
    assert await found(since=NOW + timedelta(1)) == []
    assert await found(until=NOW) == []
    assert len(await found(since=NOW, until=NOW + timedelta(1))) == 4


async def test_an_act_that_another_process_has_recorded(store: SqlStore, agent: Agent) -> None:
    trail = AuditTrail(store, Time(), new_id)
    before = await store.read(lambda rows: rows.audit.count(1))
    for is_new in (True, False):
        act = (1, None, "recordingDeleted", "Deleted", ())
        await trail.record_act(*act, lambda _, is_new=is_new: is_new)  # type: ignore[misc]
    assert await store.read(lambda rows: rows.audit.count(1)) == before + 1


async def test_an_entry_and_its_agent(store: SqlStore, agent: Agent, log: AuditReader) -> None:
    trail = AuditTrail(store, Time(), new_id)
    await trail.record_act(1, agent.id, "recordingPlayed", "Played", ())
    page = await log.list_page(agent, 1, 2)
    authors = [page.agent_of(entry) for entry in page.entries]
    assert [author and author.email for author in authors] == [EMAIL, None]
    entry, author = await log.get(agent, page.entries[0].id)
    assert author
    assert (entry.author, author.email) == (EMAIL, EMAIL)
    _, nobody = await log.get(agent, page.entries[1].id)
    assert nobody is None
    with pytest.raises(VisavisError):
        await log.get(agent, "unknown")


async def test_the_operator_is_the_command_line(store: SqlStore, people: People) -> None:
    entry = Auditor(Time(), new_id).entry(operator(1), 1, ActionType.SITE_CREATED, "site", "Added")
    await AuditTrail(store, Time(), new_id).record(entry)
    assert (await newest(store))[0] == entry
    assert entry.agent_id is None
