"""Requests to mux worker processes, and their results.

They are apart from `worker` because the recorder exchanges them and never loads libav, in which
only a worker may crash.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from visavis.domain.call_events import CallReport


class MuxRequest(msgspec.Struct, frozen=True):
    """Request to mux the recording in a directory of the spool.

    `missing` are sentences about media that its journals do not have.
    """

    directory: str
    report: CallReport | None
    missing: tuple[str, ...] = ()


class Outcome(StrEnum):
    """Outcomes of muxing a recording."""

    MUXED = "muxed"
    EMPTY = "empty"  # No media was received.
    BUSY = "busy"  # Another process has claimed the recording.
    NO_ROOM = "no room"  # The disk or the memory is full.
    FAILED = "failed"


class MuxResult(msgspec.Struct, frozen=True):
    """Result of a request.

    `packets` is the result of `accounting.PacketAccount.totals`, empty if the recording had been
    muxed earlier.
    """

    outcome: Outcome
    reason: str = ""
    packets: dict[str, dict[str, int]] = {}
