"""Sites, agents and roles, as the operator manages them at the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission, Role, Site, operator
from visavis.domain.text import clean_line
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Passwords, Store, Transaction

MAX_NAME_LENGTH: Final = 200
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


class Accounts:
    """Sites, agents and roles of all sites.

    Every method raises `EntityNotFound` or `ParameterInvalid` with a sentence that says why. Every
    change is in the audit log as an action of the command line.
    """

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        clock: Clock,
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._new_secret = new_secret
        self._auditor = Auditor(clock, new_id)

    async def sites(self) -> Sequence[Site]:
        return await self._store.read(lambda rows: rows.sites.all())

    async def add_site(self, name: str) -> Site:
        clean, now = read_name(name), self._clock()

        def work(rows: Transaction) -> Site:
            site = rows.sites.add(clean, now)
            rows.audit.add(self._of_site(site, ActionType.SITE_CREATED, "Added"))
            return site

        return await self._store.write(work)

    async def disable_site(self, site_id: int, *, is_disabled: bool) -> None:
        """Disable or enable a site; a disabled site accepts no sign-in and shows no call button."""
        action = ActionType.SITE_DISABLED if is_disabled else ActionType.SITE_ENABLED

        def work(rows: Transaction) -> None:
            site = _site(rows, site_id)
            rows.sites.disable(site_id, is_disabled=is_disabled)
            if site.is_disabled != is_disabled:
                done = "Disabled" if is_disabled else "Enabled"
                rows.audit.add(self._of_site(site, action, done))

        await self._store.write(work)

    async def agents(self, site_id: int) -> Sequence[Agent]:
        return await self._store.read(
            lambda rows: rows.agents.list_by_site(_site(rows, site_id).id)
        )

    async def add_agent(
        self,
        site_id: int,
        email: str,
        *,
        name: str = "",
        password: str | None = None,
        is_administrator: bool = False,
        permissions: Iterable[Permission] = (),
    ) -> tuple[Agent, str]:
        """Add an agent; return the agent and their password, which is to be shown once."""
        address, granted = read_email(email), tuple(permissions)
        clean = read_name(name or address.partition("@")[0].title())
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)

        def work(rows: Transaction) -> Agent:
            _site(rows, site_id)
            if rows.agents.by_email(address):
                raise _invalid(f"There is already an agent {address}.")
            agent = rows.agents.add(
                site_id, address, clean, password_hash, is_administrator=is_administrator
            )
            rows.agents.grant(site_id, agent.id, granted)
            rows.audit.add(created(self._auditor, agent, granted))
            return agent

        return await self._store.write(work), password

    async def set_password(self, email: str, password: str | None = None) -> str:
        """Set a password and return it, to be shown once.

        All sessions, tokens and API keys of the agent end, because somebody who knew the old
        password may have created some.
        """
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)

        def work(rows: Transaction) -> None:
            agent = _agent(rows, email)
            rows.agents.set_password(agent.site_id, agent.id, password_hash)
            rows.credentials.delete_of_agent(agent.site_id, agent.id)
            rows.keys.delete_of_agent(agent.site_id, agent.id)
            summary = f"Reset the password of {agent.email}; all sessions, tokens and API keys end"
            rows.audit.add(self._of_agent(agent, ActionType.PASSWORD_RESET, summary))

        await self._store.write(work)
        return password

    async def disable_agent(self, email: str, *, is_disabled: bool) -> None:
        """Disable or enable an agent; disabling ends all sessions, tokens and API keys.

        The last administrator of a site cannot be disabled.
        """
        action = ActionType.AGENT_DISABLED if is_disabled else ActionType.AGENT_ENABLED

        def work(rows: Transaction) -> None:
            agent = _agent(rows, email)
            if is_disabled:
                _require_another_administrator(rows, agent)
                rows.credentials.delete_of_agent(agent.site_id, agent.id)
                rows.keys.delete_of_agent(agent.site_id, agent.id)
            rows.agents.disable(agent.site_id, agent.id, is_disabled=is_disabled)
            done = "Disabled" if is_disabled else "Enabled"
            rows.audit.add(self._of_agent(agent, action, f"{done} the agent {agent.email}"))

        await self._store.write(work)

    async def grant(self, email: str, permissions: Iterable[Permission]) -> Agent:
        """Grant permissions; return the changed agent."""
        granted = tuple(permissions)

        def change(rows: Transaction, agent: Agent) -> None:
            rows.agents.grant(agent.site_id, agent.id, granted)

        return await self._store.write(lambda rows: self._changed(rows, email, change))

    async def revoke(self, email: str, permissions: Iterable[Permission]) -> Agent:
        """Revoke permissions; return the changed agent, who may still have them by a role."""
        withdrawn = tuple(permissions)

        def change(rows: Transaction, agent: Agent) -> None:
            rows.agents.revoke(agent.site_id, agent.id, withdrawn)

        return await self._store.write(lambda rows: self._changed(rows, email, change))

    async def roles(self, site_id: int) -> Sequence[Role]:
        return await self._store.read(lambda rows: rows.roles.list_by_site(_site(rows, site_id).id))

    async def add_role(
        self, site_id: int, name: str, permissions: Iterable[Permission] = ()
    ) -> Role:
        clean, granted = read_name(name), tuple(permissions)

        def work(rows: Transaction) -> Role:
            _site(rows, site_id)
            if rows.roles.by_name(site_id, clean):
                raise _invalid(f"There is already a role {clean}.")
            role = rows.roles.add(site_id, clean)
            rows.roles.grant(site_id, role.id, granted)
            added = _permissions((), granted)
            summary = f"Added the role {clean}"
            rows.audit.add(self._of_role(role, ActionType.ROLE_CREATED, summary, *added))
            return role

        return await self._store.write(work)

    async def grant_role(self, site_id: int, name: str, permissions: Iterable[Permission]) -> None:
        granted = tuple(permissions)

        def change(rows: Transaction, role: Role) -> None:
            rows.roles.grant(site_id, role.id, granted)

        await self._store.write(lambda rows: self._changed_role(rows, site_id, name, change))

    async def revoke_role(self, site_id: int, name: str, permissions: Iterable[Permission]) -> None:
        withdrawn = tuple(permissions)

        def change(rows: Transaction, role: Role) -> None:
            rows.roles.revoke(site_id, role.id, withdrawn)

        await self._store.write(lambda rows: self._changed_role(rows, site_id, name, change))

    async def assign(self, site_id: int, role_name: str, email: str) -> None:
        def work(rows: Transaction) -> None:
            role, agent = _role(rows, site_id, role_name), _agent(rows, email, site_id)
            rows.roles.assign(site_id, role.id, agent.id)
            if role.name not in agent.roles:
                summary = f"Gave the role {role.name} to {agent.email}"
                rows.audit.add(self._of_agent(agent, ActionType.ROLE_ASSIGNED, summary))

        await self._store.write(work)

    async def unassign(self, site_id: int, role_name: str, email: str) -> None:
        def work(rows: Transaction) -> None:
            role, agent = _role(rows, site_id, role_name), _agent(rows, email, site_id)
            rows.roles.unassign(site_id, role.id, agent.id)
            if role.name in agent.roles:
                summary = f"Took the role {role.name} from {agent.email}"
                rows.audit.add(self._of_agent(agent, ActionType.ROLE_UNASSIGNED, summary))

        await self._store.write(work)

    def _changed(
        self, rows: Transaction, email: str, change: Callable[[Transaction, Agent], None]
    ) -> Agent:
        """Change an agent's permissions; return the changed agent."""
        old = _agent(rows, email)
        change(rows, old)
        new = _agent(rows, email)
        if changes := _permissions(old.granted, new.granted):
            summary = f"Changed the permissions of {new.email}"
            action = ActionType.AGENT_PERMISSIONS_CHANGED
            rows.audit.add(self._of_agent(new, action, summary, *changes))
        return new

    def _changed_role(
        self,
        rows: Transaction,
        site_id: int,
        name: str,
        change: Callable[[Transaction, Role], None],
    ) -> None:
        old = _role(rows, site_id, name)
        change(rows, old)
        new = _role(rows, site_id, name)
        if changes := _permissions(old.permissions, new.permissions):
            summary = f"Changed the permissions of the role {new.name}"
            action = ActionType.ROLE_PERMISSIONS_CHANGED
            rows.audit.add(self._of_role(new, action, summary, *changes))

    def _of_site(self, site: Site, action: ActionType, done: str) -> AuditEntry:
        name = f"site {site.name}"
        return self._auditor.entry(operator(site.id), site.id, action, name, f"{done} the {name}")

    def _of_agent(
        self, agent: Agent, action: ActionType, summary: str, *changes: FieldChange
    ) -> AuditEntry:
        site_id, name = agent.site_id, f"agent {agent.email}"
        return self._auditor.entry(operator(site_id), site_id, action, name, summary, *changes)

    def _of_role(
        self, role: Role, action: ActionType, summary: str, *changes: FieldChange
    ) -> AuditEntry:
        site_id, name = role.site_id, f"role {role.name}"
        return self._auditor.entry(operator(site_id), site_id, action, name, summary, *changes)


def created(auditor: Auditor, agent: Agent, granted: Iterable[Permission] = ()) -> AuditEntry:
    """Return the audit entry of a new agent."""
    kind = "administrator" if agent.is_administrator else "agent"
    return auditor.entry(
        operator(agent.site_id),
        agent.site_id,
        ActionType.AGENT_CREATED,
        f"agent {agent.email}",
        f"Added the {kind} {agent.email}",
        *_permissions((), granted),
    )


def _permissions(old: Iterable[Permission], new: Iterable[Permission]) -> tuple[FieldChange, ...]:
    before, after = (", ".join(sorted(p.value for p in set(these))) for these in (old, new))
    return (FieldChange("permissions", before, after),) if before != after else ()


def read_email(text: str) -> str:
    """Return an e-mail address in its stored form; raises `ParameterInvalid`."""
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise _invalid(f"{text!r} is not an e-mail address.")
    return text.casefold()


def read_name(text: str) -> str:
    """Return a name in its stored form; raises `ParameterInvalid`."""
    clean = text.strip()
    if not clean or len(clean) > MAX_NAME_LENGTH or clean != clean_line(clean):
        raise _invalid(f"A name has 1 to {MAX_NAME_LENGTH} characters, and no control characters.")
    return clean


def read_permission(text: str) -> Permission:
    """Return the permission with this name or scope, in any case; raises `ParameterInvalid`."""
    for permission in Permission:
        if text.casefold() in {permission.value.casefold(), permission.scope}:
            return permission
    known = ", ".join(permission.value for permission in Permission)
    raise _invalid(f"There is no permission {text!r}. There are: {known}.")


def _site(rows: Transaction, site_id: int) -> Site:
    site = rows.sites.get(site_id)
    if site is None:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no site {site_id}.")
    return site


def _agent(rows: Transaction, email: str, site_id: int | None = None) -> Agent:
    agent = rows.agents.by_email(email)
    if agent is None or site_id not in {None, agent.site_id}:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no agent {email}.")
    return agent


def _role(rows: Transaction, site_id: int, name: str) -> Role:
    role = rows.roles.by_name(site_id, name)
    if role is None:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no role {name}.")
    return role


def _require_another_administrator(rows: Transaction, agent: Agent) -> None:
    others = (other for other in rows.agents.list_by_site(agent.site_id) if other.id != agent.id)
    if agent.is_administrator and not any(o.is_administrator and not o.is_disabled for o in others):
        raise _invalid(f"{agent.email} is the site's last administrator: add another one first.")


def _invalid(sentence: str) -> VisavisError:
    return VisavisError(ErrorKind.ParameterInvalid, sentence)
