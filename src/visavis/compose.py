"""Composition of the services over one store, the same for the app, the archive and the commands.

The recorder's two services are composed here as well. Each process adds parts of its own: the app
its routes and sockets, the recorder its queues. Packages that only one process runs are imported
inside functions, so that no process loads code that it does not run.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from visavis.bus.local import LocalBus
from visavis.clock_and_ids import new_id, new_secret, now
from visavis.domain.membership import Member
from visavis.services.accounts import Accounts
from visavis.services.api_keys import ApiKeys
from visavis.services.audit import Auditor, AuditReader, AuditTrail
from visavis.services.clients import Clients
from visavis.services.nodes import NodeAdmin
from visavis.services.people import People
from visavis.services.ports import Bus, MediaPlane, Passwords, RecordingServers
from visavis.services.recordings import RecordingAdmin, Recordings
from visavis.services.site_settings import SiteSettingsService
from visavis.services.tokens import Tokens
from visavis.services.visitor_limits import VisitorLimits
from visavis.settings import Settings
from visavis.store import POSTGRESQL, open_store
from visavis.store.passwords import Argon2Passwords
from visavis.store.sql import SqlStore

if TYPE_CHECKING:
    from visavis.bus.nats import NatsBus
    from visavis.recorder.tus_upload import TusUploader
    from visavis.services.calls import Calls
    from visavis.services.calls.effects import Relays
    from visavis.services.cluster.edge import Edge
    from visavis.services.cluster.node import ClusterNode
    from visavis.services.members import Members


class Services:
    """The services over one store.

    `archive_url` is the URL of the built-in recording server, empty without one; `servers` tests
    recording servers. `bus` delivers to open pages. A session of our pages ends after
    `idle_minutes` without use; 0 means never.
    """

    def __init__(
        self,
        store: SqlStore,
        *,
        archive_url: str = "",
        passwords: Passwords | None = None,
        servers: RecordingServers | None = None,
        idle_minutes: int = 0,
        bus: Bus | None = None,
    ) -> None:
        passwords = passwords or Argon2Passwords()
        idle_time = timedelta(minutes=idle_minutes) or None
        self.store = store
        self.bus: Bus = bus or LocalBus()
        self.auditor = Auditor(now, new_id)
        self.audit = AuditReader(store)
        self.audit_trail = AuditTrail(store, now, new_id)
        self.people = People(store, passwords, now, new_secret, new_id)
        self.accounts = Accounts(store, passwords, now, new_secret, new_id)
        self.tokens = Tokens(store, now, new_secret, idle_time)
        self.keys = ApiKeys(store, now, new_secret, new_id)
        self.clients = Clients(store, now, new_secret, new_id)
        self.sign_ins = self.people.sessions(self.tokens)
        self.site_settings = SiteSettingsService(store, self.bus, now, new_id, archive_url)
        self.node_admin = NodeAdmin(store, self.auditor)
        self.recording_admin = RecordingAdmin(store, now, archive_url, servers, self.auditor)

    async def retention_days(self, site_id: int) -> int | None:
        """Return the days after which the built-in archive deletes a site's recordings."""
        return (await self.site_settings.get(site_id)).policy.retention_days


def build_calls(
    services: Services,
    settings: Settings,
    media: MediaPlane,
    me: Member,
    relays: Relays | None,
    cluster: ClusterNode | None,
) -> Calls:
    """Return the calls of this process, connected so that changes of site settings reach them."""
    from visavis.services.calls import Calls
    from visavis.services.calls.effects import call_later
    from visavis.services.calls.media_events import at_once

    calls = Calls(
        settings_of=services.site_settings.get,
        store=services.store,
        bus=services.bus,
        media=media,
        clock=now,
        new_id=new_id,
        node_id=me.node_id,
        boot=me.boot,
        announce=services.site_settings.announce,
        limits=visitor_limits(settings),
        relays=relays,
        schedule=cluster.schedule if cluster else call_later,
        when_settled=cluster.when_settled if cluster else at_once,
        cluster=settings.bus_prefix if cluster else "",
        on_lost=cluster.site_lost if cluster else lambda site_id: None,
    )
    services.site_settings.listeners.append(calls.settings_changed)
    return calls


def build_edge(
    services: Services, calls: Calls, members: Members, cluster: ClusterNode | None
) -> Edge:
    """Return what the pages of this node use: its calls, or those of other nodes."""
    from visavis.services.cluster.edge import Edge
    from visavis.services.cluster.site_owners import LocalOwners

    announce, has_site = services.site_settings.announce, services.people.has_site
    if cluster:
        edge = cluster.connect(
            calls=calls,
            store=services.store,
            members=members,
            staffing_changed=announce,
            has_site=has_site,
        )
    else:
        node_id = calls.ownership.node_id
        edge = Edge(
            calls=calls,
            bus=services.bus,
            owners=LocalOwners(node_id),
            node_id=node_id,
            new_id=new_id,
            staffing_changed=announce,
            has_site=has_site,
        )
    services.site_settings.is_staffed = edge.is_staffed if cluster else calls.is_staffed
    return edge


def join_cluster(settings: Settings, bus: NatsBus | None, node_id: str) -> ClusterNode | None:
    """Return the parts of a node whose sites can have pages at other nodes.

    These nodes share a database, which is not possible with SQLite.
    """
    if bus is None or not settings.database_address.startswith(POSTGRESQL):
        return None
    from visavis.services.cluster.node import ClusterNode

    return ClusterNode(bus, node_id, new_id, time.monotonic)


def visitor_limits(settings: Settings) -> VisitorLimits:
    return VisitorLimits(
        calls=settings.calls_per_minute,
        checks=settings.checks_per_minute,
        pages=settings.page_views_per_minute,
        messages=settings.messages_per_minute,
        joins=settings.joins_per_minute,
        waiting_calls=settings.waiting_calls_per_address,
        queue_length=settings.queue_length,
    )


def open_database(settings: Settings) -> SqlStore:
    """Open the database of the settings; raises as `store.open_store` does."""
    return open_store(
        settings.database_address,
        connect_seconds=settings.database_connect_seconds,
        statement_seconds=settings.database_statement_seconds,
    )


def build_recordings(store: SqlStore, settings: Settings) -> Recordings:
    """Return the recorder's service for recordings."""
    return Recordings(store, now, settings.archive_url, new_secret)


def tus_uploader(settings: Settings) -> TusUploader:
    """Return the client of recording servers; it has the key of the built-in one."""
    from visavis.archive.upload_keys import OwnKey
    from visavis.recorder.tus_upload import TusUploader

    return TusUploader(
        archive_url=settings.archive_url,
        archive_key=OwnKey(settings.archive_key_file) if settings.archive else str,
        allow_private=settings.allow_private_recording_servers,
        archive_socket=settings.app_socket if settings.has_app else None,
    )
