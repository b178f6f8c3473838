"""Changes of media after a negotiation: a camera or a shared screen starts or stops."""

from __future__ import annotations

from typing import Final

from visavis.domain.call_events import CallEventName
from visavis.domain.leg import Side
from visavis.domain.vocabulary import Party
from visavis.rtp.sdp import sent_video
from visavis.services.calls.active_call import ActiveCall, Bridge, Description
from visavis.services.calls.registry import CallRegistry

PARTY: Final[dict[Side, Party]] = {Side.VISITOR: "visitor", Side.AGENT: "agent"}


def record_media_changes(registry: CallRegistry, call: ActiveCall, bridge: Bridge) -> None:
    """Record which side has started or stopped sending video or sharing a screen."""
    is_first = call.record.connected_at is None
    for side, description in bridge.described.items():
        by = PARTY[side]
        if _has_camera(description) and side not in call.with_video:
            call.with_video.add(side)
            if not is_first:
                registry.record_event(call, CallEventName.UPGRADED, by=by, side=side)
        if description.screen_mid and side not in call.sharing:
            call.sharing.add(side)
            registry.record_event(call, CallEventName.SHARE_STARTED, by=by, side=side)
        elif side in call.sharing and not description.screen_mid:
            call.sharing.discard(side)
            registry.record_event(call, CallEventName.SHARE_STOPPED, by=by, side=side)


def _has_camera(description: Description) -> bool:
    return bool(sent_video(description.sdp) - {description.screen_mid})
