"""Failed attempts to sign in, in a bounded number of audit entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.people import Agent
from visavis.services.audit import Auditor, from_address
from visavis.services.ports import Store, Transaction

WINDOW_SECONDS: Final = 3600.0
MAX_PAIRS: Final = 20
FIRST_SITE: Final = 1
UNKNOWN: Final = "an unknown account"

Pair = tuple[str, str]
"""Account and network."""


@dataclass(slots=True)
class _Window:
    """An hour of one site: attempts per pair that have no entry yet, and those beyond the pairs."""

    begun: float
    pairs: dict[Pair, int] = field(default_factory=dict)
    others: int = 0


class SignInFailures:
    """Counts failed attempts and writes them to the audit log of the account's site.

    The first failure of an account from a network is an entry at once. Further ones within an hour
    are counted, and their number is one entry when the hour is over. A site has at most 20 such
    pairs in an hour; all other failures become one entry: strangers cannot fill the disk. Attempts
    on accounts that do not exist are in the log of the first site, without what was typed, which
    may have been a password.
    """

    def __init__(self, store: Store, auditor: Auditor, elapsed: Callable[[], float]) -> None:
        self._store = store
        self._auditor = auditor
        self._elapsed = elapsed
        self._windows: dict[int, _Window] = {}

    async def add(self, account: Agent | None, address: str) -> None:
        """Count a failure; if it is the first of its kind, it is durable when this returns."""
        site_id = account.site_id if account else FIRST_SITE
        pair = account.email if account else "", address
        await self.flush()
        window = self._windows.setdefault(site_id, _Window(self._elapsed()))
        if pair in window.pairs:
            window.pairs[pair] += 1
        elif len(window.pairs) >= MAX_PAIRS:
            window.others += 1
        else:
            window.pairs[pair] = 0
            await self._write(site_id, [self._entry(site_id, pair, 1, "Failed attempt")])

    async def flush(self, *, is_final: bool = False) -> None:
        """Write the counts of every hour that is over; of all with `is_final`."""
        now = self._elapsed()
        for site_id, window in list(self._windows.items()):
            if is_final or now - window.begun >= WINDOW_SECONDS:
                del self._windows[site_id]  # before waiting: nobody else writes it too
                await self._write(site_id, list(self._entries(site_id, window)))

    def _entries(self, site_id: int, window: _Window) -> Iterator[AuditEntry]:
        for pair, count in window.pairs.items():
            if count:
                yield self._entry(site_id, pair, count, "Further failed attempts")
        if window.others:
            yield self._auditor.anonymous(
                site_id,
                ActionType.SIGN_IN_FAILED,
                "several accounts",
                "Further failed attempts to sign in to several accounts or from several networks",
                _attempts(window.others),
            )

    def _entry(self, site_id: int, pair: Pair, count: int, words: str) -> AuditEntry:
        email, address = pair
        return self._auditor.anonymous(
            site_id,
            ActionType.SIGN_IN_FAILED,
            f"agent {email}" if email else UNKNOWN,
            f"{words} to sign in to {email or UNKNOWN}",
            from_address(address),
            _attempts(count),
        )

    async def _write(self, site_id: int, entries: list[AuditEntry]) -> None:
        def work(rows: Transaction) -> None:
            if rows.sites.get(site_id):
                for entry in entries:
                    rows.audit.add(entry)

        await self._store.write(work)


def _attempts(count: int) -> FieldChange:
    return FieldChange("attempts", "", str(count))
