"""Reports of the media workers, forwarded to the calls that they concern."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

import structlog

from visavis.domain.call import inputs
from visavis.domain.call.call import Call
from visavis.domain.leg import BridgeId, BridgeStatus
from visavis.rtp.mos import LegReport
from visavis.services.calls.site import SiteCalls

log = structlog.get_logger(__name__)

FindCall = Callable[[str], tuple[SiteCalls, Call] | None]
"""Function that finds a call by its id, also an ended call whose bridges are being closed."""

WhenSettled = Callable[[Callable[[], object]], None]
"""Function that performs a report once this process knows which sites it owns."""


def at_once(act: Callable[[], object]) -> None:
    """Perform a report: a node that is alone owns every site."""
    act()


def bridge_found(status: BridgeStatus) -> inputs.BridgeFound:
    """Return the event of a bridge that was found at its media worker."""
    return inputs.BridgeFound(status.bridge, status.up, status.has_journal, status.is_paused)


class MediaEvents:
    """Implements `services.ports.MediaListener`. Reports of unknown calls are ignored.

    But a bridge of which a leg is down is closed if its call is unknown: another process has taken
    the call over, with a bridge of its own, and the worker keeps this one for as long as this app
    is connected, because no other controls it.
    """

    def __init__(
        self, find: FindCall, close: Callable[[BridgeId], None], when_settled: WhenSettled
    ) -> None:
        """`close` begins to close a bridge."""
        self._find = find
        self._close = close
        self._when_settled = when_settled
        self._held: dict[str, list[Callable[[], object]]] = {}

    @contextmanager
    def holding(self, call_ids: Collection[str]) -> Iterator[None]:
        """Hold the reports of these calls back, which this process is about to continue."""
        reports: list[Callable[[], object]] = []
        self._held.update(dict.fromkeys(call_ids, reports))
        try:
            yield
        finally:
            for call_id in call_ids:
                del self._held[call_id]
            for act in reports:
                act()

    async def leg_up(self, bridge: BridgeId, leg: int) -> None:
        self._handle(bridge.call_id, inputs.LegConnected(bridge, leg))

    async def leg_down(self, bridge: BridgeId, leg: int, why: str) -> None:
        log.info("leg down", bridge=str(bridge), leg=leg, why=why)
        self._report(bridge.call_id, partial(self._leg_lost, bridge, leg))

    async def tap_lost(self, bridge: BridgeId, why: str) -> None:
        self._handle(bridge.call_id, inputs.JournalLost(bridge, why))

    async def quality(self, bridge: BridgeId, leg: int, report: LegReport) -> None:
        self._handle(bridge.call_id, inputs.LegMeasured(bridge, leg, report.to_builtins()))

    async def bridges_found(self, statuses: Collection[BridgeStatus]) -> None:
        for status in statuses:
            self._handle(status.bridge.call_id, bridge_found(status))

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        for call_id in {bridge.call_id for bridge in bridges}:
            self._handle(call_id, inputs.WorkerLost(frozenset(bridges)))

    async def worker_draining(self, bridges: Collection[BridgeId]) -> None:
        for bridge in bridges:
            self._handle(bridge.call_id, inputs.WorkerDraining(frozenset({bridge})))

    def _handle(self, call_id: str, event: inputs.Event) -> None:
        self._report(call_id, partial(self._forward, call_id, event))

    def _report(self, call_id: str, act: Callable[[], object]) -> None:
        if call_id in self._held:
            self._held[call_id].append(act)
        else:
            self._when_settled(act)

    def _leg_lost(self, bridge: BridgeId, leg: int) -> None:
        if not self._forward(bridge.call_id, inputs.LegLost(bridge, leg)):
            self._close(bridge)

    def _forward(self, call_id: str, event: inputs.Event) -> bool:
        """Forward a report to its call; return whether the call is known."""
        found = self._find(call_id)
        if found:
            site, call = found
            site.handle(call, event)
        return found is not None
