"""Messages with which recorders hand journals over to each other."""

from __future__ import annotations

import msgspec

from visavis.domain.recording import RecordingClock


class OfferedJournal(msgspec.Struct, frozen=True, rename="camel"):
    """Journal of a recording, by the name that it has on all nodes (`spool.pieces`)."""

    number: str
    piece: str
    size: int
    sha256: str
    clock: RecordingClock | None


class OfferedJournals(msgspec.Struct, frozen=True, rename="camel"):
    """All journals of a recording on one node, which are not written any more."""

    journals: tuple[OfferedJournal, ...]


def journals_path(site_id: int, recording_id: str) -> str:
    """Return the path of a recording's journals, below which each has its own."""
    return f"/recordings/{site_id}/{recording_id}/journals"
