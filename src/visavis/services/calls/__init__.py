"""The calls of this node, from a visitor's first press to the end, and everything around them."""

from visavis.services.calls.calls import Calls
from visavis.services.calls.registry import Scheduler

__all__ = ["Calls", "Scheduler"]
