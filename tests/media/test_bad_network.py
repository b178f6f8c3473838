"""Calls of two browsers through a relay over ten thousand faulty networks, in simulated time."""

from __future__ import annotations

import struct
from random import Random

import pytest

from tests.legs import LEGS, other
from tests.media.browser import Browser
from tests.media.network import Network
from tests.media.packet_paths import PACKET_PATHS, ChosenPath, packet_path
from visavis.domain.leg import BridgeId
from visavis.media.dtls import Identity
from visavis.media.leg import Down, Leg, LegEvent, Up
from visavis.media.relay import Relay
from visavis.media.remote_address import RemoteAddress
from visavis.rtp.mos import LegReport

__all__ = ["packet_path"]

IDENTITY = Identity()
BRIDGE = BridgeId("call", 1)
STEP = 0.05
SEEDS = 10_000
CHUNKS = 10
"""Parts of each packet path's networks."""


def rtp(ssrc: int, number: int, payload_type: int = 96) -> bytes:
    header = struct.pack("!BBHII", 0x80, payload_type, number & 0xFFFF, 3000 * number, ssrc)
    return header + struct.pack("!I", number)


class Call:
    """Call of two browsers, each with its address and the packets that it sent."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.path = ChosenPath(self._to_browser)
        self.relay = Relay(IDENTITY, self._to_browser, self._on_event, new_leg=self.path.new_leg)
        self.browsers = {side: Browser() for side in LEGS}
        self.addresses: dict[int, RemoteAddress] = {
            side: (f"192.0.2.{number}", 4000) for number, side in enumerate(LEGS)
        }
        self.sides = {address: side for side, address in self.addresses.items()}
        self.legs = {side: self.relay.open_leg(BRIDGE, side, 0.0) for side in LEGS}
        self.sent: dict[int, list[bytes]] = {side: [] for side in LEGS}
        self.up: set[int] = set()
        self.reports: list[LegReport] = []
        for side in LEGS:
            self.relay.set_remote(BRIDGE, side, self.browsers[side].remote)
        self.relay.join(BRIDGE)

    def _on_event(self, leg: Leg, event: LegEvent) -> None:
        assert not isinstance(event, Down), event
        if isinstance(event, Up):
            self.up.add(leg.number)
        elif isinstance(event, LegReport):
            self.reports.append(event)

    def _to_browser(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        side = self.sides[remote_address]
        self.network.send(datagram, lambda data: self._deliver(side, data))

    def _deliver(self, side: int, datagram: bytes) -> None:
        self.browsers[side].receive_at(
            datagram, self.network.now, lambda answer: self._to_relay(side, answer)
        )

    def _to_relay(self, side: int, datagram: bytes) -> None:
        network, remote_address = self.network, self.addresses[side]
        network.send(
            datagram,
            lambda data: self.path.receive(
                self.relay, data, remote_address, network.now, round(network.now * 1e6)
            ),
        )

    def step(self) -> None:
        self.network.run_until(self.network.now + STEP)
        for side, browser in self.browsers.items():
            browser.tick(self.legs[side], self.network.now, lambda d, s=side: self._to_relay(s, d))  # type: ignore[misc]
        self.relay.tick(self.network.now)

    def connect(self, seconds: float) -> None:
        until = self.network.now + seconds
        while not all(b.is_established for b in self.browsers.values()) or len(self.up) < 2:
            assert self.network.now < until, f"seed {self.network.seed}: not connected"
            self.step()

    def speak(self, side: int, packet: bytes) -> None:
        self.sent[side].append(packet)
        self._to_relay(side, self.browsers[side].protect(packet))

    def heard(self, side: int) -> list[bytes]:
        """Return what a side's browser has received from the other's, without our own RTCP."""
        return [packet for packet in self.browsers[side].received if packet[1] < 192]


def bad_network(seed: int) -> Network:
    random = Random(seed)
    return Network(
        seed,
        loss=random.choice((0.0, random.uniform(0, 0.3))),
        doubled=random.uniform(0, 0.2),
        delay=random.uniform(0.001, 0.1),
        jitter=random.uniform(0, 0.1),
        late=random.uniform(0, 0.05),
    )


def talk(call: Call, random: Random) -> None:
    """Send from both sides across a wrap of the sequence numbers, then with another SSRC."""
    for number in range(65_531, 65_545):
        for side in LEGS:
            call.speak(side, rtp(1, number))
        if random.random() < 0.5:
            call.step()
    for number in range(10):
        for side in LEGS:
            call.speak(side, rtp(2, number))
        if random.random() < 0.3:
            call.step()


def survive(seed: int) -> tuple[int, int]:
    """Make one call over one faulty network; return the numbers of sent and received packets."""
    network = bad_network(seed)
    call = Call(network)
    call.connect(60.0)
    with network.mended():
        # The first packets arrive. A receiver that loses all packets before the first wrap cannot
        # decrypt the stream (RFC 3711 §3.3.1); browsers start with lower numbers.
        for side in LEGS:
            call.speak(side, rtp(1, 65_530))
        network.run_until(network.now + 2)
    talk(call, Random(seed))
    last = [rtp(1, 65_545), rtp(2, 10)]
    with network.mended():
        network.run_until(network.now + 2)
        for side in LEGS:
            for packet in last:
                call.speak(side, packet)
        network.run_until(network.now + 2)
    for side in LEGS:
        heard = call.heard(other(side))
        assert len(heard) == len(set(heard)), f"seed {seed}: heard twice"
        assert set(heard) <= set(call.sent[side]), f"seed {seed}: heard what nobody said"
        assert set(last) <= set(heard), f"seed {seed}: stuck"
        if not network.loss:
            assert set(heard) == set(call.sent[side]), f"seed {seed}: the relay lost one"
    return sum(map(len, call.sent.values())), sum(len(call.heard(side)) for side in LEGS)


@pytest.mark.many
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_ten_thousand_bad_networks(packet_path: str, chunk: int) -> None:
    """The packet paths take turns: each relays the packets of every second network."""
    sent = heard = 0
    first = chunk * len(PACKET_PATHS) + PACKET_PATHS.index(packet_path)
    for seed in range(first, SEEDS, CHUNKS * len(PACKET_PATHS)):
        said, understood = survive(seed)
        sent, heard = sent + said, heard + understood
    assert heard > 0.5 * sent
