"""Every event of a call has a struct for its data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from visavis.domain.call import CallState
from visavis.domain.call_events import CallEvent, CallEventName
from visavis.protocol.call_events import AnyChatEvent, chat_event_of
from visavis.protocol.wire import encode

AT = datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)


def test_every_name_has_a_struct() -> None:
    tags = {kind.__struct_config__.tag for kind in get_args(AnyChatEvent)}
    assert tags == {*CallState, *CallEventName}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("accepted", {"agentName": "Bo", "agentId": 3}),
        ("ended", {"reason": "hungUp"}),
        ("upgraded", {"side": "agent"}),
        ("unrecorded", {"why": "No."}),
        ("linked", {"link": 2}),
        ("text", {"text": "Hello"}),
        ("connected", {}),
    ],
)
def test_an_event_is_listed_with_its_data(name: str, data: dict[str, object]) -> None:
    listed = msgspec.json.decode(encode(chat_event_of(CallEvent(AT, name, "agent", data))))
    time = "2026-01-02T03:04:05.678Z"
    assert listed == {"name": name, "time": time, "by": "agent", "data": data}


def test_an_unknown_event_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        chat_event_of(CallEvent(AT, "unheardOf"))
