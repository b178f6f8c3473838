from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.services.site import (
    EMAIL,
    SECRETS,
    Time,
    credential,
    new_id,
    newest,
)
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.oauth import CredentialKind, Grant
from visavis.domain.people import Agent
from visavis.services import sign_in_failures
from visavis.services.accounts import Accounts
from visavis.services.audit import Auditor, AuditReader
from visavis.services.clients import Clients
from visavis.services.people import People
from visavis.services.ports import Transaction
from visavis.services.sign_in_failures import SignInFailures
from visavis.services.tokens import Tokens
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("is_committed", [True, False])
async def test_failures_whose_entry_was_not_confirmed_are_counted_once(
    store: SqlStore,
    people: People,
    agent: Agent,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_committed: bool,
) -> None:
    """The connection is lost during the commit: nobody knows whether the entry is there."""
    failures, write = people.failures, store.write

    async def lose(work: Callable[[Transaction], None]) -> None:
        if is_committed:
            await write(work)
        raise VisavisError(ErrorCode.ChangeUnconfirmed)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", lose)
        with pytest.raises(VisavisError):
            await failures.add(agent, "192.0.2.1")
    await failures.add(agent, "192.0.2.1")
    await failures.add(agent, "192.0.2.1")
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", lose)
        for _ in range(2):  # at the unconfirmed entry, which is looked for first
            with pytest.raises(VisavisError):
                await failures.flush()
    for _ in range(2):
        await failures.flush()
    found = [entry for entry in await newest(store, 9) if entry.action_type == "signInFailed"]
    assert sorted(entry.changes[1].new_value for entry in found) == ["1", "2"]
    assert (await AuditReader(store).verify(1)).broken is None


async def test_unconfirmed_entries_are_bounded(
    store: SqlStore, people: People, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_failures, "MAX_UNCONFIRMED", 2)

    async def lose(_: object) -> None:
        raise VisavisError(ErrorCode.ChangeUnconfirmed)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", lose)
        for number in range(3):
            with pytest.raises(VisavisError):
                await people.failures.add(agent, f"192.0.2.{number}")
    await people.failures.flush()
    found = [entry for entry in await newest(store, 9) if entry.action_type == "signInFailed"]
    assert [entry.changes[0].new_value for entry in found] == ["192.0.2.2", "192.0.2.1"]


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
