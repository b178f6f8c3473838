from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.site import (
    EMAIL,
    SECRETS,
    Plain,
    Time,
    actions,
    new_id,
    newest,
    refused,
)
from visavis.domain.audit import ActionType
from visavis.domain.errors import ErrorKind
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent
from visavis.services.people import MAX_PASSWORD_LENGTH, People
from visavis.services.tokens import Tokens
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


async def test_the_first_site_is_created_once_however_many_processes_start(
    store: SqlStore, time: Time
) -> None:
    """One of them creates the site while another one hashes the password for it."""
    hashed: list[str] = []

    class Slow(Plain):
        async def hash(self, password: str) -> str:
            hashed.append(password)
            if password == "first":
                await process.create_first_site(password="second")
            return password

    process = People(store, Slow(), time, new_id, new_id)
    assert await process.create_first_site(password="first") is None
    assert await process.create_first_site(password="third") is None
    assert hashed == ["first", "second"]
    (site,) = await store.read(lambda rows: rows.sites.all())
    assert (await process.sign_in("admin@localhost", "second", "192.0.2.1")).site_id == site.id


async def test_a_password_too_long_to_be_one_is_wrong(people: People) -> None:
    attempt = people.sign_in(EMAIL, "x" * (MAX_PASSWORD_LENGTH + 1), "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)


async def test_a_disabled_agent_cannot_sign_in(
    store: SqlStore, people: People, agent: Agent
) -> None:
    await store.write(lambda rows: rows.agents.disable(agent.site_id, agent.id, is_disabled=True))
    attempt = people.sign_in(EMAIL, SECRETS[0], "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)


async def test_a_disabled_site_is_there_but_cannot_be_used(store: SqlStore, people: People) -> None:
    assert await people.has_site(1)
    assert not await people.is_site_disabled(1)
    await store.write(lambda rows: rows.sites.disable(1, is_disabled=True))
    assert not await people.has_site(1)
    assert await people.is_site_disabled(1)
    assert not await people.has_site(2)
    assert not await people.is_site_disabled(2)
