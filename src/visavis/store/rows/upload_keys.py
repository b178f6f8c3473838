"""Upload keys of archives, stored as digests, like tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select

from visavis.domain.upload_keys import UploadKey
from visavis.store import tables as t
from visavis.store.rows.base import Rows

_C: Final = t.upload_keys.c
_FIELDS: Final = UploadKey.__struct_fields__


class SqlUploadKeyRows(Rows):
    def all(self) -> Sequence[UploadKey]:
        query = select(*(_C[name] for name in _FIELDS)).order_by(_C.name, _C.site_id)
        # replaced ones first, in the order in which they expire
        found = [UploadKey(**row._mapping) for row in self._run(query)]
        return sorted(found, key=lambda key: (key.name, key.site_id or 0, key.expires_at is None))

    def find(self, sha256: str) -> UploadKey | None:
        row = self._run(select(*(_C[name] for name in _FIELDS)).where(_C.sha256 == sha256)).first()
        return UploadKey(**row._mapping) if row else None

    def save(self, key: UploadKey) -> None:
        values = {name: getattr(key, name) for name in _FIELDS}
        statement = self._upsert(t.upload_keys).values(**values)
        self._run(statement.on_conflict_do_update(index_elements=["sha256"], set_=values))

    def delete(self, sha256: str) -> None:
        self._run(delete(t.upload_keys).where(_C.sha256 == sha256))
