from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.site import (
    NOW,
    Time,
    actions,
    clock,
    new_id,
    newest,
)
from visavis.domain.oauth import Client, ClientCredentials, Credential, CredentialKind, Grant
from visavis.domain.people import Agent
from visavis.services.clients import Clients
from visavis.services.grants import Grants
from visavis.services.ports import Transaction
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


async def test_a_refresh_token_without_a_family_takes_nothing_with_it(
    store: SqlStore, agent: Agent
) -> None:
    token = Credential(
        b"x" * 32, agent.site_id, agent.id, CredentialKind.REFRESH, NOW, NOW + timedelta(hours=1)
    )
    grants = Grants(clock, new_id, new_id, timedelta(hours=1), timedelta(seconds=30))

    def work(rows: Transaction) -> Credential | None:
        rows.credentials.add(token)
        grants.revoke(rows, token)
        return rows.credentials.find(token.digest)

    assert await store.write(work) is not None


async def test_a_refresh_token_that_two_have_found_serves_both_until_it_is_revoked(
    store: SqlStore, agent: Agent
) -> None:
    token = Credential(
        *(
            b"x" * 32,
            agent.site_id,
            agent.id,
            CredentialKind.REFRESH,
            NOW,
            NOW + timedelta(hours=1),
        ),
        family_id="family",
    )
    grants = Grants(clock, new_id, new_id, timedelta(hours=1), timedelta(seconds=30))

    def work(rows: Transaction) -> list[Agent | None]:
        rows.credentials.add(token)
        users = [grants.use_refresh(rows, token), grants.use_refresh(rows, token)]
        grants.revoke(rows, token)
        return [*users, grants.use_refresh(rows, token)]

    assert await store.write(work) == [agent, agent, None]


async def test_a_code_that_two_have_found_is_used_by_one(store: SqlStore, agent: Agent) -> None:
    client = Client("c", agent.site_id, "Shop", None, (), frozenset(Grant))
    grants = Grants(clock, new_id, new_id, timedelta(hours=1), timedelta(seconds=30))

    def work(rows: Transaction) -> tuple[Agent | None, Agent | None]:
        rows.clients.add(client, NOW)
        said = grants.issue_code(
            rows, client, agent, redirect_uri="", scope="", code_challenge="c" * 43
        )
        code = grants.find_code(rows, said, client)
        assert code
        return grants.use_code(rows, code), grants.use_code(rows, code)

    assert await store.write(work) == (agent, None)


async def test_a_client_is_known_by_its_secret_or_by_having_none(
    store: SqlStore, agent: Agent, time: Time
) -> None:
    clients = Clients(store, time, new_id, new_id)
    grants = Grants(time, new_id, new_id, timedelta(hours=1), timedelta(seconds=30))
    secret_one, secret = await clients.add(1, "Server", grants=[Grant.PASSWORD])
    public, _ = await clients.add(1, "App", grants=[Grant.PASSWORD], is_public=True)

    def is_authentic(client: Client, given: str) -> bool:
        return grants.is_authentic(client, ClientCredentials(client.id, given, "none"))

    assert secret
    assert [is_authentic(secret_one, given) for given in (secret, "no", "")] == [True, False, False]
    assert [is_authentic(public, given) for given in ("", "no")] == [True, False]

    async def find(client_id: str) -> Client | None:
        return await store.read(lambda rows: grants.find_client(rows, client_id))

    assert await find(public.id) == public
    assert await find("nobody") is None
    await clients.disable(1, public.id, is_disabled=True)
    assert await find(public.id) is None
    await store.write(lambda rows: rows.sites.disable(1, is_disabled=True))
    assert await find(secret_one.id) is None
