"""State tables of a call, its bridges, its recording and its transfer.

Each table maps a state and a trigger to the next state; a call's table also gives the reason when
it ends. The diagrams in `docs/protocol.md` are drawn from these tables.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from visavis.domain.leg import CallRole
from visavis.domain.vocabulary import Party


class CallState(StrEnum):
    REQUESTED = "requested"
    QUEUED = "queued"
    RINGING = "ringing"
    ACCEPTED = "accepted"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


class CallTrigger(StrEnum):
    NOBODY_FREE = "nobody free"
    RING = "ring"
    EVERYBODY_DECLINED = "everybody declined"
    RING_TIME_OUT = "ring time-out"
    QUEUE_TIME_OUT = "queue time-out"
    SWITCHED_OFF = "switched off"
    NOBODY_ON_DUTY = "nobody on duty"
    ACCEPT = "accept"
    ANSWER = "answer"
    BOTH_LEGS_UP = "both legs up"
    CONNECT_TIME_OUT = "connect time-out"
    LINK_LOST = "link lost"
    RESUME_TIME_OUT = "resume time-out"
    VISITOR_HANGS_UP = "visitor hangs up"
    AGENT_HANGS_UP = "agent hangs up"
    VISITOR_LEAVES = "visitor leaves"
    AGENT_LEAVES = "agent leaves"
    ENDED_BY_API = "ended by API"
    CANNOT_RECORD = "cannot record"
    MEDIA_FAILS = "media fails"
    SHUT_DOWN = "shut down"


class EndReason(StrEnum):
    """Reason for which a call ended, in the terms of live chat."""

    MISSED = "missed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    HUNG_UP = "hungUp"
    FAILED = "failed"
    DISABLED = "disabled"
    TRANSFERRED = "transferred"  # sent to the agent who handed the call over; the call goes on
    RECORDING_UNAVAILABLE = "recordingUnavailable"
    SHUT_DOWN = "shutDown"


_UNTAKEN = (CallState.REQUESTED, CallState.QUEUED, CallState.RINGING)
_SETTING_UP = (CallState.ACCEPTED, CallState.CONNECTING)
_TALKING = (CallState.CONNECTED, CallState.RECONNECTING)
_WITH_AGENT = (*_SETTING_UP, *_TALKING)
_ALIVE = (*_UNTAKEN, *_WITH_AGENT)

_Next = tuple[CallState, EndReason | None]


def _ends(states: tuple[CallState, ...], event: CallTrigger, reason: EndReason) -> dict[Any, _Next]:
    return {(state, event): (CallState.ENDED, reason) for state in states}


TRANSITIONS: Final[dict[tuple[CallState, CallTrigger], _Next]] = {
    (CallState.REQUESTED, CallTrigger.RING): (CallState.RINGING, None),
    (CallState.REQUESTED, CallTrigger.NOBODY_FREE): (CallState.QUEUED, None),
    (CallState.QUEUED, CallTrigger.RING): (CallState.RINGING, None),
    (CallState.RINGING, CallTrigger.NOBODY_FREE): (CallState.QUEUED, None),
    (CallState.RINGING, CallTrigger.ACCEPT): (CallState.ACCEPTED, None),
    (CallState.ACCEPTED, CallTrigger.ANSWER): (CallState.CONNECTING, None),
    (CallState.CONNECTING, CallTrigger.BOTH_LEGS_UP): (CallState.CONNECTED, None),
    (CallState.CONNECTED, CallTrigger.LINK_LOST): (CallState.RECONNECTING, None),
    (CallState.RECONNECTING, CallTrigger.BOTH_LEGS_UP): (CallState.CONNECTED, None),
    **_ends((CallState.RINGING,), CallTrigger.EVERYBODY_DECLINED, EndReason.DECLINED),
    **_ends((CallState.RINGING,), CallTrigger.RING_TIME_OUT, EndReason.MISSED),
    **_ends((CallState.QUEUED,), CallTrigger.QUEUE_TIME_OUT, EndReason.MISSED),
    **_ends(_UNTAKEN, CallTrigger.NOBODY_ON_DUTY, EndReason.MISSED),
    **_ends((CallState.QUEUED,), CallTrigger.SWITCHED_OFF, EndReason.DISABLED),
    **_ends(_SETTING_UP, CallTrigger.CONNECT_TIME_OUT, EndReason.FAILED),
    **_ends(_SETTING_UP, CallTrigger.LINK_LOST, EndReason.FAILED),
    **_ends((CallState.RECONNECTING,), CallTrigger.RESUME_TIME_OUT, EndReason.FAILED),
    **_ends(_WITH_AGENT, CallTrigger.CANNOT_RECORD, EndReason.RECORDING_UNAVAILABLE),
    **_ends(_ALIVE, CallTrigger.MEDIA_FAILS, EndReason.FAILED),
    **_ends(_UNTAKEN, CallTrigger.VISITOR_HANGS_UP, EndReason.CANCELLED),
    **_ends(_WITH_AGENT, CallTrigger.VISITOR_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_WITH_AGENT, CallTrigger.AGENT_HANGS_UP, EndReason.HUNG_UP),
    **_ends(_ALIVE, CallTrigger.VISITOR_LEAVES, EndReason.ABANDONED),
    **_ends(_WITH_AGENT, CallTrigger.AGENT_LEAVES, EndReason.FAILED),
    **_ends(_ALIVE, CallTrigger.ENDED_BY_API, EndReason.HUNG_UP),
    **_ends(_ALIVE, CallTrigger.SHUT_DOWN, EndReason.SHUT_DOWN),
}

ENDED_BY: Final[dict[CallTrigger, Party]] = {
    CallTrigger.VISITOR_HANGS_UP: "visitor",
    CallTrigger.VISITOR_LEAVES: "visitor",
    CallTrigger.AGENT_HANGS_UP: "agent",
    CallTrigger.AGENT_LEAVES: "agent",
    CallTrigger.EVERYBODY_DECLINED: "agent",
}
"""Party that ends the call by a trigger; all other triggers count as the system's."""


HANG_UP: Final = {
    CallRole.VISITOR: CallTrigger.VISITOR_HANGS_UP,
    CallRole.AGENT: CallTrigger.AGENT_HANGS_UP,
}
LEAVE: Final = {
    CallRole.VISITOR: CallTrigger.VISITOR_LEAVES,
    CallRole.AGENT: CallTrigger.AGENT_LEAVES,
}


class BridgeState(StrEnum):
    """State of a bridge. From `opening` on, a media worker may have it."""

    REQUESTED = "requested"
    OPENING = "opening"
    OPEN = "open"
    OFFERED = "offered"
    JOINED = "joined"
    FLOWING = "flowing"
    CLOSED = "closed"


class BridgeTrigger(StrEnum):
    OPEN_LEGS = "open legs"
    LEGS_OPENED = "legs opened"
    SEND_OFFER = "send offer to agent"
    JOIN_LEGS = "join legs"
    BOTH_LEGS_UP = "both legs up"
    LEG_DOWN = "leg down"
    CLOSE = "close"


BRIDGE_TRANSITIONS: Final[dict[tuple[BridgeState, BridgeTrigger], BridgeState]] = {
    (BridgeState.REQUESTED, BridgeTrigger.OPEN_LEGS): BridgeState.OPENING,
    (BridgeState.OPENING, BridgeTrigger.OPEN_LEGS): BridgeState.OPENING,
    (BridgeState.OPENING, BridgeTrigger.LEGS_OPENED): BridgeState.OPEN,
    (BridgeState.OPEN, BridgeTrigger.SEND_OFFER): BridgeState.OFFERED,
    (BridgeState.OFFERED, BridgeTrigger.JOIN_LEGS): BridgeState.JOINED,
    (BridgeState.JOINED, BridgeTrigger.BOTH_LEGS_UP): BridgeState.FLOWING,
    (BridgeState.FLOWING, BridgeTrigger.LEG_DOWN): BridgeState.JOINED,
    **{
        (state, BridgeTrigger.CLOSE): BridgeState.CLOSED
        for state in BridgeState
        if state is not BridgeState.CLOSED
    },
}


class RecordingSwitch(StrEnum):
    """State of the recording of a call in progress."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


class RecordingTrigger(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FAIL = "fail"


RECORDING_TRANSITIONS: Final[dict[tuple[RecordingSwitch, RecordingTrigger], RecordingSwitch]] = {
    (RecordingSwitch.OFF, RecordingTrigger.START): RecordingSwitch.ON,
    (RecordingSwitch.ON, RecordingTrigger.PAUSE): RecordingSwitch.PAUSED,
    (RecordingSwitch.PAUSED, RecordingTrigger.RESUME): RecordingSwitch.ON,
    **{(state, RecordingTrigger.FAIL): RecordingSwitch.OFF for state in RecordingSwitch},
}


class TransferState(StrEnum):
    """State of a transfer: the second agent is rung, then connected."""

    RINGING = "ringing"
    CONNECTING = "connecting"
    COMPLETED = "completed"
    FAILED = "failed"


class TransferTrigger(StrEnum):
    ACCEPT = "accept"
    MEDIA_FLOWS = "media flows"
    FAIL = "fail"


TRANSFER_TRANSITIONS: Final[dict[tuple[TransferState, TransferTrigger], TransferState]] = {
    (TransferState.RINGING, TransferTrigger.ACCEPT): TransferState.CONNECTING,
    (TransferState.RINGING, TransferTrigger.FAIL): TransferState.FAILED,
    (TransferState.CONNECTING, TransferTrigger.MEDIA_FLOWS): TransferState.COMPLETED,
    (TransferState.CONNECTING, TransferTrigger.FAIL): TransferState.FAILED,
}
