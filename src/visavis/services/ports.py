"""What the use cases need of the world, as protocols the outer parts implement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from visavis.domain.audit import AuditEntry
from visavis.domain.call import CallRecord
from visavis.domain.config import Config
from visavis.domain.leg import LocalTransport, RemoteTransport, Side
from visavis.domain.people import Agent
from visavis.domain.recording import Manifest

T = TypeVar("T")

Clock = Callable[[], datetime]
"""Wall-clock time, UTC."""


# Storage. A unit of work is one synchronous function over a Transaction, run in a worker thread.


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token or a session as it is stored: never the token, only its SHA-256."""

    digest: bytes
    site_id: int
    agent_id: int
    kind: str  # "bearer" or "session"
    created_at: datetime
    expires_at: datetime


class SiteRows(Protocol):
    def exists(self, site_id: int) -> bool: ...
    def add(self, site_id: int, name: str, now: datetime) -> None: ...


class AgentRows(Protocol):
    def get(self, site_id: int, agent_id: int) -> Agent | None: ...
    def by_email(self, email: str) -> Agent | None: ...
    def password_hash(self, site_id: int, agent_id: int) -> str: ...
    def add(
        self, site_id: int, email: str, name: str, password_hash: str, *, is_administrator: bool
    ) -> Agent: ...
    def grant(self, site_id: int, agent_id: int, permissions: Sequence[str]) -> None: ...


class CredentialRows(Protocol):
    def add(self, credential: Credential) -> None: ...
    def find(self, digest: bytes) -> Credential | None: ...
    def delete(self, digest: bytes) -> None: ...


class ConfigRows(Protocol):
    def get(self, site_id: int) -> Config: ...
    def put(self, config: Config) -> None: ...


class AuditRows(Protocol):
    def add(self, entry: AuditEntry) -> None: ...
    def newest(self, site_id: int, limit: int) -> Sequence[AuditEntry]: ...


class CallRows(Protocol):
    def save(self, call: CallRecord, recording_id: str | None) -> None:
        """Insert the call or overwrite its row."""

    def close_open(self, now: datetime) -> int:
        """End as failed every call that a dead process left open; returns how many."""


class RecordingRows(Protocol):
    def add(self, manifest: Manifest) -> None: ...
    def delivered(
        self, site_id: int, recording_id: str, sha256: str, size: int, now: datetime
    ) -> None:
        """Note the delivery; doing so twice changes nothing."""


class Transaction(Protocol):
    """The rows of every table, all inside one database transaction."""

    @property
    def sites(self) -> SiteRows: ...
    @property
    def agents(self) -> AgentRows: ...
    @property
    def credentials(self) -> CredentialRows: ...
    @property
    def configs(self) -> ConfigRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def calls(self) -> CallRows: ...
    @property
    def recordings(self) -> RecordingRows: ...


class Store(Protocol):
    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a read transaction."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a write transaction; it is durable when this returns."""


class Passwords(Protocol):
    async def hash(self, password: str) -> str: ...
    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Takes as long for `None`, which nothing matches: nobody learns which accounts exist."""


# Messages to sockets, on this node or another.


class Subscription(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]:
        """Messages in order. Ends when the subscriber was too slow for its bounded queue."""


class Bus(Protocol):
    def publish(self, topic: str, message: bytes) -> None: ...
    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]: ...


# The media worker.


class MediaPlane(Protocol):
    """One media worker as the use cases see it. Everything is idempotent per call and side.

    Every method raises `VisavisError`: `MediaUnavailable` when the worker does not answer.
    """

    async def tap(self, manifest: Manifest) -> None:
        """Record the call from now on; raises `RecordingUnavailable` if no journal can be opened.

        The journal is on disk, locked, with its manifest, when this returns.
        """

    async def note(self, call_id: str, note: Mapping[str, Any]) -> None:
        """Append a JSON note to the call's journal, if it has one."""

    async def open_leg(self, call_id: str, side: Side) -> LocalTransport: ...

    async def set_remote(self, call_id: str, side: Side, remote: RemoteTransport) -> None: ...

    async def join(self, call_id: str) -> None:
        """From now on, what one leg sends the other receives."""

    async def close(self, call_id: str) -> None:
        """Close the call's legs and seal its journal. Unknown calls are none of our business."""


class MediaListener(Protocol):
    """What a media worker tells of its own accord."""

    async def leg_up(self, call_id: str, side: Side) -> None: ...
    async def leg_down(self, call_id: str, side: Side, why: str) -> None: ...
    async def tap_lost(self, call_id: str, why: str) -> None: ...
    async def worker_lost(self) -> None: ...
