"""A site with one agent, for the tests of services."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from visavis.domain.audit import AuditEntry
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Credential, CredentialKind
from visavis.domain.people import Agent
from visavis.services.audit import AuditTrail
from visavis.services.secrets import digest
from visavis.store.sql import SqlStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMAIL = "zoe@example.com"
SECRETS = ("the first secret", "a right good password", "another secret", "vv_")
numbers = itertools.count()


class Time:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def elapsed(self) -> float:
        return self.now.timestamp()


def clock() -> datetime:
    return NOW


def new_id() -> str:
    return f"id{next(numbers)}"


class Plain:
    """Passwords without hashing, since tests have no secrets."""

    async def hash(self, password: str) -> str:
        return password

    async def matches(self, password_hash: str | None, password: str) -> bool:
        return password_hash == password


async def newest(store: SqlStore, limit: int = 1) -> list[AuditEntry]:
    return list(await store.read(lambda rows: rows.audit.list_page(1, limit)))


async def actions(store: SqlStore, limit: int) -> list[str]:
    """Return the newest actions of the audit log, oldest first."""
    return [entry.action_type for entry in reversed(await newest(store, limit))]


async def flip(store: SqlStore, time: Time, times: int, site_id: int = 1) -> None:
    trail = AuditTrail(store, time, new_id)
    for number in range(times):
        await trail.record_act(site_id, None, "recordingDeleted", f"Number {number}", ())


def credential(token: str, agent: Agent) -> Credential:
    """Return a token of a disabled agent, as a concurrent request may leave it."""
    kind = CredentialKind.BEARER
    return Credential(digest(token), 1, agent.id, kind, NOW, NOW + timedelta(days=1))


async def refused(kind: ErrorKind, attempt: object) -> None:
    with pytest.raises(VisavisError) as told:
        await attempt  # type: ignore[misc]
    assert told.value.kind is kind
