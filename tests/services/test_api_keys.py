from __future__ import annotations

from datetime import timedelta

import pytest

from tests.services.site import (
    EMAIL,
    Plain,
    Time,
    actions,
    clock,
    new_id,
    newest,
    refused,
)
from visavis.domain.changes import EVERYTHING, change_set, rights_changed
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.services import api_keys
from visavis.services.accounts import Accounts
from visavis.services.api_keys import ApiKeys
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


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


async def test_keys_are_remembered_up_to_a_number(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_REMEMBERED", 1)
    known = ApiKeys(store, clock, new_id, new_id)
    for name in ("one", "two"):
        _, secret = await known.add(agent, name)
        assert (await known.authenticate(EMAIL, secret)).id == agent.id
    assert len(known._remembered) == 1


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_keys_end_with_the_password_and_with_the_agent(
    store: SqlStore, agent: Agent, *, is_disabled: bool
) -> None:
    known, accounts = (
        ApiKeys(store, clock, new_id, new_id),
        Accounts(store, Plain(), clock, new_id, new_id),
    )
    await accounts.add_agent(agent.site_id, "b@example.com", is_administrator=True)
    _, secret = await known.add(agent, "one")
    if is_disabled:
        await accounts.disable_agent(agent.email, is_disabled=True)
        await accounts.disable_agent(agent.email, is_disabled=False)
    else:
        await accounts.set_password(agent.email, "another")
    assert await known.list_by_site(agent.site_id) == []
    await refused(ErrorKind.Unauthorized, known.authenticate(agent.email, secret))


async def test_only_the_keys_that_a_change_concerns_are_forgotten(
    store: SqlStore, agent: Agent
) -> None:
    known = ApiKeys(store, clock, new_id, new_id)
    (key, first), (_, second) = [await known.add(agent, name) for name in ("one", "two")]
    for secret in (first, second):
        await known.authenticate(EMAIL, secret)
    other = rights_changed(agent.site_id, agent.id + 1)
    known._forget(change_set([other]))
    assert known.is_remembered(first)
    await known.delete(agent.site_id, key.id)
    assert not known.is_remembered(first)
    await known.authenticate(EMAIL, second)
    known._forget(EVERYTHING)
    assert not known.is_remembered(second)


async def test_a_key_is_read_again_while_changes_may_be_unknown(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ApiKeys(store, clock, new_id, new_id)
    key, secret = await known.add(agent, "one")
    await known.authenticate(EMAIL, secret)
    store.on_rights_change.clear()  # as if another process had deleted it
    await store.write(lambda rows: rows.keys.delete(agent.site_id, key.id))
    await known.authenticate(EMAIL, secret)
    monkeypatch.setattr(store, "is_current", lambda: False)
    await refused(ErrorKind.Unauthorized, known.authenticate(EMAIL, secret))
