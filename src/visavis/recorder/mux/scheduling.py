"""Restoring of the thread's scheduling policy after SVT-AV1 has raised it to SCHED_FIFO."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def preserved_scheduling() -> Iterator[None]:
    """Restore the thread's scheduling policy at the end of the context.

    If permitted, as for root, SVT-AV1 sets real-time priority (SCHED_FIFO, 99) for the thread that
    opens an encoder and does not reset it. From then on, no other process would run on that core.
    """
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)
