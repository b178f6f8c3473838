"""Format of a journal: decrypted RTP and RTCP packets in order of arrival, in checksummed blocks.

    file   = MAGIC, block*
    block  = u32 length of body in bytes, u32 CRC-32 of body, body
    body   = record*
    record = u64 arrival in microseconds since the epoch, u8 kind, u8 leg, u32 length, payload

The arrival is measured by the monotonic clock plus its offset from the wall clock when the
recording began, so it never goes back. The leg is its number in the bridge, or 0 for records that
no leg sent.

All integers are big-endian. A block is the result of one write: a crash leaves at most one torn
block at the end of the file, and a reader stops before it. NOTE records have JSON payloads: the
session descriptions, which define the payload types, and the events of the call.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import BinaryIO, Final, NamedTuple
from zlib import crc32

MAGIC = b"VISAVIS-JOURNAL\x01"
MAX_BLOCK_BYTES = 16 * 1024 * 1024

_BLOCK = struct.Struct("!II")
_RECORD = struct.Struct("!QBBI")


class RecordKind(IntEnum):
    """Kind of a record."""

    RTP = 1
    RTCP = 2
    NOTE = 3
    SEAL = 4  # Last record of a journal that its writer closed properly.


NO_LEG: Final = 0
MAX_LEG: Final = 255


class JournalRecord(NamedTuple):
    """Record of a journal. `arrival_us` is in microseconds since the epoch."""

    arrival_us: int
    kind: RecordKind
    leg: int
    payload: bytes


RecordParts = tuple[int, RecordKind, int, int, int]
"""Record in a block's body: arrival, kind, leg, and the start and end of its payload.

A plain tuple takes a third of the time of a `JournalRecord`, and the payload is not copied.
"""

Block = tuple[bytes, list[RecordParts]]
"""Body of a block, and the records in it."""


def encode_record(arrival_us: int, kind: int, leg: int, payload: bytes) -> bytes:
    """Encode a record; `arrival_us` is in microseconds since the epoch."""
    return _RECORD.pack(arrival_us, kind, leg, len(payload)) + payload


def encode_block(body: bytes | bytearray) -> bytes:
    """Return a block with these encoded records, to be written at once."""
    return block_header([body]) + body


def block_header(parts: Sequence[bytes | bytearray | memoryview]) -> bytes:
    """Return the header of a block whose body consists of these parts."""
    checksum = 0
    for part in parts:
        checksum = crc32(part, checksum)
    return _BLOCK.pack(sum(map(len, parts)), checksum)


def read_journal(file: BinaryIO) -> Iterator[JournalRecord]:
    """Yield the records of every complete block.

    Stops without an error before the first torn or damaged block, which is where a journal ends
    after a crash. Raises `ValueError` if the file does not start with `MAGIC`.
    """
    for body, records in read_blocks(file):
        for arrival_us, kind, leg, start, end in records:
            yield JournalRecord(arrival_us, kind, leg, body[start:end])


def read_blocks(file: BinaryIO) -> Iterator[Block]:
    """Yield every complete block, under the same conditions as `read_journal`."""
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        if MAGIC.startswith(magic):
            return  # The writer crashed before or during the first write.
        raise ValueError("not a Visavis journal")
    while len(head := file.read(_BLOCK.size)) == _BLOCK.size:
        length, checksum = _BLOCK.unpack(head)
        if length > MAX_BLOCK_BYTES:
            return
        body = file.read(length)
        if len(body) < length or crc32(body) != checksum:
            return
        yield body, _records(body)


def _records(body: bytes) -> list[RecordParts]:
    records: list[RecordParts] = []
    size = _RECORD.size
    position, last = 0, len(body) - size
    unpack, origins, append = _ORIGINS_RECORD.unpack_from, _ORIGINS, records.append
    while position <= last:
        arrival_us, origin, payload_length = unpack(body, position)
        start = position + size
        position = start + payload_length
        if origin in origins:
            kind, leg = origins[origin]
            append((arrival_us, kind, leg, start, position))
    if records and records[-1][4] > len(body):
        records[-1] = (*records[-1][:4], len(body))
    return records


_ORIGINS_RECORD = struct.Struct("!QHI")
_ORIGINS = {kind << 8 | leg: (kind, leg) for kind in RecordKind for leg in range(MAX_LEG + 1)}
"""Kind and leg by the 16-bit number that their two bytes form."""
