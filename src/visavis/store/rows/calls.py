"""Calls, their recordings, and the nodes that hold them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from visavis.domain.call import CallRecord, EndReason, State
from visavis.domain.recording import Manifest
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class Nodes(Rows):
    def save(self, node_id: str, archive_url: str, now: datetime) -> None:
        values = {"id": node_id, "archive_url": archive_url, "started_at": now}
        statement = self._upsert(t.nodes).values(values)
        self._run(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def newest_archive_url(self) -> str:
        query = select(t.nodes.c.archive_url).order_by(t.nodes.c.started_at.desc()).limit(1)
        return self._run(query).scalar() or ""


class Calls(Rows):
    def save(self, call: CallRecord, recording_id: str | None, node_id: str) -> None:
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
            "node_id": node_id,
            "origin": "widget",
            "consent": "none",
            "is_unrecorded": False,
            "message": "",
        }
        statement = self._upsert(t.calls).values(values)
        self._run(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def close_open(self, node_id: str, now: datetime) -> int:
        result = self._run(
            update(t.calls)  # every site: the process that held them all is dead
            .where(t.calls.c.state != State.ENDED, t.calls.c.node_id.in_((node_id, "")))
            .values(state=State.ENDED, ended_at=now, reason=EndReason.FAILED)
        )
        return int(result.rowcount)


class Recordings(Rows):
    def add(self, manifest: Manifest) -> None:
        self._run(
            self._upsert(t.recordings)
            .values(
                id=manifest.recording_id,
                site_id=manifest.site_id,
                call_id=manifest.call_id,
                started_at=manifest.started_at,
                state="waiting",
                uploaded=0,
                attempts=0,
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
            .values(sha256=sha256, size=size, delivered_at=now, state="delivered", uploaded=size)
        )
