"""Audit log of failed attempts to sign in or to use a secret, with a bounded number of entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.ids import plain_id
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import Agent
from visavis.services.audit import Auditor, from_address
from visavis.services.ports import Store, Transaction
from visavis.services.secrets import digest

WINDOW_SECONDS: Final = 3600.0
MAX_PAIRS: Final = 20
MAX_UNCONFIRMED: Final = 100
FIRST_SITE: Final = 1
UNKNOWN: Final = "an unknown account"

WORDS: Final = {
    ActionType.SIGN_IN_FAILED: ("to sign in to", "several accounts"),
    ActionType.CLIENT_REFUSED: ("to authenticate as", "several OAuth clients"),
    ActionType.TOKEN_REFUSED: ("to use", "several tokens"),
    ActionType.UPLOAD_KEY_REFUSED: ("to upload with", "several upload keys"),
}
"""For each action: the words before the subject in a summary, and the name of several subjects."""


class Pair(NamedTuple):
    """Subject of an attempt, as a summary and as an object's name, and the network it came from."""

    subject: str
    object_name: str
    address: str


@dataclass(slots=True)
class _Window:
    """Attempts of one site and action in an hour that have no audit entry yet.

    `pairs` counts them by pair, `others` those beyond the maximum number of pairs.
    """

    begun: float
    pairs: dict[Pair, int] = field(default_factory=dict)
    others: int = 0

    def add(self, pair: Pair, count: int = 1) -> None:
        if pair in self.pairs or len(self.pairs) < MAX_PAIRS:
            self.pairs[pair] = self.pairs.get(pair, 0) + count
        else:
            self.others += count

    def take(self) -> tuple[dict[Pair, int], int]:
        """Return the counts and set them to 0."""
        pending = {pair: count for pair, count in self.pairs.items() if count}
        others, self.others = self.others, 0
        self.pairs = dict.fromkeys(self.pairs, 0)
        return pending, others


class SignInFailures:
    """Counts failed attempts and writes them to the audit log of the site that they concern.

    The first failure of a subject from a network gets an entry at once. Further failures are
    counted, and `flush` writes one entry per site and action for all that were counted since the
    last flush. At most 20 such pairs are distinguished per site, action and hour; all other
    failures are added up, so that attackers cannot fill the disk. Attempts that concern no known
    site are logged in the first site, without the text that was sent, because that may be a
    password.
    """

    def __init__(self, store: Store, auditor: Auditor, elapsed: Callable[[], float]) -> None:
        self._store = store
        self._auditor = auditor
        self._elapsed = elapsed
        self._windows: dict[tuple[int, ActionType], _Window] = {}
        self._unconfirmed: list[AuditEntry] = []
        """Entries of which it is unknown whether their transaction was committed."""

    async def add(self, account: Agent | None, address: str) -> None:
        """Count a wrong password or API key."""
        email = account.email if account else ""
        site_id = account.site_id if account else FIRST_SITE
        pair = Pair(email or UNKNOWN, f"agent {email}" if email else UNKNOWN, address)
        await self._count(site_id, ActionType.SIGN_IN_FAILED, pair)

    async def add_client(self, client_id: str, address: str) -> None:
        """Count a wrong secret of an OAuth client, or a client that is unknown or disabled."""
        site_id, named = await self._client(client_id)
        subject = f"the {named}" if named else "an unknown OAuth client"
        pair = Pair(subject, named or subject, address)
        await self._count(site_id, ActionType.CLIENT_REFUSED, pair)

    async def add_grant(self, client_id: str, address: str) -> None:
        """Count a code or refresh token that is wrong, used or revoked."""
        site_id, named = await self._client(client_id)
        subject = f"a code or refresh token as the {named or 'OAuth client'}"
        pair = Pair(subject, named or subject, address)
        await self._count(site_id, ActionType.TOKEN_REFUSED, pair)

    async def add_token(self, token: str, address: str) -> None:
        """Count a token that is wrong or revoked, or that of a disabled agent.

        An expired token is not counted, because programs learn in this way that they need a new
        one.
        """
        key = digest(token)

        def work(rows: Transaction) -> tuple[bool, Agent | None]:
            known = rows.credentials.find(key)
            agent = rows.agents.get(known.site_id, known.agent_id) if known else None
            is_access = known is not None and known.kind is not CredentialKind.REFRESH
            return is_access and agent is not None and not agent.is_disabled, agent

        has_expired, agent = await self._store.read(work)
        if has_expired:
            return
        subject = f"a token of {agent.email}" if agent else "an unknown or revoked token"
        pair = Pair(subject, f"agent {agent.email}" if agent else subject, address)
        site_id = agent.site_id if agent else FIRST_SITE
        await self._count(site_id, ActionType.TOKEN_REFUSED, pair)

    async def add_upload_key(self, address: str) -> None:
        """Count a wrong or replaced upload key."""
        subject = "an unknown upload key"
        pair = Pair(subject, subject, address)
        await self._count(FIRST_SITE, ActionType.UPLOAD_KEY_REFUSED, pair)

    async def flush(self) -> None:
        """Write the counted failures; counts that cannot be written now are kept."""
        await self._confirm()
        for key in list(self._windows):
            await self._flush(*key)

    async def _client(self, client_id: str) -> tuple[int, str]:
        """Return a client's site and its object name; the name is empty for an unknown client."""
        client = await self._store.read(lambda rows: rows.clients.find(plain_id(client_id)))
        return (client.site_id, f"OAuth client {client.name}") if client else (FIRST_SITE, "")

    async def _count(self, site_id: int, action: ActionType, pair: Pair) -> None:
        """Count a failure; the entry of the first one of a pair is durable when this returns."""
        window = self._windows.get((site_id, action))
        if window and self._is_over(window):
            await self._flush(site_id, action)
        window = self._windows.setdefault((site_id, action), _Window(self._elapsed()))
        is_first = pair not in window.pairs and len(window.pairs) < MAX_PAIRS
        window.add(pair)
        if is_first:
            window.pairs[pair] -= 1  # before the await, or a concurrent `flush` would write it too
            words = f"Failed attempt {WORDS[action][0]} {pair.subject}"
            entry = self._entry(site_id, action, pair, words, 1)
            await self._write(site_id, action, entry, {pair: 1}, 0)

    async def _flush(self, site_id: int, action: ActionType) -> None:
        window = self._windows[site_id, action]
        if self._is_over(window):
            del self._windows[site_id, action]
        pending, others = window.take()
        if pending or others:
            entry = self._further(site_id, action, pending, others)
            await self._write(site_id, action, entry, pending, others)

    def _is_over(self, window: _Window) -> bool:
        return self._elapsed() - window.begun >= WINDOW_SECONDS

    def _further(
        self, site_id: int, action: ActionType, pending: dict[Pair, int], others: int
    ) -> AuditEntry:
        """Return one entry for all counted failures."""
        verb, several = WORDS[action]
        words = f"Further failed attempts {verb}"
        if len(pending) == 1 and not others:
            ((pair, count),) = pending.items()
            return self._entry(site_id, action, pair, f"{words} {pair.subject}", count)
        subjects = [
            *dict.fromkeys(pair.subject for pair in pending),
            *(["others"] if others else []),
        ]
        named = {pair.object_name for pair in pending}
        details = [_attempts(sum(pending.values()) + others)]
        details += [
            FieldChange(pair.subject, "", f"{count} from {pair.address or 'this machine'}")
            for pair, count in pending.items()
        ]
        details += [FieldChange("others", "", str(others))] if others else []
        object_name = named.pop() if len(named) == 1 and not others else several
        summary = f"{words} {', '.join(subjects)}"
        return self._auditor.anonymous(site_id, action, object_name, summary, *details)

    def _entry(
        self, site_id: int, action: ActionType, pair: Pair, words: str, count: int
    ) -> AuditEntry:
        details = from_address(pair.address), _attempts(count)
        return self._auditor.anonymous(site_id, action, pair.object_name, words, *details)

    async def _write(
        self,
        site_id: int,
        action: ActionType,
        entry: AuditEntry,
        counted: dict[Pair, int],
        others: int,
    ) -> None:
        def work(rows: Transaction) -> None:
            if rows.sites.get(site_id):
                rows.audit.add(entry)

        try:
            await self._store.write(work)
        except VisavisError as error:
            if error.code == ErrorCode.ChangeUnconfirmed.name:
                self._keep_unconfirmed([entry])
                raise
            window = self._windows.setdefault((site_id, action), _Window(self._elapsed()))
            for pair, count in counted.items():
                window.add(pair, count)
            window.others += others
            raise

    async def _confirm(self) -> None:
        """Write those unconfirmed entries that the audit log does not have."""
        entries, self._unconfirmed = self._unconfirmed, []

        def work(rows: Transaction) -> None:
            for entry in entries:
                if rows.sites.get(entry.site_id) and not rows.audit.get(entry.site_id, entry.id):
                    rows.audit.add(entry)

        if entries:
            # Every process locks chains in the order of their sites, so that no two deadlock.
            entries.sort(key=lambda entry: entry.site_id)
            try:
                await self._store.write(work)
            except VisavisError:
                self._keep_unconfirmed(entries)
                raise

    def _keep_unconfirmed(self, entries: list[AuditEntry]) -> None:
        self._unconfirmed = [*self._unconfirmed, *entries][-MAX_UNCONFIRMED:]


def _attempts(count: int) -> FieldChange:
    return FieldChange("attempts", "", str(count))
