"""A store, and a site with one agent, for the tests of services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.site import (
    EMAIL,
    SECRETS,
    Plain,
    Time,
    new_id,
)
from visavis.domain.people import Agent
from visavis.services.accounts import Accounts
from visavis.services.audit import AuditReader
from visavis.services.people import People
from visavis.store import open_store
from visavis.store.sql import SqlStore


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    opened = open_store(database)
    yield opened
    opened.close()


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
