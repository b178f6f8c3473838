"""The queries: what `services.ports` asks of each table. Every one names its site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from visavis.domain.audit import AuditEntry, FieldChange
from visavis.domain.call import CallRecord, EndReason, State
from visavis.domain.config import Config
from visavis.domain.people import Agent, Permission
from visavis.domain.recording import Manifest
from visavis.services.ports import Credential
from visavis.store import tables as t


class Rows:
    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute


class Sites(Rows):
    def exists(self, site_id: int) -> bool:
        return self._run(select(t.sites.c.id).where(t.sites.c.id == site_id)).first() is not None

    def add(self, site_id: int, name: str, now: datetime) -> None:
        self._run(insert(t.sites).values(id=site_id, name=name, created_at=now))
        self._run(
            insert(t.av_configs).values(
                site_id=site_id, is_enabled=False, is_recording=False, version=0
            )
        )


class Agents(Rows):
    def get(self, site_id: int, agent_id: int) -> Agent | None:
        c = t.agents.c
        row = self._run(select(t.agents).where(c.site_id == site_id, c.id == agent_id)).first()
        return self._agent(row) if row else None

    def by_email(self, email: str) -> Agent | None:
        row = self._run(select(t.agents).where(t.agents.c.email == email.casefold())).first()
        return self._agent(row) if row else None

    def password_hash(self, site_id: int, agent_id: int) -> str:
        c = t.agents.c
        query = select(c.password_hash).where(c.site_id == site_id, c.id == agent_id)
        return str(self._run(query).scalar_one())

    def add(
        self, site_id: int, email: str, name: str, password_hash: str, *, is_administrator: bool
    ) -> Agent:
        row = self._run(
            insert(t.agents)
            .values(
                site_id=site_id,
                email=email.casefold(),
                name=name,
                password_hash=password_hash,
                is_administrator=is_administrator,
            )
            .returning(t.agents)
        ).one()
        return self._agent(row)

    def grant(self, site_id: int, agent_id: int, permissions: Sequence[str]) -> None:
        for permission in permissions:
            values = {"site_id": site_id, "agent_id": agent_id, "permission": permission}
            self._run(upsert(t.agent_permissions).values(values).on_conflict_do_nothing())

    def _agent(self, row: Row[Any]) -> Agent:
        c = t.agent_permissions.c
        query = select(c.permission).where(c.site_id == row.site_id, c.agent_id == row.id)
        granted = frozenset(map(Permission, self._run(query).scalars()))
        return Agent(row.id, row.site_id, row.email, row.name, row.is_administrator, granted)


class Credentials(Rows):
    def add(self, credential: Credential) -> None:
        self._run(
            insert(t.credentials).values(
                digest=credential.digest,
                site_id=credential.site_id,
                agent_id=credential.agent_id,
                kind=credential.kind,
                created_at=credential.created_at,
                expires_at=credential.expires_at,
            )
        )

    def find(self, digest: bytes) -> Credential | None:
        row = self._run(select(t.credentials).where(t.credentials.c.digest == digest)).first()
        return Credential(**row._mapping) if row else None

    def delete(self, digest: bytes) -> None:
        self._run(delete(t.credentials).where(t.credentials.c.digest == digest))


class Configs(Rows):
    def get(self, site_id: int) -> Config:
        row = self._run(select(t.av_configs).where(t.av_configs.c.site_id == site_id)).first()
        return Config(**row._mapping) if row else Config(site_id)

    def put(self, config: Config) -> None:
        self._run(
            update(t.av_configs)
            .where(t.av_configs.c.site_id == config.site_id)
            .values(
                is_enabled=config.is_enabled,
                is_recording=config.is_recording,
                recording_server_url=config.recording_server_url,
                version=config.version,
            )
        )


class Audit(Rows):
    def add(self, entry: AuditEntry) -> None:
        self._run(
            insert(t.audit).values(
                id=entry.id,
                site_id=entry.site_id,
                agent_id=entry.agent_id,
                created_at=entry.created_at,
                action_type=entry.action_type,
                summary=entry.summary,
                changes=msgspec.json.encode(entry.changes).decode(),
            )
        )

    def newest(self, site_id: int, limit: int) -> Sequence[AuditEntry]:
        c = t.audit.c
        query = select(t.audit).where(c.site_id == site_id).order_by(c.created_at.desc())
        return [
            AuditEntry(
                row.id,
                row.site_id,
                row.agent_id,
                row.created_at,
                row.action_type,
                row.summary,
                msgspec.json.decode(row.changes, type=tuple[FieldChange, ...]),
            )
            for row in self._run(query.limit(limit))
        ]


class Calls(Rows):
    def save(self, call: CallRecord, recording_id: str | None) -> None:
        values = {
            "id": call.id,
            "site_id": call.site_id,
            "visitor_name": call.visitor.name,
            "visitor_email": call.visitor.email,
            "media": call.media,
            "is_recorded": call.is_recorded,
            "recording_id": recording_id,
            "state": call.state,
            "agent_id": call.agent.id if call.agent else None,
            "requested_at": call.requested_at,
            "accepted_at": call.accepted_at,
            "connected_at": call.connected_at,
            "ended_at": call.ended_at,
            "reason": call.reason,
            "ended_by": call.ended_by,
        }
        statement = upsert(t.calls).values(values)
        self._run(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def close_open(self, now: datetime) -> int:
        result = self._run(
            update(t.calls)  # every site: the process that held them all is dead
            .where(t.calls.c.state != State.ENDED)
            .values(state=State.ENDED, ended_at=now, reason=EndReason.FAILED)
        )
        return int(result.rowcount)


class Recordings(Rows):
    def add(self, manifest: Manifest) -> None:
        self._run(
            upsert(t.recordings)
            .values(
                id=manifest.recording_id,
                site_id=manifest.site_id,
                call_id=manifest.call_id,
                started_at=manifest.started_at,
            )
            .on_conflict_do_nothing()
        )

    def delivered(
        self, site_id: int, recording_id: str, sha256: str, size: int, now: datetime
    ) -> None:
        c = t.recordings.c
        self._run(
            update(t.recordings)
            .where(c.site_id == site_id, c.id == recording_id, c.delivered_at.is_(None))
            .values(sha256=sha256, size=size, delivered_at=now)
        )


class SqlTransaction:
    """Implements `services.ports.Transaction` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.sites = Sites(connection)
        self.agents = Agents(connection)
        self.credentials = Credentials(connection)
        self.configs = Configs(connection)
        self.audit = Audit(connection)
        self.calls = Calls(connection)
        self.recordings = Recordings(connection)
