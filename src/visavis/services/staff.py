"""Sites, agents and roles as their operator keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent, Permission, Role, Site
from visavis.services.calls.words import line_of
from visavis.services.ports import Clock, Passwords, Store, Transaction

MAX_NAME_LENGTH: Final = 200
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


class Staff:
    """Every method raises `EntityNotFound` or `ParameterInvalid` with a sentence that says why."""

    def __init__(
        self, store: Store, passwords: Passwords, clock: Clock, new_secret: Callable[[], str]
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._new_secret = new_secret

    async def sites(self) -> Sequence[Site]:
        return await self._store.read(lambda rows: rows.sites.all())

    async def add_site(self, name: str) -> Site:
        clean, now = read_name(name), self._clock()
        return await self._store.write(lambda rows: rows.sites.add(clean, now))

    async def disable_site(self, site_id: int, *, is_disabled: bool) -> None:
        """In a disabled site nobody is signed in and no button is shown."""

        def work(rows: Transaction) -> None:
            _site(rows, site_id)
            rows.sites.disable(site_id, is_disabled=is_disabled)

        await self._store.write(work)

    async def agents(self, site_id: int) -> Sequence[Agent]:
        return await self._store.read(lambda rows: rows.agents.of_site(_site(rows, site_id).id))

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
        """The new agent and their password, which is to be shown once."""
        address, granted = read_email(email), tuple(permissions)
        clean = read_name(name or address.partition("@")[0].title())
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)

        def work(rows: Transaction) -> Agent:
            _site(rows, site_id)
            if rows.agents.by_email(address):
                raise _invalid(f"There is an agent {address} already.")
            agent = rows.agents.add(
                site_id, address, clean, password_hash, is_administrator=is_administrator
            )
            rows.agents.grant(site_id, agent.id, granted)
            return agent

        return await self._store.write(work), password

    async def set_password(self, email: str, password: str | None = None) -> str:
        """Set a password and return it, to be shown once.

        Every sign-in and every API key of the agent ends: whoever knew the old password may have
        made keys.
        """
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)

        def work(rows: Transaction) -> None:
            agent = _agent(rows, email)
            rows.agents.set_password(agent.site_id, agent.id, password_hash)
            rows.credentials.delete_of_agent(agent.site_id, agent.id)
            rows.keys.delete_of_agent(agent.site_id, agent.id)

        await self._store.write(work)
        return password

    async def disable_agent(self, email: str, *, is_disabled: bool) -> None:
        """Disable or enable an agent; disabling ends every sign-in and API key.

        A site keeps one administrator.
        """

        def work(rows: Transaction) -> None:
            agent = _agent(rows, email)
            if is_disabled:
                _demand_another_administrator(rows, agent)
                rows.credentials.delete_of_agent(agent.site_id, agent.id)
                rows.keys.delete_of_agent(agent.site_id, agent.id)
            rows.agents.disable(agent.site_id, agent.id, is_disabled=is_disabled)

        await self._store.write(work)

    async def permit(self, email: str, permissions: Iterable[Permission]) -> Agent:
        """The agent as they are afterwards."""
        granted = tuple(permissions)

        def work(rows: Transaction) -> Agent:
            agent = _agent(rows, email)
            rows.agents.grant(agent.site_id, agent.id, granted)
            return _agent(rows, email)

        return await self._store.write(work)

    async def forbid(self, email: str, permissions: Iterable[Permission]) -> Agent:
        """The agent as they are afterwards: a role may still permit it."""
        withdrawn = tuple(permissions)

        def work(rows: Transaction) -> Agent:
            agent = _agent(rows, email)
            rows.agents.withdraw(agent.site_id, agent.id, withdrawn)
            return _agent(rows, email)

        return await self._store.write(work)

    async def roles(self, site_id: int) -> Sequence[Role]:
        return await self._store.read(lambda rows: rows.roles.of_site(_site(rows, site_id).id))

    async def add_role(
        self, site_id: int, name: str, permissions: Iterable[Permission] = ()
    ) -> Role:
        clean, granted = read_name(name), tuple(permissions)

        def work(rows: Transaction) -> Role:
            _site(rows, site_id)
            if rows.roles.by_name(site_id, clean):
                raise _invalid(f"There is a role {clean} already.")
            role = rows.roles.add(site_id, clean)
            rows.roles.grant(site_id, role.id, granted)
            return role

        return await self._store.write(work)

    async def permit_role(self, site_id: int, name: str, permissions: Iterable[Permission]) -> None:
        granted = tuple(permissions)
        await self._store.write(
            lambda rows: rows.roles.grant(site_id, _role(rows, site_id, name).id, granted)
        )

    async def forbid_role(self, site_id: int, name: str, permissions: Iterable[Permission]) -> None:
        withdrawn = tuple(permissions)
        await self._store.write(
            lambda rows: rows.roles.withdraw(site_id, _role(rows, site_id, name).id, withdrawn)
        )

    async def assign(self, site_id: int, role_name: str, email: str) -> None:
        def work(rows: Transaction) -> None:
            role, agent = _role(rows, site_id, role_name), _agent(rows, email, site_id)
            rows.roles.assign(site_id, role.id, agent.id)

        await self._store.write(work)

    async def unassign(self, site_id: int, role_name: str, email: str) -> None:
        def work(rows: Transaction) -> None:
            role, agent = _role(rows, site_id, role_name), _agent(rows, email, site_id)
            rows.roles.unassign(site_id, role.id, agent.id)

        await self._store.write(work)


def read_email(text: str) -> str:
    """An e-mail address as it is stored; raises `ParameterInvalid`."""
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise _invalid(f"{text!r} is no e-mail address.")
    return text.casefold()


def read_name(text: str) -> str:
    """A name as it is stored; raises `ParameterInvalid`."""
    clean = text.strip()
    if not clean or len(clean) > MAX_NAME_LENGTH or clean != line_of(clean):
        raise _invalid(f"A name has 1 to {MAX_NAME_LENGTH} characters, and no control characters.")
    return clean


def read_permission(text: str) -> Permission:
    """A permission by its name or its scope, in any case; raises `ParameterInvalid`."""
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


def _demand_another_administrator(rows: Transaction, agent: Agent) -> None:
    others = (other for other in rows.agents.of_site(agent.site_id) if other.id != agent.id)
    if agent.is_administrator and not any(o.is_administrator and not o.is_disabled for o in others):
        raise _invalid(f"{agent.email} is the site's last administrator: add another one first.")


def _invalid(sentence: str) -> VisavisError:
    return VisavisError(ErrorKind.ParameterInvalid, sentence)
