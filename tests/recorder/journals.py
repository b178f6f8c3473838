"""Journals in the form that the media worker writes, with two silent participants."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

import msgspec

from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.domain.recording import CLOCK, MANIFEST, Manifest, RecordingClock, journal_name
from visavis.spool.format import (
    MAGIC,
    NO_LEG,
    RecordKind,
    encode_block,
    encode_record,
    read_blocks,
)

DATA = Path(__file__).resolve().parents[1] / "rtp" / "data"
OPUS: Final = 111
SILENCE: Final = b"\xf8\xff\xfe"
START_US: Final = 1_767_225_600_000_000


def put_journal(spool: Path, manifest: Manifest, seconds: float) -> Path:
    """Create a recording with a sealed journal; with 0 `seconds`, it has no media."""
    directory = spool / manifest.recording_id
    hidden = spool / f".{manifest.recording_id}"
    hidden.mkdir(parents=True)
    (hidden / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with (hidden / journal_name(1)).open("wb") as file:
        file.write(MAGIC + encode_block(_note()) + encode_block(_packets(seconds) or _note()))
        os.fsync(file.fileno())
    return hidden.rename(directory)


def _note() -> bytes:
    note = {
        "type": "descriptions",
        "link": 1,
        "visitor": (DATA / "chromium-offer.sdp").read_bytes().decode(),
        "agent": (DATA / "chromium-answer.sdp").read_bytes().decode(),
    }
    payload = msgspec.json.encode(note)
    return encode_record(START_US, RecordKind.NOTE, NO_LEG, payload)


def _packets(seconds: float) -> bytes:
    body = b""
    for number in range(round(seconds * 50)):
        for leg in (VISITOR_LEG, AGENT_LEG):
            rtp = struct.pack("!BBHII", 0x80, OPUS, number, number * 960, 1000 + leg) + SILENCE
            at = START_US + number * 20_000
            body += encode_record(at, RecordKind.RTP, leg, rtp)
    return body


def shift_times(journal: Path, by_us: int) -> None:
    """Rewrite a journal as a node writes it whose recording's clock is ahead by this much."""
    with journal.open("rb") as file:
        blocks = [
            b"".join(
                encode_record(at + by_us, kind, leg, body[start:end])
                for at, kind, leg, start, end in records
            )
            for body, records in read_blocks(file)
        ]
    journal.write_bytes(MAGIC + b"".join(map(encode_block, blocks)))


def put_clock(directory: Path, boot_id: str, offset_us: int, ahead_us: int | None = None) -> None:
    """Give a recording's own journals a clock."""
    clock = RecordingClock(boot_id=boot_id, offset_us=offset_us, database_ahead_us=ahead_us)
    (directory / CLOCK).write_bytes(msgspec.json.encode(clock))
