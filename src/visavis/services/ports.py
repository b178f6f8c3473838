"""Ports of the use cases: protocols that the outer packages implement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from visavis.domain.audit import (
    EVERY_ENTRY,
    AuditChain,
    AuditEntry,
    AuditSearch,
    SealedEntry,
)
from visavis.domain.call import CallRecord
from visavis.domain.call_events import CallEvent, CallReport
from visavis.domain.call_history import CallSearch, PastCall
from visavis.domain.config import Config
from visavis.domain.delivery_status import (
    Backlog,
    DeliveryProgress,
    ExpectedRecording,
    RecordingServer,
    RecordingStatus,
    ServerCheck,
)
from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.oauth import ApiKey, AuthorizationCode, Client, Credential, Grant
from visavis.domain.people import Agent, Permission, Role, Site
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import Delivery, Manifest, RecordingState
from visavis.domain.site_settings import SiteSettings
from visavis.protocol.signaling import Message
from visavis.rtp.mos import LegReport

T = TypeVar("T")

Clock = Callable[[], datetime]
"""Wall-clock time, UTC."""


# Storage. A unit of work is one synchronous function over a Transaction, run in a worker thread.


class SiteRows(Protocol):
    def lock(self) -> None:
        """Let nobody else add a site until this transaction ends."""

    def get(self, site_id: int) -> Site | None: ...
    def all(self) -> Sequence[Site]: ...
    def add(self, name: str, now: datetime) -> Site: ...
    def disable(self, site_id: int, *, is_disabled: bool) -> None: ...


class AgentRows(Protocol):
    def get(self, site_id: int, agent_id: int) -> Agent | None: ...
    def by_email(self, email: str) -> Agent | None: ...
    def list_by_site(self, site_id: int) -> Sequence[Agent]: ...
    def password_hash(self, site_id: int, agent_id: int) -> str: ...
    def has_signed_in(self, site_id: int, agent_id: int) -> bool: ...
    def mark_signed_in(self, site_id: int, agent_id: int, now: datetime) -> None: ...
    def first_sign_in_pending(self, site_id: int) -> str | None:
        """Return the first administrator's e-mail address, if nobody has ever signed in."""

    def add(
        self, site_id: int, email: str, name: str, password_hash: str, *, is_administrator: bool
    ) -> Agent: ...
    def set_password(self, site_id: int, agent_id: int, password_hash: str) -> None: ...
    def disable(self, site_id: int, agent_id: int, *, is_disabled: bool) -> None: ...
    def is_away(self, site_id: int, agent_id: int) -> bool: ...
    def set_away(self, site_id: int, agent_id: int, *, is_away: bool) -> None: ...
    def grant(self, site_id: int, agent_id: int, permissions: Iterable[Permission]) -> None: ...
    def revoke(self, site_id: int, agent_id: int, permissions: Iterable[Permission]) -> None: ...


class RoleRows(Protocol):
    def list_by_site(self, site_id: int) -> Sequence[Role]: ...
    def by_name(self, site_id: int, name: str) -> Role | None: ...
    def add(self, site_id: int, name: str) -> Role: ...
    def grant(self, site_id: int, role_id: int, permissions: Iterable[Permission]) -> None: ...
    def revoke(self, site_id: int, role_id: int, permissions: Iterable[Permission]) -> None: ...
    def assign(self, site_id: int, role_id: int, agent_id: int) -> None: ...
    def unassign(self, site_id: int, role_id: int, agent_id: int) -> None: ...


class CredentialRows(Protocol):
    def add(self, credential: Credential) -> None: ...
    def find(self, digest: bytes) -> Credential | None: ...
    def use(self, digest: bytes, now: datetime) -> bool:
        """Mark it used; whether this was the first time, also when two try at once."""

    def sessions_of_agent(self, site_id: int, agent_id: int) -> Sequence[Credential]: ...
    def unused_sessions(self, before: datetime) -> Sequence[Credential]:
        """Return the sessions of every site that were last used before then."""

    def touch(self, digest: bytes, moment: datetime) -> None:
        """Record when a session was used, unless a later use is recorded already."""

    def expire(self, digest: bytes, moment: datetime) -> None:
        """Let a token end then, unless it ends before."""

    def delete(self, digest: bytes) -> bool: ...
    def delete_family(self, site_id: int, family_id: str) -> None: ...
    def delete_of_client(self, site_id: int, client_id: str) -> None: ...
    def delete_of_agent(self, site_id: int, agent_id: int) -> None: ...
    def delete_expired(self, now: datetime) -> None: ...


class CodeRows(Protocol):
    def add(self, code: AuthorizationCode) -> None: ...
    def find(self, digest: bytes) -> AuthorizationCode | None: ...
    def use(self, digest: bytes, now: datetime) -> bool:
        """Mark it used; whether this was the first time, also when two try at once."""

    def delete_expired(self, now: datetime) -> None: ...


class ClientRows(Protocol):
    def find(self, client_id: str) -> Client | None: ...
    def list_by_site(self, site_id: int) -> Sequence[Client]: ...
    def add(self, client: Client, now: datetime) -> None: ...
    def set_grants(self, site_id: int, client_id: str, grants: Iterable[Grant]) -> None:
        """Let the client use these grants and no other."""

    def disable(self, site_id: int, client_id: str, *, is_disabled: bool) -> None: ...
    def replace_secret(
        self, client: Client, secret_digest: bytes, old_expires_at: datetime | None
    ) -> None:
        """Replace the secret; the present one stays valid until then, if at all."""


class KeyRows(Protocol):
    def find(self, digest: bytes) -> ApiKey | None: ...
    def list_by_site(self, site_id: int) -> Sequence[ApiKey]: ...
    def add(self, key: ApiKey) -> None: ...
    def delete_of_agent(self, site_id: int, agent_id: int) -> None:
        """Delete every key of an agent."""

    def delete(self, site_id: int, key_id: str) -> bool: ...
    def expire(self, site_id: int, key_id: str, moment: datetime) -> None:
        """Let a key end then."""

    def delete_expired(self, now: datetime) -> None: ...


class SettingsRows(Protocol):
    def get(self, site_id: int) -> SiteSettings: ...
    def lock(self, site_id: int) -> SiteSettings:
        """As `get`, and nobody else changes them until this transaction ends."""

    def put_config(self, config: Config) -> None: ...
    def put_policy(self, policy: RecordingPolicy) -> None: ...


class AuditRows(Protocol):
    def add(self, entry: AuditEntry) -> None:
        """Append an entry to the chain of its site.

        The chain stays locked until the transaction ends, so this comes last in a unit of work.
        """

    def get(self, site_id: int, entry_id: str) -> AuditEntry | None: ...
    def list_page(
        self, site_id: int, limit: int, offset: int = 0, search: AuditSearch = EVERY_ENTRY
    ) -> Sequence[AuditEntry]: ...
    def count(self, site_id: int, search: AuditSearch = EVERY_ENTRY) -> int: ...
    def chain(self, site_id: int) -> AuditChain: ...
    def sealed(
        self, site_id: int, after: int, limit: int, search: AuditSearch = EVERY_ENTRY
    ) -> Sequence[SealedEntry]:
        """Return entries beyond the sequence number `after`, oldest first."""

    def remove_before(self, site_id: int, moment: datetime) -> int:
        """Remove the entries that precede every entry of `moment` or later; return how many.

        The newest entry stays in any case.
        """


class NodeRows(Protocol):
    def save(self, node_id: str, archive_url: str, now: datetime) -> None:
        """Note that this `visavis serve` has started."""

    def mark_alive(self, node_id: str, now: datetime) -> None:
        """Note that the node's app is alive and has calls in progress."""

    def alive_at(self, node_id: str) -> datetime | None:
        """Return when the node's app was last known to be alive."""

    def newest_archive_url(self) -> str:
        """The built-in archive of the node that started last; empty if there is none."""


class CallRows(Protocol):
    def save(self, call: CallRecord, node_id: str) -> None:
        """Insert the call or overwrite its row, but for the message that was left after it."""

    def add_event(self, site_id: int, call_id: str, event: CallEvent) -> None:
        """Add an event to the call."""

    def has_event(self, site_id: int, call_id: str, event: CallEvent) -> bool:
        """Whether the call has this event, told by its time, name and author."""

    def leave_message(self, site_id: int, call_id: str, text: str, name: str, email: str) -> bool:
        """Keep a message with a call that is over, that nobody took and that has none yet.

        `name` and `email` stand in where the call has them not. Whether there was such a call.
        """

    def report(self, site_id: int, call_id: str) -> CallReport | None:
        """Return the report of the call so far, its events in order."""

    def get(self, site_id: int, call_id: str) -> PastCall | None: ...
    def list_page(
        self, site_id: int, search: CallSearch, limit: int, offset: int = 0
    ) -> Sequence[PastCall]: ...
    def count(self, site_id: int, search: CallSearch) -> int: ...


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """Snapshot of a call in progress (`Call.snapshot`), in the format of this version."""

    call_id: str
    site_id: int
    version: int
    state: bytes


class LiveCallRows(Protocol):
    """The calls in progress, so that they outlive the app process."""

    def save(self, call: CallSnapshot, node_id: str) -> None:
        """Insert the snapshot or replace the one before."""

    def delete(self, site_id: int, call_id: str) -> None: ...
    def list_by_node(self, node_id: str) -> Sequence[CallSnapshot]: ...
    def end_others(self, node_id: str, now: datetime) -> int:
        """End as failed the node's open calls that have no snapshot; return how many.

        They are of a version without snapshots, or with others.
        """

    def set_staffed(self, site_id: int, node_id: str, *, is_staffed: bool) -> None:
        """Remember whether an agent of the site is on duty at this node."""

    def staffed_sites(self, node_id: str) -> Sequence[int]: ...


class RecordingRows(Protocol):
    def add(self, manifest: Manifest) -> None:
        """Note that the recording exists; doing so twice changes nothing."""

    def save_progress(
        self, site_id: int, recording_id: str, progress: DeliveryProgress, now: datetime
    ) -> None:
        """Note how far it has come, unless it is delivered already."""

    def record_delivery(
        self, site_id: int, recording_id: str, delivery: Delivery, server_url: str, now: datetime
    ) -> None:
        """Note the delivery; doing so twice changes nothing."""

    def mark_deleted(self, site_id: int, recording_id: str) -> None:
        """Record that a delivered recording has been deleted; any other stays as it is."""

    def get(self, site_id: int, recording_id: str) -> RecordingStatus | None: ...
    def list_page(
        self, site_id: int, states: Collection[RecordingState], limit: int, offset: int = 0
    ) -> Sequence[RecordingStatus]: ...
    def count(self, site_id: int, states: Collection[RecordingState]) -> int: ...
    def backlog(self, site_id: int) -> Backlog: ...
    def ask_retry(self, site_id: int, recording_ids: Collection[str], now: datetime) -> int:
        """Have them tried again at once, whatever was wrong; returns how many there are to try."""

    def servers(self, site_ids: Collection[int], archive_url: str) -> Mapping[int, RecordingServer]:
        """Return each site's recording server as it is now; its URL is empty if there is none."""

    def asked(self, site_ids: Collection[int]) -> frozenset[tuple[int, str]]:
        """Return the recordings that somebody wants tried again, each with its site."""

    def clear_retries(self, site_id: int, recording_ids: Collection[str]) -> None:
        """Clear the retry requests of these recordings."""

    def ended_calls(self, calls: Collection[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        """Return those of the calls, each with its site, that have ended or are unknown."""

    def expected(self, site_id: int, since: datetime) -> Sequence[ExpectedRecording]:
        """Calls that were connected and recorded and are over, less the delivered ones.

        A call that went on unrecorded, by the site's policy, is not expected.
        """


class Transaction(Protocol):
    """The rows of every table, all inside one database transaction."""

    @property
    def sites(self) -> SiteRows: ...
    @property
    def agents(self) -> AgentRows: ...
    @property
    def roles(self) -> RoleRows: ...
    @property
    def credentials(self) -> CredentialRows: ...
    @property
    def codes(self) -> CodeRows: ...
    @property
    def clients(self) -> ClientRows: ...
    @property
    def keys(self) -> KeyRows: ...
    @property
    def settings(self) -> SettingsRows: ...
    @property
    def audit(self) -> AuditRows: ...
    @property
    def nodes(self) -> NodeRows: ...
    @property
    def calls(self) -> CallRows: ...
    @property
    def live_calls(self) -> LiveCallRows: ...
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
    """Publishes messages; subscribers get them encoded, as the pages read them."""

    def publish(self, topic: str, message: Message) -> None: ...
    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]: ...


# The media workers.


class MediaPlane(Protocol):
    """The media workers as the use cases see them. Everything is idempotent per bridge and leg.

    A leg has a number in its bridge, from 1. A bridge lives at one worker from its first `tap` or
    `open_leg` until `close`. Every method raises `VisavisError`: `MediaUnavailable` when that
    worker does not answer, has died or can carry no more; a bridge that was lost stays so, its
    successor has another number. Bridges outlive the app process that has opened them, and its next
    process takes them over.
    """

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> None:
        """Record the bridge from now on; raises `RecordingUnavailable` if no journal can be opened.

        The journal is on disk, locked, with its manifest, when this returns. It is the
        `bridge.number`-th of the recording.
        """

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None:
        """Append a JSON note to the bridge's journal, if it has one."""

    async def pause(self, bridge: BridgeId, *, paused: bool) -> None:
        """Stop recording the bridge's packets, or record them again from the next key frame.

        The journal, if there is one, gets a note of the type `paused` or `resumed`.
        """

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport: ...

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        """Tell what the leg's browser has said of itself, the first time or in a renegotiation.

        Returns our end for what is said to that browser from now on: another one when it has
        restarted ICE (RFC 8445 §9), the old one staying good until the new one is used. Raises
        `ParameterInvalid` when the certificate of a leg that is up has changed.
        """

    async def join(self, bridge: BridgeId) -> None:
        """From now on, what one leg sends all others receive."""

    async def close(self, bridge: BridgeId) -> None:
        """Close the bridge's legs and seal its journal. Unknown bridges are none of our business.

        The listener hears each leg's last `quality` before this returns.
        """


class MediaListener(Protocol):
    """Listener of the media workers' events."""

    async def leg_up(self, bridge: BridgeId, leg: int) -> None: ...
    async def leg_down(self, bridge: BridgeId, leg: int, why: str) -> None: ...
    async def tap_lost(self, bridge: BridgeId, why: str) -> None: ...
    async def quality(self, bridge: BridgeId, leg: int, report: LegReport) -> None:
        """Receive a leg's quality, every other second and once more when it closes."""

    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None:
        """Bridges of a former app process, as the worker has them that carries them."""

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        """A worker has died, and these bridges with it."""


# The recording server.


class RecordingServers(Protocol):
    async def check(self, site_id: int, server: RecordingServer) -> ServerCheck:
        """Check whether the server accepts recordings, without leaving one there."""
