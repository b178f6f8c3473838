from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.services.site import (
    Time,
    actions,
    clock,
    new_id,
    refused,
)
from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.changes import EVERYTHING, ChangeSet, change_set, rights_changed
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent, operator
from visavis.services import tokens
from visavis.services.audit import Auditor
from visavis.services.ports import Transaction
from visavis.services.secrets import digest
from visavis.services.tokens import Tokens
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


async def test_tokens_are_remembered_up_to_a_number(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_REMEMBERED", 1)
    known = Tokens(store, clock, new_id)
    for _ in range(2):
        token = await known.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
        assert (await known.authenticate(token)).id == agent.id
    assert len(known._remembered) == 1


async def test_a_token_of_a_disabled_agent_is_nobody_s(store: SqlStore, agent: Agent) -> None:
    known = Tokens(store, clock, new_id)
    token = await known.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    await store.write(lambda rows: rows.agents.disable(agent.site_id, agent.id, is_disabled=True))
    await refused(ErrorKind.Unauthorized, known.authenticate(token))


async def test_only_the_tokens_that_a_change_concerns_are_forgotten(
    store: SqlStore, agent: Agent
) -> None:
    """A revocation in a large installation would otherwise have every token read again."""
    known = Tokens(store, clock, new_id)
    other = await add_agent(store, "b@example.com")
    mine, others = [
        await known.issue(one, CredentialKind.BEARER, timedelta(hours=1)) for one in (agent, other)
    ]
    for token in (mine, others):
        await known.authenticate(token)
    changes: list[ChangeSet] = []
    store.on_rights_change.append(changes.append)
    assert await known.revoke(mine)
    assert (known.is_remembered(mine), known.is_remembered(others)) == (False, True)
    assert not await known.revoke("unknown")
    assert changes == [change_set([rights_changed(agent.site_id, agent.id)])]
    known._forget(change_set([rights_changed(agent.site_id + 1)]))
    assert known.is_remembered(others)
    known._forget(change_set([rights_changed(agent.site_id)]))
    assert not known.is_remembered(others)
    await known.authenticate(others)
    known._forget(EVERYTHING)
    assert not known.is_remembered(others)


async def test_a_token_that_is_revoked_while_it_is_read_is_not_kept(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that was read before the revocation must not be cached after it."""
    known = Tokens(store, clock, new_id)
    token = await known.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    read = store.read

    async def read_then_revoke(work: Callable[[Transaction], object]) -> object:
        found = await read(work)
        await known.revoke(token)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", read_then_revoke)
        await known.authenticate(token)  # it was valid when it was read
    assert not known.is_remembered(token)
    await refused(ErrorKind.Unauthorized, known.authenticate(token))


async def test_a_token_is_read_again_while_changes_may_be_unknown(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Tokens(store, clock, new_id)
    token = await known.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    await known.authenticate(token)
    store.on_rights_change.clear()  # as if another process had deleted it
    await store.write(lambda rows: rows.credentials.delete(digest(token)))
    await known.authenticate(token)
    monkeypatch.setattr(store, "is_current", lambda: False)
    await refused(ErrorKind.Unauthorized, known.authenticate(token))


async def add_agent(store: SqlStore, email: str) -> Agent:
    return await store.write(
        lambda rows: rows.agents.add(1, email, "", "-", is_administrator=False)
    )


async def test_expired_tokens_are_deleted(store: SqlStore, agent: Agent, time: Time) -> None:
    tokens = Tokens(store, time, new_id)
    expired = await tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=1))
    valid = await tokens.issue(agent, CredentialKind.BEARER, timedelta(hours=3))
    time.now += timedelta(hours=2)
    await tokens.delete_expired()
    known = [
        await store.read(lambda rows, t=token: rows.credentials.find(digest(t)))  # type: ignore[misc]
        for token in (expired, valid)
    ]
    assert [found is not None for found in known] == [False, True]
