"""The scheduler's opinion of this thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_priority() -> Iterator[None]:
    """Give the thread back the priority that it has, whatever it is given meanwhile.

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
