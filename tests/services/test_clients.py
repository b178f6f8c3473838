from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.site import (
    Time,
    actions,
    clock,
    new_id,
    newest,
    refused,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Grant
from visavis.domain.people import Agent
from visavis.services.api_keys import ApiKeys
from visavis.services.clients import Clients
from visavis.services.grants import Grants
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


async def test_a_redirect_uri_is_absolute(store: SqlStore, agent: Agent) -> None:
    known = Clients(store, clock, new_id, new_id)
    for uri in ("/back", "https://shop.example/#part"):
        attempt = known.add(
            agent.site_id,
            "Shop",
            grants=[Grant.AUTHORIZATION_CODE],
            redirect_uris=[uri],
            is_public=True,
            acts_as=None,
        )
        await refused(ErrorKind.ParameterInvalid, attempt)
