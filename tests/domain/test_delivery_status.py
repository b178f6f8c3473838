from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from visavis.domain.delivery_status import (
    SHORT_CALL,
    DeliveryProgress,
    ExpectedRecording,
    RecordingServer,
    RecordingStatus,
)
from visavis.domain.recording import DeliveryTrigger, RecordingState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def expected(state: RecordingState | None, seconds: float = 60.0) -> ExpectedRecording:
    ended = NOW + timedelta(seconds=seconds)
    return ExpectedRecording(1, "c", NOW, ended, "r" if state else None, state, None)


@pytest.mark.parametrize(
    ("state", "is_missing"),
    [
        (None, True),
        (RecordingState.WAITING, True),
        (RecordingState.MUXING, True),
        (RecordingState.DELIVERING, True),
        (RecordingState.FAILED, True),
        (RecordingState.EMPTY, True),
        (RecordingState.DELIVERED, False),
        (RecordingState.DELETED, False),
    ],
)
def test_a_recording_is_missing_until_it_has_arrived(
    state: RecordingState | None, is_missing: bool
) -> None:
    assert expected(state).is_missing is is_missing


def test_a_short_call_may_have_no_media() -> None:
    short = SHORT_CALL.total_seconds() - 0.1
    assert not expected(RecordingState.EMPTY, short).is_missing
    assert expected(None, short).is_missing


def test_a_recording_that_lacks_media_is_incomplete_in_every_state() -> None:
    for state in RecordingState:
        assert not RecordingStatus("r", 1, "c", NOW, state).is_incomplete
        assert RecordingStatus("r", 1, "c", NOW, state, missing=("No video.",)).is_incomplete


def test_progress_has_the_state_to_which_its_trigger_leads() -> None:
    assert DeliveryProgress(DeliveryTrigger.UPLOAD).state is RecordingState.DELIVERING
    assert DeliveryProgress(uploaded=5).state is None


def test_a_server_s_secret_is_not_shown() -> None:
    assert "hidden" not in repr(RecordingServer("https://server.example", "hidden"))
