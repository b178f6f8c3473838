"""One call: its states, its record, and the engine that applies events to it."""

from visavis.domain.call.call import Call
from visavis.domain.call.record import CallRecord, Origin
from visavis.domain.call.states import (
    TRANSITIONS,
    CallState,
    CallTrigger,
    EndReason,
    next_state,
)

__all__ = [
    "TRANSITIONS",
    "Call",
    "CallRecord",
    "CallState",
    "CallTrigger",
    "EndReason",
    "Origin",
    "next_state",
]
