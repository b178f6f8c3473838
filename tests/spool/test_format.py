from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.spool.format import (
    MAGIC,
    MAX_BLOCK_BYTES,
    JournalRecord,
    RecordKind,
    encode_block,
    encode_record,
    read_blocks,
    read_journal,
)

RECORDS = st.lists(
    st.builds(
        JournalRecord,
        st.integers(0, 2**64 - 1),
        st.sampled_from(RecordKind),
        st.integers(0, 255),
        st.binary(max_size=40),
    ),
    max_size=6,
)


def body(records: list[JournalRecord]) -> bytes:
    return b"".join(encode_record(*record) for record in records)


def read(data: bytes) -> list[JournalRecord]:
    return list(read_journal(io.BytesIO(data)))


@given(st.lists(RECORDS, max_size=4))
def test_records_are_read_as_they_were_written(blocks: list[list[JournalRecord]]) -> None:
    data = MAGIC + b"".join(encode_block(body(records)) for records in blocks)
    assert read(data) == [record for records in blocks for record in records]


@given(RECORDS, RECORDS, st.data())
def test_a_torn_journal_ends_with_its_last_whole_block(
    whole: list[JournalRecord], torn: list[JournalRecord], data: st.DataObject
) -> None:
    block = encode_block(body(torn))
    cut = block[: data.draw(st.integers(0, len(block) - 1))]
    assert read(MAGIC + encode_block(body(whole)) + cut) == whole


def test_a_damaged_block_ends_the_journal() -> None:
    record = JournalRecord(1, RecordKind.RTP, AGENT_LEG, b"packet")
    block = bytearray(encode_block(body([record])))
    block[-1] ^= 1
    assert read(MAGIC + encode_block(body([record])) + block + encode_block(body([record]))) == [
        record
    ]


def test_a_block_of_no_believable_length_ends_the_journal() -> None:
    length = (MAX_BLOCK_BYTES + 1).to_bytes(4)
    assert read(MAGIC + length + bytes(20)) == []


def test_records_of_unknown_kinds_are_skipped() -> None:
    """A later version may write them."""
    known = JournalRecord(3, RecordKind.RTCP, VISITOR_LEG, b"report")
    unknown = encode_record(1, 99, 1, b"?") + encode_record(2, 0, 9, b"?")
    assert read(MAGIC + encode_block(unknown + body([known]))) == [known]


def test_a_payload_cut_short_within_a_whole_block_is_what_is_there() -> None:
    record = encode_record(1, RecordKind.RTP, AGENT_LEG, b"packet")[:-2]
    assert [one.payload for one in read(MAGIC + encode_block(record))] == [b"pack"]


def test_blocks_tell_where_their_payloads_are() -> None:
    record = JournalRecord(7, RecordKind.RTP, AGENT_LEG, b"packet")
    [(data, [(arrival_us, kind, leg, start, end)])] = read_blocks(
        io.BytesIO(MAGIC + encode_block(body([record])))
    )
    assert JournalRecord(arrival_us, kind, leg, data[start:end]) == record


@pytest.mark.parametrize("length", range(len(MAGIC)))
def test_a_journal_that_was_never_begun_is_empty(length: int) -> None:
    assert read(MAGIC[:length]) == []


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a Visavis journal"):
        read(b"RIFF" + bytes(40))
