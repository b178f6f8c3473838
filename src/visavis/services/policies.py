"""Recording policies of sites: read and change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission
from visavis.domain.policy import PolicyChange, PolicyField, RecordingPolicy, origin_of
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Store, Transaction


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
    return [] if is_same else [FieldChange(PolicyField.SECRET, "set", "replaced")]


def _audited(policy: RecordingPolicy) -> dict[PolicyField, str]:
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
