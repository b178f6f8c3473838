"""Our own ICE connectivity checks of a browser's addresses, before media is sent there.

A check from a browser proves that its sender knows our password, but not that the source address of
the datagram is genuine. Without checks of our own, an attacker could direct media to a third party
by a forged source address (RFC 8445 §19.5.1, "voice hammer").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from visavis.domain.leg import RemoteTransport
from visavis.media.remote_address import RemoteAddress
from visavis.media.stun import binding_request, parse_binding_success

FIRST_WAIT_SECONDS: Final = 0.1
MAX_SENT: Final = 7
"""Number of requests, at doubling intervals within 12.7 seconds.

A later check from the browser starts the next check.
"""


@dataclass(slots=True)
class _Check:
    """STUN transaction of one check; `pwd` is the browser's password at the time of sending."""

    transaction_id: bytes
    pwd: str = ""
    sent: int = 0
    due_at: float = 0.0


class ConnectivityChecks:
    """Checks of one leg's remote addresses, and the addresses that have answered."""

    def __init__(self) -> None:
        self._reachable: set[RemoteAddress] = set()
        self._pending: dict[RemoteAddress, _Check] = {}
        self._tie_breaker = secrets.token_bytes(8)

    def is_reachable(self, remote_address: RemoteAddress) -> bool:
        """Whether media may be sent to this address. A TCP connection needs no further proof."""
        return remote_address in self._reachable or not isinstance(remote_address, tuple)

    def begin(self, remote_address: RemoteAddress) -> None:
        """Start checking an address with the next `due`, unless it is being checked already."""
        if remote_address not in self._pending:
            self._pending[remote_address] = _Check(secrets.token_bytes(12))

    def forget(self, remote_address: RemoteAddress) -> None:
        """Forget an address, whether it has answered or not."""
        self._reachable.discard(remote_address)
        self._pending.pop(remote_address, None)

    def restart(self) -> None:
        """Restart all checks without an answer, because the browser has new credentials."""
        for remote_address in self._pending:
            self._pending[remote_address] = _Check(secrets.token_bytes(12))

    def due(
        self, remote: RemoteTransport, ufrag: str, now: float
    ) -> list[tuple[bytes, RemoteAddress]]:
        """Return the requests to be sent now, with their destinations.

        `remote` has the browser's credentials, and `ufrag` is ours. `now` is in seconds.
        """
        requests = []
        for remote_address, check in list(self._pending.items()):
            if check.sent == MAX_SENT and now >= check.due_at:
                del self._pending[remote_address]
            elif now >= check.due_at:
                check.due_at = now + FIRST_WAIT_SECONDS * 2**check.sent
                check.sent += 1
                check.pwd = remote.pwd
                username = f"{remote.ufrag}:{ufrag}"
                request = binding_request(
                    check.transaction_id, username, self._tie_breaker, remote.pwd
                )
                requests.append((request, remote_address))
        return requests

    def receive_answer(self, datagram: bytes, remote_address: RemoteAddress) -> bool:
        """Handle an answer; return whether it proves that the browser is at this remote address."""
        check = self._pending.get(remote_address)
        if check is None or not check.sent:
            return False
        answer = parse_binding_success(datagram)
        if answer is None or answer.transaction_id != check.transaction_id:
            return False
        if not answer.is_authentic(check.pwd):
            return False
        del self._pending[remote_address]
        self._reachable.add(remote_address)
        return True
