from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.synthetic.call import sdp
from visavis.domain.call_events import CallEvent
from visavis.spool.notes import (
    DescribedLeg,
    Descriptions,
    EventNote,
    Gap,
    Paused,
    Resumed,
    parse_note,
)
from visavis.spool.payload_map import PayloadMap, read_payload_map

DATA = Path(__file__).parents[1] / "rtp" / "data"
OFFER = (DATA / "chromium-offer.sdp").read_text()
ANSWER = (DATA / "chromium-answer.sdp").read_text()


def described(*sdps: str, screen_mid: str = "") -> Descriptions:
    """Return a note with one leg per description; the first leg shares its screen."""
    legs = [DescribedLeg(number, number, "agent", sdp) for number, sdp in enumerate(sdps, start=1)]
    legs[0] = msgspec.structs.replace(legs[0], screen_mid=screen_mid)
    return Descriptions(tuple(legs))


def test_a_browser_s_descriptions() -> None:
    note = described(OFFER, ANSWER, screen_mid="2")
    payload_map = read_payload_map(note, note.legs[0])
    assert payload_map.mid_extension == 4
    assert payload_map.screen_mid == "2"
    assert payload_map.mids[3347940808] == "0"
    ((repair, source),) = payload_map.repairs.items()
    assert payload_map.mids[repair] == payload_map.mids[source] == "1"
    assert payload_map.codecs[96].name == "VP8"
    assert payload_map.codecs[97].apt == 96
    assert read_payload_map(note, note.legs[1]).screen_mid == ""


def test_the_numbers_of_whom_it_sends_to_come_first() -> None:
    theirs = sdp([("0", "audio")]).replace("111", "109")
    note = described(sdp([("0", "audio")]), theirs.replace("opus", "OPUS"))
    assert {109, 111} <= set(read_payload_map(note, note.legs[0]).codecs)


def test_a_leg_s_packets_have_the_numbers_of_all_others() -> None:
    own, second, third = (
        sdp([("0", "audio")]).replace("111", number) for number in ("111", "109", "107")
    )
    note = described(own, second, third)
    for leg in note.legs:
        assert set(read_payload_map(note, leg).codecs) >= {107, 109, 111}


def test_descriptions_that_cannot_be_read_tell_nothing() -> None:
    note = described("", "v=0\r\nm=x")
    assert read_payload_map(note, note.legs[1]) == PayloadMap()


def test_notes() -> None:
    assert parse_note(b'{"type":"paused","by":"agent"}') == Paused()
    assert parse_note(b'{"type":"resumed"}') == Resumed()
    assert parse_note(b'{"type":"gap","records":3}') == Gap(3)
    earlier = b'{"type":"descriptions","link":2,"visitor":"a","agent":"b","agentScreenMid":"9"}'
    visitor, agent = DescribedLeg(1, 1, "visitor", "a"), DescribedLeg(2, 2, "agent", "b", "9")
    assert parse_note(earlier) == Descriptions((visitor, agent), link=2)
    event = parse_note(b'{"type":"event","name":"connected","at":"2026-01-01T00:00:00"}')
    assert isinstance(event, EventNote)
    assert event.event == CallEvent(datetime(2026, 1, 1, tzinfo=UTC), "connected")
    for unknown in (b"", b"{}", b'{"type":"new"}', b'{"type":"gap","records":"x"}', b"\xff"):
        assert parse_note(unknown) is None
