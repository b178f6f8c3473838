"""Sites, their agents, and how an agent signs in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.services.clients import first_client
from visavis.services.ports import Clock, Passwords, Store, Transaction
from visavis.services.staff import read_email, read_name

FIRST_SITE: Final = 1
FIRST_EMAIL: Final = "admin@localhost"
MAX_ATTEMPTS: Final = 10
ATTEMPTS_WINDOW_SECONDS: Final = 300.0
MAX_PASSWORD_LENGTH: Final = 1024
MAX_WATCHED: Final = 10_000


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """To be shown once: the password is kept nowhere."""

    email: str
    password: str
    client_id: str


class People:
    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        clock: Clock,
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`elapsed` counts seconds, and is not set back or forward as a wall clock is."""
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self._elapsed = elapsed
        self._failures: dict[str, list[float]] = {}

    async def found(
        self, *, site_name: str = "Site 1", email: str = FIRST_EMAIL, password: str | None = None
    ) -> FirstAccount | None:
        """Make site 1, its administrator and a client; `None` when there is a site already.

        Raises `ParameterInvalid`.
        """
        site_name, email = read_name(site_name), read_email(email)
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)
        now, client_id = self._clock(), self._new_id()

        def work(rows: Transaction) -> bool:
            rows.sites.lock()
            if rows.sites.all():
                return False
            site = rows.sites.add(site_name, now)
            name = email.partition("@")[0].title()
            rows.agents.add(site.id, email, name, password_hash, is_administrator=True)
            rows.clients.add(first_client(client_id, site.id), now)
            return True

        is_new = await self._store.write(work)
        return FirstAccount(email, password, client_id) if is_new else None

    async def has_site(self, site_id: int) -> bool:
        """Whether the site exists and is not disabled."""
        site = await self._store.read(lambda rows: rows.sites.get(site_id))
        return site is not None and not site.is_disabled

    async def active_agent(self, site_id: int, agent_id: int) -> Agent:
        """Return the agent as they are now; raises `Unauthorized` if they are gone or disabled."""
        agent = await self._store.read(lambda rows: rows.agents.get(site_id, agent_id))
        if agent is None or agent.is_disabled:
            raise VisavisError(ErrorKind.Unauthorized)
        return agent

    async def by_email(self, email: str) -> Agent:
        """Raises `EntityNotFound`."""
        agent = await self._store.read(lambda rows: rows.agents.by_email(email))
        if agent is None:
            raise VisavisError(ErrorKind.EntityNotFound, f"There is no agent {email}.")
        return agent

    async def sign_in(self, email: str, password: str, address: str) -> Agent:
        """Raises `Unauthorized`, or `TooManyRequests` after too many failures.

        Failures are counted per account and per network address.
        """
        keys = (f"account {email.casefold()}", f"address {address}")
        for key in keys:
            self._demand_attempt(key)
        address = email if email.isprintable() else ""  # no database takes the rest
        agent, known_hash = await self._store.read(lambda rows: _account(rows, address))
        if len(password) > MAX_PASSWORD_LENGTH:
            known_hash, password = None, ""
        if await self._passwords.matches(known_hash, password) and agent:
            self._failures.pop(keys[0], None)
            return agent
        for key in keys:
            self._failures.setdefault(key, []).append(self._elapsed())
        raise VisavisError(ErrorKind.Unauthorized, "The e-mail address or the password is wrong.")

    def _demand_attempt(self, key: str) -> None:
        since = self._elapsed() - ATTEMPTS_WINDOW_SECONDS
        recent = [at for at in self._failures.get(key, ()) if at > since]
        if recent:
            self._failures[key] = recent
        elif len(self._failures) > MAX_WATCHED:
            self._failures.clear()
        if len(recent) >= MAX_ATTEMPTS:
            raise VisavisError(
                ErrorKind.TooManyRequests, "Too many attempts to sign in: wait five minutes."
            )


def _account(rows: Transaction, email: str) -> tuple[Agent | None, str | None]:
    agent = rows.agents.by_email(email)
    if agent and agent.is_disabled:
        agent = None
    return agent, rows.agents.password_hash(agent.site_id, agent.id) if agent else None
