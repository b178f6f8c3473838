"""The calls of this node, from a visitor's request to their end."""

from visavis.services.calls.calls import Calls
from visavis.services.calls.effects import Scheduler

__all__ = ["Calls", "Scheduler"]
