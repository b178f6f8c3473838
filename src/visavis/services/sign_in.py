"""Protection against password guessing. Attempts are counted before a password is hashed.

Each further failure delays the next attempt for longer. Failures for one account from one IP
address count most. Failures for one account from all addresses delay only browsers that have never
signed in to it, so that strangers cannot lock its owner out.
"""

from __future__ import annotations

import hmac
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Final

from visavis.domain.errors import ErrorCode, VisavisError
from visavis.domain.shared_counts import busiest, shared_key

FORGET_SECONDS: Final = 900.0
"""Seconds after the last failure until the failures are forgotten."""
MAX_DELAY_SECONDS: Final = 300.0
MAX_WATCHED: Final = 10_000
"""Maximum number of keys whose attempts are counted."""
MAX_LOOKED_AT: Final = 1_000
"""Number of newest keys that are searched for the highest counts, once a second."""
MAX_CHECKS: Final = 32
"""Maximum number of passwords that are being checked or wait for it; a check is slow."""

MAX_CHECKS_PER_ADDRESS: Final = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """Number of attempts without a delay, and the maximum delay in seconds of further ones."""

    free: int
    max_delay: float = MAX_DELAY_SECONDS


ACCOUNT_AND_ADDRESS: Final = Rule(10)
ADDRESS: Final = Rule(50)
ACCOUNT: Final = Rule(100, 30.0)

Key = tuple[str | None, str | None]
"""Account and IP address of an attempt; `None` stands for all."""


class SignInGuard:
    """Counts attempts to sign in. An attempt counts as failed until it succeeds."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._attempts: OrderedDict[Key, tuple[int, float]] = OrderedDict()
        self._checks: Counter[str] = Counter()
        self._elsewhere: dict[str, tuple[float, float]] = {}
        """Attempts on other nodes, and the time at which each number last rose."""

    @property
    def elsewhere(self) -> Mapping[str, float]:
        """Attempts on other nodes, by the keys of `busiest`."""
        return {key: count for key, (count, _) in self._elsewhere.items()}

    @elsewhere.setter
    def elsewhere(self, counts: Mapping[str, float]) -> None:
        now, known = self._elapsed(), self._elsewhere
        self._elsewhere = {
            key: known[key] if key in known and count <= known[key][0] else (count, now)
            for key, count in counts.items()
        }

    def busiest(self) -> Mapping[str, float]:
        """Return the counts of attempts nearest to a delay, to report to the other nodes."""
        newest = islice(reversed(self._attempts), MAX_LOOKED_AT)
        return busiest((_parts(key), self._known(key)[0], _rule(key).free) for key in newest)

    def __len__(self) -> int:
        return len(self._attempts)

    def begin(self, account: str, address: str, *, is_known_device: bool) -> None:
        """Count an attempt; raises `TooManyRequests` if it comes too soon."""
        rules = self._rules(account, address, is_known_device=is_known_device)
        wait = max(self._seconds_to_wait(key, rule) for key, rule in rules)
        if wait > 0:
            raise VisavisError(ErrorCode.SignInPaused, seconds=ceil(wait))
        for key, _ in rules:
            self._add(key, 1)

    def succeed(self, account: str, address: str) -> None:
        """Forget the failures of this account at this address, and do not count this attempt."""
        self._attempts.pop(_both(account, address), None)
        self._add(_at(address), -1)
        self._add(_of(account), -1)

    @contextmanager
    def checking(self, address: str) -> Iterator[None]:
        """Reserve one of the parallel password checks; raises `TooManyRequests` if none is free."""
        is_full = self._checks.total() >= MAX_CHECKS
        if is_full or self._checks[address] >= MAX_CHECKS_PER_ADDRESS:
            raise VisavisError(ErrorCode.SignInBusy)
        self._checks[address] += 1
        try:
            yield
        finally:
            self._checks -= Counter([address])  # subtraction removes keys at 0

    def _rules(
        self, account: str, address: str, *, is_known_device: bool
    ) -> list[tuple[Key, Rule]]:
        rules = [(_both(account, address), ACCOUNT_AND_ADDRESS), (_at(address), ADDRESS)]
        return rules if is_known_device else [*rules, (_of(account), ACCOUNT)]

    def _seconds_to_wait(self, key: Key, rule: Rule) -> float:
        count, last_at = self._known_everywhere(key)
        if count < rule.free:
            return 0.0
        delay = min(rule.max_delay, 2.0 ** int(min(count - rule.free + 1, 16)))
        return delay - (self._elapsed() - last_at)

    def _known_everywhere(self, key: Key) -> tuple[float, float]:
        count, last_at = self._known(key)
        others = self._elsewhere.get(shared_key(*_parts(key))) if self._elsewhere else None
        if others is None:
            return count, last_at
        return count + others[0], max(last_at, others[1]) if count else others[1]

    def _known(self, key: Key) -> tuple[int, float]:
        count, last_at = self._attempts.get(key, (0, self._elapsed()))
        return (0, last_at) if self._elapsed() - last_at > FORGET_SECONDS else (count, last_at)

    def _add(self, key: Key, number: int) -> None:
        count = max(0, self._known(key)[0] + number)
        self._attempts[key] = count, self._elapsed()
        self._attempts.move_to_end(key)
        if len(self._attempts) > MAX_WATCHED:
            self._attempts.popitem(last=False)


def _rule(key: Key) -> Rule:
    account, address = key
    if account is None:
        return ADDRESS
    return ACCOUNT if address is None else ACCOUNT_AND_ADDRESS


def _parts(key: Key) -> tuple[str, ...]:
    return "sign-in", repr(key)


def _both(account: str, address: str) -> Key:
    return account, address


def _at(address: str) -> Key:
    return None, address


def _of(account: str) -> Key:
    return account, None


def device_token(password_hash: str, nonce: str) -> str:
    """Return a token that proves that a browser has signed in to this account before.

    It becomes invalid when the password changes, since it is an HMAC under the password's hash.
    """
    said = f"device {nonce}".encode("utf-8", "replace")
    proof = hmac.digest(password_hash.encode(), said, "sha256").hex()
    return f"{nonce}.{proof}"


def is_device_token(token: str, password_hash: str | None) -> bool:
    """Whether `device_token` has made this token for the account with this password hash."""
    nonce, _, _ = token.partition(".")
    expected = device_token(password_hash or "", nonce).encode("utf-8", "replace")
    return password_hash is not None and hmac.compare_digest(
        token.encode("utf-8", "replace"), expected
    )
