"""Background tasks of the app that die once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.dying import dies_once
from tests.running import PATIENCE, until
from tests.web.conftest import Api
from visavis import app as module
from visavis import tasks
from visavis.cli.archive import keep_sign_ins, watch_credentials
from visavis.domain.audit import ActionType, AuditEntry, AuditSearch
from visavis.domain.changes import EVERYTHING, ChangeSet, change_set, rights_changed
from visavis.domain.errors import VisavisError
from visavis.domain.membership import MemberState
from visavis.domain.oauth import CredentialKind
from visavis.services.secrets import digest
from visavis.store import open_store
from visavis.supervisor import announce_when_ready

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "TALLY_SECONDS", 0.01)


async def test_the_figures_stay_fresh(api: Api) -> None:
    with dies_once("recording counts", api.app, "count_recordings"):
        running = api.app.start_background_tasks()
        before = api.app.tally
        await until(lambda: api.app.tally is not before)
    await tasks.cancelled(*running)


async def failures_of(api: Api) -> Sequence[AuditEntry]:
    search = AuditSearch(actions=(ActionType.SIGN_IN_FAILED,))
    return await api.app.store.read(lambda rows: rows.audit.list_page(1, 9, search=search))


async def test_failed_sign_ins_are_written_within_the_interval(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FAILURE_SECONDS", 0.01)
    failures = api.app.people.failures
    for _ in range(2):
        await failures.add(None, "192.0.2.1")
    with dies_once("failed sign-ins", failures, "flush"):
        running = api.app.start_background_tasks()
        async with asyncio.timeout(PATIENCE):
            while len(log := await failures_of(api)) < 2:
                await asyncio.sleep(0.01)
    assert [entry.summary.split()[0] for entry in log] == ["Further", "Failed"]
    await tasks.cancelled(*running)


async def test_uses_of_sessions_are_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAILURE_SECONDS", 0.01)
    await api.client.post("/session", json={"email": "admin@example.com", "password": "secret"})
    await api.client.get("/session")
    assert api.app.tokens._uses
    with dies_once("idle sessions", api.app.tokens, "save_uses"):
        running = api.app.start_background_tasks()
        await until(lambda: not api.app.tokens._uses)
    await tasks.cancelled(*running)


async def test_the_owner_of_calls_notes_that_it_is_alive(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALIVE_SECONDS", 0.01)
    alive = asyncio.Event()

    class Owner:
        async def mark_alive(self) -> None:
            alive.set()

    owner = Owner()
    monkeypatch.setattr(api.app.calls, "mark_alive", owner.mark_alive)
    with dies_once("live calls", api.app.calls, "mark_alive"):
        running = api.app.start_background_tasks()
        await asyncio.wait_for(alive.wait(), PATIENCE)
    await tasks.cancelled(*running)


async def test_old_entries_of_the_audit_log_are_removed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    trimmed = asyncio.Event()

    class Retention:
        def __init__(self, *_: object) -> None:
            pass

        async def trim(self) -> int:
            trimmed.set()
            return 0

    monkeypatch.setattr(module, "AuditRetention", Retention)
    with dies_once("audit retention", api.app, "trim_audit_log"):
        running = api.app.start_background_tasks()
        await until(trimmed.is_set)
    await tasks.cancelled(*running)


async def test_the_log_of_changes_is_trimmed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed = asyncio.Event()

    class Store:
        async def trim_changes(self) -> None:
            trimmed.set()

    monkeypatch.setattr(api.app.store, "trim_changes", Store().trim_changes)
    with dies_once("log of changes", api.app, "trim_changes"):
        running = api.app.start_background_tasks()
        await until(trimmed.is_set)
    await tasks.cancelled(*running)


async def test_expired_credentials_are_deleted(api: Api) -> None:
    expired = await api.app.tokens.issue(
        api.administrator, CredentialKind.BEARER, timedelta(seconds=-1)
    )
    key = digest(expired)
    with dies_once("expired credentials", api.app.tokens, "delete_expired"):
        running = api.app.start_background_tasks()
        async with asyncio.timeout(PATIENCE):
            while await api.app.store.read(lambda rows: rows.credentials.find(key)):
                await asyncio.sleep(0.01)
    await tasks.cancelled(*running)


async def test_members_that_are_gone_for_long_are_deleted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GONE_SECONDS", -1.0)
    await api.app.store.write(lambda rows: rows.members.beat(api.app.members.me))
    await api.app.trim_changes()
    assert await api.app.store.read(lambda rows: rows.members.all()) == []


async def test_one_process_counts_and_the_others_read(api: Api) -> None:
    figures = {"pending": 7, "missing": 1, "oldest_seconds": 2.5}
    term = await api.app.store.write(lambda rows: rows.jobs.take("recording counts", "b", 60))
    assert term
    await api.app.store.write(
        lambda rows: rows.jobs.give_back("recording counts", term, 60, figures)
    )
    await api.app.count_recordings()
    assert (api.app.tally.pending, api.app.tally.missing) == (7, 1)
    assert api.app.tally.oldest_seconds == 2.5


async def test_another_process_counts_for_the_first_time(api: Api) -> None:
    await api.app.store.write(lambda rows: rows.jobs.take("recording counts", "b", 60))
    before = api.app.tally
    await api.app.count_recordings()
    assert api.app.tally is before


async def test_a_token_that_was_revoked_elsewhere_is_refused(api: Api) -> None:
    """Also when it was revoked while nobody listened."""
    await api.app.tokens.authenticate(api.token)
    key = digest(api.token)
    other = open_store(api.app.settings.database_address)
    await other.write(lambda rows: rows.credentials.delete(key))
    other.close()
    with dies_once("store changes", api.app, "watch_store"):
        running = api.app.start_background_tasks()
        await until(lambda: not api.app.tokens._remembered)
    with pytest.raises(VisavisError):
        await api.app.tokens.authenticate(api.token)
    await tasks.cancelled(*running)


async def test_the_process_is_a_member_until_it_ends(api: Api) -> None:
    running = api.app.start_background_tasks()
    await until(lambda: len(api.app.members.alive) == 1)
    (found,) = await api.app.store.read(lambda rows: rows.members.all())
    assert (found.node_id, found.url) == (api.app.node_id, api.app.settings.base_url)
    gauges = api.app._node_gauges()
    assert gauges["visavis_nodes"].read() == 1
    await tasks.cancelled(*running)
    await api.app.leave()
    (found,) = await api.app.store.read(lambda rows: rows.members.all())
    assert found.state is MemberState.STOPPED


async def test_the_archive_alone_forgets_what_was_revoked(api: Api) -> None:
    other, told = open_store(api.app.settings.database_address), list[ChangeSet]()
    api.app.store.on_rights_change.append(told.append)
    with dies_once("credential changes", api.app.store, "changes"):
        running = watch_credentials(api.app.store)
        await until(lambda: told == [EVERYTHING])
        await other.write(lambda rows: rows.agents.disable(1, 1, is_disabled=True))
        await until(lambda: told[1:] == [change_set([rights_changed(1, 1)])])
    await tasks.cancelled(running)
    other.close()


async def test_the_archive_alone_writes_uses_of_sessions(api: Api) -> None:
    await api.client.post("/session", json={"email": "admin@example.com", "password": "secret"})
    await api.client.get("/session")
    with dies_once("archive sign-ins", api.app.sign_ins, "end_idle"):
        running = keep_sign_ins(api.app.people, api.app.sign_ins)
        await until(lambda: not api.app.tokens._uses)
    await tasks.cancelled(running)


async def test_the_start_is_announced() -> None:
    said: list[str] = []

    class Health:
        async def is_ready(self) -> bool:
            return True

    health = Health()
    with dies_once("announcement", health, "is_ready"):
        await announce_when_ready(lambda: health.is_ready(), lambda: said.append("running"))
    assert said == ["running"]
