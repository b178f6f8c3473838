"""Connectivity tests: whether a visitor's browser can reach the media port before it calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId
from visavis.protocol import signaling
from visavis.protocol.signaling import PROBE_SECONDS
from visavis.rtp.sdp import read_transport, rewrite
from visavis.services.calls.effects import EffectRunner
from visavis.services.ports import MediaPlane

log = structlog.get_logger(__name__)

MAX_TESTS: Final = 100
"""Maximum number of tests at a time on this node, because calls need the media workers too."""

MAX_OF_SOURCE: Final = 4
"""Maximum number of tests at a time from one network, so that it cannot use up all of them."""


class ConnectivityTests:
    """Connectivity tests in progress. Each is a bridge whose second leg stays unused."""

    def __init__(self, runner: EffectRunner, media: MediaPlane, new_id: Callable[[], str]) -> None:
        self._runner = runner
        self._media = media
        self._new_id = new_id
        self._running: set[str] = set()
        self._of_source: Counter[str] = Counter()

    async def start(self, socket_id: str, source: str, offer: str) -> None:
        """Start a test and answer the page's offer.

        Raises `ParameterInvalid`, `TooManyRequests`, `MediaUnavailable`.
        """
        remote = read_transport(offer)
        if socket_id in self._running or len(self._running) >= MAX_TESTS:
            raise VisavisError(ErrorKind.TooManyRequests)
        if source and self._of_source[source] >= MAX_OF_SOURCE:
            raise VisavisError(ErrorKind.TooManyRequests)
        self._running.add(socket_id)
        self._of_source[source] += 1
        bridge = BridgeId(f"probe-{self._new_id()}", 1)
        self._runner.schedule(
            PROBE_SECONDS, lambda: self._runner.run_task(self._end(socket_id, source, bridge))
        )
        for leg in (VISITOR_LEG, AGENT_LEG):
            transport = await self._media.open_leg(bridge, leg)
        await self._media.set_remote(bridge, leg, remote)
        # its media are inactive, so the offer is a valid answer once it has our transport
        probed = signaling.Probed(sdp=rewrite(offer, transport, "passive"))
        self._runner.send(socket_id, probed)

    async def _end(self, socket_id: str, source: str, bridge: BridgeId) -> None:
        self._running.discard(socket_id)
        self._of_source -= Counter([source])  # subtraction removes keys at 0
        try:
            await self._media.close(bridge)
        except VisavisError as error:
            log.warning("connectivity test not closed", error=error.kind.name)
