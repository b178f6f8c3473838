"""Targets of fuzzing and their seeds. A target takes any bytes and raises nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from tests.media.browser import ADDRESS, Browser, answer, shake_hands
from tests.media.captures import BROWSERS, datagrams, description
from tests.media.packet_paths import ChosenPath, require_native
from tests.media.test_stun import NOMINATE, request
from visavis.domain.errors import VisavisError
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG, BridgeId, Candidate, LocalTransport
from visavis.media.dtls import Identity
from visavis.media.leg import Leg
from visavis.media.relay import Relay
from visavis.media.remote_address import RemoteAddress
from visavis.media.rfc4571 import MAX_FRAME_BYTES, Deframer, FramingError, frame
from visavis.media.stun import parse_binding_request
from visavis.rtp.leg_stats import LegStats
from visavis.rtp.packet import parse_rtp
from visavis.rtp.rtcp import read_feedback, sender_reports
from visavis.rtp.sdp import (
    media_sections,
    provisional_answer,
    read_transport,
    restrict_codecs,
    rewrite,
)

STRANGER: Final[RemoteAddress] = ("203.0.113.9", 9)
RENEW: Final = 500
OURS: Final = LocalTransport(
    "usr1", "p" * 24, "sha-256 " + ":".join(["AB"] * 32), (Candidate("192.0.2.1", 8081),)
)


class Target(NamedTuple):
    name: str
    corpus: Sequence[bytes]
    make: Callable[[], Callable[[bytes], None]]


def captured(kind: str) -> list[bytes]:
    return [datagram for browser in BROWSERS for datagram in datagrams(browser, kind)]


def stun(data: bytes) -> None:
    parsed = parse_binding_request(data)
    if parsed:
        assert not parsed.is_authentic("q" * 32)


def rtp(data: bytes) -> None:
    packet = parse_rtp(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


def rtcp(data: bytes) -> None:
    sender_reports(data)
    for _ in read_feedback(data):
        pass


class StatsTarget:
    """The statistics of two legs, fed with packets that an authentic browser may send."""

    def __init__(self) -> None:
        self._stats = LegStats(), LegStats()
        for stats in self._stats:
            stats.set_audio((109, 111))

    def __call__(self, data: bytes) -> None:
        hearer, speaker = self._stats
        if len(data) < 12:
            return
        if hearer.admits(data[8:12]):
            speaker.receive_rtp(data, 0)
        if hearer.admits(data[4:8]):
            hearer.receive_rtcp(data, (speaker,), 0.0)
        report = hearer.report()
        assert 0 <= report.loss_in <= 1
        assert 0 <= report.loss_out <= 1
        assert report.jitter >= 0
        if len(speaker.streams) > 1000:
            self.__init__()  # type: ignore[misc]


class RelayTarget:
    """A relay with a leg in the handshake and one that is up, and a stranger."""

    packet_path = "python"

    identity: Final = Identity()

    def __init__(self) -> None:
        self._age = 0
        self._sent: list[RemoteAddress] = []
        self._renew()

    def _renew(self) -> None:
        sent: list[tuple[bytes, RemoteAddress]] = []

        def send(datagram: bytes, to: RemoteAddress) -> None:
            sent.append((datagram, to))
            self._sent.append(to)

        self._path = ChosenPath(send, self.packet_path)
        self._relay = Relay(self.identity, send, lambda *_: None, new_leg=self._path.new_leg)
        self._beginning = self._relay.open_leg(BridgeId("call", 1), VISITOR_LEG, 0.0)
        self._up = self._relay.open_leg(BridgeId("call", 1), AGENT_LEG, 0.0)
        self._relay.join(BridgeId("call", 1))
        self._bind(self._beginning, ("192.0.2.99", 1))
        browser = Browser()
        self._relay.set_remote(BridgeId("call", 1), AGENT_LEG, browser.remote)
        self._bind(self._up, ADDRESS)
        for datagram, remote_address in sent:
            if answered := answer(datagram):
                self._up.receive_check_answer(answered, remote_address)
        shake_hands(browser, self._up)
        assert self._up.is_up

    def _bind(self, leg: Leg, remote_address: RemoteAddress) -> None:
        check = request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE)
        self._receive(check, remote_address)

    def _receive(self, datagram: bytes, remote_address: RemoteAddress) -> None:
        self._path.receive(self._relay, datagram, remote_address, 0.0, 0)

    def __call__(self, data: bytes) -> None:
        self._age += 1
        if self._age % RENEW == 0 or self._up.is_down or self._beginning.is_down:
            self._renew()
        self._sent.clear()
        self._receive(data, STRANGER)
        assert self._sent == []
        self._receive(data, ("192.0.2.99", 1))
        self._receive(data, ADDRESS)
        assert len(self._sent) <= 8


class NativePathTarget(RelayTarget):
    """The same with the native packet path."""

    packet_path = "native"

    def __init__(self) -> None:
        require_native()
        super().__init__()


def sdp(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for read in (media_sections, read_transport, restrict_codecs):
        with suppress(VisavisError):
            read(text)
    with suppress(VisavisError):
        rewrite(text, OURS, "passive")
    with suppress(VisavisError):
        provisional_answer(text, OURS)


class DeframerTarget:
    def __init__(self) -> None:
        self._deframer = Deframer()

    def __call__(self, data: bytes) -> None:
        try:
            for datagram in self._deframer.feed(data):
                assert 0 < len(datagram) <= MAX_FRAME_BYTES
        except FramingError:
            self._deframer = Deframer()  # as the connection is closed
        assert len(self._deframer._rest) <= MAX_FRAME_BYTES + 2


TARGETS: Final = (
    Target("stun", captured("stun"), lambda: stun),
    Target(
        "demultiplexer",
        [*captured("stun"), *captured("dtls"), *captured("rtp")[::10], *captured("rtcp")[::10]],
        RelayTarget,
    ),
    Target(
        "native path",
        [*captured("stun"), *captured("dtls"), *captured("rtp")[::10], *captured("rtcp")[::10]],
        NativePathTarget,
    ),
    Target("rtp", captured("rtp"), lambda: rtp),
    Target("rtcp", captured("rtcp"), lambda: rtcp),
    Target("meter", captured("rtcp"), StatsTarget),
    Target(
        "sdp",
        [description(b, kind).encode() for b in BROWSERS for kind in ("offer", "answer")],
        lambda: sdp,
    ),
    Target("framing", [frame(d) + frame(d[:9]) for d in captured("stun")], DeframerTarget),
)
