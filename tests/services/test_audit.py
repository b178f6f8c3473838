"""The audit log: an entry for each act, in a chain that shows every change of it."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from visavis.domain.audit import ActionType, AuditEntry, AuditSearch
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Credential, CredentialKind, Grant
from visavis.domain.people import Agent, Permission, operator
from visavis.services import audit, sign_in_failures
from visavis.services.accounts import Accounts
from visavis.services.api_keys import ApiKeys
from visavis.services.audit import Anchor, Auditor, AuditReader, AuditRetention, AuditTrail
from visavis.services.clients import Clients
from visavis.services.grants import Grants
from visavis.services.people import People
from visavis.services.ports import Transaction
from visavis.services.secrets import digest
from visavis.services.sign_in_failures import SignInFailures
from visavis.services.tokens import Tokens
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMAIL = "zoe@example.com"
SECRETS = ("the first secret", "a right good password", "another secret", "vv_")
numbers = itertools.count()


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def elapsed(self) -> float:
        return self.now.timestamp()


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
    found = People(store, Plain(), time, new_id, new_id, time.elapsed)
    await found.create_first_site(email=EMAIL, password=SECRETS[0])
    return found


@pytest.fixture
def accounts(store: SqlStore, time: Time, people: People) -> Accounts:
    return Accounts(store, Plain(), time, new_id, new_id)


@pytest.fixture
async def agent(people: People) -> Agent:
    return await people.by_email(EMAIL)


@pytest.fixture
def log(store: SqlStore) -> AuditReader:
    return AuditReader(store)


async def newest(store: SqlStore, limit: int = 1) -> list[AuditEntry]:
    return list(await store.read(lambda rows: rows.audit.list_page(1, limit)))


async def actions(store: SqlStore, limit: int) -> list[str]:
    """The newest actions, oldest first."""
    return [entry.action_type for entry in reversed(await newest(store, limit))]


async def flip(store: SqlStore, time: Time, times: int, site_id: int = 1) -> None:
    trail = AuditTrail(store, time, new_id)
    for number in range(times):
        await trail.record_act(site_id, None, "recordingDeleted", f"Number {number}", ())


# Acts that are recorded


async def test_a_new_installation_begins_its_log(store: SqlStore, people: People) -> None:
    assert await actions(store, 9) == ["siteCreated", "agentCreated", "clientCreated"]
    assert {entry.author for entry in await newest(store, 9)} == {"command line"}


async def test_acts_of_the_command_line(store: SqlStore, accounts: Accounts) -> None:
    await accounts.add_agent(1, "b@example.com", permissions=[Permission.VIEW_RECORDINGS])
    await accounts.grant("b@example.com", [Permission.MANAGE_SETTINGS])
    await accounts.grant("b@example.com", [Permission.MANAGE_SETTINGS])  # changes nothing
    await accounts.revoke("b@example.com", [Permission.MANAGE_SETTINGS])
    await accounts.set_password("b@example.com", "another secret")
    await accounts.disable_agent("b@example.com", is_disabled=True)
    await accounts.disable_agent("b@example.com", is_disabled=False)
    await accounts.add_role(1, "Support", [Permission.ACCEPT_CALLS])
    await accounts.grant_role(1, "Support", [Permission.VIEW_AUDIT_LOG])
    await accounts.revoke_role(1, "Support", [Permission.VIEW_AUDIT_LOG])
    await accounts.revoke_role(1, "Support", [Permission.VIEW_AUDIT_LOG])  # changes nothing
    for _ in range(2):  # the second time changes nothing
        await accounts.assign(1, "Support", "b@example.com")
    for _ in range(2):
        await accounts.unassign(1, "Support", "b@example.com")
    for _ in range(2):
        await accounts.disable_site(1, is_disabled=True)
    await accounts.disable_site(1, is_disabled=False)
    assert await actions(store, 13) == [
        "agentCreated",
        "agentPermissionsChanged",
        "agentPermissionsChanged",
        "passwordReset",
        "agentDisabled",
        "agentEnabled",
        "roleCreated",
        "rolePermissionsChanged",
        "rolePermissionsChanged",
        "roleAssigned",
        "roleUnassigned",
        "siteDisabled",
        "siteEnabled",
    ]
    changed = (await newest(store, 13))[-2]
    assert changed.object_name == "agent b@example.com"
    assert changed.changes[0].old_value == "View Recordings"
    assert changed.changes[0].new_value == "Manage Settings, View Recordings"
    site = await accounts.add_site("Second")
    (entry,) = await store.read(lambda rows: rows.audit.list_page(site.id, 9))
    assert (entry.action_type, entry.object_name) == ("siteCreated", "site Second")


async def test_programs_and_their_secrets(store: SqlStore, agent: Agent, time: Time) -> None:
    keys, clients = ApiKeys(store, time, new_id, new_id), Clients(store, time, new_id, new_id)
    key, _ = await keys.add(agent, "CRM")
    await keys.delete(1, key.id)
    with pytest.raises(VisavisError):
        await keys.delete(1, key.id)
    client, _ = await clients.add(1, "Reports", grants=[Grant.PASSWORD])
    for _ in range(2):  # the second time changes nothing
        await clients.set_grants(1, client.id, [Grant.REFRESH_TOKEN])
    await clients.disable(1, client.id, is_disabled=True)
    await clients.disable(1, client.id, is_disabled=False)
    assert await actions(store, 6) == [
        "apiKeyCreated",
        "apiKeyDeleted",
        "clientCreated",
        "clientGrantsChanged",
        "clientDisabled",
        "clientEnabled",
    ]
    (entry,) = await newest(store)
    assert entry.summary == "Enabled the OAuth client Reports"


async def test_a_replaced_api_key_is_valid_for_a_while(
    store: SqlStore, agent: Agent, time: Time
) -> None:
    keys = ApiKeys(store, time, new_id, new_id)
    first, old = await keys.add(agent, "CRM")
    second, new = await keys.rotate(1, first.id, timedelta(hours=1))
    assert second.name == "CRM"
    for secret in (old, new):
        assert (await keys.authenticate(EMAIL, secret)).id == agent.id
    with pytest.raises(VisavisError, match="has been replaced already"):
        await keys.rotate(1, first.id, timedelta(hours=1))
    with pytest.raises(VisavisError, match="There is no key"):
        await keys.rotate(2, second.id, timedelta(hours=1))
    time.now += timedelta(hours=1)
    with pytest.raises(VisavisError):  # although it is remembered
        await keys.authenticate(EMAIL, old)
    assert (await keys.authenticate(EMAIL, new)).id == agent.id
    _, newest_secret = await keys.rotate(1, second.id, timedelta())
    with pytest.raises(VisavisError):
        await keys.authenticate(EMAIL, new)
    assert (await keys.authenticate(EMAIL, newest_secret)).id == agent.id
    assert [key.name for key in await keys.list_by_site(1)] == ["CRM"]
    assert await actions(store, 3) == ["apiKeyCreated", "apiKeyRotated", "apiKeyRotated"]
    entries = repr(await newest(store, 9))
    assert not any(secret in entries for secret in (old, new))


async def test_a_replaced_client_secret_is_valid_for_a_while(
    store: SqlStore, agent: Agent, time: Time
) -> None:
    clients = Clients(store, time, new_id, new_id)
    grants = Grants(time, new_id, new_id, timedelta(hours=12), timedelta(seconds=30))

    async def valid(*secrets: str) -> list[bool]:
        found = await store.read(lambda rows: rows.clients.find(client.id))
        assert found
        return [grants.is_secret(found, secret) for secret in secrets]

    client, first = await clients.add(1, "Reports", grants=[Grant.PASSWORD])
    assert first
    second = await clients.rotate_secret(1, client.id, timedelta(hours=1))
    assert await valid(first, second, "") == [True, True, False]
    third = await clients.rotate_secret(1, client.id, timedelta(hours=1))
    assert await valid(first, second, third) == [False, True, True]
    time.now += timedelta(hours=1)
    assert await valid(second, third) == [False, True]
    fourth = await clients.rotate_secret(1, client.id, timedelta())
    assert await valid(third, fourth) == [False, True]
    public, _ = await clients.add(1, "App", grants=[Grant.PASSWORD], is_public=True)
    with pytest.raises(VisavisError, match="has no secret"):
        await clients.rotate_secret(1, public.id, timedelta())
    assert (await actions(store, 2))[0] == "clientSecretRotated"


async def test_a_replaced_token_is_valid_for_a_while(
    store: SqlStore, agent: Agent, time: Time
) -> None:
    tokens = Tokens(store, time, new_id)
    old = await tokens.issue(agent, CredentialKind.BEARER, timedelta(days=30))
    session = await tokens.issue(agent, CredentialKind.SESSION, timedelta(days=7))
    author = operator(1)

    def entry_of(found: Agent) -> AuditEntry:
        auditor = Auditor(time, new_id)
        return auditor.entry(
            author, 1, ActionType.TOKEN_ROTATED, f"agent {found.email}", "Replaced"
        )

    assert (await tokens.authenticate(old)).id == agent.id
    time.now += timedelta(days=29)
    new = await tokens.rotate(old, timedelta(hours=1), entry_of)
    assert (await tokens.authenticate(old)).id == (await tokens.authenticate(new)).id
    time.now += timedelta(hours=1)
    with pytest.raises(VisavisError, match="has expired"):
        await tokens.authenticate(old)
    time.now += timedelta(days=28)  # as long as the old one was to be valid
    assert (await tokens.authenticate(new)).id == agent.id
    for wrong in ("unknown", old, session):
        with pytest.raises(VisavisError, match="no such token"):
            await tokens.rotate(wrong, timedelta(hours=1), entry_of)
    assert await actions(store, 1) == ["tokenRotated"]


async def test_what_an_agent_does_to_the_own_account(
    store: SqlStore, people: People, agent: Agent, time: Time
) -> None:
    tokens = Tokens(store, time, new_id)
    entry = people.entry(agent, ActionType.SIGNED_IN, "signed in", "192.0.2.1")
    token = await tokens.issue(agent, CredentialKind.SESSION, timedelta(1), entry)
    ended = people.entry(agent, ActionType.SIGNED_OUT, "signed out", "")
    assert await tokens.revoke(token, lambda _: ended)
    assert not await tokens.revoke(token, lambda _: ended)
    await people.change_password(agent, SECRETS[0], SECRETS[1], "192.0.2.1")
    await people.sign_out_everywhere(agent, "192.0.2.1")
    assert await actions(store, 4) == [
        "signedIn",
        "signedOut",
        "passwordChanged",
        "signedOutEverywhere",
    ]
    newer, older = (await newest(store, 4))[-1], (await newest(store, 4))[-2]
    assert (newer.author, newer.agent_id) == (EMAIL, agent.id)
    assert newer.changes[0].new_value == "192.0.2.1"
    assert older.changes[0].new_value == "this machine"


async def test_tokens_of_a_client_once_an_hour(store: SqlStore, agent: Agent, time: Time) -> None:
    clients = await store.read(lambda rows: rows.clients.list_by_site(1))
    grants = Grants(time, new_id, new_id, timedelta(hours=12), timedelta(seconds=30))

    def issue(rows: Transaction, grant: str = Grant.PASSWORD) -> str:
        issued = grants.issue(rows, clients[0], agent, "", is_refreshable=True, grant_type=grant)
        return issued.refresh_token or ""

    refresh = await store.write(issue)
    await store.write(issue)
    await store.write(lambda rows: issue(rows, Grant.REFRESH_TOKEN))
    assert await actions(store, 2) == ["clientCreated", "tokenIssued"]
    time.now += timedelta(hours=1, seconds=1)
    token = await store.write(issue)
    assert await actions(store, 2) == ["tokenIssued", "tokenIssued"]

    def revoke(rows: Transaction) -> None:
        found = grants.find_token(rows, token)
        assert found
        grants.revoke(rows, found)

    await store.write(revoke)

    def reuse(rows: Transaction) -> None:
        found = grants.find_refresh(rows, refresh, clients[0])
        if found:
            grants.use_refresh(rows, found)

    await store.write(reuse)
    time.now += timedelta(minutes=1)
    await store.write(reuse)
    assert await actions(store, 2) == ["tokenRevoked", "tokenReused"]
    (entry,) = await newest(store)
    assert entry.author == "anonymous"


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


# Failures


async def test_failures_of_strangers_cannot_fill_the_disk(
    store: SqlStore, people: People, agent: Agent, time: Time
) -> None:
    failures = people.failures
    before = await store.read(lambda rows: rows.audit.count(1))
    for number in range(500):
        await failures.add(agent if number % 2 else None, f"198.51.100.{number % 250}")
    first = await store.read(lambda rows: rows.audit.count(1)) - before
    assert first == sign_in_failures.MAX_PAIRS
    await failures.flush()
    entries = await newest(store, 99)
    assert await store.read(lambda rows: rows.audit.count(1)) - before == first + 1
    assert entries[0].object_name == "several accounts"
    summary = f"Further failed attempts to sign in to an unknown account, {EMAIL}, others"
    assert entries[0].summary == summary
    attempts = sum(
        int(change.new_value)
        for entry in entries
        for change in entry.changes
        if change.field_name == "attempts"
    )
    assert attempts == 500
    await failures.flush()
    assert await newest(store, 99) == entries


async def test_the_next_hour_begins_with_an_entry(
    store: SqlStore, people: People, agent: Agent, time: Time
) -> None:
    for _ in range(3):
        await people.failures.add(agent, "192.0.2.1")
    (entry,) = await newest(store)
    assert entry.summary == f"Failed attempt to sign in to {EMAIL}"
    assert (entry.author, entry.object_name) == ("anonymous", f"agent {EMAIL}")
    await people.failures.flush()
    (further,) = await newest(store)
    assert (further.object_name, further.changes[1].new_value) == (f"agent {EMAIL}", "2")
    await people.failures.add(agent, "192.0.2.1")
    time.now += timedelta(hours=2)
    await people.failures.add(agent, "192.0.2.1")
    assert [entry.summary.split()[0] for entry in await newest(store, 3)] == [
        *("Failed", "Further", "Further")
    ]


async def test_attempts_from_several_networks_are_one_entry_of_the_account(
    store: SqlStore, people: People, agent: Agent
) -> None:
    for _ in range(2):
        for address in ("192.0.2.1", ""):
            await people.failures.add(agent, address)
    await people.failures.flush()
    (entry,) = await newest(store)
    assert entry.object_name == f"agent {EMAIL}"
    assert [change.new_value for change in entry.changes] == [
        *("2", "1 from 192.0.2.1", "1 from this machine")
    ]


async def test_failures_that_cannot_be_written_now_are_written_later(
    store: SqlStore, people: People, agent: Agent, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = people.failures

    async def refuse(_: object) -> None:
        raise VisavisError(ErrorKind.StoreUnavailable)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", refuse)
        with pytest.raises(VisavisError):
            await failures.add(agent, "192.0.2.1")
        await failures.add(agent, "192.0.2.1")
        time.now += timedelta(hours=1)
        with pytest.raises(VisavisError):
            await failures.flush()
    await failures.flush()
    (entry,) = await newest(store)
    assert entry.changes[1].new_value == "2"


async def test_refused_tokens_and_clients(
    store: SqlStore, people: People, accounts: Accounts, agent: Agent, time: Time
) -> None:
    failures, tokens = people.failures, Tokens(store, time, new_id)
    expired = await tokens.issue(agent, CredentialKind.BEARER, timedelta(0))
    await failures.add_token(expired, "192.0.2.1")  # its holder only has to ask for another
    assert (await newest(store))[0].action_type != "tokenRefused"
    await failures.add_token("vv_wrong", "192.0.2.1")
    await accounts.add_agent(1, "b@example.com", password=SECRETS[1])
    other = await people.by_email("b@example.com")
    token = await tokens.issue(other, CredentialKind.BEARER, timedelta(1))
    await accounts.disable_agent("b@example.com", is_disabled=True)
    await store.write(lambda rows: rows.credentials.add(credential(token, other)))
    await failures.add_token(token, "192.0.2.1")
    clients = Clients(store, time, new_id, new_id)
    client, _ = await clients.add(1, "Reports", grants=[Grant.PASSWORD])
    for client_id in (client.id, "nobody"):
        await failures.add_client(client_id, "192.0.2.1")
        await failures.add_grant(client_id, "192.0.2.1")
    await failures.add_upload_key("192.0.2.1")
    found = [(e.action_type, e.object_name) for e in await newest(store, 20)]
    assert [one for one in found if one[0].endswith("Refused")] == [
        ("uploadKeyRefused", "an unknown upload key"),
        ("tokenRefused", "a code or refresh token as the OAuth client"),
        ("clientRefused", "an unknown OAuth client"),
        ("tokenRefused", "OAuth client Reports"),
        ("clientRefused", "OAuth client Reports"),
        ("tokenRefused", "agent b@example.com"),
        ("tokenRefused", "an unknown or revoked token"),
    ]
    entries = repr(await newest(store, 20))
    assert not any(secret in entries for secret in ("vv_wrong", token, "nobody"))


def credential(token: str, agent: Agent) -> Credential:
    """A token of a disabled agent, as a request that ran meanwhile may leave it."""
    kind = CredentialKind.BEARER
    return Credential(digest(token), 1, agent.id, kind, NOW, NOW + timedelta(days=1))


async def test_a_wrong_key_and_a_disabled_agent(
    store: SqlStore, people: People, accounts: Accounts
) -> None:
    await people.add_key_failure(EMAIL, "192.0.2.1")
    await people.add_key_failure("\x00", "192.0.2.2")
    await accounts.add_agent(1, "b@example.com", password=SECRETS[1])
    await accounts.disable_agent("b@example.com", is_disabled=True)
    with pytest.raises(VisavisError):
        await people.sign_in("b@example.com", SECRETS[1], "192.0.2.3")
    (entry,) = await newest(store)
    assert (entry.action_type, entry.object_name) == ("signInFailed", "agent b@example.com")


async def test_failures_before_there_is_a_site(store: SqlStore, time: Time) -> None:
    failures = SignInFailures(store, Auditor(time, new_id), time.elapsed)
    await failures.add(None, "192.0.2.1")
    assert await newest(store) == []


# The chain


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


# Reading


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
    with pytest.raises(VisavisError):
        await log.list_page(Agent(9, 1, "", "", is_administrator=False), 1, 1)


async def test_the_operator_is_the_command_line(store: SqlStore, people: People) -> None:
    entry = Auditor(Time(), new_id).entry(operator(1), 1, ActionType.SITE_CREATED, "site", "Added")
    await AuditTrail(store, Time(), new_id).record(entry)
    assert (await newest(store))[0] == entry
    assert entry.agent_id is None
