"""The configuration of a site."""

from __future__ import annotations

from sqlalchemy import select, update

from visavis.domain.config import Config
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlConfigRows(Rows):
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
