"""What the media workers tell, and which call it is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
import structlog

from visavis.domain import signaling
from visavis.domain.leg import Link, Side
from visavis.rtp.quality import LegReport
from visavis.services.calls.links import Links
from visavis.services.calls.live import LiveCall, LiveLink
from visavis.services.calls.registry import CallRegistry
from visavis.services.calls.taping import Taping
from visavis.services.calls.transfers import Transfers

log = structlog.get_logger(__name__)

QUALITY_SECONDS: Final = 1.8
"""A page hears no more often how its connection is; the workers tell every two seconds."""


class Ears:
    """Implements `services.ports.MediaListener`. What concerns no call any longer is let go."""

    def __init__(
        self, registry: CallRegistry, links: Links, transfers: Transfers, taping: Taping
    ) -> None:
        self._registry = registry
        self._links = links
        self._transfers = transfers
        self._taping = taping

    async def leg_up(self, link: Link, side: Side) -> None:
        if found := self._find(link):
            self._links.leg_up(*found, side)

    async def leg_down(self, link: Link, side: Side, why: str) -> None:
        if found := self._find(link):
            call, live = found
            log.info("leg down", link=str(link), side=side, why=why)
            if call.transfer and live.seats.get(Side.AGENT) is call.transfer.seat:
                self._transfers.fail(call, call.transfer, "failed")
            else:
                self._links.leg_down(call, live, side)

    async def tap_lost(self, link: Link, why: str) -> None:
        if found := self._find(link):
            self._taping.lost(found[0], why)

    async def quality(self, link: Link, side: Side, report: LegReport) -> None:
        call = self._links.parting.get(link.call_id) or self._registry.calls.get(link.call_id)
        if call and call.present and call.present.link == link:
            call.record.quality[side] = msgspec.to_builtins(report)
            if not call.is_over:
                self._tell_quality(call, call.present, side, report)

    async def worker_lost(self, links: Collection[Link]) -> None:
        for call_id in {link.call_id for link in links}:
            if call := self._registry.calls.get(call_id):
                self._links.lost(call, links)

    def _tell_quality(self, call: LiveCall, live: LiveLink, side: Side, report: LegReport) -> None:
        seat, now = live.seats[side], self._registry.now()
        if seat.told_at and (now - seat.told_at).total_seconds() < QUALITY_SECONDS:
            return
        seat.told_at = now
        self._registry.send(
            seat,
            signaling.Quality(
                call_id=call.id,
                mos=report.mos,
                loss=max(report.loss_in, report.loss_out),
                jitter=report.jitter,
                round_trip=report.round_trip,
            ),
        )

    def _find(self, link: Link) -> tuple[LiveCall, LiveLink] | None:
        call = self._registry.calls.get(link.call_id)
        live = call.links.get(link.number) if call else None
        return (call, live) if call and live else None
