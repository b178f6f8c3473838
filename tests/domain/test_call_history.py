from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from visavis.domain.call import CallState
from visavis.domain.call_history import CallSearch, PastCall
from visavis.domain.policy import Consent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = PastCall(
    id="c",
    site_id=1,
    visitor_name="Ann",
    visitor_email="",
    media="video",
    state=CallState.ENDED,
    reason=None,
    ended_by="visitor",
    agent_id=None,
    agent_name="",
    requested_at=NOW,
    accepted_at=None,
    connected_at=None,
    ended_at=NOW,
    talk_ended_at=None,
    is_recording_intended=True,
    is_unrecorded=False,
    recording_id=None,
    recording_state=None,
    missing=(),
    consent=Consent.NONE,
    origin="widget",
    message="",
    quality={},
)


def test_the_talk_lasts_from_the_connection_to_its_end() -> None:
    connected = replace(CALL, connected_at=NOW, talk_ended_at=NOW + timedelta(seconds=90))
    assert connected.talk_seconds == 90.0


def test_a_call_that_was_never_connected_has_no_talk() -> None:
    assert CALL.talk_seconds is None
    assert replace(CALL, talk_ended_at=NOW).talk_seconds is None


def test_the_length_of_a_talk_whose_end_nobody_knows_is_unknown() -> None:
    assert replace(CALL, connected_at=NOW).talk_seconds is None


def test_a_call_is_recorded_if_there_is_a_recording() -> None:
    """A call whose recording was only intended is not recorded."""
    assert not CALL.is_recorded
    assert replace(CALL, recording_id="r").is_recorded


def test_a_search_without_filters_finds_every_call() -> None:
    search = CallSearch()
    assert (search.states, search.reasons, search.text) == (frozenset(), frozenset(), "")
    assert search.is_answered is None
