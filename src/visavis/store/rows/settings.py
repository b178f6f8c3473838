"""The settings of a site: its configuration and its policy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, select, update

from visavis.domain.call_timings import CallTimings
from visavis.domain.changes import Change, ChangeKind
from visavis.domain.config import Config
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable
from visavis.domain.site_settings import SiteSettings
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlSettingsRows(Rows):
    def get(self, site_id: int) -> SiteSettings:
        row = self._run(_config_query(site_id)).first()
        config = Config(**row._mapping) if row else Config(site_id)
        return SiteSettings(config, self._policy_of(site_id))

    def lock(self, site_id: int) -> SiteSettings:
        """As `get`. The row of the configuration, which every site has, locks both."""
        row = self._run(_config_query(site_id).with_for_update()).one()
        return SiteSettings(Config(**row._mapping), self._policy_of(site_id))

    def put_config(self, config: Config) -> None:
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
        self._changed(Change(ChangeKind.SETTINGS, config.site_id))

    def put_policy(self, policy: RecordingPolicy) -> None:
        values = _values(policy)
        insert = self._upsert(t.recording_policies).values(values)
        self._run(insert.on_conflict_do_update(index_elements=["site_id"], set_=values))
        self._changed(Change(ChangeKind.SETTINGS, policy.site_id))

    def _policy_of(self, site_id: int) -> RecordingPolicy:
        c = t.recording_policies.c
        row = self._run(select(t.recording_policies).where(c.site_id == site_id)).first()
        return _policy(row) if row else RecordingPolicy(site_id)


def _config_query(site_id: int) -> Select[Any]:
    return select(t.av_configs).where(t.av_configs.c.site_id == site_id)


def _policy(row: Row[Any]) -> RecordingPolicy:
    return RecordingPolicy(
        row.site_id,
        Consent(row.consent),
        Unrecordable(row.unrecordable),
        row.retention_days,
        row.secret,
        row.version,
        row.secret_origin,
        CallTimings(
            ring=row.ring_seconds,
            queue=row.queue_seconds,
            connect=row.connect_seconds,
            resume=row.resume_seconds,
        ),
        row.ring_limit,
    )


def _values(policy: RecordingPolicy) -> dict[str, Any]:
    return {
        "site_id": policy.site_id,
        "consent": policy.consent,
        "unrecordable": policy.unrecordable,
        "retention_days": policy.retention_days,
        "secret": policy.secret,
        "secret_origin": policy.secret_origin,
        "version": policy.version,
        "ring_seconds": policy.timings.ring,
        "queue_seconds": policy.timings.queue,
        "connect_seconds": policy.timings.connect,
        "resume_seconds": policy.timings.resume,
        "ring_limit": policy.ring_limit,
    }
