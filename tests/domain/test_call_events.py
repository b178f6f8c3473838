from __future__ import annotations

from datetime import UTC, datetime

from visavis.domain.call import CallState
from visavis.domain.call_events import CallEvent, CallEventName, CallReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_no_event_has_the_name_of_a_state() -> None:
    """Events and states share a field, so their names must differ."""
    assert not {str(name) for name in CallEventName} & {str(state) for state in CallState}


def test_an_event_is_the_system_s_unless_somebody_did_it() -> None:
    event = CallEvent(NOW, CallEventName.RECORDING_STARTED)
    assert (event.by, event.data) == ("system", {})


def test_a_report_needs_no_more_than_the_call() -> None:
    report = CallReport(call_id="c", site_id=1, media="audio")
    assert (report.events, report.agent_names, report.quality) == ((), (), {})
    assert report.consent == "none"
