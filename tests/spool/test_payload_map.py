from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.synthetic.call import sdp
from visavis.domain.call_events import CallEvent
from visavis.spool.format import JournalLeg
from visavis.spool.notes import Descriptions, EventNote, Gap, Paused, Resumed, parse_note
from visavis.spool.payload_map import PayloadMap, read_payload_map

DATA = Path(__file__).parents[1] / "rtp" / "data"
OFFER = (DATA / "chromium-offer.sdp").read_text()
ANSWER = (DATA / "chromium-answer.sdp").read_text()


def test_a_browser_s_descriptions() -> None:
    note = Descriptions(OFFER, ANSWER, visitor_screen_mid="2")
    payload_map = read_payload_map(note, JournalLeg.VISITOR)
    assert payload_map.mid_extension == 4
    assert payload_map.screen_mid == "2"
    assert payload_map.mids[3347940808] == "0"
    ((repair, source),) = payload_map.repairs.items()
    assert payload_map.mids[repair] == payload_map.mids[source] == "1"
    assert payload_map.codecs[96].name == "VP8"
    assert payload_map.codecs[97].apt == 96
    assert read_payload_map(note, JournalLeg.AGENT).screen_mid == ""


def test_the_numbers_of_whom_it_sends_to_come_first() -> None:
    theirs = sdp([("0", "audio")]).replace("111", "109")
    note = Descriptions(sdp([("0", "audio")]), theirs.replace("opus", "OPUS"))
    assert {109, 111} <= set(read_payload_map(note, JournalLeg.VISITOR).codecs)


def test_descriptions_that_cannot_be_read_tell_nothing() -> None:
    assert read_payload_map(Descriptions("", "v=0\r\nm=x"), JournalLeg.AGENT) == PayloadMap()


def test_notes() -> None:
    assert parse_note(b'{"type":"paused","by":"agent"}') == Paused()
    assert parse_note(b'{"type":"resumed"}') == Resumed()
    assert parse_note(b'{"type":"gap","records":3}') == Gap(3)
    described = b'{"type":"descriptions","link":2,"visitor":"a","agent":"b","agentScreenMid":"9"}'
    assert parse_note(described) == Descriptions("a", "b", agent_screen_mid="9", link=2)
    event = parse_note(b'{"type":"event","name":"connected","at":"2026-01-01T00:00:00"}')
    assert isinstance(event, EventNote)
    assert event.event == CallEvent(datetime(2026, 1, 1, tzinfo=UTC), "connected")
    for unknown in (b"", b"{}", b'{"type":"new"}', b'{"type":"gap","records":"x"}', b"\xff"):
        assert parse_note(unknown) is None
