"""Handler of the media workers' events: finds the call that each concerns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
import structlog

from visavis.domain.leg import BridgeId, Side
from visavis.protocol import signaling
from visavis.rtp.mos import LegReport
from visavis.services.calls.active_call import ActiveCall, Bridge
from visavis.services.calls.bridges import Bridges
from visavis.services.calls.recording_control import RecordingControl
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.transfers import Transfers

log = structlog.get_logger(__name__)

QUALITY_SECONDS: Final = 1.8
"""Shortest time between two quality messages to a page; workers report every two seconds."""


class MediaEvents:
    """Implements `services.ports.MediaListener`. Events of calls that are over are ignored."""

    def __init__(
        self,
        registry: CallRegistry,
        bridges: Bridges,
        transfers: Transfers,
        recording_control: RecordingControl,
    ) -> None:
        self._registry = registry
        self._bridges = bridges
        self._transfers = transfers
        self._recording_control = recording_control

    async def leg_up(self, bridge: BridgeId, side: Side) -> None:
        if found := self._find(bridge):
            self._bridges.leg_up(*found, side)

    async def leg_down(self, bridge: BridgeId, side: Side, why: str) -> None:
        if found := self._find(bridge):
            call, session = found
            log.info("leg down", bridge=str(bridge), side=side, why=why)
            if call.transfer and session.participants.get(Side.AGENT) is call.transfer.participant:
                self._transfers.fail(call, call.transfer, "failed")
            else:
                self._bridges.leg_down(call, session, side)

    async def tap_lost(self, bridge: BridgeId, why: str) -> None:
        if found := self._find(bridge):
            self._recording_control.journal_lost(found[0], why)

    async def quality(self, bridge: BridgeId, side: Side, report: LegReport) -> None:
        call = self._bridges.closing.get(bridge.call_id) or self._registry.calls.get(bridge.call_id)
        if call and call.active_bridge and call.active_bridge.id == bridge:
            call.record.quality[side] = msgspec.to_builtins(report)
            if not call.is_over:
                self._send_quality(call, call.active_bridge, side, report)

    async def worker_lost(self, bridges: Collection[BridgeId]) -> None:
        for call_id in {bridge.call_id for bridge in bridges}:
            if call := self._registry.calls.get(call_id):
                self._bridges.worker_lost(call, bridges)

    def _send_quality(
        self, call: ActiveCall, session: Bridge, side: Side, report: LegReport
    ) -> None:
        participant, now = session.participants[side], self._registry.now()
        if (
            participant.quality_sent_at
            and (now - participant.quality_sent_at).total_seconds() < QUALITY_SECONDS
        ):
            return
        participant.quality_sent_at = now
        self._registry.send(
            participant,
            signaling.Quality(
                call_id=call.id,
                mos=report.mos,
                loss=max(report.loss_in, report.loss_out),
                jitter=report.jitter,
                round_trip=report.round_trip,
            ),
        )

    def _find(self, bridge: BridgeId) -> tuple[ActiveCall, Bridge] | None:
        call = self._registry.calls.get(bridge.call_id)
        session = call.bridges.get(bridge.number) if call else None
        return (call, session) if call and session else None
