"""Ports of the use cases: protocols that the outer packages implement."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
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
from visavis.domain.changes import ChangeSet
from visavis.domain.config import Config
from visavis.domain.delivery_status import (
    Backlog,
    BacklogCounts,
    DeliveryProgress,
    ExpectedRecording,
    RecordingServer,
    RecordingStatus,
    ServerCheck,
    SpoolNode,
)
from visavis.domain.handover import RecordingShares
from visavis.domain.jobs import JobLease
from visavis.domain.leg import BridgeId, BridgeStatus, LocalTransport, RemoteTransport
from visavis.domain.library import Entry, FoundEntries, LibrarySearch
from visavis.domain.membership import Member
from visavis.domain.oauth import ApiKey, AuthorizationCode, Client, Credential, Grant
from visavis.domain.ownership import SiteOwner, SiteTerm
from visavis.domain.people import Agent, Permission, Role, Site
from visavis.domain.policy import RecordingPolicy
from visavis.domain.recording import ClockOffset, Delivery, Manifest, RecordingState
from visavis.domain.site_settings import SiteSettings
from visavis.domain.upload_keys import UploadKey
from visavis.domain.uploads import (
    RecordingObject,
    StoredUpload,
    UploadLease,
    UploadPiece,
    UploadState,
)
from visavis.protocol.cluster import ChangesWritten, NodeHeartbeat, WorkerReport
from visavis.protocol.signaling import Message
from visavis.rtp.mos import LegReport

T = TypeVar("T")

Clock = Callable[[], datetime]
"""Wall-clock time, UTC."""


# Storage. A unit of work is one synchronous function that takes a Transaction and runs in a thread.


class SiteRows(Protocol):
    def lock(self) -> None:
        """Prevent other transactions from adding a site until this one ends."""

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
        """Return the first administrator's e-mail address if no agent has signed in yet."""

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
        """Mark a token as used; return whether it was unused. Atomic between transactions."""

    def sessions_of_agent(self, site_id: int, agent_id: int) -> Sequence[Credential]: ...
    def unused_sessions(self, before: datetime) -> Sequence[Credential]:
        """Return the sessions of all sites whose last use was before this time."""

    def touch(self, digest: bytes, moment: datetime) -> None:
        """Record the last use of a session, unless a later one is recorded already."""

    def expire(self, digest: bytes, moment: datetime) -> None:
        """Let a token expire at this time, unless it expires earlier."""

    def delete(self, digest: bytes) -> bool: ...
    def delete_family(self, site_id: int, family_id: str) -> None: ...
    def delete_of_client(self, site_id: int, client_id: str) -> None: ...
    def delete_of_agent(self, site_id: int, agent_id: int) -> None: ...
    def delete_expired(self, now: datetime) -> None: ...


class CodeRows(Protocol):
    def add(self, code: AuthorizationCode) -> None: ...
    def find(self, digest: bytes) -> AuthorizationCode | None: ...
    def use(self, digest: bytes, now: datetime) -> bool:
        """Mark a code as used; return whether it was unused. Atomic between transactions."""

    def delete_expired(self, now: datetime) -> None: ...


class ClientRows(Protocol):
    def find(self, client_id: str) -> Client | None: ...
    def list_by_site(self, site_id: int) -> Sequence[Client]: ...
    def add(self, client: Client, now: datetime) -> None: ...
    def set_grants(self, site_id: int, client_id: str, grants: Iterable[Grant]) -> None:
        """Replace the grants that the client may use."""

    def disable(self, site_id: int, client_id: str, *, is_disabled: bool) -> None: ...
    def replace_secret(
        self, client: Client, secret_digest: bytes, old_expires_at: datetime | None
    ) -> None:
        """Replace the secret; the present one stays valid until `old_expires_at`.

        `None` ends it at once.
        """


class KeyRows(Protocol):
    def find(self, digest: bytes) -> ApiKey | None: ...
    def list_by_site(self, site_id: int) -> Sequence[ApiKey]: ...
    def add(self, key: ApiKey) -> None: ...
    def delete_of_agent(self, site_id: int, agent_id: int) -> None:
        """Delete all keys of an agent."""

    def delete(self, site_id: int, key_id: str) -> bool: ...
    def expire(self, site_id: int, key_id: str, moment: datetime) -> None:
        """Let a key expire at this time."""

    def delete_expired(self, now: datetime) -> None: ...


class SettingsRows(Protocol):
    def get(self, site_id: int) -> SiteSettings: ...
    def lock(self, site_id: int) -> SiteSettings:
        """Return the settings, and lock them until this transaction ends."""

    def put_config(self, config: Config) -> None: ...
    def put_policy(self, policy: RecordingPolicy) -> None: ...


class AuditRows(Protocol):
    def add(self, entry: AuditEntry) -> None:
        """Append an entry to the chain of its site.

        The chain is locked until the transaction ends, so this is the last step of a unit of work.
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
        """Return the entries after the sequence number `after`, oldest first."""

    def remove_before(self, site_id: int, moment: datetime) -> int:
        """Remove the leading entries older than `moment`; return their number.

        The newest entry always stays.
        """


class NodeRows(Protocol):
    def save(self, node_id: str, archive_url: str, now: datetime, machine: str = "") -> None:
        """Record the start of a `visavis serve` on a machine."""

    def save_recorder(self, node_id: str, url: str, certificate: str) -> None:
        """Save where and with which certificate the node's recorder hands journals over."""

    def set_drained(self, node_id: str, *, is_drained: bool) -> bool:
        """Save whether the node takes no new calls; return whether that is a change."""

    def is_drained(self, node_id: str) -> bool: ...
    def mark_alive(self, node_id: str, now: datetime) -> None:
        """Record that the node's app is running and has calls in progress."""

    def alive_at(self, node_id: str) -> datetime | None:
        """Return the last time at which the node's app was known to run."""

    def newest_archive_url(self) -> str:
        """Return the archive's URL of the node that started last; empty if there is none."""


class MemberRows(Protocol):
    """The nodes that share the database."""

    def beat(self, me: Member) -> Sequence[Member]:
        """Add 1 to a member's beat, and save its state and load; return all members.

        A member without a row gets one.
        """

    def all(self) -> Sequence[Member]: ...
    def stop(self, node_id: str, boot: str) -> None:
        """Mark a member as stopped, unless another process has replaced it."""

    def delete_silent(self, seconds: float) -> int:
        """Delete the members without a beat for this time, by the database's clock."""


class JobRows(Protocol):
    """Leases of periodic jobs. All times are those of the database's clock."""

    def get(self, name: str) -> JobLease | None: ...
    def all(self) -> Sequence[JobLease]: ...
    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """Take the lease of a job that is due; return its new term, or `None` if it is not due."""

    def renew(self, name: str, term: int, seconds: float) -> bool:
        """Let the lease end in `seconds`; return whether it still has this term."""

    def give_back(
        self, name: str, term: int, pause: float, figures: Mapping[str, float] | None
    ) -> None:
        """End the lease if it has this term. The job is due `pause` seconds after it was taken."""


class SiteOwnerRows(Protocol):
    """Owners of the sites in each cluster of nodes (docs/glossary.md)."""

    def take(self, cluster: str, owner: SiteOwner, seen_term: int) -> bool:
        """Save the owner of a site whose term is `seen_term`, or that has no owner yet.

        Return false if it has another owner or term: another member was faster.
        """

    def take_all(self, cluster: str, node_id: str, boot: str) -> Mapping[int, int]:
        """Take every site of the cluster; return their new terms."""

    def take_own(self, cluster: str, node_id: str, boot: str) -> Mapping[int, int]:
        """Take the sites that a node's former process owned; return their new terms.

        These include the sites without an owner of which the node has calls in progress.
        """

    def get(self, cluster: str, site_id: int) -> SiteOwner | None: ...
    def hold(self, cluster: str, site_ids: Collection[int]) -> Mapping[int, SiteOwner]:
        """Return the owners of these sites, and lock them until this transaction ends."""

    def count_by_node(self) -> Mapping[str, int]:
        """Return how many sites each node owns."""


class MemberWatch(Protocol):
    """Reports this process to the other members, and receives their reports."""

    def report(self) -> Member: ...
    def observe(self, members: Sequence[Member]) -> None: ...


class CallRows(Protocol):
    def save(self, call: CallRecord, node_id: str) -> None:
        """Insert the call or overwrite its row, except for the visitor's message in it."""

    def add_event(self, site_id: int, call_id: str, event: CallEvent) -> None:
        """Add an event to the call."""

    def has_event(self, site_id: int, call_id: str, event: CallEvent) -> bool:
        """Whether the call has an event with the same time, name and author."""

    def leave_message(self, site_id: int, call_id: str, text: str, name: str, email: str) -> bool:
        """Store a message with a call that has ended, was never accepted and has no message yet.

        `name` and `email` are stored if the call has none. Return whether there was such a call.
        """

    def report(self, site_id: int, call_id: str) -> CallReport | None:
        """Return the report of the call so far, with its events in order."""

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
    """Snapshots of the calls in progress, with which calls outlive the app process."""

    def save(self, call: CallSnapshot, node_id: str, term: int) -> None:
        """Insert the snapshot or replace the previous one; `term` is that of the site's owner."""

    def delete(self, site_id: int, call_id: str) -> None: ...
    def list_by_node(self, node_id: str) -> Sequence[CallSnapshot]: ...
    def list_by_site(self, site_id: int, node_id: str) -> Sequence[CallSnapshot]: ...
    def move(self, site_id: int, former_id: str, node_id: str) -> None:
        """Move the calls in progress of a site, and its staffing, from one node to another."""

    def end_others(self, node_id: str, now: datetime) -> int:
        """End the node's open calls that have no snapshot, as failed; return their number.

        Such calls come from a version without snapshots, or their snapshot could not be read.
        """

    def end(self, site_id: int, call_id: str, now: datetime) -> bool:
        """End a call of a node that has died, as failed; return whether it was open."""

    def set_staffed(self, site_id: int, node_id: str, *, is_staffed: bool) -> None:
        """Store whether an agent of the site is on duty at this node."""

    def staffed_sites(self, node_id: str) -> Sequence[int]: ...


class RecordingRows(Protocol):
    def add(self, manifest: Manifest, node_id: str = "") -> None:
        """Insert the recording, whose first journal is in the spool of the node.

        If it exists already and may still be delivered, only the node is added to its nodes.
        """

    def save_progress(
        self, site_id: int, recording_id: str, progress: DeliveryProgress, now: datetime
    ) -> None:
        """Save the progress of a recording, unless it has been delivered already."""

    def record_delivery(
        self, site_id: int, recording_id: str, delivery: Delivery, server_url: str, now: datetime
    ) -> None:
        """Save the delivery of a recording; a second time changes nothing."""

    def mark_deleted(self, site_id: int, recording_id: str) -> None:
        """Mark a delivered recording as deleted; a recording in another state does not change."""

    def get(self, site_id: int, recording_id: str) -> RecordingStatus | None: ...
    def list_page(
        self, site_id: int, states: Collection[RecordingState], limit: int, offset: int = 0
    ) -> Sequence[RecordingStatus]: ...
    def count(self, site_id: int, states: Collection[RecordingState]) -> int: ...
    def shares(self, recordings: Collection[tuple[int, str]]) -> Mapping[str, RecordingShares]:
        """Return the nodes with journals of these recordings (site, id), by the recordings' ids."""

    def lock_shares(self, site_id: int, recording_id: str) -> RecordingShares | None:
        """Return the nodes with journals of a recording, locked until this transaction ends."""

    def set_shares(self, shares: RecordingShares) -> None:
        """Save the nodes with journals of a recording."""

    def allow_handover(
        self, site_id: int, recording_id: str, digest: bytes, seconds: float
    ) -> None:
        """Let the holder of a token with this digest collect journals for so long."""

    def is_handover_allowed(self, site_id: int, recording_id: str, digest: bytes) -> bool:
        """Whether the holder of a token with this digest may collect journals now."""

    def undelivered_by_nodes(self, site_ids: Collection[int]) -> Mapping[frozenset[str], int]:
        """Return the numbers of undelivered recordings by the nodes that have their journals."""

    def spool_nodes(self, silent_seconds: float) -> Mapping[str, SpoolNode]:
        """Return all nodes by their ids; those without a beat for this time are silent."""

    def backlog(self, site_id: int) -> Backlog: ...
    def backlog_counts(self, site_ids: Collection[int]) -> BacklogCounts: ...
    def ask_retry(self, site_id: int, recording_ids: Collection[str], now: datetime) -> int:
        """Request an immediate attempt after any kind of error; return the number of recordings."""

    def servers(self, site_ids: Collection[int], archive_url: str) -> Mapping[int, RecordingServer]:
        """Return the current recording server of each site; its URL is empty if there is none."""

    def asked(self, site_ids: Collection[int]) -> frozenset[tuple[int, str]]:
        """Return the site and id of each recording for which a retry was requested."""

    def clear_retries(self, site_id: int, recording_ids: Collection[str]) -> None:
        """Clear the retry requests of these recordings."""

    def clock_offset(self) -> ClockOffset | None:
        """Compare this machine's monotonic clock with the database's; `None` for SQLite.

        A SQLite database has one node, so that its clock is never needed.
        """

    def ended_calls(self, calls: Collection[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        """Return those of the calls (site, id) that have ended or are unknown."""

    def expected(self, site_ids: Collection[int], since: datetime) -> Sequence[ExpectedRecording]:
        """Return the finished calls that were connected and recorded, without the delivered ones.

        This excludes a call that went on unrecorded because the site's policy allows that.
        """


class LibraryRows(Protocol):
    """The libraries of archives: several may share a database, each with a name of its own.

    `stamp` tells which version of its description on disk a recording's row has.
    """

    def save(self, archive: str, entries: Iterable[tuple[Entry, int]]) -> None:
        """Add at least one recording or replace it, each with its stamp."""

    def find(self, archive: str, site_id: int, recording_id: str) -> Entry | None: ...
    def stamps(self, archive: str) -> Mapping[tuple[int, str], int]:
        """Return the stamps of all recordings, by site and id."""

    def site_ids(self, archive: str) -> Sequence[int]: ...
    def stored_bytes(self, archive: str, site_id: int) -> int: ...
    def list_due(self, archive: str, site_id: int, before: str, limit: int) -> Sequence[Entry]:
        """Return the oldest recordings from before a time that are not on legal hold."""

    def hold(self, archive: str, entry: Entry, stamp: int) -> bool:
        """Save whether a recording is on legal hold; return whether there is such a recording."""

    def begin_deletion(self, archive: str, site_id: int, recording_id: str) -> bool:
        """Mark a recording as being deleted by the retention; return whether it was not marked.

        A change of the recording removes the mark.
        """

    def delete(self, archive: str, keys: Collection[tuple[int, str]]) -> None: ...
    def delete_unless_held(self, archive: str, site_id: int, recording_id: str) -> bool:
        """Delete a recording that is not on legal hold; return whether there was one."""

    def search(self, archive: str, site_id: int, search: LibrarySearch) -> FoundEntries: ...


class UploadKeyRows(Protocol):
    """The upload keys of the archives that share the database."""

    def all(self) -> Sequence[UploadKey]:
        """Return all keys by name and site, a replaced one before its successor."""

    def find(self, sha256: str) -> UploadKey | None: ...
    def save(self, key: UploadKey) -> None:
        """Add a key, or replace its row."""

    def delete(self, sha256: str) -> None: ...


class UploadRows(Protocol):
    """Uploads to object stores.

    Statements with an `epoch` change nothing once another request has the lease.
    """

    def lock_creation(self) -> None:
        """Let no other transaction create an upload until this one ends."""

    def add(self, archive: str, upload: StoredUpload) -> StoredUpload:
        """Add an upload; return it with the database's time."""

    def find(self, archive: str, upload_id: str) -> StoredUpload | None: ...
    def unfinished(self, archive: str) -> Sequence[StoredUpload]: ...
    def set_length(self, upload_id: str, length: int | None) -> None: ...
    def acquire(self, upload_id: str, holder: str, seconds: float) -> UploadLease | None:
        """Return a lease of an open upload; `None` if another request has one."""

    def renew(self, upload_id: str, epoch: int, seconds: float) -> bool: ...
    def release(self, upload_id: str, epoch: int) -> None: ...
    def release_all(self, archive: str, holder: str) -> None:
        """End the leases left by an earlier process of a holder."""

    def pieces(self, upload_id: str) -> Sequence[UploadPiece]:
        """Return the stored pieces, in the order of their offsets."""

    def set_multipart(self, upload_id: str, epoch: int, multipart_id: str) -> bool: ...
    def allot_part(self, upload_id: str, epoch: int) -> int | None:
        """Return the number of a new part, which is never returned again."""

    def commit(
        self,
        upload_id: str,
        epoch: int,
        offsets: tuple[int, int],
        added: Sequence[UploadPiece],
        replaced: Sequence[UploadPiece],
    ) -> bool:
        """Raise the offset from the first to the second, and save the pieces with the bytes."""

    def set_state(self, upload_id: str, state: UploadState) -> bool:
        """Set the state of an upload; return whether it was open until now."""

    def finish(self, upload_id: str, sha256: str) -> None:
        """Mark an upload as stored, and delete the rows of its parts."""

    def delete(self, upload_id: str) -> None: ...
    def list_unchanged(
        self, archive: str, state: UploadState, seconds: float, limit: int
    ) -> Sequence[StoredUpload]:
        """Return uploads that have not changed for these seconds, the oldest first."""


class RecordingObjectRows(Protocol):
    """The objects of the recordings in object stores."""

    def add(
        self, archive: str, site_id: int, recording_id: str, recording: RecordingObject
    ) -> bool:
        """Add the object of a recording that has none; return whether it had none."""

    def find(self, archive: str, site_id: int, recording_id: str) -> RecordingObject | None: ...
    def begin_deletion(self, archive: str, site_id: int, recording_id: str) -> str | None:
        """Mark a recording's object to be deleted; return its key."""

    def add_deletion(self, archive: str, object_key: str) -> None:
        """Add an object without a recording, which is to be deleted."""

    def list_deletions(self, archive: str, limit: int) -> Sequence[str]: ...
    def end_deletion(self, archive: str, object_key: str) -> None: ...


class Transaction(Protocol):
    """The rows of all tables, in one database transaction."""

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
    def members(self) -> MemberRows: ...
    @property
    def jobs(self) -> JobRows: ...
    @property
    def site_owners(self) -> SiteOwnerRows: ...
    @property
    def calls(self) -> CallRows: ...
    @property
    def live_calls(self) -> LiveCallRows: ...
    @property
    def recordings(self) -> RecordingRows: ...
    @property
    def library(self) -> LibraryRows: ...
    @property
    def upload_keys(self) -> UploadKeyRows: ...
    @property
    def uploads(self) -> UploadRows: ...
    @property
    def recording_objects(self) -> RecordingObjectRows: ...


class Store(Protocol):
    @property
    def on_rights_change(self) -> list[Callable[[ChangeSet], None]]:
        """Listeners for changes of agents' rights, tokens and keys, made by any process."""

    def is_current(self) -> bool:
        """Whether the listeners have received every change that is older than a second."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a read transaction."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a write transaction; the result is durable when this returns."""


class Passwords(Protocol):
    async def hash(self, password: str) -> str: ...
    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches the hash; `None` matches nothing.

        `None` takes as long as a hash, so that response times do not reveal which accounts exist.
        """


# Messages to sockets, and requests, on this node or another.


class Subscription(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the messages, those of a topic in order; end if the bounded queue gets full."""


class AskError(Exception):
    """A request on the bus that got no response."""


class NoResponderError(AskError):
    """Nobody answers the topic; the request was not handled."""


class ResponderBusyError(AskError):
    """The responder has too many requests in progress; the request was not handled."""


class ResponderFailedError(AskError):
    """The responder has failed; part of the request may have been handled."""


class AskTimeoutError(AskError):
    """No response has arrived in time; the request may still be handled."""


RequestHandler = Callable[[bytes], Coroutine[Any, Any, bytes]]
"""Function that handles a request on the bus and returns the response."""


class Bus(Protocol):
    """Publishes messages to subscribers, which receive them encoded for the pages.

    It also carries requests, each to the one responder of its topic.
    """

    def publish(
        self, topic: str, message: Message | ChangesWritten | NodeHeartbeat | WorkerReport
    ) -> None: ...
    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]: ...
    async def ask(self, topic: str, message: bytes, seconds: float) -> bytes:
        """Return the response to a request; raises `AskError`.

        A request may get no response in time if its responder is just ending.
        """

    def answer(self, topic: str, handler: RequestHandler) -> AbstractAsyncContextManager[None]:
        """Answer the topic's requests, several at a time, until the context ends."""


class WatchedBus(Bus, Protocol):
    """The bus between nodes, with the state of the connection to its servers."""

    dropped: int
    """Messages that were not delivered since the start."""

    @property
    def is_connected(self) -> bool:
        """Whether a server takes and delivers messages now."""

    @property
    def reconnects(self) -> int:
        """Number of connections since the start, after the first."""


class SiteOwners(Protocol):
    """The nodes that own the sites: each applies the requests of all pages of a site in order."""

    async def owner_of(self, site_id: int) -> str:
        """Return the node that owns a site; take the site over if its owner has gone.

        Raises `StoreUnavailable` if the owner is not known and cannot be looked up.
        """

    def owns(self, site_id: int) -> bool:
        """Whether this node owns a site."""

    def forget(self, site_id: int) -> None:
        """Look the owner up again, because the known one does not answer."""


# The media workers.


class MediaPlane(Protocol):
    """The media workers as the use cases see them. Every method is idempotent per bridge and leg.

    A leg has a number in its bridge, from 1. A bridge lives in one worker from its first `tap` or
    `open_leg` until `close`, also when the app process is replaced: the next app process takes it
    over. Every method raises `MediaUnavailable` (`VisavisError`) if that worker does not answer,
    has died or has no capacity left. A lost bridge cannot be used again; its successor has another
    number.
    """

    @property
    def is_shared(self) -> bool:
        """Whether the other nodes have the same workers, those of the media nodes."""

    async def claim(
        self, bridges: Mapping[BridgeId, str], term: SiteTerm
    ) -> Collection[BridgeStatus]:
        """Take over bridges of another app process; return the state of those that were found.

        The values are the `LocalTransport.worker` of the bridges. The listener receives their
        events from now on, the other process no longer. The workers refuse commands with an older
        term than that of the bridges' site. Bridges of workers that do not answer are
        not found; this raises nothing.
        """

    async def tap(self, bridge: BridgeId, manifest: Manifest) -> str:
        """Record the bridge from now on; raises `RecordingUnavailable` if no journal can be opened.

        When this returns, the journal is on disk and locked, with its manifest. It is the
        `bridge.number`-th journal of the recording. Return the node whose spool has it.
        """

    async def note(self, bridge: BridgeId, note: Mapping[str, Any]) -> None:
        """Append a JSON note to the bridge's journal, if it has one."""

    async def pause(self, bridge: BridgeId, *, paused: bool) -> None:
        """Stop recording the bridge's packets, or resume with the next key frame.

        The journal, if there is one, gets a note of type `paused` or `resumed`.
        """

    async def open_leg(self, bridge: BridgeId, leg: int) -> LocalTransport: ...

    async def set_remote(
        self, bridge: BridgeId, leg: int, remote: RemoteTransport
    ) -> LocalTransport:
        """Set the browser's transport parameters, the first time or in a renegotiation.

        Return our end of the leg for the next SDP to that browser. It differs if the browser has
        restarted ICE (RFC 8445 §9); the old one stays valid until the new one is used. Raises
        `ParameterInvalid` if the certificate of a connected leg has changed.
        """

    async def join(self, bridge: BridgeId) -> None:
        """Relay the packets of each leg to all other legs from now on."""

    async def close(self, bridge: BridgeId) -> None:
        """Close the bridge's legs and seal its journal; an unknown bridge is ignored.

        The listener receives the last `quality` of each leg before this returns.
        """


class MediaListener(Protocol):
    """Listener of the media workers' events."""

    async def leg_up(self, bridge: BridgeId, leg: int) -> None: ...
    async def leg_down(self, bridge: BridgeId, leg: int, why: str) -> None: ...
    async def tap_lost(self, bridge: BridgeId, why: str) -> None: ...
    async def quality(self, bridge: BridgeId, leg: int, report: LegReport) -> None:
        """Receive a leg's quality: every two seconds, and once more when it closes."""

    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None:
        """Receive the state of bridges that a worker carries for a former app process."""

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        """Receive the death of a worker, which ended these bridges."""

    async def worker_draining(self, bridges: Collection[BridgeId]) -> None:
        """Receive that a worker is about to end, and that these bridges should be replaced.

        This is repeated until they are.
        """


# The recording server.


class RecordingServers(Protocol):
    async def check(self, site_id: int, server: RecordingServer) -> ServerCheck:
        """Check whether the server accepts recordings, without leaving one there."""
