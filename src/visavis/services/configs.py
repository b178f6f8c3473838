"""The switch: reading and changing a site's configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.config import Config
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.domain.policy import Consent, RecordingPolicy, origin_of
from visavis.protocol.signaling import Availability
from visavis.services.audit import Auditor
from visavis.services.policies import read_secret
from visavis.services.ports import Bus, Clock, Store, Transaction
from visavis.services.topics import config_topic

ENABLED: Final = "isEnabled"
RECORDING: Final = "isAutomaticallyRecordingAudioVideoChatsEnabled"
URL: Final = "recordingServerUrl"
NEW_SECRET: Final = "recordingServerSecret"  # noqa: S105  the name of a field
MAX_URL_LENGTH: Final = 2048


@dataclass(frozen=True, slots=True)
class ConfigUpdate:
    """A change of the configuration; `None` leaves a value as it is."""

    is_enabled: bool | None = None
    is_recording: bool | None = None
    recording_server_url: str | None = None
    secret: str | None = None
    """The new recording server's secret, empty for none; only with another scheme, host or port."""


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
        self.listeners: list[Callable[[Config], None]] = []

    async def get(self, site_id: int) -> Config:
        return self._known.get(site_id) or self._latest_known(await self._load(site_id))

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
            raise VisavisError(
                ErrorKind.ParameterMissing,
                f"The stored secret is not for {origin} and is not sent there. Give its secret as "
                f'{NEW_SECRET}, or "" if it wants none.',
                pointer=f"/{NEW_SECRET}",
            )
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
        config, policy = await self.get(site_id), await self._policy_of(site_id)
        return Availability(
            is_enabled=config.is_enabled,
            is_recorded=config.is_recording,
            needs_agreement=config.is_recording and policy.consent is Consent.AGREEMENT,
            is_staffed=self.is_staffed(site_id),
        )

    async def announce(self, site_id: int) -> None:
        """Tell a site's calls and open pages what holds for them now."""
        for listener in self.listeners:
            listener(await self.get(site_id))
        message = msgspec.json.encode(await self.availability(site_id))
        self._bus.publish(config_topic(site_id), message)

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

    def fields(self, config: Config) -> dict[str, bool | str]:
        """The resource as it stands on the wire, in its order."""
        return {
            ENABLED: config.is_enabled,
            RECORDING: config.is_recording,
            URL: self.url(config),
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
            raise VisavisError(
                ErrorKind.ParameterInvalid,
                "Automatic recording requires a recording server: enter its URL, or switch it off.",
                pointer=f"/{URL}",
            )
        return new

    def _audit_entry(self, agent: Agent, old: Config, new: Config) -> AuditEntry:
        before, after = self.fields(old), self.fields(new)
        changes = tuple(
            FieldChange(name, _as_text(before[name]), _as_text(after[name]))
            for name in after
            if before[name] != after[name]
        )
        summary = "Changed " + ", ".join(change.field_name for change in changes)
        return self._auditor.entry(
            agent, agent.site_id, ActionType.CONFIGURATION, "configuration", summary, *changes
        )


def read_change(body: Mapping[str, Any]) -> ConfigUpdate:
    """A PUT body as a change; raises the 400 errors. Keys match without regard to case."""
    by_name = {key.casefold(): value for key, value in body.items()}
    return ConfigUpdate(
        _boolean(by_name, ENABLED),
        _boolean(by_name, RECORDING),
        read_url(by_name.get(URL.casefold())),
        read_new_secret(by_name.get(NEW_SECRET.casefold())),
    )


def read_new_secret(value: Any) -> str | None:
    """The secret of a new recording server, empty for none; raises the 400 errors."""
    return None if value is None else read_secret(value, NEW_SECRET) or ""


def _boolean(by_name: Mapping[str, Any], name: str) -> bool | None:
    if name.casefold() not in by_name:
        return None
    match by_name[name.casefold()]:
        case bool(value):
            return value
        case str(word) if word.casefold() in {"true", "false"}:
            return word.casefold() == "true"
    raise VisavisError(
        ErrorKind.ParameterFormatIncorrect,
        f'the parameter "{name}" must be true or false.',
        pointer=f"/{name}",
    )


def read_url(value: Any) -> str:
    """A recording server's address; raises the 400 errors."""
    match value:
        case None:
            kind, sentence = ErrorKind.ParameterMissing, f'the parameter "{URL}" is required.'
        case "":
            return ""
        case str() if len(value) > MAX_URL_LENGTH:
            kind = ErrorKind.ParameterStringLengthExceed
            sentence = f'the parameter "{URL}" is longer than {MAX_URL_LENGTH} characters.'
        case str():
            return _address(value)
        case _:
            kind, sentence = ErrorKind.ParameterInvalid, f'the parameter "{URL}" must be a string.'
    raise VisavisError(kind, sentence, pointer=f"/{URL}")


def _address(url: str) -> str:
    kind = ErrorKind.ParameterFormatIncorrect
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_address = is_address and parts.port != 0
    except ValueError:
        is_address, parts = False, urlsplit("")
    if not is_address or any(not c.isprintable() or c.isspace() for c in url):
        sentence = f'the parameter "{URL}" must be an absolute http or https URL.'
    elif parts.username is not None or parts.password is not None:
        kind = ErrorKind.ParameterInvalid
        sentence = f'the parameter "{URL}" must not contain a user name or a password.'
    else:
        return url
    raise VisavisError(kind, sentence, pointer=f"/{URL}")


def _either(new: bool | None, old: bool) -> bool:
    return old if new is None else new


def _as_text(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value
