"""Pieces of a recording: the journals that one call has left in the spools of several nodes.

Each node measures arrivals by a clock of its own, which is in the file `clock.json` beside its
journals. A piece is named by a digest of that clock. A journal that is moved into the recording of
another node gets the piece's name in its own, so journals of two nodes never overwrite each other,
and a journal that is moved a second time, or back, is recognised:

    0002.journal, clock.json  ->  0002-1a2b3c4d.journal, 1a2b3c4d.clock.json
"""

from __future__ import annotations

import errno
import filecmp
import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.recording import (
    CLOCK,
    DELIVERY,
    JOURNAL_SUFFIX,
    MATROSKA,
    RecordingClock,
)
from visavis.durable import sync_directory, write_atomically
from visavis.spool import reader as spool_reader
from visavis.spool.clocks import read_clock

DRAFT_SUFFIX: Final = ".part"
"""Suffix of a journal that is not copied completely yet."""
_NAME: Final = re.compile(r"([0-9]{1,9})(?:-([0-9a-f]{8}))?\.journal")
_NO_CLOCK: Final = "00000000"
"""Piece of the journals of an old version, which have no clock."""


@dataclass(frozen=True, slots=True)
class PieceName:
    """Name of a journal on all nodes: the number of its bridge, and its piece."""

    number: str
    piece: str


def piece_of(clock: RecordingClock) -> str:
    """Return the name of the piece with this clock."""
    text = f"{clock.boot_id} {clock.offset_us}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def own_piece(directory: Path) -> str:
    """Return the piece of this node's own journals of a recording."""
    clock = read_clock(directory)
    return piece_of(clock) if clock else _NO_CLOCK


def clock_of(journal: Path) -> RecordingClock | None:
    """Return the clock of a journal, `None` if it is not known."""
    found = _NAME.fullmatch(journal.name)
    return read_clock(journal.parent, found[2] or "" if found else "")


def name_of(journal: Path) -> PieceName:
    """Return the name that a journal has on all nodes; raises `ValueError` for other files."""
    found = _NAME.fullmatch(journal.name)
    if found is None:
        raise ValueError(f"{journal.name} is not the name of a journal")
    return PieceName(found[1], found[2] or own_piece(journal.parent))


def is_named(journal: Path) -> bool:
    """Whether a file has the name of a journal."""
    return _NAME.fullmatch(journal.name) is not None


def journal_names(directory: Path) -> dict[str, int]:
    """Return the names that a recording's journals have on all nodes, and their sizes."""
    found = [path for path in spool_reader.journals(directory) if is_named(path)]
    names = {path: name_of(path) for path in found}
    return {f"{name.number}-{name.piece}": path.stat().st_size for path, name in names.items()}


def place_of(directory: Path, name: PieceName) -> Path:
    """Return where a journal lies, or will lie, in the directory of its recording."""
    if name.piece == own_piece(directory):
        return directory / f"{name.number}{JOURNAL_SUFFIX}"
    return directory / f"{name.number}-{name.piece}{JOURNAL_SUFFIX}"


def shift_us(journal: Path) -> int:
    """Return the microseconds to add to a journal's times to convert them to its recording's clock.

    It is 0 for the journals of this node. Two clocks of one boot of one machine have the same
    monotonic clock, so their difference is exact. Otherwise both were compared with the database's
    clock. If that was not possible, the wall clocks of the machines are taken as equal.
    """
    found = _NAME.fullmatch(journal.name)
    if found is None or not found[2]:
        return 0
    ours, theirs = read_clock(journal.parent), read_clock(journal.parent, found[2])
    if ours is None or theirs is None:
        return 0
    if ours.boot_id and ours.boot_id == theirs.boot_id:
        return ours.offset_us - theirs.offset_us
    if ours.database_ahead_us is None or theirs.database_ahead_us is None:
        return 0
    return theirs.database_ahead_us - ours.database_ahead_us


def forget_file(directory: Path) -> None:
    """Remove a muxed file, because it will lack a journal; the recording is muxed again."""
    for name in (DELIVERY, MATROSKA):
        (directory / name).unlink(missing_ok=True)
    sync_directory(directory)


def write_clock(directory: Path, name: PieceName, clock: RecordingClock | None) -> None:
    """Save the clock of another node's journal that is about to be added to a recording."""
    if clock and name.piece != own_piece(directory):
        write_atomically(directory / f"{name.piece}.{CLOCK}", msgspec.json.encode(clock))


def is_merged(source: Path, target: Path) -> bool:
    """Whether a directory of a recording has all the journals of another one; see `merge`."""
    return not _missing(source, target)


def merge(source: Path, target: Path) -> None:
    """Copy the journals of one directory of a recording into another one, which is claimed.

    Everything is on disk when this returns. A crash leaves journals that are complete; the next
    call copies the others. Raises `FileExistsError` if both have a different journal of one name,
    and `OSError` or `ValueError`.
    """
    missing = _missing(source, target)
    if missing:
        forget_file(target)
    for path, place in missing.items():
        write_clock(target, name_of(path), clock_of(path))
        _copy(path, place)


def _missing(source: Path, target: Path) -> dict[Path, Path]:
    """Return the journals that are not in the target, and their places there."""
    places = {path: place_of(target, name_of(path)) for path in spool_reader.journals(source)}
    return {path: place for path, place in places.items() if not _is_same(path, place)}


def finish(draft: Path, place: Path) -> None:
    """Give a completely written journal its name; both are on disk when this returns."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.rename(place)
    sync_directory(place.parent)


def draft_of(place: Path) -> Path:
    """Return the path of a journal until it is complete."""
    return place.with_name(f"{place.name}{DRAFT_SUFFIX}")


def _is_same(path: Path, place: Path) -> bool:
    """Whether the journal has been copied already; raises `FileExistsError` if it is another."""
    if not place.exists():
        return False
    if not filecmp.cmp(path, place, shallow=False):
        reason = f"the spool has another recording of this id: its {place.name} differs"
        raise FileExistsError(errno.EEXIST, reason)
    return True


def _copy(path: Path, place: Path) -> None:
    draft = draft_of(place)
    try:
        shutil.copyfile(path, draft)
        finish(draft, place)
    except OSError:
        with suppress(OSError):  # a full disk needs its space
            draft.unlink(missing_ok=True)
        raise
