"""STUN and TURN servers for browsers (W3C RTCIceServer), with coturn's temporary credentials."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from visavis.protocol.signaling import IceServer, IceServers


@dataclass(frozen=True, slots=True)
class IceDirectory:
    """STUN and TURN servers that the operator has configured.

    `turn_secret` is coturn's `static-auth-secret`; credentials are valid for `turn_seconds`.
    """

    stun_servers: Sequence[str] = ()
    turn_servers: Sequence[str] = ()
    turn_secret: str = ""
    turn_seconds: int = 600

    @property
    def has_relay(self) -> bool:
        """Whether there is a TURN server for the participants of a call."""
        return bool(self.turn_servers)

    def public_servers(self) -> IceServers:
        """Return the servers that every page may use: STUN only."""
        return IceServers(servers=self._stun(), has_relay=self.has_relay)

    def servers(self, call_id: str, now: datetime) -> IceServers:
        """Return the servers that participants of a call may use for `turn_seconds` from now."""
        servers = self._stun()
        if self.turn_servers:
            servers.append(self._turn(call_id, now))
        return IceServers(servers=servers, has_relay=self.has_relay)

    def _stun(self) -> list[IceServer]:
        return [IceServer(urls=list(self.stun_servers))] if self.stun_servers else []

    def _turn(self, user: str, now: datetime) -> IceServer:
        urls = list(self.turn_servers)
        if not self.turn_secret:
            return IceServer(urls=urls)
        expiry = int(now.timestamp()) + self.turn_seconds
        username = f"{expiry}:{user}"
        digest = hmac.digest(self.turn_secret.encode(), username.encode(), "sha1")
        return IceServer(urls=urls, username=username, credential=base64.b64encode(digest).decode())
