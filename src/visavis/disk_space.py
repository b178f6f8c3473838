"""Space for recordings on the disks of a node."""

from __future__ import annotations

import contextlib
import math
import shutil
from pathlib import Path

from visavis.domain.recording import INCOMPLETE
from visavis.media.limits import MEGABYTE
from visavis.settings import Settings


def free_bytes(settings: Settings) -> int:
    """Return the free bytes of the data directory or of the spool's disk, whichever is less."""
    free = shutil.disk_usage(settings.data_dir).free
    with contextlib.suppress(FileNotFoundError):  # before the first recording
        free = min(free, shutil.disk_usage(settings.spool).free)
    return free


def why_disk_is_full(settings: Settings) -> str:
    """Return why there is no space for another recording; empty if there is."""
    free, needed = free_bytes(settings), settings.disk_reserve_megabytes * MEGABYTE
    if free >= needed:
        return ""
    return (
        f"the disk is nearly full: {free // MEGABYTE} MB are free, but a recording "
        f"needs more than {needed // MEGABYTE} MB"
    )


def recording_count(spool: Path) -> float:
    """Return the number of recordings in a spool: 0 if it is missing, NaN if unreadable."""
    try:
        return sum(1 for path in spool.iterdir() if path.name != INCOMPLETE)
    except FileNotFoundError:
        return 0
    except OSError:
        return math.nan
