"""Recordings: their delivery, its status, and missing recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from visavis.domain.audit import ActionType
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import (
    Backlog,
    DeliveryPlan,
    DeliveryProgress,
    ExpectedRecording,
    RecordingServer,
    RecordingStatus,
    ServerCheck,
    SpoolNode,
)
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.handover import (
    Journals,
    RecordingShares,
    after_abandonment,
    after_adoption,
    after_collection,
    after_succession,
)
from visavis.domain.people import Agent
from visavis.domain.recording import (
    UNDELIVERED,
    ClockOffset,
    Delivery,
    Manifest,
    RecordingState,
)
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, RecordingServers, Store, Transaction
from visavis.services.secrets import digest

EVERY_STATE: Final = tuple(RecordingState)
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
SILENT_SECONDS: Final = 10.0
"""Time without a beat after which a recording is shown as waiting for its node.

An app that is started again is silent for a few seconds, which delays no recording.
"""
HANDOVER_SECONDS: Final = 600.0
"""Time for which a token to collect journals is valid. A transfer that has begun may go on."""
RECENT: Final = timedelta(days=30)
"""Period over which missing recordings are counted in lists and metrics."""


class Recordings:
    """Recordings of all sites, for the recorder: implements `recorder.jobs.RecordingStore`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        archive_url: str,
        new_secret: Callable[[], str] = str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._archive_url = archive_url
        self._new_secret = new_secret

    async def shares(
        self, recordings: Collection[tuple[int, str]]
    ) -> Mapping[str, RecordingShares]:
        """Return the nodes with journals of these recordings (site, id), by the recordings' ids."""
        return await self._store.read(lambda rows: rows.recordings.shares(recordings))

    async def list_journals(self, manifest: Manifest, node_id: str) -> None:
        """Record that a node has journals of a recording, as its spool shows."""
        await self._store.write(lambda rows: rows.recordings.add(manifest, node_id))

    async def spool_nodes(self) -> Mapping[str, SpoolNode]:
        """Return all nodes by their ids, with the URLs of their recorders."""
        return await self._store.read(lambda rows: rows.recordings.spool_nodes(SILENT_SECONDS))

    async def allow_handover(self, manifest: Manifest) -> str:
        """Return a new token with which journals of the recording can be collected for a while."""
        token = self._new_secret()
        of = (manifest.site_id, manifest.recording_id)
        await self._store.write(
            lambda rows: rows.recordings.allow_handover(*of, digest(token), HANDOVER_SECONDS)
        )
        return token

    async def is_handover_allowed(self, site_id: int, recording_id: str, token: str) -> bool:
        """Whether the bearer of a token may collect journals of the recording now."""
        return await self._store.read(
            lambda rows: rows.recordings.is_handover_allowed(site_id, recording_id, digest(token))
        )

    async def record_collection(
        self, manifest: Manifest, home: str, node_id: str, journals: Journals
    ) -> bool:
        """Save that the home has a node's journals; return false if another is the home now."""

        def work(rows: Transaction) -> bool:
            shares = rows.recordings.lock_shares(manifest.site_id, manifest.recording_id)
            after = after_collection(shares, home, node_id, journals) if shares else None
            if after:
                rows.recordings.set_shares(after)
            return after is not None

        return await self._store.write(work)

    async def hand_home_over(self, manifest: Manifest, home: str, running: Collection[str]) -> bool:
        """Let one of the nodes that run make the file; return whether one of them does."""

        def work(rows: Transaction) -> bool:
            shares = rows.recordings.lock_shares(manifest.site_id, manifest.recording_id)
            after = after_succession(shares, home, running) if shares else None
            if after:
                rows.recordings.set_shares(after)
            return after is not None

        return await self._store.write(work)

    async def save_recorder(self, node_id: str, url: str, certificate: str) -> None:
        """Save where and with which certificate the node's recorder hands journals over."""
        await self._store.write(lambda rows: rows.nodes.save_recorder(node_id, url, certificate))

    async def delivery_plans(self, site_ids: frozenset[int]) -> Mapping[int, DeliveryPlan]:
        """Return each site's recording server and the recordings to deliver again at once."""

        def work(rows: Transaction) -> Mapping[int, DeliveryPlan]:
            asked: defaultdict[int, set[str]] = defaultdict(set)
            for site_id, recording_id in rows.recordings.asked(site_ids):
                asked[site_id].add(recording_id)
            return {
                site_id: DeliveryPlan(server, frozenset(asked[site_id]))
                for site_id, server in rows.recordings.servers(site_ids, self._archive_url).items()
            }

        return await self._store.read(work)

    async def clock_offset(self) -> ClockOffset | None:
        """Compare this machine's monotonic clock with the database's; `None` for SQLite."""
        return await self._store.read(lambda rows: rows.recordings.clock_offset())

    async def ended_calls(self, calls: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        """Return those of the calls (site, id) that have ended or are unknown."""
        return await self._store.read(lambda rows: rows.recordings.ended_calls(calls))

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None:
        return await self._store.read(lambda rows: rows.calls.report(site_id, call_id))

    async def save_progress(self, manifest: Manifest, progress: DeliveryProgress) -> None:
        now = self._clock()

        def work(rows: Transaction) -> None:
            rows.recordings.add(manifest)
            rows.recordings.save_progress(manifest.site_id, manifest.recording_id, progress, now)

        await self._store.write(work)

    async def record_delivery(
        self, manifest: Manifest, delivery: Delivery, server_url: str
    ) -> None:
        """Save the delivery of a recording; a second time changes nothing."""
        now = self._clock()
        of = (manifest.site_id, manifest.recording_id)

        def work(rows: Transaction) -> None:
            rows.recordings.add(manifest)
            rows.recordings.record_delivery(*of, delivery, server_url, now)

        await self._store.write(work)

    async def clear_retries(self, site_id: int, recording_ids: frozenset[str]) -> None:
        await self._store.write(lambda rows: rows.recordings.clear_retries(site_id, recording_ids))


@dataclass(frozen=True, slots=True)
class RecordingList:
    """One page of a site's recordings, newest first, with figures over all of them.

    `total` is the number of recordings that match. `missing` is the number of recent calls whose
    recording should be at the recording server and is not.
    """

    total: int
    recordings: Sequence[RecordingStatus]
    backlog: Backlog
    missing: int


@dataclass(frozen=True, slots=True)
class RecordingTotals:
    """Figures over the recordings of all sites: see `Backlog`.

    `awaiting_nodes` is the number of pending recordings with journals on a silent node, and
    `oldest_seconds` the age of the oldest pending recording.
    """

    pending: int = 0
    failed: int = 0
    incomplete: int = 0
    missing: int = 0
    awaiting_nodes: int = 0
    oldest_seconds: float = 0.0


def totals_of(figures: Mapping[str, float]) -> RecordingTotals:
    """Return the totals that another process has counted; it may be of a later version."""
    return RecordingTotals(
        pending=int(figures.get("pending", 0)),
        failed=int(figures.get("failed", 0)),
        incomplete=int(figures.get("incomplete", 0)),
        missing=int(figures.get("missing", 0)),
        awaiting_nodes=int(figures.get("awaiting_nodes", 0)),
        oldest_seconds=float(figures.get("oldest_seconds", 0)),
    )


class RecordingAdmin:
    """Queries and actions of administrators and operators on recordings."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        archive_url: str,
        servers: RecordingServers | None,
        auditor: Auditor,
    ) -> None:
        self._store = store
        self._auditor = auditor
        self._clock = clock
        self._archive_url = archive_url
        self._servers = servers

    async def list_page(
        self, agent: Agent, states: Collection[RecordingState], page_index: int, page_size: int
    ) -> RecordingList:
        """Return the page `page_index`, counted from 1."""
        site_id, offset = agent.site_id, (page_index - 1) * page_size
        since = self._clock() - RECENT

        def work(rows: Transaction) -> RecordingList:
            return RecordingList(
                rows.recordings.count(site_id, states),
                _with_nodes(rows, rows.recordings.list_page(site_id, states, page_size, offset)),
                rows.recordings.backlog(site_id),
                sum(call.is_missing for call in rows.recordings.expected([site_id], since)),
            )

        return await self._store.read(work)

    async def tally(self) -> RecordingTotals:
        """Return figures over the recordings of all sites."""
        now = self._clock()

        def work(rows: Transaction) -> RecordingTotals:
            sites = [site.id for site in rows.sites.all()]
            counts = rows.recordings.backlog_counts(sites)
            expected = rows.recordings.expected(sites, now - RECENT)
            return RecordingTotals(
                pending=counts.pending,
                failed=counts.failed,
                incomplete=counts.incomplete,
                oldest_seconds=max(0.0, (now - (counts.oldest_at or now)).total_seconds()),
                missing=sum(call.is_missing for call in expected),
                awaiting_nodes=_awaiting_nodes(rows, sites) if counts.pending else 0,
            )

        return await self._store.read(work)

    async def get(self, agent: Agent, recording_id: str) -> RecordingStatus:
        """Return the status of a recording; raises `EntityNotFound`."""

        def work(rows: Transaction) -> Sequence[RecordingStatus]:
            found = rows.recordings.get(agent.site_id, recording_id)
            return _with_nodes(rows, [found]) if found else []

        if found := await self._store.read(work):
            return found[0]
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no recording {recording_id}.")

    async def mark_deleted(self, site_id: int, recording_id: str) -> None:
        """Record that the archive has deleted a delivered recording."""
        await self._store.write(lambda rows: rows.recordings.mark_deleted(site_id, recording_id))

    async def retry(self, agent: Agent, recording_ids: Collection[str] | None) -> int:
        """Request another attempt for recordings at once; `None` means all undelivered ones.

        Return the number of recordings.
        """
        site_id, now = agent.site_id, self._clock()

        def work(rows: Transaction) -> int:
            count = rows.recordings.count(site_id, UNDELIVERED)
            ids = recording_ids
            if ids is None:
                ids = [one.id for one in rows.recordings.list_page(site_id, UNDELIVERED, count)]
            return rows.recordings.ask_retry(site_id, ids, now)

        return await self._store.write(work)

    async def adopt(self, manifest: Manifest, node_id: str, former: str = "") -> None:
        """Let this node deliver the journals of a node that has died, and end its call.

        `former` is the dead node; it may be omitted if only one node has journals. Raises
        `EntityNotFound` if the database has no such site, and `PreconditionFailed` if the recording
        has been delivered, if another node has these journals already, or if their node runs.
        """
        site_id, recording_id, now = manifest.site_id, manifest.recording_id, self._clock()

        def work(rows: Transaction) -> None:
            if rows.sites.get(site_id) is None:
                raise VisavisError(ErrorKind.EntityNotFound, f"There is no site {site_id}.")
            rows.recordings.add(manifest)
            shares = rows.recordings.lock_shares(site_id, recording_id)
            if shares is None or not shares.is_pending:
                raise VisavisError(ErrorKind.PreconditionFailed, "It has been delivered already.")
            dead = _dead_node(shares, rows.recordings.spool_nodes(SILENT_SECONDS), node_id, former)
            rows.recordings.set_shares(after_adoption(shares, dead, node_id))
            rows.live_calls.end(site_id, manifest.call_id, now)

        await self._store.write(work)

    async def deliver_without(self, agent: Agent, recording_id: str, machine: str) -> None:
        """Deliver a recording without the journals of a silent node, named by id or machine.

        Raises `EntityNotFound`, and `PreconditionFailed` if the node runs, if its journals are not
        needed, or if no other node has journals.
        """
        site_id = agent.site_id

        def work(rows: Transaction) -> None:
            shares = rows.recordings.lock_shares(site_id, recording_id)
            if shares is None:
                raise VisavisError(
                    ErrorKind.EntityNotFound, f"There is no recording {recording_id}."
                )
            known = rows.recordings.spool_nodes(SILENT_SECONDS)
            node = _needed_node(shares, known, machine)
            after = after_abandonment(shares, node.id, node.machine)
            if after is None:
                raise VisavisError(
                    ErrorKind.PreconditionFailed, "No other node has packets of this recording."
                )
            rows.recordings.set_shares(after)
            rows.audit.add(
                self._auditor.entry(
                    agent,
                    site_id,
                    ActionType.RECORDING_DELIVERED_WITHOUT,
                    f"recording {recording_id}",
                    f"Gave up the packets of recording {recording_id} on {node.machine}",
                )
            )

        await self._store.write(work)

    async def missing(self, agent: Agent, since: datetime = EVER) -> Sequence[ExpectedRecording]:
        """Return the calls whose recording should be at the recording server and is not."""
        expected = await self._store.read(
            lambda rows: rows.recordings.expected([agent.site_id], since)
        )
        return [call for call in expected if call.is_missing]

    async def check_server(self, agent: Agent, url: str | None, secret: str | None) -> ServerCheck:
        """Test a recording server: by default the site's own, or the given one.

        The site's secret is sent only to the site's own server.
        """
        if self._servers is None:
            raise VisavisError(ErrorKind.EntityNotFound)
        stored = await self._store.read(
            lambda rows: server_of(rows, agent.site_id, self._archive_url)
        )
        is_stored = url is None or url == stored.url
        given = RecordingServer(stored.url if url is None else url, secret)
        tried = stored if is_stored and secret is None else given
        return await self._servers.check(agent.site_id, tried)


def server_of(rows: Transaction, site_id: int, archive_url: str) -> RecordingServer:
    """Return a site's current recording server; its URL is empty if there is none."""
    return rows.recordings.servers([site_id], archive_url)[site_id]


def _with_nodes(
    rows: Transaction, recordings: Sequence[RecordingStatus]
) -> Sequence[RecordingStatus]:
    """Return the recordings with the machines of their nodes, and whether these are silent."""
    if not any(one.nodes for one in recordings):
        return recordings
    known = rows.recordings.spool_nodes(SILENT_SECONDS)
    return [
        replace(one, nodes=tuple(known.get(node.id, node) for node in one.nodes))
        for one in recordings
    ]


def _dead_node(
    shares: RecordingShares, known: Mapping[str, SpoolNode], node_id: str, former: str
) -> str:
    """Return the node whose journals are adopted; raises `PreconditionFailed`."""
    if not former:
        if len(shares.nodes) + len(shares.collected) > 1:
            raise VisavisError(
                ErrorKind.PreconditionFailed,
                "Several nodes have packets of it: say with --node whose spool this is.",
            )
        former = shares.nodes[0] if shares.nodes else node_id
    if former in shares.collected:
        raise VisavisError(ErrorKind.PreconditionFailed, "Another node has its packets already.")
    node = known.get(former, _unknown(former))
    if former in shares.nodes and former != node_id and not node.is_silent:
        raise VisavisError(ErrorKind.PreconditionFailed, f"{node.machine} runs, and delivers it.")
    return former


def _needed_node(
    shares: RecordingShares, known: Mapping[str, SpoolNode], machine: str
) -> SpoolNode:
    """Return a silent node whose journals are needed; raises `PreconditionFailed`."""
    needed = [known.get(id_, _unknown(id_)) for id_ in shares.nodes if shares.is_pending]
    for node in needed:
        if machine not in {node.id, node.machine}:
            continue
        if not node.is_silent:
            raise VisavisError(
                ErrorKind.PreconditionFailed, f"{node.machine} runs, and hands its packets over."
            )
        return node
    raise VisavisError(ErrorKind.PreconditionFailed, f"It does not wait for {machine}.")


def _unknown(node_id: str) -> SpoolNode:
    return SpoolNode(node_id, node_id, is_silent=False)


def _awaiting_nodes(rows: Transaction, site_ids: Collection[int]) -> int:
    """Return the number of undelivered recordings with journals on a silent node."""
    known = rows.recordings.spool_nodes(SILENT_SECONDS)
    silent = {node.id for node in known.values() if node.is_silent}
    counts = rows.recordings.undelivered_by_nodes(site_ids)
    return sum(count for nodes, count in counts.items() if nodes & silent)
