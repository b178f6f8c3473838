"""The switch: reading and changing a site's configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.config import Config, ConfigField, ConfigUpdate
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.domain.policy import Consent, RecordingPolicy, origin_of
from visavis.domain.site_settings import SiteSettings
from visavis.protocol.signaling import Availability
from visavis.services.audit import Auditor
from visavis.services.ports import Bus, Clock, Store, Transaction
from visavis.services.topics import CONFIG_TOPIC


class Configs:
    """Reads come from memory; a change is durable and audited before anybody hears of it."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        new_id: Callable[[], str],
        archive_url: str,
        policy_of: Callable[[int], Awaitable[RecordingPolicy]],
    ) -> None:
        self._store = store
        self._bus = bus
        self.is_staffed: Callable[[int], bool] = lambda site_id: True
        """Whether an agent is on duty at a site; the calls know it."""
        self._policy_of = policy_of
        self._auditor = Auditor(clock, new_id)
        self._archive_url = archive_url
        self._known: dict[int, Config] = {}
        self.listeners: list[Callable[[SiteSettings], None]] = []

    async def get(self, site_id: int) -> Config:
        return self._known.get(site_id) or self._latest_known(await self._load(site_id))

    async def settings(self, site_id: int) -> SiteSettings:
        """Return all settings of a site."""
        return SiteSettings(await self.get(site_id), await self._policy_of(site_id))

    async def read(self, agent: Agent) -> Config:
        """Raises `PermissionDenied`."""
        agent.require(Permission.MANAGE_SETTINGS)
        return self._known.get(agent.site_id) or await self.get(agent.site_id)

    async def change(
        self, agent: Agent, change: ConfigUpdate, is_expected: Callable[[Config], bool]
    ) -> Config:
        """Change the agent's site and tell every open page.

        Raises `PermissionDenied`; `PreconditionFailed` when the stored configuration is not the
        expected one; `ParameterInvalid` for automatic recording without a recording server.
        """
        agent.require(Permission.MANAGE_SETTINGS)

        def work(rows: Transaction) -> tuple[Config, Config]:
            old = rows.configs.lock(agent.site_id)
            if not is_expected(old):
                raise VisavisError(ErrorKind.PreconditionFailed)
            new = self._changed(old, change)
            if new != old:
                new = replace(new, version=old.version + 1)
                rows.configs.put(new)
                is_moved = new.recording_server_url != old.recording_server_url
                entry = self._rebind_secret(rows, agent, new, change.secret) if is_moved else None
                rows.audit.add(self._audit_entry(agent, old, new))
                if entry:
                    rows.audit.add(entry)
            return old, new

        await self._policy_of(agent.site_id)  # what is committed can then be told without the store
        old, new = await self._store.write(work)
        self._latest_known(new)
        if new != old:
            await self.announce(agent.site_id)
        return new

    def _rebind_secret(
        self, rows: Transaction, agent: Agent, config: Config, secret: str | None
    ) -> AuditEntry | None:
        """See that no server gets a secret that was stored for another.

        Raises `ParameterMissing` if a secret is stored for another scheme, host or port and none is
        given for the new one.
        """
        url = config.recording_server_url or ""
        origin, old = origin_of(url), rows.policies.lock(config.site_id)
        if not old.secret or not origin or origin == old.secret_origin:
            return None
        if secret is None:
            raise VisavisError(ErrorCode.SecretNeeded, origin=origin)
        new = replace(
            old,
            secret=secret or None,
            secret_origin=origin if secret else None,
            version=old.version + 1,
        )
        rows.policies.put(new)
        return self._auditor.entry(
            agent,
            agent.site_id,
            ActionType.RECORDING_POLICY,
            "recording policy",
            "Changed secret",
            FieldChange("secret", "set", "replaced" if secret else "none"),
        )

    async def availability(self, site_id: int) -> Availability:
        """Return the availability that a site's open pages are sent."""
        return self._availability(await self.settings(site_id))

    def _availability(self, settings: SiteSettings) -> Availability:
        config, policy = settings.config, settings.policy
        return Availability(
            is_enabled=config.is_enabled,
            is_recorded=config.is_recording,
            needs_agreement=config.is_recording and policy.consent is Consent.AGREEMENT,
            is_staffed=self.is_staffed(config.site_id),
        )

    async def announce(self, site_id: int) -> None:
        """Tell a site's calls and open pages what holds for them now."""
        settings = await self.settings(site_id)
        for listener in self.listeners:
            listener(settings)
        self._bus.publish(f"{CONFIG_TOPIC}{site_id}", self._availability(settings))

    async def refresh(self) -> None:
        """Another process may have changed something: read again and tell."""
        for site_id, old in list(self._known.items()):
            new = self._latest_known(await self._load(site_id))
            if new.version > old.version:
                await self.announce(site_id)

    def _latest_known(self, config: Config) -> Config:
        """Return the latest known version: a late notification must not undo a later change."""
        known = self._known.get(config.site_id)
        if known is None or known.version < config.version:
            known = self._known[config.site_id] = config
        return known

    async def _load(self, site_id: int) -> Config:
        return await self._store.read(lambda rows: rows.configs.get(site_id))

    def url(self, config: Config) -> str:
        """Return the URL of the site's recording server; empty if there is none."""
        stored = config.recording_server_url
        return self._archive_url if stored is None else stored

    def _audited(self, config: Config) -> dict[ConfigField, str]:
        """Return the values as the audit log shows them."""
        return {
            ConfigField.ENABLED: str(config.is_enabled).lower(),
            ConfigField.RECORDING: str(config.is_recording).lower(),
            ConfigField.URL: self.url(config),
        }

    def _changed(self, old: Config, change: ConfigUpdate) -> Config:
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

    def _audit_entry(self, agent: Agent, old: Config, new: Config) -> AuditEntry:
        before, after = self._audited(old), self._audited(new)
        changes = tuple(
            FieldChange(name, before[name], after[name])
            for name in after
            if before[name] != after[name]
        )
        summary = "Changed " + ", ".join(change.field_name for change in changes)
        return self._auditor.entry(
            agent, agent.site_id, ActionType.CONFIGURATION, "configuration", summary, *changes
        )


def _either(new: bool | None, old: bool) -> bool:
    return old if new is None else new
