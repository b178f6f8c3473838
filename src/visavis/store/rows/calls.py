"""Calls, and the nodes that hold them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from visavis.domain.call import CallRecord, EndReason, State
from visavis.domain.story import CallEvent, Story
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

    def story(self, site_id: int, call_id: str) -> Story | None:
        c, e = t.calls.c, t.call_events.c
        query = select(t.calls, t.agents.c.name.label("agent_name"))
        query = query.outerjoin(t.agents, t.agents.c.id == c.agent_id)
        row = self._run(query.where(c.site_id == site_id, c.id == call_id)).first()
        if row is None:
            return None
        told = select(t.call_events).where(e.site_id == site_id, e.call_id == call_id)
        events = self._run(told.order_by(e.at, e.id))
        return Story(
            call_id=call_id,
            site_id=site_id,
            media=row.media,
            visitor_name=row.visitor_name,
            visitor_email=row.visitor_email,
            agent_names=(row.agent_name,) if row.agent_name else (),
            consent=row.consent,
            events=tuple(CallEvent(one.at, one.name, one.by, one.data) for one in events),
            quality=row.quality or {},
        )
