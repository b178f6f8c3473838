"""STUN and TURN servers for the browsers (W3C RTCIceServer), with coturn's passing credentials."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from visavis.domain.signaling import IceServer, IceServers


@dataclass(frozen=True, slots=True)
class IceDirectory:
    """The operator's servers. `turn_secret` is coturn's `static-auth-secret`."""

    stun_servers: Sequence[str] = ()
    turn_servers: Sequence[str] = ()
    turn_secret: str = ""
    turn_seconds: int = 86_400

    def servers(self, user: str, now: datetime) -> IceServers:
        """What `user`, any name without a colon, may use for `turn_seconds` from now."""
        servers = [IceServer(urls=list(self.stun_servers))] if self.stun_servers else []
        if self.turn_servers:
            servers.append(self._turn(user, now))
        return IceServers(servers=servers)

    def _turn(self, user: str, now: datetime) -> IceServer:
        urls = list(self.turn_servers)
        if not self.turn_secret:
            return IceServer(urls=urls)
        expiry = int(now.timestamp()) + self.turn_seconds
        username = f"{expiry}:{user}"
        digest = hmac.digest(self.turn_secret.encode(), username.encode(), "sha1")
        return IceServer(urls=urls, username=username, credential=base64.b64encode(digest).decode())
