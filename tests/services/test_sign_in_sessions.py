"""Sign-in sessions that are not used, and sessions of several processes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from visavis.domain.audit import ActionType, AuditSearch
from visavis.domain.changes import EVERYTHING
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent
from visavis.services.audit import AuditReader
from visavis.services.people import People
from visavis.services.ports import Transaction
from visavis.services.sign_in_sessions import GRACE, SignInSessions
from visavis.services.tokens import Tokens
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

IDLE = timedelta(hours=8)
numbers = itertools.count()


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def new_id() -> str:
    return f"id{next(numbers)}"


class Plain:
    async def hash(self, password: str) -> str:
        return password

    async def matches(self, password_hash: str | None, password: str) -> bool:
        return password_hash == password


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def people(store: SqlStore, time: Time) -> People:
    found = People(store, Plain(), time, new_id, new_id)
    await found.create_first_site(email="a@example.com", password="secret")
    return found


@pytest.fixture
async def agent(people: People) -> Agent:
    return await people.by_email("a@example.com")


@pytest.fixture
def tokens(store: SqlStore, time: Time) -> Tokens:
    return Tokens(store, time, new_id, IDLE)


@pytest.fixture
def sessions(people: People, tokens: Tokens) -> SignInSessions:
    return people.sessions(tokens)


async def test_a_session_ends_without_use(
    store: SqlStore, sessions: SignInSessions, tokens: Tokens, agent: Agent, time: Time
) -> None:
    used, unused = [await sessions.begin(agent, name, "192.0.2.1") for name in ("used", "not")]
    bearer = await tokens.issue(agent, CredentialKind.BEARER, timedelta(days=2))
    for _ in range(10):  # an open console is checked every minute
        time.now += timedelta(hours=1)
        await tokens.authenticate(used)
        if time.now.hour < 8:
            await tokens.authenticate(unused, is_use=False)
        await sessions.end_idle()
        tokens._forget(EVERYTHING)
    with pytest.raises(VisavisError):
        await tokens.authenticate(unused)
    await tokens.authenticate(used)
    await tokens.authenticate(bearer)
    (left,) = await sessions.list_by_agent(agent, used)
    assert (left.device, left.is_current, left.last_used_at) == ("used", True, time.now)
    page = await AuditReader(store).list_page(agent, 1, 1)
    assert page.entries[0].summary == "a@example.com was signed out because of inactivity"
    assert page.entries[0].author == "system"


async def test_idle_sessions_are_refused_before_they_are_removed(
    sessions: SignInSessions, tokens: Tokens, agent: Agent, time: Time
) -> None:
    token = await sessions.begin(agent, "", "")
    await tokens.authenticate(token)
    time.now += IDLE
    with pytest.raises(VisavisError, match="inactive"):
        await tokens.authenticate(token)
    assert await sessions.end_idle() == 0
    time.now += GRACE + timedelta(seconds=1)
    assert await sessions.end_idle() == 1
    assert await sessions.list_by_agent(agent, token) == []


async def test_two_processes_end_a_session_at_once(
    store: SqlStore,
    sessions: SignInSessions,
    agent: Agent,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has read that the session is unused; one of them writes so in the audit log."""
    await sessions.begin(agent, "", "")
    time.now += IDLE + GRACE + timedelta(seconds=1)
    write = store.write

    async def read_before(work: Callable[[Transaction], int]) -> int:
        idle = await store.read(lambda rows: rows.credentials.unused_sessions(time.now))

        def both(rows: Transaction) -> int:
            with monkeypatch.context() as patched:
                patched.setattr(type(rows.credentials), "unused_sessions", lambda *_: idle)
                return work(rows) + 10 * work(rows)

        return await write(both)

    monkeypatch.setattr(store, "write", read_before)
    assert await sessions.end_idle() == 1
    search = AuditSearch(actions=(ActionType.SESSION_ENDED,))
    assert await store.read(lambda rows: rows.audit.count(1, search)) == 1


async def test_the_use_in_another_process_counts(
    store: SqlStore, sessions: SignInSessions, tokens: Tokens, agent: Agent, time: Time
) -> None:
    token = await sessions.begin(agent, "", "")
    await tokens.authenticate(token)
    other = Tokens(store, time, new_id, IDLE)
    time.now += IDLE - timedelta(minutes=1)
    await other.authenticate(token)
    await other.save_uses()
    time.now += timedelta(minutes=2)
    await tokens.authenticate(token)


async def test_without_a_time_out_sessions_stay(
    store: SqlStore, people: People, agent: Agent, time: Time
) -> None:
    tokens = Tokens(store, time, new_id)
    sessions = people.sessions(tokens)
    token = await sessions.begin(agent, "", "")
    time.now += timedelta(days=6)
    await tokens.authenticate(token)
    assert await sessions.end_idle() == 0
    time.now += timedelta(days=2)
    assert await sessions.list_by_agent(agent, token) == []


async def test_a_use_that_could_not_be_written_is_kept(
    sessions: SignInSessions,
    tokens: Tokens,
    agent: Agent,
    store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = await sessions.begin(agent, "", "")
    await tokens.authenticate(token)

    async def fail(_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", fail)
        with pytest.raises(VisavisError):
            await tokens.save_uses()
    assert tokens._uses
    await tokens.save_uses()
    assert not tokens._uses
