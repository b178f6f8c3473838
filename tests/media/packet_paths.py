"""Fixtures that run the same tests with each packet path."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from visavis.media.leg import Leg
from visavis.media.native import build, library
from visavis.media.native.path import NativePath
from visavis.media.relay import NewLeg, Relay
from visavis.media.remote_address import RemoteAddress
from visavis.spool.writer import JournalWriter

Send = Callable[[bytes, RemoteAddress], None]

PACKET_PATHS = ("python", "native")


class Chosen:
    """Packet path that the tests currently use."""

    name = "python"


@pytest.fixture(params=PACKET_PATHS)
def packet_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test with each packet path."""
    require_native()
    Chosen.name = request.param
    yield request.param
    Chosen.name = "python"


@functools.cache
def require_native() -> None:
    """Build the library unless it is current. Tests have a compiler (tests/system-packages)."""
    if not build.is_current():
        build.build()
        library.load.cache_clear()
    assert library.is_available()


class ChosenPath:
    """Chosen packet path, for a relay in a test."""

    def __init__(self, send: Send, name: str = "") -> None:
        self.native = NativePath(send) if (name or Chosen.name) == "native" else None

    @property
    def new_leg(self) -> NewLeg:
        return self.native.new_leg if self.native else Leg

    @property
    def new_journal(self) -> Callable[..., JournalWriter]:
        return self.native.new_journal if self.native else JournalWriter

    def receive(
        self, relay: Relay, datagram: bytes, address: RemoteAddress, now: float, arrival_us: int
    ) -> None:
        """Pass a datagram to the relay in the way of the packet path."""
        if self.native is None or not isinstance(address, tuple):
            relay.receive(datagram, address, now, arrival_us)
            return
        self.native.hand_to(relay.receive, relay.receive_admitted)
        self.native.core.receive_from(address, datagram, now, arrival_us)
        self.native.dispatch()
