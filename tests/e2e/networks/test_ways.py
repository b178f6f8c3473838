"""Calls by every way there is through firewalls and routers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.call_end import check_call_end
from tests.e2e.flow import Sides, await_flow
from tests.e2e.networks.ways import Way, take, taken
from tests.running import Parties

pytestmark = pytest.mark.e2e

DIRECT = Way()
TCP = Way(candidates=" tcp ")
TURN_BY_UDP, TURN_BY_TCP = Way(turn="=udp"), Way(turn="=tcp")


@pytest.fixture(autouse=True)
def _checked(parties: Parties) -> Iterator[None]:
    parties.since = datetime.now(UTC)
    yield
    check_call_end(parties)


def connect(parties: Parties, visitor: Way, agent: Way, kind: str = "Video call") -> None:
    take(parties.visitor, visitor)
    take(parties.agent, agent)
    parties.connect(kind)


def test_an_audio_call_is_heard_on_both_sides(parties: Parties, sides: Sides) -> None:
    connect(parties, DIRECT, DIRECT, "Audio call")
    await_flow(sides, 2, frames=0, audio=45)
    parties.hang_up()


@pytest.mark.parametrize(
    ("visitor", "agent", "expected"),
    [
        pytest.param(TCP, TCP, ("tcp", "tcp"), id="tcp-alone"),
        pytest.param(TURN_BY_UDP, TURN_BY_TCP, ("udp by TURN", "tcp by TURN"), id="coturn"),
    ],
)
def test_a_video_call_by(
    parties: Parties, sides: Sides, visitor: Way, agent: Way, expected: tuple[str, str]
) -> None:
    connect(parties, visitor, agent)
    await_flow(sides, 2, frames=5, audio=45)
    assert tuple(taken(page, name) for name, page in sides.items()) == expected
    parties.hang_up()
