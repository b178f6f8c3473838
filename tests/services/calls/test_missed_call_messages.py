"""Messages that visitors leave after a missed call, or while nobody is on duty."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, refused
from visavis.domain.call_history import CallSearch
from visavis.domain.errors import ErrorKind
from visavis.protocol import signaling

pytestmark = pytest.mark.anyio


@pytest.fixture
def empty(site: SimulatedSite) -> SimulatedSite:
    return SimulatedSite(site.store, is_staffed=False)


async def test_a_message_without_a_call_stands_among_the_missed_ones_once(
    empty: SimulatedSite,
) -> None:
    message = signaling.LeaveMessage("", "Call me", "Ann", "ann@example.com", "m1")
    for _ in range(2):
        await empty.visitor(message)
        assert empty.last("v") == {"type": "messageKept", "callId": ""}
    other_page = signaling.LeaveMessage("", "Call me", id="m2")
    await empty.visitor(other_page)

    calls = await empty.store.read(lambda rows: rows.calls.list_page(1, CallSearch(), 10))
    assert sorted((c.visitor_name, c.message, str(c.reason)) for c in calls) == [
        ("", "Call me", "missed"),
        ("Ann", "Call me", "missed"),
    ]


async def test_a_message_without_a_call_needs_a_name_and_an_enabled_site(
    empty: SimulatedSite,
) -> None:
    nameless = signaling.LeaveMessage("", "Call me")
    assert await refused(empty.visitor(nameless)) is ErrorKind.ParameterInvalid
    empty.config = type(empty.config)(1, is_enabled=False)
    named = signaling.LeaveMessage("", "Call me", id="m1")
    assert await refused(empty.visitor(named)) is ErrorKind.AudioVideoChatDisabled
