"""Calls, and the nodes that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, insert, or_, select, update

from visavis.domain.call import CallRecord, CallState, EndReason
from visavis.domain.call_events import CallEvent, CallEventName, CallReport
from visavis.domain.call_history import CallSearch, PastCall
from visavis.domain.policy import Consent
from visavis.domain.recording import NONEXISTENT, RecordingState
from visavis.store import tables as t
from visavis.store.rows.base import Rows

_ADD_EVENT: Final = insert(t.call_events)


class SqlNodeRows(Rows):
    def save(self, node_id: str, archive_url: str, now: datetime, machine: str = "") -> None:
        values = {"id": node_id, "archive_url": archive_url, "started_at": now, "machine": machine}
        statement = self._upsert(t.nodes).values(values)
        self._run(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def save_recorder(self, node_id: str, url: str, certificate: str) -> None:
        recorder = {"recorder_url": url, "recorder_certificate": certificate}
        unknown = {"archive_url": "", "started_at": datetime.fromtimestamp(0, UTC)}
        statement = self._upsert(t.nodes).values(id=node_id, **unknown, **recorder)
        self._run(statement.on_conflict_do_update(index_elements=["id"], set_=recorder))

    def set_drained(self, node_id: str, *, is_drained: bool) -> bool:
        c = t.nodes.c
        mine = update(t.nodes).where(c.id == node_id, c.is_drained.is_not(is_drained))
        return bool(self._run(mine.values(is_drained=is_drained)).rowcount)

    def is_drained(self, node_id: str) -> bool:
        return bool(self._run(select(t.nodes.c.is_drained).where(t.nodes.c.id == node_id)).scalar())

    def mark_alive(self, node_id: str, now: datetime) -> None:
        self._run(update(t.nodes).where(t.nodes.c.id == node_id).values(alive_at=now))

    def alive_at(self, node_id: str) -> datetime | None:
        query = select(t.nodes.c.alive_at).where(t.nodes.c.id == node_id)
        moment: datetime | None = self._run(query).scalar()
        return moment

    def newest_archive_url(self) -> str:
        query = select(t.nodes.c.archive_url).order_by(t.nodes.c.started_at.desc()).limit(1)
        return self._run(query).scalar() or ""


class SqlCallRows(Rows):
    def save(self, call: CallRecord, node_id: str) -> None:
        values = {
            "id": call.id,
            "site_id": call.site_id,
            "visitor_name": call.visitor.name,
            "visitor_email": call.visitor.email,
            "media": call.media,
            "is_recorded": call.is_recorded,
            "recording_id": call.recording_id,
            "state": call.state,
            "agent_id": call.agent.id if call.agent else None,
            "requested_at": call.requested_at,
            "accepted_at": call.accepted_at,
            "connected_at": call.connected_at,
            "ended_at": call.ended_at,
            "talk_ended_at": call.talk_ended_at,
            "reason": call.reason,
            "ended_by": call.ended_by,
            "node_id": node_id,
            "origin": call.origin,
            "consent": call.consent,
            "is_unrecorded": call.is_unrecorded,
            "quality": call.quality or None,
        }
        self._save(t.calls, "id", values, message="")

    def add_event(self, site_id: int, call_id: str, event: CallEvent) -> None:
        values = {
            "site_id": site_id,
            "call_id": call_id,
            "at": event.at,
            "name": event.name,
            "by": event.by,
            "data": event.data,
        }
        self._run(_ADD_EVENT, values)

    def has_event(self, site_id: int, call_id: str, event: CallEvent) -> bool:
        c = t.call_events.c
        of_call = select(c.id).where(c.site_id == site_id, c.call_id == call_id)
        same = of_call.where(c.at == event.at, c.name == event.name, c.by == event.by)
        return self._run(same.limit(1)).first() is not None

    def leave_message(self, site_id: int, call_id: str, text: str, name: str, email: str) -> bool:
        c = t.calls.c
        is_meant = (
            c.site_id == site_id,
            c.id == call_id,
            c.state == CallState.ENDED,
            c.accepted_at.is_(None),
            c.message == "",
        )
        given = {"visitor_name": name, "visitor_email": email}
        values = {key: value for key, value in given.items() if value}
        result = self._run(update(t.calls).where(*is_meant).values(message=text, **values))
        return bool(result.rowcount)

    def report(self, site_id: int, call_id: str) -> CallReport | None:
        call = self.get(site_id, call_id)
        if call is None:
            return None
        c = t.call_events.c
        query = select(t.call_events).where(c.site_id == site_id, c.call_id == call_id)
        events = tuple(
            CallEvent(at=row.at, name=row.name, by=row.by, data=row.data)
            for row in self._run(query.order_by(c.id))
        )
        names = (event.data.get("agentName") for event in events if event.name in _WHO)
        return CallReport(
            call_id=call.id,
            site_id=call.site_id,
            media=call.media,
            visitor_name=call.visitor_name,
            visitor_email=call.visitor_email,
            agent_names=tuple(name for name in names if name),
            consent=call.consent,
            events=events,
            quality=call.quality,
        )

    def get(self, site_id: int, call_id: str) -> PastCall | None:
        c = t.calls.c
        row = self._run(_past_calls().where(c.site_id == site_id, c.id == call_id)).first()
        return _past_call(row) if row else None

    def list_page(
        self, site_id: int, search: CallSearch, limit: int, offset: int = 0
    ) -> Sequence[PastCall]:
        c = t.calls.c
        query = _past_calls().where(c.site_id == site_id, *_wanted(search))
        query = query.order_by(c.requested_at.desc(), c.id).limit(limit).offset(offset)
        return [_past_call(row) for row in self._run(query)]

    def count(self, site_id: int, search: CallSearch) -> int:
        query = select(func.count()).select_from(t.calls)
        query = query.where(t.calls.c.site_id == site_id, *_wanted(search))
        return int(self._run(query).scalar_one())


_WHO: Final = frozenset({CallState.ACCEPTED, CallEventName.TRANSFERRED})
"""The events that tell which agent has the call from now on."""


def _past_calls() -> Select[Any]:
    c, r = t.calls.c, t.recordings.c
    is_its = (r.id == c.recording_id) & (r.site_id == c.site_id)
    joined = t.calls.outerjoin(t.agents, t.agents.c.id == c.agent_id)
    return select(
        t.calls,
        t.agents.c.name.label("agent_name"),
        r.state.label("recording_state"),
        r.missing.label("missing"),
    ).select_from(joined.outerjoin(t.recordings, is_its))


def _past_call(row: Row[Any]) -> PastCall:
    state = RecordingState(row.recording_state) if row.recording_state else None
    exists = state is not None and state not in NONEXISTENT
    return PastCall(
        id=row.id,
        site_id=row.site_id,
        visitor_name=row.visitor_name,
        visitor_email=row.visitor_email,
        media=row.media,
        state=CallState(row.state),
        reason=EndReason(row.reason) if row.reason else None,
        ended_by=row.ended_by,
        agent_id=row.agent_id,
        agent_name=row.agent_name or "",
        requested_at=row.requested_at,
        accepted_at=row.accepted_at,
        connected_at=row.connected_at,
        ended_at=row.ended_at,
        talk_ended_at=row.talk_ended_at,
        is_recording_intended=row.is_recorded,
        is_unrecorded=row.is_unrecorded,
        recording_id=row.recording_id if exists else None,
        recording_state=state,
        missing=tuple(row.missing or ()),
        consent=Consent(row.consent),
        origin=row.origin,
        message=row.message,
        quality=row.quality or {},
    )


def _wanted(search: CallSearch) -> Iterator[ColumnElement[bool]]:
    c = t.calls.c
    if search.states:
        yield c.state.in_(sorted(search.states))
    if search.reasons:
        yield c.reason.in_(sorted(search.reasons))
    if search.is_answered is not None:
        yield c.accepted_at.is_not(None) if search.is_answered else c.accepted_at.is_(None)
    if search.agent_id is not None:
        yield c.agent_id == search.agent_id
    if search.since:
        yield c.requested_at >= search.since
    if search.until:
        yield c.requested_at < search.until
    if search.text:
        parts = (c.visitor_name, c.visitor_email)
        yield or_(*(part.icontains(search.text, autoescape=True) for part in parts))
