"""One call: its states, its record, and the engine that applies events to it."""

from visavis.domain.call.call import Call
from visavis.domain.call.model import CallRecord, Origin
from visavis.domain.call.states import (
    TRANSITIONS,
    CallState,
    CallTrigger,
    EndReason,
)

__all__ = [
    "TRANSITIONS",
    "Call",
    "CallRecord",
    "CallState",
    "CallTrigger",
    "EndReason",
    "Origin",
]
