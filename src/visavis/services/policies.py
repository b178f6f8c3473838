"""Recording policies of sites: read and change."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable, origin_of
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Store, Transaction

CONSENT: Final = "consent"
UNRECORDABLE: Final = "unrecordable"
RETENTION: Final = "retentionDays"
SECRET: Final = "secret"  # noqa: S105  the name of a field
HAS_SECRET: Final = "hasSecret"  # noqa: S105
MAX_RETENTION_DAYS: Final = 36_500
MAX_SECRET_LENGTH: Final = 1024
SECRET_PATTERN: Final = r"[A-Za-z0-9._~+/-]+=*"  # noqa: S105
"""Syntax of a bearer token (RFC 6750 §2.1)."""

E = TypeVar("E", bound=StrEnum)

PolicyChange = Callable[[RecordingPolicy], RecordingPolicy]
"""A change, as a function of the current policy."""


class Policies:
    """Reads come from memory; a change is durable and audited before anybody hears of it.

    `announce` tells a site's open pages what holds for them now.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_id: Callable[[], str],
        announce: Callable[[int], Awaitable[None]],
    ) -> None:
        self._store = store
        self._auditor = Auditor(clock, new_id)
        self._announce = announce
        self._known: dict[int, RecordingPolicy] = {}

    async def get(self, site_id: int) -> RecordingPolicy:
        return self._known.get(site_id) or self._latest_known(await self._load(site_id))

    async def read(self, agent: Agent) -> RecordingPolicy:
        """Raises `PermissionDenied`."""
        agent.require(Permission.MANAGE_SETTINGS)
        return await self.get(agent.site_id)

    async def change(
        self, agent: Agent, change: PolicyChange, is_expected: Callable[[RecordingPolicy], bool]
    ) -> RecordingPolicy:
        """Change the policy of the agent's site.

        Raises `PermissionDenied`; `PreconditionFailed` when the stored policy is not the expected
        one.
        """
        agent.require(Permission.MANAGE_SETTINGS)

        def work(rows: Transaction) -> tuple[RecordingPolicy, RecordingPolicy]:
            old = rows.policies.lock(agent.site_id)
            if not is_expected(old):
                raise VisavisError(ErrorKind.PreconditionFailed)
            new = change(old)
            if new.secret and new.secret_origin is None:
                url = rows.configs.get(agent.site_id).recording_server_url
                new = replace(new, secret_origin=origin_of(url or ""))
            if new != old:
                new = replace(new, version=old.version + 1)
                rows.policies.put(new)
                rows.audit.add(self._audit_entry(agent, old, new))
            return old, new

        old, new = await self._store.write(work)
        self._latest_known(new)
        if new != old:
            await self._announce(agent.site_id)
        return new

    async def refresh(self) -> None:
        """Another process may have changed something: read again and tell."""
        for site_id, old in list(self._known.items()):
            new = self._latest_known(await self._load(site_id))
            if new.version > old.version:
                await self._announce(site_id)

    def _latest_known(self, policy: RecordingPolicy) -> RecordingPolicy:
        """Return the latest known version: a late notification must not undo a later change."""
        known = self._known.get(policy.site_id)
        if known is None or known.version < policy.version:
            known = self._known[policy.site_id] = policy
        return known

    async def _load(self, site_id: int) -> RecordingPolicy:
        return await self._store.read(lambda rows: rows.policies.get(site_id))

    def _audit_entry(self, agent: Agent, old: RecordingPolicy, new: RecordingPolicy) -> AuditEntry:
        before, after = _audited(old), _audited(new)
        changes = [
            FieldChange(name, before[name], after[name])
            for name in after
            if before[name] != after[name]
        ]
        changes.extend(secret_changes(old, new))
        summary = "Changed " + ", ".join(change.field_name for change in changes)
        return self._auditor.entry(
            agent, agent.site_id, ActionType.RECORDING_POLICY, "recording policy", summary, *changes
        )


def secret_changes(old: RecordingPolicy, new: RecordingPolicy) -> list[FieldChange]:
    """Return the detail of a secret that replaces another, or is now for another server."""
    if not old.secret or not new.secret:
        return []
    is_same = (old.secret, old.secret_origin) == (new.secret, new.secret_origin)
    return [] if is_same else [FieldChange(SECRET, "set", "replaced")]


def fields(policy: RecordingPolicy) -> dict[str, str | int | bool | None]:
    """The resource as it stands on the wire, in its order; the secret is never told."""
    return {
        CONSENT: policy.consent,
        UNRECORDABLE: policy.unrecordable,
        RETENTION: policy.retention_days,
        HAS_SECRET: policy.secret is not None,
    }


def _audited(policy: RecordingPolicy) -> dict[str, str]:
    days = policy.retention_days
    return {
        CONSENT: policy.consent,
        UNRECORDABLE: policy.unrecordable,
        RETENTION: "unlimited" if days is None else str(days),
        SECRET: "set" if policy.secret else "none",
    }


def read_change(body: Mapping[str, Any]) -> PolicyChange:
    """A PUT body as a change; raises the 400 errors.

    Keys match without regard to case; what is absent stays.
    """
    given = {key.casefold(): value for key, value in body.items()}
    changes: dict[str, Any] = {}
    if CONSENT.casefold() in given:
        changes["consent"] = _word(given, CONSENT, (Consent.NOTICE, Consent.AGREEMENT))
    if UNRECORDABLE.casefold() in given:
        changes["unrecordable"] = _word(given, UNRECORDABLE, tuple(Unrecordable))
    if RETENTION.casefold() in given:
        changes["retention_days"] = _days(given[RETENTION.casefold()])
    if SECRET.casefold() in given:
        changes["secret"] = read_secret(given[SECRET.casefold()])
        changes["secret_origin"] = None  # that of the recording server as it is now
    return lambda policy: replace(policy, **changes)


def _word(given: Mapping[str, Any], name: str, kinds: tuple[E, ...]) -> E:
    value = given[name.casefold()]
    for kind in kinds:
        if isinstance(value, str) and value.casefold() == kind:
            return kind
    listed = " or ".join(f'"{kind}"' for kind in kinds)
    raise _invalid(name, f"must be {listed}.")


def _days(value: Any) -> int | None:
    if value is None:
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 1 <= value <= MAX_RETENTION_DAYS:
        raise _invalid(RETENTION, f"must be a number from 1 to {MAX_RETENTION_DAYS}, or null.")
    return int(value)


def read_secret(value: Any, name: str = SECRET) -> str | None:
    """A recording server's bearer token, `None` for none; raises the 400 errors."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(SECRET_PATTERN, value):
        raise _invalid(
            name, "must be a bearer token: letters, digits and - . _ ~ + /, with = only at the end."
        )
    if len(value) > MAX_SECRET_LENGTH:
        raise VisavisError(
            ErrorKind.ParameterStringLengthExceed,
            f'the parameter "{name}" is longer than {MAX_SECRET_LENGTH} characters.',
            pointer=f"/{name}",
        )
    return value


def _invalid(name: str, must: str) -> VisavisError:
    return VisavisError(
        ErrorKind.ParameterInvalid, f'the parameter "{name}" {must}', pointer=f"/{name}"
    )
