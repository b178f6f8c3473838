"""Clocks of recordings: each node measures the arrivals of a recording by a clock of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.recording import CLOCK, ClockOffset, RecordingClock
from visavis.durable import write_atomically

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def current_clock() -> RecordingClock:
    """Return the current offset between the monotonic clock and the wall clock."""
    try:
        boot_id = BOOT_ID.read_text().strip()
    except OSError:  # Without a boot ID, later journals of the recording take the current offset.
        boot_id = ""
    offset_us = (time.time_ns() - time.monotonic_ns()) // 1000
    return RecordingClock(boot_id=boot_id, offset_us=offset_us)


def read_clock(directory: Path, piece: str = "") -> RecordingClock | None:
    """Return the clock of this node's own journals, or of another piece; `None` without one."""
    name = f"{piece}.{CLOCK}" if piece else CLOCK
    try:
        return msgspec.json.decode((directory / name).read_bytes(), type=RecordingClock)
    except (OSError, msgspec.MsgspecError):
        return None


def is_comparable(directory: Path) -> bool:
    """Whether a recording's clock has yet to be compared with the database's, and can be.

    It cannot be after a reboot, because the monotonic clock then begins anew.
    """
    clock, current = read_clock(directory), current_clock()
    return (
        clock is not None
        and clock.database_ahead_us is None
        and current.boot_id != ""
        and clock.boot_id == current.boot_id
    )


def write_comparison(directory: Path, offset: ClockOffset) -> None:
    """Save by how much the database's clock is ahead of a recording's clock."""
    if clock := read_clock(directory):
        ahead_us = offset.offset_us - clock.offset_us
        compared = msgspec.structs.replace(
            clock, database_ahead_us=ahead_us, error_us=offset.error_us
        )
        write_atomically(directory / CLOCK, msgspec.json.encode(compared))
