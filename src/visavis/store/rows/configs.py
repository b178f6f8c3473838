"""A site's configuration, and who changed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, func, insert, select, update

from visavis.domain.audit import AuditEntry, FieldChange
from visavis.domain.config import Config
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class Configs(Rows):
    def get(self, site_id: int) -> Config:
        row = self._run(select(t.av_configs).where(t.av_configs.c.site_id == site_id)).first()
        return Config(**row._mapping) if row else Config(site_id)

    def lock(self, site_id: int) -> Config:
        query = select(t.av_configs).where(t.av_configs.c.site_id == site_id)
        return Config(**self._run(query.with_for_update()).one()._mapping)

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
        self._changed()


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

    def count(self, site_id: int) -> int:
        query = select(func.count()).where(t.audit.c.site_id == site_id)
        return int(self._run(query).scalar_one())

    def newest(self, site_id: int, limit: int, offset: int = 0) -> Sequence[AuditEntry]:
        c = t.audit.c
        query = select(t.audit).where(c.site_id == site_id)
        query = query.order_by(c.created_at.desc(), c.id).limit(limit).offset(offset)
        return [_entry(row) for row in self._run(query)]

    def get(self, site_id: int, entry_id: str) -> AuditEntry | None:
        c = t.audit.c
        query = select(t.audit).where(c.site_id == site_id, c.id == entry_id)
        row = self._run(query).first()
        return _entry(row) if row else None


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        row.id,
        row.site_id,
        row.agent_id,
        row.created_at,
        row.action_type,
        row.summary,
        msgspec.json.decode(row.changes, type=tuple[FieldChange, ...]),
    )
