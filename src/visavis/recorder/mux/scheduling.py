"""Restores this thread's scheduling policy after SVT-AV1 raised it to SCHED_FIFO."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def preserved_scheduling() -> Iterator[None]:
    """Restore the thread's scheduling policy at the end, whatever it is set to meanwhile.

    SVT-AV1 takes real-time priority (SCHED_FIFO, 99) for the thread that opens an encoder, where
    it may, and leaves it so: as root, nothing else on that core has any time from then on.
    """
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
