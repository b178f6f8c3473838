"""One call: its states, its record, and the engine that applies events to it.

The engine is imported from `call`, because only the app runs it.
"""

from visavis.domain.call.model import CallRecord, Origin
from visavis.domain.call.states import (
    TRANSITIONS,
    CallState,
    CallTrigger,
    EndReason,
)

__all__ = [
    "TRANSITIONS",
    "CallRecord",
    "CallState",
    "CallTrigger",
    "EndReason",
    "Origin",
]
