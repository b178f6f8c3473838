"""The relay: demultiplexing of datagrams, forwarding, and strangers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.legs import LEGS, other
from tests.media.browser import Browser, answer, is_dtls
from tests.media.packet_paths import ChosenPath, packet_path
from tests.media.test_leg import rtp
from tests.media.test_stun import NOMINATE, request
from tests.spool.test_writer import MANIFEST
from visavis.domain.errors import VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId
from visavis.media import relay as relay_module
from visavis.media.connectivity_checks import MAX_SENT
from visavis.media.dtls import Identity
from visavis.media.leg import ALIVE_SECONDS, GAP_SECONDS, OUR_SSRC, Down, Leg, LegEvent, Up
from visavis.media.limits import EXCESSIVE_DROPS, EXCESSIVE_SECONDS, StrangerLimit
from visavis.media.relay import CONTROL_COST_BYTES, MAX_BRIDGES, Relay
from visavis.media.remote_address import Address, RemoteAddress, address_of
from visavis.media.steering import Source
from visavis.rtp.mos import LegReport
from visavis.rtp.rtcp import picture_loss_indication
from visavis.spool.format import NO_LEG, RecordKind, read_journal
from visavis.spool.writer import JournalWriter, create_journal

__all__ = ["packet_path"]
pytestmark = pytest.mark.usefixtures("packet_path")

IDENTITY = Identity()
BRIDGE = BridgeId("call", 1)
THIRD_LEG = 3
ADDRESSES: dict[int, RemoteAddress] = {
    VISITOR_LEG: ("192.0.2.1", 1),
    AGENT_LEG: ("2001:db8::1", 2, 0, 0),
    THIRD_LEG: ("192.0.2.3", 3),
}
FORGED = ("203.0.113.1", 1)


@dataclass(eq=False)
class FakeConnection:
    """Fake TCP connection."""

    peer: Address = ("192.0.2.77", 7)
    sent: list[bytes] = field(default_factory=list)

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)


@dataclass
class FakeListener:
    """Fake listener that is neither a leg nor a journal."""

    heard: list[tuple[int, bytes]] = field(default_factory=list)

    def append(self, arrival_us: int, kind: RecordKind, leg: int, payload: bytes) -> None:
        assert arrival_us
        assert kind is RecordKind.RTP
        self.heard.append((leg, payload))


class RelayHarness:
    """A relay and simulated browsers, one for each leg, on a network without loss or delay."""

    def __init__(self, legs: Sequence[int] = LEGS, path: str = "") -> None:
        self.sent: list[tuple[bytes, RemoteAddress]] = []
        self.events: list[tuple[int, LegEvent]] = []
        self.path = ChosenPath(self._send, path)
        self.relay = Relay(IDENTITY, self._send, self._on_event, new_leg=self.path.new_leg)
        self.browsers = {leg: Browser() for leg in legs}

    def _on_event(self, leg: Leg, event: LegEvent) -> None:
        self.events.append((leg.number, event))

    def _send(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        self.sent.append((datagram, remote_address))

    def receive(
        self, datagram: bytes, remote_address: RemoteAddress, now: float, arrival_us: int
    ) -> None:
        self.path.receive(self.relay, datagram, remote_address, now, arrival_us)

    def new_journal(
        self, spool: Path, on_lost: Callable[[str], None] = pytest.fail
    ) -> JournalWriter:
        return create_journal(spool, MANIFEST, 1, on_lost, new_writer=self.path.new_journal)

    def open(self) -> None:
        for side in self.browsers:
            self.relay.open_leg(BRIDGE, side, 0.0)
            self.relay.set_remote(BRIDGE, side, self.browsers[side].remote)

    def connect(self, side: int, now: float = 0.0) -> None:
        remote_address, browser = ADDRESSES[side], self.browsers[side]
        self.check(self.relay.bridges[BRIDGE].legs[side], remote_address, now)
        for _ in range(6):
            for datagram in browser.datagrams():
                self.receive(datagram, remote_address, now, 0)
            for datagram, _ in self.taken():
                if is_dtls(datagram):
                    browser.receive(datagram)

    def check(self, leg: Leg, remote_address: RemoteAddress, now: float = 0.0) -> None:
        self.receive(request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE), remote_address, now, 0)
        self.answer_checks(now)

    def answer_checks(self, now: float) -> None:
        """Answer the relay's own checks, from the addresses to which it has sent them."""
        asked = [(answered, to) for sent, to in self.sent if (answered := answer(sent))]
        self.sent = [(sent, to) for sent, to in self.sent if not answer(sent)]
        for answered, to in asked:
            self.receive(answered, to, now, 0)

    def taken(self) -> list[tuple[bytes, RemoteAddress]]:
        taken, self.sent = self.sent, []
        return taken

    def say(self, side: int, packet: bytes, *, is_rtcp: bool = False) -> None:
        session = self.browsers[side].srtp()[0]
        datagram = session.protect_rtcp(packet) if is_rtcp else session.protect(packet)
        self.receive(datagram, ADDRESSES[side], 1.0, 1)


def connected(legs: Sequence[int] = LEGS, path: str = "") -> RelayHarness:
    harness = RelayHarness(legs, path)
    harness.open()
    harness.relay.join(BRIDGE)
    for side in legs:
        harness.connect(side)
    assert [event for _, event in harness.events] == [Up() for _ in legs]
    harness.taken()
    return harness


@pytest.mark.parametrize("side", LEGS)
def test_what_one_sends_the_other_receives(side: int) -> None:
    harness = connected()
    harness.say(side, rtp(1))
    ((datagram, remote_address),) = harness.taken()
    assert remote_address == ADDRESSES[other(side)]
    assert harness.browsers[other(side)].srtp()[1].unprotect(datagram) == rtp(1)


@pytest.mark.parametrize("speaker", [VISITOR_LEG, AGENT_LEG, THIRD_LEG])
def test_a_leg_of_three_is_heard_by_both_others_and_by_every_tap(
    speaker: int, tmp_path: Path
) -> None:
    """The Python path does not limit the listeners of a leg."""
    harness = connected([VISITOR_LEG, AGENT_LEG, THIRD_LEG], "python")
    journal = harness.new_journal(tmp_path)
    harness.relay.record(BRIDGE, journal, 1.0)
    harness.taken()
    leg = harness.relay.bridges[BRIDGE].legs[speaker]
    captions = FakeListener()
    leg.connect([*leg.listeners, captions])
    others = [number for number in harness.browsers if number != speaker]
    assert leg.listeners == (
        *(harness.relay.bridges[BRIDGE].legs[number] for number in others),
        journal,
        captions,
    )
    harness.say(speaker, rtp(1))
    heard = {
        remote_address: harness.browsers[number].srtp()[1].unprotect(datagram)
        for (datagram, remote_address), number in zip(harness.taken(), others, strict=True)
    }
    assert heard == {ADDRESSES[number]: rtp(1) for number in others}
    harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    with (tmp_path / "rec" / "0001.journal").open("rb") as file:
        recorded = [(r.leg, r.payload) for r in read_journal(file) if r.kind is RecordKind.RTP]
    assert recorded == captions.heard == [(speaker, rtp(1))]


def test_a_leg_that_is_no_listener_any_more_gets_nothing() -> None:
    harness = connected([VISITOR_LEG, AGENT_LEG, THIRD_LEG], "python")
    leg, _, third = harness.relay.bridges[BRIDGE].legs.values()
    leg.connect([third])
    harness.say(VISITOR_LEG, rtp(1))
    assert [remote_address for _, remote_address in harness.taken()] == [ADDRESSES[THIRD_LEG]]


def test_reports_of_one_of_three_concern_the_leg_that_sends_the_source() -> None:
    harness = connected([VISITOR_LEG, AGENT_LEG, THIRD_LEG], "python")
    harness.say(THIRD_LEG, rtp(1, ssrc=3))
    session = harness.browsers[VISITOR_LEG].srtp()[0]
    for highest, lost in ((0, 0), (1, 1)):
        harness.say(THIRD_LEG, rtp(2 + highest, ssrc=3))
        report = struct.pack("!II", 3, lost) + struct.pack("!IIII", highest, 0, 0, 0)
        compound = struct.pack("!BBHI", 0x81, 201, 7, 7) + report
        harness.receive(session.protect_rtcp(compound), ADDRESSES[VISITOR_LEG], 1.0, 1)
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    assert leg.report(1.0).loss_out == 1.0


def test_the_native_path_says_that_it_joins_two_legs() -> None:
    harness = RelayHarness([VISITOR_LEG, AGENT_LEG, THIRD_LEG], "native")
    harness.open()
    with pytest.raises(VisavisError, match="joins two legs"):
        harness.relay.join(BRIDGE)


def test_nothing_passes_before_they_are_joined() -> None:
    harness = RelayHarness()
    harness.open()
    for side in LEGS:
        harness.connect(side)
    harness.taken()
    harness.say(VISITOR_LEG, rtp(1))
    assert harness.taken() == []
    harness.relay.join(BRIDGE)
    ((key_frame_request, remote_address),) = harness.taken()
    assert remote_address == ADDRESSES[VISITOR_LEG]
    assert harness.browsers[VISITOR_LEG].srtp()[1].unprotect_rtcp(key_frame_request)[1] == 206


def test_a_tap_hears_both_and_a_pause_is_noted(tmp_path: Path) -> None:
    harness = connected()
    journal = harness.new_journal(tmp_path)
    harness.relay.record(BRIDGE, journal, 1.0)
    harness.say(VISITOR_LEG, rtp(1))
    harness.relay.pause(BRIDGE, 1.0, is_paused=True)
    harness.relay.pause(BRIDGE, 1.0, is_paused=True)
    harness.say(VISITOR_LEG, rtp(2))
    harness.relay.pause(BRIDGE, 1.0, is_paused=False)
    harness.relay.pause(BridgeId("other", 1), 1.0, is_paused=False)
    harness.say(AGENT_LEG, b"\x80\xc9\0\1\0\0\0\7", is_rtcp=True)
    assert harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    with (tmp_path / "rec" / "0001.journal").open("rb") as file:
        records = list(read_journal(file))
    assert [(r.kind, r.leg) for r in records] == [
        (RecordKind.RTP, VISITOR_LEG),
        (RecordKind.NOTE, NO_LEG),
        (RecordKind.NOTE, NO_LEG),
        (RecordKind.RTCP, AGENT_LEG),
        (RecordKind.SEAL, NO_LEG),
    ]
    assert [r.payload for r in records[1:3]] == [b'{"type":"paused"}', b'{"type":"resumed"}']


def test_what_a_leg_sends_too_fast_is_neither_relayed_nor_recorded(tmp_path: Path) -> None:
    harness = connected()
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    leg.limit_rate(2000, 1.0)
    journal = harness.new_journal(tmp_path)
    harness.relay.record(BRIDGE, journal, 1.0)
    harness.taken()
    for number in range(100):
        harness.say(VISITOR_LEG, rtp(number))
    relayed = len(harness.taken())
    harness.say(AGENT_LEG, rtp(1))
    assert len(harness.taken()) == 1  # Only the other leg has reached its limit.
    assert leg.rate_limit.dropped == 100 - relayed
    harness.relay.remove(BRIDGE, 2.0)
    journal.close()
    with (tmp_path / "rec" / "0001.journal").open("rb") as file:
        legs = [record.leg for record in read_journal(file) if record.kind is RecordKind.RTP]
    assert 5 < relayed == legs.count(VISITOR_LEG) < 20


def test_after_a_pause_key_frames_are_asked_for_until_one_is_new(tmp_path: Path) -> None:
    """The first key frame may have been captured in the pause, and is then dropped."""
    harness = connected()
    journal = harness.new_journal(tmp_path)
    harness.relay.record(BRIDGE, journal, 1.0)
    harness.say(VISITOR_LEG, rtp(1))
    harness.relay.pause(BRIDGE, 1.0, is_paused=True)
    harness.taken()
    harness.relay.pause(BRIDGE, 4.0, is_paused=False)
    asked = [len(harness.taken())]
    for now in (4.0, 4.25, 4.5, 4.75, 5.5, 5.75):
        harness.relay.tick(now)
        asked.append(len([sent for sent in harness.taken() if not is_dtls(sent[0])]))
    assert asked == [1, 0, 0, 1, 0, 1, 0]
    harness.relay.remove(BRIDGE, 6.0)
    journal.close()


def test_after_a_gap_both_are_asked_for_key_frames() -> None:
    harness = connected()
    for side in LEGS:
        harness.say(side, rtp(1))
    for now in (1.0, 1.0 + GAP_SECONDS, 5.0):
        harness.relay.tick(now)
    harness.say(VISITOR_LEG, rtp(2))
    harness.taken()
    harness.relay.tick(5.25)
    asked = {remote_address: datagram for datagram, remote_address in harness.taken()}
    for side in LEGS:
        packet = harness.browsers[side].srtp()[1].unprotect_rtcp(asked[ADDRESSES[side]])
        assert packet == picture_loss_indication(OUR_SSRC, 7)
    harness.say(VISITOR_LEG, rtp(3))
    harness.taken()
    harness.relay.tick(5.5)
    assert harness.taken() == []


def test_a_removed_link_s_last_reports_are_told_and_its_routes_forgotten() -> None:
    harness = connected()
    harness.say(VISITOR_LEG, rtp(1))
    harness.events.clear()
    harness.relay.remove(BRIDGE, 2.0)
    assert {side: e.packets_in for side, e in harness.events if isinstance(e, LegReport)} == {
        VISITOR_LEG: 1,
        AGENT_LEG: 0,
    }
    assert not any(map(harness.relay.is_known, ADDRESSES.values()))
    assert harness.relay.remove(BRIDGE, 2.0) is None


def test_strangers_get_no_answer() -> None:
    harness = RelayHarness()
    harness.open()
    strange = [
        request(),
        request(ufrag=harness.relay.bridges[BRIDGE].legs[AGENT_LEG].ufrag),
        b"",
        b"\x00",
        b"\x16" + b"x" * 60,
        b"\x80" + b"x" * 60,
        b"\xff" * 1500,
    ]
    for datagram in strange:
        harness.receive(datagram, FORGED, 0.0, 0)
    assert harness.sent == []
    assert not harness.relay.is_known(FORGED)


@pytest.mark.parametrize(
    ("sources", "other"),
    [
        ([("203.0.113.1", port) for port in range(1000)], ("203.0.113.2", 1)),
        (
            [(f"2001:db8:1::{number:x}", 1, 0, 0) for number in range(1000)],
            ("2001:db8:2::1", 1, 0, 0),
        ),
        (
            [("203.0.113.1", 1), ("::ffff:203.0.113.1", 1, 0, 0)] * 500,
            ("::ffff:203.0.113.2", 1, 0, 0),
        ),
    ],
)
def test_a_network_s_strangers_are_dropped_before_any_work(
    monkeypatch: pytest.MonkeyPatch, sources: list[RemoteAddress], other: RemoteAddress
) -> None:
    """Other ports, and other addresses of the same IPv6 /64, are the same network."""
    looked_at: list[bytes] = []

    def parse(datagram: bytes) -> None:
        looked_at.append(datagram)

    harness = RelayHarness()
    harness.relay.strangers = StrangerLimit(100)
    harness.open()
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    with monkeypatch.context() as patch:
        patch.setattr(relay_module, "parse_binding_request", parse)
        for source in sources:
            harness.receive(request(ufrag=leg.ufrag, pwd="guess"), source, 0.0, 0)
            harness.receive(b"\x16" + b"x" * 60, source, 0.0, 0)
            harness.receive(b"\x80" + b"x" * 60, source, 0.0, 0)
    assert len(looked_at) == 200
    assert harness.relay.strangers.refused == 800
    assert harness.sent == []
    harness.check(leg, other)
    assert leg.remote_addresses == [other]
    harness.receive(request(leg.pwd, ufrag=leg.ufrag), other, 0.0, 0)
    assert (
        harness.relay.strangers.refused == 800
    )  # Datagrams of a leg do not count as a stranger's.


def test_a_leg_that_floods_is_kept_apart_until_it_is_quiet() -> None:
    harness = connected()
    steered: list[tuple[RemoteAddress, Source]] = []
    harness.relay._steer = lambda *told: steered.append(told)
    leg, remote_address = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG], ADDRESSES[VISITOR_LEG]
    leg.limit_rate(4000, 0.0)
    for _ in range(EXCESSIVE_DROPS + 100):
        harness.receive(b"\x80" + b"x" * 60, remote_address, 0.5, 0)
    harness.relay.tick(1.0)
    assert steered == [(remote_address, Source.EXCESSIVE_LEG)]
    moved = ("198.51.100.1", 1)
    harness.check(leg, moved, 5.0)
    assert steered[1:] == [(moved, Source.EXCESSIVE_LEG)]
    harness.relay.tick(1.0 + EXCESSIVE_SECONDS)
    assert steered[2:] == [(remote_address, Source.LEG), (moved, Source.LEG)]
    harness.relay.remove(BRIDGE, 20.0)
    assert {told for told in steered[4:] if told[0] in {remote_address, moved}} == {
        (remote_address, Source.STRANGER),
        (moved, Source.STRANGER),
    }


def test_a_leg_s_checks_and_handshakes_count_for_the_time_that_they_take() -> None:
    harness = connected()
    leg, remote_address = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG], ADDRESSES[VISITOR_LEG]
    leg.limit_rate(5 * CONTROL_COST_BYTES, 0.0)
    for _ in range(100):
        harness.receive(request(leg.pwd, ufrag=leg.ufrag), remote_address, 0.0, 0)
    assert len(harness.taken()) == 10
    harness.receive(b"\x16" + b"x" * 60, remote_address, 0.0, 0)
    assert leg.rate_limit.dropped == 91
    assert harness.relay.strangers.refused == 0


@pytest.mark.parametrize("forged", [FORGED, ("2001:db8::bad", 7, 0, 0)])
def test_media_do_not_move_to_an_address_that_has_not_answered(forged: RemoteAddress) -> None:
    """An attacker who is in a call nominates a forged address, which is that of a victim."""
    harness = connected()
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    for second in range(20):
        harness.receive(request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE), forged, second / 2, 0)
        harness.relay.tick(second / 2)
        for number in range(100):
            harness.say(AGENT_LEG, rtp(100 * second + number))
    to_victim = [
        datagram for datagram, remote_address in harness.taken() if remote_address == forged
    ]
    assert all(datagram[0] < 4 for datagram in to_victim)
    assert len(to_victim) <= 20 + MAX_SENT  # An answer to each check, and our own checks.
    assert sum(map(len, to_victim)) < 4000
    assert leg.remote_address == ADDRESSES[VISITOR_LEG]


def test_media_go_nowhere_before_the_first_address_has_answered() -> None:
    harness = RelayHarness()
    harness.open()
    harness.relay.join(BRIDGE)
    harness.connect(AGENT_LEG)
    leg, browser = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG], harness.browsers[VISITOR_LEG]
    nominated = request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE)
    harness.receive(nominated, FORGED, 0.0, 0)
    own: RemoteAddress = ("198.51.100.7", 7)
    harness.receive(request(leg.pwd, ufrag=leg.ufrag), own, 0.0, 0)
    for _ in range(6):
        for datagram in browser.datagrams():
            harness.receive(datagram, own, 0.0, 0)
        for datagram, to in harness.taken():
            if is_dtls(datagram):
                assert to == own
                browser.receive(datagram)
    assert browser.is_established
    harness.say(AGENT_LEG, rtp(1))
    assert harness.taken() == []
    assert (VISITOR_LEG, Up()) not in harness.events


def test_nobody_takes_over_a_route_that_is_in_use() -> None:
    harness = connected()
    thief = harness.relay.open_leg(BridgeId("theft", 1), VISITOR_LEG, 0.0)
    remote_address = ADDRESSES[VISITOR_LEG]
    harness.check(thief, remote_address, 1.0)
    assert harness.taken() == []
    harness.say(VISITOR_LEG, rtp(1))
    assert len(harness.taken()) == 1
    harness.check(thief, remote_address, ALIVE_SECONDS + 1)
    assert [to for _, to in harness.taken()] == [remote_address]
    harness.relay.remove(BRIDGE, 0.0)
    assert harness.relay.is_known(remote_address)


def test_an_ice_restart_finds_the_same_leg() -> None:
    harness = connected()
    browser = harness.browsers[VISITOR_LEG]
    before = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG].ufrag
    leg = harness.relay.set_remote(BRIDGE, VISITOR_LEG, replace(browser.remote, ufrag="again"))
    assert leg.ufrag != before
    moved = ("198.51.100.1", 1)
    harness.receive(request(leg.credentials[before], ufrag=before), moved, 1.0, 0)
    assert harness.taken()  # The old credentials are still valid.
    harness.check(leg, moved, 1.0)
    assert leg.remote_address == moved
    harness.taken()
    harness.receive(request(leg.pwd, ufrag=before), moved, 1.0, 0)
    assert harness.taken() == []


def test_a_tcp_connection_is_a_route_until_it_is_lost() -> None:
    harness = RelayHarness()
    harness.open()
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    connection = FakeConnection()
    harness.check(leg, connection)
    assert harness.relay.is_known(connection)
    assert [address_of(remote_address) for _, remote_address in harness.taken()] == [
        connection.peer
    ]
    harness.relay.lose(connection)
    harness.relay.lose(connection)
    assert leg.remote_address is None
    assert not harness.relay.is_known(connection)


def test_a_forgotten_route_is_nobody_s() -> None:
    harness = connected()
    leg = harness.relay.bridges[BRIDGE].legs[VISITOR_LEG]
    for port in range(1, 20):
        harness.check(leg, ("198.51.100.1", port))
    assert not harness.relay.is_known(("198.51.100.1", 1))
    assert harness.relay.is_known(("198.51.100.1", 19))


def test_so_many_links_and_no_more() -> None:
    harness = RelayHarness()
    for number in range(1, MAX_BRIDGES + 1):
        harness.relay.bridge(BridgeId("call", number))
    with pytest.raises(VisavisError):
        harness.relay.open_leg(BridgeId("call", MAX_BRIDGES + 1), AGENT_LEG, 0.0)


def test_a_bridge_is_looked_after_less_often_while_all_its_legs_are_up() -> None:
    harness = connected()
    ticked: list[float] = []
    harness.relay._tick = lambda bridge, now: ticked.append(now)  # type: ignore[method-assign]
    for now in (1.0, 1.05, 1.25, 1.3):
        harness.relay.tick(now)
    assert ticked == [1.0, 1.25]
    harness.relay.bridges[BRIDGE].legs.pop(AGENT_LEG).close()
    harness.relay.open_leg(BRIDGE, AGENT_LEG, 1.3)
    for now in (1.35, 1.4):
        harness.relay.tick(now)
    assert ticked[2:] == [1.35, 1.4]


def test_time_takes_a_silent_leg_down() -> None:
    harness = connected()
    harness.events.clear()
    harness.relay.tick(100.0)
    assert [type(event) for _, event in harness.events] == [Down, Down]


def test_a_packet_lost_to_the_recording_makes_us_ask_for_a_key_frame(tmp_path: Path) -> None:
    """Requests are also sent without a peer, and again if the disk was too slow, until a stop."""
    harness = connected()
    relay = harness.relay
    remote = replace(
        harness.browsers[VISITOR_LEG].remote, video_codecs=("VP8",), repair_payload_types=(97,)
    )
    relay.set_remote(BRIDGE, VISITOR_LEG, remote)
    journal = harness.new_journal(tmp_path, lambda why: None)
    relay.record(BRIDGE, journal, 1.0)
    number, now = 0, 1.0

    def asked(seconds: float, first: bytes = b"") -> int:
        """Return the number of requests within some seconds; no key frame follows `first`."""
        nonlocal number, now
        harness.taken()
        until = now + seconds
        while now < until:
            payload = first or b"\x10\x01"
            first = b""
            header = struct.pack("!BBHII", 0x80, 96, number, number, 7)
            harness.say(VISITOR_LEG, header + payload)
            number += 1
            now += 0.25
            relay.tick(now)
        session = harness.browsers[VISITOR_LEG].srtp()[1]
        requests = [
            session.unprotect_rtcp(datagram)
            for datagram, remote_address in harness.taken()
            if remote_address == ADDRESSES[VISITOR_LEG] and not is_dtls(datagram)
        ]
        assert set(requests) <= {picture_loss_indication(OUR_SSRC, 7)}
        return len(requests)

    assert asked(6.0, b"\x10\x00") == 0
    relay.bridges[BRIDGE].legs[AGENT_LEG].connect([journal])
    number += 1
    assert asked(2.75) == 0
    assert asked(2.0) == 1
    assert asked(6.0, b"\x10\x00") == 0
    journal.gaps += 1
    assert asked(2.0) == 1
    journal.stop("that is enough")
    assert asked(10.0) == 0
    relay.remove(BRIDGE, now)
    journal.close()
