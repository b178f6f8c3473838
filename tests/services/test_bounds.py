"""Services of people and tokens at their bounds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Client, Credential, CredentialKind, Grant
from visavis.domain.people import Agent
from visavis.services import api_keys, sign_in, tokens
from visavis.services.accounts import Accounts
from visavis.services.api_keys import ApiKeys
from visavis.services.clients import Clients
from visavis.services.grants import Grants
from visavis.services.people import MAX_PASSWORD_LENGTH, People
from visavis.services.ports import Transaction
from visavis.services.tokens import Tokens
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
numbers = itertools.count()


def clock() -> datetime:
    return NOW


def new_id() -> str:
    return f"id{next(numbers)}"


class Plain:
    """Passwords as they are: nothing is to be kept secret here."""

    async def hash(self, password: str) -> str:
        return password

    async def matches(self, password_hash: str | None, password: str) -> bool:
        return password_hash == password


@pytest.fixture
async def accounts(store: SqlStore) -> People:
    found = People(store, Plain(), clock, new_id, new_id)
    await found.create_first_site(email="a@example.com", password="secret")
    return found


@pytest.fixture
async def agent(accounts: People) -> Agent:
    return await accounts.by_email("a@example.com")


async def refused(kind: ErrorKind, attempt: object) -> None:
    with pytest.raises(VisavisError) as told:
        await attempt  # type: ignore[misc]
    assert told.value.kind is kind


async def test_a_password_too_long_to_be_one_is_wrong(accounts: People) -> None:
    attempt = accounts.sign_in("a@example.com", "x" * (MAX_PASSWORD_LENGTH + 1), "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)


async def test_failures_of_too_many_are_forgotten(
    accounts: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "MAX_WATCHED", 1)
    for number in range(3):
        attempt = accounts.sign_in(f"{number}@example.com", "wrong", f"192.0.2.{number}")
        await refused(ErrorKind.Unauthorized, attempt)
    assert len(accounts._guard) == 1


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


async def test_keys_are_remembered_up_to_a_number(
    store: SqlStore, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_REMEMBERED", 1)
    known = ApiKeys(store, clock, new_id, new_id)
    for name in ("one", "two"):
        _, secret = await known.add(agent, name)
        assert (await known.authenticate("a@example.com", secret)).id == agent.id
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


async def test_a_disabled_agent_cannot_sign_in(
    store: SqlStore, accounts: People, agent: Agent
) -> None:
    await store.write(lambda rows: rows.agents.disable(agent.site_id, agent.id, is_disabled=True))
    attempt = accounts.sign_in("a@example.com", "secret", "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)


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


async def test_a_delay_in_signing_in_does_not_depend_on_the_wall_clock(store: SqlStore) -> None:
    seconds = 0.0
    accounts = People(store, Plain(), clock, new_id, new_id, elapsed=lambda: seconds)
    for _ in range(sign_in.ACCOUNT_AND_ADDRESS.free):
        await refused(
            ErrorKind.Unauthorized, accounts.sign_in("x@example.com", "wrong", "192.0.2.1")
        )
    attempt = accounts.sign_in("x@example.com", "wrong", "192.0.2.1")
    await refused(ErrorKind.TooManyRequests, attempt)
    seconds = 2.0
    attempt = accounts.sign_in("x@example.com", "wrong", "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)
