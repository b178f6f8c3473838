"""Uploads to an object store, and the objects of recordings.

Only the holder of an upload's lease may write to it. `epoch` rises with each holder, and every
statement of a holder contains its own. Leases expire by the database's clock, so the clocks of the
nodes need not agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    insert,
    or_,
    select,
    text,
    update,
)

from visavis.domain.uploads import (
    RecordingObject,
    StoredUpload,
    UploadLease,
    UploadPiece,
    UploadState,
)
from visavis.store import tables as t
from visavis.store.rows.base import Rows

CREATION_LOCK: Final = 0x75706C6F

_U: Final = t.uploads.c
_P: Final = t.upload_parts.c
_O: Final = t.recording_objects.c
_UPLOAD_FIELDS: Final = StoredUpload.__struct_fields__
_PIECE_FIELDS: Final = UploadPiece.__struct_fields__


class SqlUploadRows(Rows):
    def lock_creation(self) -> None:
        # SQLite has only one writer
        if self._is_postgresql:
            self._run(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION_LOCK})

    def add(self, archive: str, upload: StoredUpload) -> StoredUpload:
        now = self._database_time()
        given = {name: getattr(upload, name) for name in _UPLOAD_FIELDS}
        given |= {"created_at": now, "changed_at": now, "archive": archive, "next_part": 1}
        added = insert(t.uploads).values(**given, held_until=0.0, epoch=0).returning(*_upload())
        return _stored(self._run(added).one())

    def find(self, archive: str, upload_id: str) -> StoredUpload | None:
        query = select(*_upload()).where(_U.archive == archive, _U.id == upload_id)
        row = self._run(query).first()
        return _stored(row) if row else None

    def unfinished(self, archive: str) -> Sequence[StoredUpload]:
        query = select(*_upload()).where(_U.archive == archive, _is_open())
        return [_stored(row) for row in self._run(query)]

    def set_length(self, upload_id: str, length: int | None) -> None:
        self._run(update(t.uploads).where(_U.id == upload_id, _is_open()).values(length=length))

    def acquire(self, upload_id: str, holder: str, seconds: float) -> UploadLease | None:
        now = self._database_time()
        row = self._run(
            update(t.uploads)
            .where(_U.id == upload_id, _is_open())
            # a lease that ends later was taken before the database's clock was set back
            .where(or_(_U.held_until <= now, _U.held_until > now + 2 * seconds))
            .values(holder=holder, epoch=_U.epoch + 1, held_until=now + seconds)
            .returning(_U.epoch, *_upload())
        ).first()
        if row is None:
            return None
        return UploadLease(row.epoch, _stored(row), tuple(self.pieces(upload_id)))

    def renew(self, upload_id: str, epoch: int, seconds: float) -> bool:
        return self._held(upload_id, epoch, held_until=self._database_time() + seconds)

    def release(self, upload_id: str, epoch: int) -> None:
        # the next epoch: a renewal that is still on its way has no effect any more
        mine = update(t.uploads).where(_U.id == upload_id, _U.epoch == epoch)
        self._run(mine.values(holder=None, held_until=0.0, epoch=epoch + 1))

    def release_all(self, archive: str, holder: str) -> None:
        self._run(
            update(t.uploads)
            .where(_U.archive == archive, _U.holder == holder)
            .values(holder=None, held_until=0.0, epoch=_U.epoch + 1)
        )

    def pieces(self, upload_id: str) -> Sequence[UploadPiece]:
        columns = [_P[name] for name in _PIECE_FIELDS]
        query = select(*columns).where(_P.upload_id == upload_id).order_by(_P.offset)
        return [UploadPiece(**row._mapping) for row in self._run(query)]

    def set_multipart(self, upload_id: str, epoch: int, multipart_id: str) -> bool:
        return self._held(upload_id, epoch, multipart_id=multipart_id)

    def allot_part(self, upload_id: str, epoch: int) -> int | None:
        row = self._run(
            update(t.uploads)
            .where(_U.id == upload_id, _U.epoch == epoch)
            .values(next_part=_U.next_part + 1)
            .returning(_U.next_part)
        ).first()
        return row.next_part - 1 if row else None

    def commit(
        self,
        upload_id: str,
        epoch: int,
        offsets: tuple[int, int],
        added: Sequence[UploadPiece],
        replaced: Sequence[UploadPiece],
    ) -> bool:
        before, after = offsets
        result = self._run(
            update(t.uploads)
            .where(_U.id == upload_id, _U.epoch == epoch, _U.offset == before, _is_open())
            .values(offset=after, changed_at=self._database_time())
        )
        if not result.rowcount:
            return False
        gone = [piece.offset for piece in replaced]
        self._run(delete(t.upload_parts).where(_P.upload_id == upload_id, _P.offset.in_(gone)))
        rows = [{name: getattr(piece, name) for name in _PIECE_FIELDS} for piece in added]
        self._run(insert(t.upload_parts), [{"upload_id": upload_id, **row} for row in rows])
        return True

    def set_state(self, upload_id: str, state: UploadState) -> bool:
        return bool(
            self._run(
                update(t.uploads)
                .where(_U.id == upload_id, _is_open())
                .values(state=state, changed_at=self._database_time())
            ).rowcount
        )

    def finish(self, upload_id: str, sha256: str) -> None:
        self._delete_parts(upload_id)
        values = {
            "sha256": sha256,
            "state": UploadState.ADOPTED,
            "changed_at": self._database_time(),
        }
        self._run(update(t.uploads).where(_U.id == upload_id).values(**values))

    def delete(self, upload_id: str) -> None:
        self._delete_parts(upload_id)
        self._run(delete(t.uploads).where(_U.id == upload_id))

    def list_unchanged(
        self, archive: str, state: UploadState, seconds: float, limit: int
    ) -> Sequence[StoredUpload]:
        query = (
            select(*_upload())
            .where(_U.archive == archive, _U.state == state)
            .where(_U.changed_at <= self._database_time() - seconds)
            .order_by(_U.changed_at)
            .limit(limit)
        )
        return [_stored(row) for row in self._run(query)]

    def _held(self, upload_id: str, epoch: int, **values: Any) -> bool:
        statement = update(t.uploads).where(_U.id == upload_id, _U.epoch == epoch)
        return bool(self._run(statement.values(**values)).rowcount)

    def _delete_parts(self, upload_id: str) -> None:
        self._run(delete(t.upload_parts).where(_P.upload_id == upload_id))


class SqlRecordingObjectRows(Rows):
    def add(
        self, archive: str, site_id: int, recording_id: str, recording: RecordingObject
    ) -> bool:
        values = _object_values(archive, site_id, recording_id, recording, is_deleting=False)
        statement = self._upsert(t.recording_objects).values(**values).on_conflict_do_nothing()
        # the number of rows that psycopg gives of such a statement may be -1
        return self._run(statement.returning(_O.object_key)).first() is not None

    def find(self, archive: str, site_id: int, recording_id: str) -> RecordingObject | None:
        query = select(_O.object_key, _O.media_info).where(*_recording(archive, site_id))
        row = self._run(query.where(_O.recording_id == recording_id)).first()
        return RecordingObject(row.object_key, row.media_info) if row else None

    def begin_deletion(self, archive: str, site_id: int, recording_id: str) -> str | None:
        statement = update(t.recording_objects).where(*_recording(archive, site_id))
        statement = statement.where(_O.recording_id == recording_id).values(is_deleting=True)
        row = self._run(statement.returning(_O.object_key)).first()
        return row.object_key if row else None

    def add_deletion(self, archive: str, object_key: str) -> None:
        values = _object_values(archive, 0, "", RecordingObject(object_key, ""), is_deleting=True)
        self._run(self._upsert(t.recording_objects).on_conflict_do_nothing(), values)

    def list_deletions(self, archive: str, limit: int) -> Sequence[str]:
        query = select(_O.object_key).where(_O.archive == archive, _O.is_deleting.is_(True))
        return [row.object_key for row in self._run(query.limit(limit))]

    def end_deletion(self, archive: str, object_key: str) -> None:
        self._run(
            delete(t.recording_objects).where(
                _O.archive == archive, _O.object_key == object_key, _O.is_deleting.is_(True)
            )
        )


def _is_open() -> ColumnElement[bool]:
    return _U.state == UploadState.OPEN


def _recording(archive: str, site_id: int) -> tuple[ColumnElement[bool], ...]:
    return _O.archive == archive, _O.site_id == site_id, _O.is_deleting.is_(False)


def _upload() -> list[ColumnElement[Any]]:
    return [_U[name] for name in _UPLOAD_FIELDS]


def _stored(row: Row[Any]) -> StoredUpload:
    found = {name: row._mapping[name] for name in _UPLOAD_FIELDS}
    return StoredUpload(**{**found, "state": UploadState(found["state"])})


def _object_values(
    archive: str, site_id: int, recording_id: str, recording: RecordingObject, *, is_deleting: bool
) -> dict[str, Any]:
    return {
        "archive": archive,
        "site_id": site_id,
        "recording_id": recording_id,
        "object_key": recording.key,
        "media_info": recording.media_info,
        "is_deleting": is_deleting,
    }
