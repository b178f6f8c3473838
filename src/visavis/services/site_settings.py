"""Settings of the sites: read and change them, with one cache for both REST resources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from visavis.domain.audit import ActionType, AuditEntry, FieldChange, new_entry
from visavis.domain.changes import ChangeSet
from visavis.domain.config import Config, ConfigField, ConfigUpdate
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.domain.policy import (
    Consent,
    PolicyChange,
    PolicyField,
    RecordingPolicy,
    origin_of,
)
from visavis.domain.site_settings import SiteSettings
from visavis.protocol.signaling import Availability
from visavis.services.ports import Bus, Clock, Store, Transaction
from visavis.services.topics import CONFIG_TOPIC


class SiteSettingsService:
    """Reads and changes settings, which are cached in memory.

    A change is durable and in the audit log before it is announced. `is_staffed` returns whether
    an agent is on duty at a site; the calls provide it. `listeners` are called with the settings of
    a site after each change.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        new_id: Callable[[], str],
        archive_url: str,
    ) -> None:
        self.is_staffed: Callable[[int], bool] = lambda site_id: True
        self.listeners: list[Callable[[SiteSettings], None]] = []
        self._store = store
        self._bus = bus
        self._now = clock
        self._new_id = new_id
        self._archive_url = archive_url
        self._known: dict[int, SiteSettings] = {}

    async def get(self, site_id: int) -> SiteSettings:
        return self._known.get(site_id) or self._latest_known(await self._load(site_id))

    async def change_config(
        self, agent: Agent, change: ConfigUpdate, is_expected: Callable[[Config], bool]
    ) -> Config:
        """Change the configuration of the agent's site.

        Raises `PreconditionFailed` when the stored configuration is not the expected one;
        `ParameterInvalid` for automatic recording without a recording server.
        """

        def new_settings(old: SiteSettings) -> SiteSettings:
            if not is_expected(old.config):
                raise VisavisError(ErrorKind.PreconditionFailed)
            config, policy = self._new_config(old.config, change), old.policy
            if config.recording_server_url != old.config.recording_server_url:
                policy = _rebind_secret(policy, config.recording_server_url or "", change.secret)
            return SiteSettings(config, policy)

        return (await self._change(agent, new_settings)).config

    async def change_policy(
        self, agent: Agent, change: PolicyChange, is_expected: Callable[[RecordingPolicy], bool]
    ) -> RecordingPolicy:
        """Change the policy of the agent's site.

        Raises `PreconditionFailed` when the stored policy is not the expected one.
        """

        def new_settings(old: SiteSettings) -> SiteSettings:
            if not is_expected(old.policy):
                raise VisavisError(ErrorKind.PreconditionFailed)
            policy = change(old.policy)
            if policy.secret and policy.secret_origin is None:
                origin = origin_of(old.config.recording_server_url or "")
                policy = replace(policy, secret_origin=origin)
            return SiteSettings(old.config, policy)

        return (await self._change(agent, new_settings)).policy

    async def _change(
        self, agent: Agent, change: Callable[[SiteSettings], SiteSettings]
    ) -> SiteSettings:
        """Write the changed settings and their audit entries in one transaction."""

        def work(rows: Transaction) -> tuple[SiteSettings, SiteSettings]:
            old = rows.settings.lock(agent.site_id)
            new = change(old)
            config, policy = new.config, new.policy
            entries: list[AuditEntry] = []
            if config != old.config:
                config = replace(config, version=old.config.version + 1)
                rows.settings.put_config(config)
                entries.append(self._config_entry(agent, old.config, config))
            if policy != old.policy:
                policy = replace(policy, version=old.policy.version + 1)
                rows.settings.put_policy(policy)
                entries.append(self._policy_entry(agent, old.policy, policy))
            for entry in entries:
                rows.audit.add(entry)
            return old, SiteSettings(config, policy)

        old, new = await self._store.write(work)
        known = self._latest_known(new)
        if new != old:
            self._announce(known)
        return new

    async def availability(self, site_id: int) -> Availability:
        """Return the availability of calls that is sent to a site's open pages."""
        return self._availability(await self.get(site_id))

    def _availability(self, settings: SiteSettings) -> Availability:
        config, policy = settings.config, settings.policy
        return Availability(
            is_enabled=config.is_enabled,
            is_recorded=config.is_recording,
            needs_agreement=config.is_recording and policy.consent is Consent.AGREEMENT,
            is_staffed=self.is_staffed(config.site_id),
        )

    async def announce(self, site_id: int) -> None:
        """Send a site's current settings to its calls, and its availability to its open pages."""
        self._announce(await self.get(site_id))

    def _announce(self, settings: SiteSettings) -> None:
        for listener in self.listeners:
            listener(settings)
        self._bus.publish(f"{CONFIG_TOPIC}{settings.config.site_id}", self._availability(settings))

    async def refresh(self, changes: ChangeSet) -> None:
        """Read the settings that another process has changed, and announce the changes."""
        known = [item for item in self._known.items() if changes.concerns_settings(item[0])]
        for site_id, old in known:
            new = self._latest_known(await self._load(site_id))
            if new != old:
                self._announce(new)

    def _latest_known(self, settings: SiteSettings) -> SiteSettings:
        """Cache and return the newest versions: a late notification must not undo a change."""
        site_id = settings.config.site_id
        if known := self._known.get(site_id):
            settings = SiteSettings(
                max(known.config, settings.config, key=lambda config: config.version),
                max(known.policy, settings.policy, key=lambda policy: policy.version),
            )
        self._known[site_id] = settings
        return settings

    async def _load(self, site_id: int) -> SiteSettings:
        return await self._store.read(lambda rows: rows.settings.get(site_id))

    def url(self, config: Config) -> str:
        """Return the URL of the site's recording server; empty if there is none."""
        stored = config.recording_server_url
        return self._archive_url if stored is None else stored

    def _new_config(self, old: Config, change: ConfigUpdate) -> Config:
        url = change.recording_server_url
        new = replace(
            old,
            is_enabled=_either(change.is_enabled, old.is_enabled),
            is_recording=_either(change.is_recording, old.is_recording),
            recording_server_url=old.recording_server_url
            if url is None or url == self.url(old)
            else url,
        )
        if new.is_recording and not self.url(new):
            raise VisavisError(ErrorCode.RecordingServerNeeded)
        return new

    # Audit

    def _config_entry(self, agent: Agent, old: Config, new: Config) -> AuditEntry:
        changes = _field_changes(self._audited(old), self._audited(new))
        return self._entry(agent, ActionType.CONFIGURATION, "configuration", changes)

    def _policy_entry(self, agent: Agent, old: RecordingPolicy, new: RecordingPolicy) -> AuditEntry:
        changes = [*_field_changes(_audited(old), _audited(new)), *secret_changes(old, new)]
        return self._entry(agent, ActionType.RECORDING_POLICY, "recording policy", changes)

    def _entry(
        self, agent: Agent, action: ActionType, object_name: str, changes: list[FieldChange]
    ) -> AuditEntry:
        summary = "Changed " + ", ".join([change.field_name for change in changes])
        entry_id, now, site_id = self._new_id(), self._now(), agent.site_id
        return new_entry(entry_id, now, agent, site_id, action, object_name, summary, *changes)

    def _audited(self, config: Config) -> dict[str, str]:
        """Return the values in the form of the audit log."""
        return {
            ConfigField.ENABLED: str(config.is_enabled).lower(),
            ConfigField.RECORDING: str(config.is_recording).lower(),
            ConfigField.URL: self.url(config),
        }


def _rebind_secret(policy: RecordingPolicy, url: str, secret: str | None) -> RecordingPolicy:
    """Return the policy with a secret for the server of `url`, never that of another server.

    Raises `ParameterMissing` if the stored secret is for another scheme, host or port and no
    secret is given for the new one.
    """
    origin = origin_of(url)
    if not policy.secret or not origin or origin == policy.secret_origin:
        return policy
    if secret is None:
        raise VisavisError(ErrorCode.SecretNeeded, origin=origin)
    return replace(policy, secret=secret or None, secret_origin=origin if secret else None)


def secret_changes(old: RecordingPolicy, new: RecordingPolicy) -> list[FieldChange]:
    """Return the audit detail of a secret that was replaced, or is now for another server."""
    if not old.secret or not new.secret:
        return []
    is_same = (old.secret, old.secret_origin) == (new.secret, new.secret_origin)
    return [] if is_same else [FieldChange(PolicyField.SECRET, "set", "replaced")]


def _field_changes(before: dict[str, str], after: dict[str, str]) -> list[FieldChange]:
    return [
        FieldChange(name, before[name], after[name])
        for name in after
        if before[name] != after[name]
    ]


def _audited(policy: RecordingPolicy) -> dict[str, str]:
    days, timings, limit = policy.retention_days, policy.timings, policy.ring_limit
    return {
        PolicyField.CONSENT: policy.consent,
        PolicyField.UNRECORDABLE: policy.unrecordable,
        PolicyField.RETENTION: "unlimited" if days is None else str(days),
        PolicyField.SECRET: "set" if policy.secret else "none",
        PolicyField.RING: str(timings.ring),
        PolicyField.QUEUE: str(timings.queue),
        PolicyField.CONNECT: str(timings.connect),
        PolicyField.RESUME: str(timings.resume),
        PolicyField.RING_LIMIT: "all" if limit is None else str(limit),
    }


def _either(new: bool | None, old: bool) -> bool:
    return old if new is None else new
