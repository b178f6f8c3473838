"""Sites, their agents, and signing in with a password."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Agent, operator
from visavis.services.accounts import created as agent_created
from visavis.services.accounts import read_email, read_name
from visavis.services.audit import Auditor, from_address
from visavis.services.clients import created as client_created
from visavis.services.clients import first_client
from visavis.services.password_rules import check_password
from visavis.services.ports import Clock, Passwords, Store, Transaction
from visavis.services.sign_in import SignInGuard, device_token, is_device_token
from visavis.services.sign_in_failures import SignInFailures
from visavis.services.sign_in_sessions import SignInSessions
from visavis.services.tokens import Tokens

FIRST_SITE: Final = 1
FIRST_EMAIL: Final = "admin@localhost"
MAX_PASSWORD_LENGTH: Final = 1024


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """Account of the first administrator, to be shown once: the password itself is not stored."""

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
        """`elapsed` returns the seconds of a clock that is never set back or forward."""
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self.guard = SignInGuard(elapsed)
        self._auditor = Auditor(clock, new_id)
        self.failures = SignInFailures(store, self._auditor, elapsed)

    async def create_first_site(
        self, *, site_name: str = "Site 1", email: str = FIRST_EMAIL, password: str | None = None
    ) -> FirstAccount | None:
        """Create site 1, its administrator and a client; return `None` if a site exists already.

        Raises `ParameterInvalid`.
        """
        site_name, email = read_name(site_name), read_email(email)
        # every start asks for the site, and hashing a password takes a third of a second
        if await self._store.read(lambda rows: rows.sites.all()):
            return None
        password = password or self._new_secret()
        password_hash = await self._passwords.hash(password)
        now, client_id = self._clock(), self._new_id()

        def work(rows: Transaction) -> bool:
            rows.sites.lock()
            if rows.sites.all():
                return False
            site = rows.sites.add(site_name, now)
            name = email.partition("@")[0].title()
            agent = rows.agents.add(site.id, email, name, password_hash, is_administrator=True)
            client = first_client(client_id, site.id)
            rows.clients.add(client, now)
            named = f"site {site.name}"
            action, done = ActionType.SITE_CREATED, f"Added the {named}"
            rows.audit.add(self._auditor.entry(operator(site.id), site.id, action, named, done))
            rows.audit.add(agent_created(self._auditor, agent))
            rows.audit.add(client_created(self._auditor, client))
            return True

        is_new = await self._store.write(work)
        return FirstAccount(email, password, client_id) if is_new else None

    async def first_sign_in_pending(self) -> str | None:
        """Return the first administrator's e-mail address until an agent has signed in.

        Until then the password may have been lost, since it was printed only once.
        """
        return await self._store.read(lambda rows: rows.agents.first_sign_in_pending(FIRST_SITE))

    async def has_site(self, site_id: int) -> bool:
        """Whether the site exists and is not disabled."""
        site = await self._store.read(lambda rows: rows.sites.get(site_id))
        return site is not None and not site.is_disabled

    async def is_site_disabled(self, site_id: int) -> bool:
        """Whether the site exists and is disabled."""
        site = await self._store.read(lambda rows: rows.sites.get(site_id))
        return site is not None and site.is_disabled

    async def active_agent(self, site_id: int, agent_id: int) -> Agent:
        """Return the current state of an agent; raises `Unauthorized` if removed or disabled."""
        agent = await self._store.read(lambda rows: rows.agents.get(site_id, agent_id))
        if agent is None or agent.is_disabled:
            raise VisavisError(ErrorKind.Unauthorized)
        return agent

    async def by_email(self, email: str) -> Agent:
        """Return the agent with this e-mail address; raises `EntityNotFound`."""
        agent = await self._store.read(lambda rows: rows.agents.by_email(email))
        if agent is None:
            raise VisavisError(ErrorKind.EntityNotFound, f"There is no agent {email}.")
        return agent

    async def sign_in(self, email: str, password: str, address: str, device: str = "") -> Agent:
        """Return the agent with this e-mail address and password.

        Raises `Unauthorized`, or `TooManyRequests` after too many attempts. `address` is the
        network of the attempt. `device` is the `device_token` that the browser got when it last
        signed in.
        """
        account = email.casefold()[:MAX_PASSWORD_LENGTH]
        readable = email if email.isprintable() else ""  # databases reject control characters
        agent, known_hash = await self._store.read(lambda rows: _account(rows, readable))
        try:
            is_known_device = is_device_token(device, known_hash)
            self.guard.begin(account, address, is_known_device=is_known_device)
            signed_in = await self._checked(agent, known_hash, password, address)
        except VisavisError:
            await self.failures.add(agent, address)
            raise
        self.guard.succeed(account, address)
        await self._record_first_sign_in(signed_in)
        return signed_in

    async def _record_first_sign_in(self, agent: Agent) -> None:
        site_id, agent_id, now = agent.site_id, agent.id, self._clock()
        if not await self._store.read(lambda rows: rows.agents.has_signed_in(site_id, agent_id)):
            await self._store.write(lambda rows: rows.agents.mark_signed_in(site_id, agent_id, now))

    async def _checked(
        self, agent: Agent | None, known_hash: str | None, password: str, address: str
    ) -> Agent:
        """Return the agent if the password is right; raises `Unauthorized`, `TooManyRequests`."""
        if len(password) > MAX_PASSWORD_LENGTH:
            known_hash, password = None, ""
        with self.guard.checking(address):
            is_right = await self._passwords.matches(known_hash, password)
        if not is_right or not agent:
            raise VisavisError(ErrorCode.WrongPassword)
        return agent

    async def add_key_failure(self, email: str, address: str) -> None:
        """Record that a wrong API key was sent with an e-mail address."""
        readable = email if email.isprintable() else ""
        agent, _ = await self._store.read(lambda rows: _account(rows, readable))
        await self.failures.add(agent, address)

    def sessions(self, tokens: Tokens) -> SignInSessions:
        """Return the service for the sessions of agents on our pages."""
        return SignInSessions(self._store, tokens, self._auditor, self._clock)

    def entry(self, agent: Agent, action: ActionType, done: str, address: str) -> AuditEntry:
        """Return an audit entry of an action of an agent on their own account."""
        name = f"agent {agent.email}"
        details = from_address(address)
        return self._auditor.entry(
            agent, agent.site_id, action, name, f"{agent.email} {done}", details
        )

    async def device_token(self, agent: Agent) -> str:
        """Return a token that proves that the agent has signed in on this browser.

        With it they can sign in even while strangers guess their password.
        """
        known_hash = await self._store.read(
            lambda rows: rows.agents.password_hash(agent.site_id, agent.id)
        )
        return device_token(known_hash or "", self._new_id())

    async def change_password(
        self, agent: Agent, current: str, new: str, address: str, device: str = ""
    ) -> None:
        """Set the agent's own password; all their sessions and tokens end.

        Raises `Unauthorized` for a wrong current password, `ParameterInvalid` for a new one that is
        too short or too common, `TooManyRequests`.
        """
        check_password(new, agent.email)
        await self.sign_in(agent.email, current, address, device)
        with self.guard.checking(address):
            password_hash = await self._passwords.hash(new)
        action = ActionType.PASSWORD_CHANGED
        entry = self.entry(agent, action, "changed their password", address)

        def work(rows: Transaction) -> None:
            rows.agents.set_password(agent.site_id, agent.id, password_hash)
            rows.credentials.delete_of_agent(agent.site_id, agent.id)
            rows.audit.add(entry)

        await self._store.write(work)

    async def sign_out_everywhere(self, agent: Agent, address: str) -> None:
        """End every session and token of the agent."""
        action = ActionType.SIGNED_OUT_EVERYWHERE
        entry = self.entry(agent, action, "signed out everywhere", address)

        def work(rows: Transaction) -> None:
            rows.credentials.delete_of_agent(agent.site_id, agent.id)
            rows.audit.add(entry)

        await self._store.write(work)


def _account(rows: Transaction, email: str) -> tuple[Agent | None, str | None]:
    """Return an agent and their password hash, which is `None` if they are unknown or disabled."""
    agent = rows.agents.by_email(email)
    if agent is None or agent.is_disabled:
        return agent, None
    return agent, rows.agents.password_hash(agent.site_id, agent.id)
