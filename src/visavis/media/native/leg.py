"""Leg whose packets the native path relays. ICE and DTLS are the same as for other legs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.leg import BridgeId, RemoteTransport
from visavis.media.dtls import Identity
from visavis.media.leg import Leg, Listener, Outgoing
from visavis.media.limits import BURST_SECONDS, LegRateLimit
from visavis.media.native.journal import NativeJournalWriter
from visavis.media.remote_address import RemoteAddress
from visavis.media.srtp import Srtp, session_address
from visavis.rtp.leg_stats import LegStats
from visavis.rtp.mos import LegReport
from visavis.rtp.rtcp import ReceptionReport

if TYPE_CHECKING:
    from visavis.media.native.library import Core
    from visavis.media.native.path import NativePath

_PAYLOAD_TYPES: Final = 128


class NativeLeg(Leg):
    """Leg whose packets the native path handles under the number `path_number`."""

    def __init__(
        self,
        path: NativePath,
        bridge: BridgeId,
        number: int,
        ufrag: str,
        pwd: str,
        identity: Identity,
        now: float,
    ) -> None:
        super().__init__(bridge, number, ufrag, pwd, identity, now)
        self._path, self._core = path, path.core
        self.path_number: int = self._core.add_leg(number)
        self.stats: NativeLegStats = NativeLegStats(self._core, self.path_number)
        self._sessions: Srtp | None = None

    def connect(self, listeners: Sequence[Listener]) -> None:
        """Raises `MediaUnavailable` if there is more than one peer or more than one journal."""
        peers = [one.path_number for one in listeners if isinstance(one, NativeLeg)]
        journals = [one.number for one in listeners if isinstance(one, NativeJournalWriter)]
        if len(peers) > 1 or len(journals) > 1 or len(peers) + len(journals) < len(listeners):
            raise VisavisError(
                ErrorKind.MediaUnavailable,
                "The native packet path joins two legs; more require the Python path.",
            )
        super().connect(listeners)
        self._core.connect(self.path_number, *(peers or [-1]), *(journals or [-1]))

    def limit_rate(self, bytes_per_second: float, now: float) -> None:
        self.rate_limit = NativeRateLimit(self._core, self.path_number, bytes_per_second, now)

    def bind(self, remote_address: RemoteAddress) -> None:
        if isinstance(remote_address, tuple):
            self._core.bind(self.path_number, remote_address)

    def unbind(self, remote_address: RemoteAddress) -> None:
        if isinstance(remote_address, tuple):
            self._core.unbind(remote_address)

    def release(self) -> None:
        self._path.forget(self)

    def set_remote(self, remote: RemoteTransport) -> None:
        super().set_remote(remote)
        self._set_types()

    def receive_media(self, datagram: bytes, now: float, arrival_us: int) -> Sequence[Outgoing]:
        self._core.receive(self.path_number, datagram, now, arrival_us)
        self._path.dispatch()
        return ()

    def send_rtcp(self, packet: bytes) -> None:
        self._core.send_rtcp(self.path_number, packet)
        self._path.dispatch()

    def watch_packet(self, packet: bytes, highest: int, step: int) -> None:
        """Pass a packet to the key frame watch."""
        watcher = self.stats.stream_of(packet[8:12]).watcher
        if watcher is not None:
            watcher.see(packet, highest, step)
        if watcher is None or not watcher.is_alert:
            self._core.calm(self.path_number, int.from_bytes(packet[8:12]))

    def watch_video(self, now: float) -> None:
        self.stats.refresh()
        super().watch_video(now)
        self._set_types()

    def ask_for_recording(self, now: float, *, is_restarted: bool) -> None:
        super().ask_for_recording(now, is_restarted=is_restarted)
        if is_restarted:
            self._core.alert(self.path_number)

    def _send_media_to(self, remote_address: RemoteAddress | None) -> None:
        super()._send_media_to(remote_address)
        if remote_address is None:
            self._core.send_nowhere(self.path_number)
        elif isinstance(remote_address, tuple) and self._path.is_started:
            self._core.send_to(self.path_number, remote_address)
        else:
            self._core.send_by_events(self.path_number)

    def _set_srtp(self, srtp: Srtp | None) -> None:
        incoming, outgoing = map(session_address, srtp.sessions) if srtp else (0, 0)
        self._core.set_sessions(self.path_number, incoming, outgoing)
        self._sessions = srtp  # The path no longer uses the earlier sessions, which end here.

    def _set_types(self) -> None:
        remote, watch = self.remote, self.stats.watch
        audio = remote.audio_payload_types if remote else ()
        watched = (*watch.codecs, *remote.repair_payload_types) if watch and remote else ()
        self._core.set_types(self.path_number, _bits(audio), _bits(watched))


class NativeLegStats(LegStats):
    """Statistics of packets that the native path counts."""

    def __init__(self, core: Core, number: int) -> None:
        super().__init__()
        self._core, self._number = core, number

    @property
    def packets_in(self) -> int:
        return int(self._core.leg_totals(self._number).packets_in)

    @property
    def bytes_in(self) -> int:
        return int(self._core.leg_totals(self._number).bytes_in)

    def refresh(self) -> None:
        totals = self._core.leg_totals(self._number)
        self.packets_out, self.bytes_out = totals.packets_out, totals.bytes_out
        for one in self._core.sources(self._number):
            counts = one.highest, one.expected, one.received, one.octets, one.jitter
            self.set_counts(one.ssrc.to_bytes(4), one.payload_type, counts)

    def stream_of(self, source: bytes) -> Any:
        if source not in self.streams:
            self.refresh()
        return self.streams[source]

    def report(self, *, is_silent: bool = False) -> LegReport:
        self.refresh()
        return super().report(is_silent=is_silent)

    def sources(self, payload_types: Collection[int]) -> list[int]:
        self.refresh()
        return super().sources(payload_types)

    def _reported(self, report: ReceptionReport, other: LegStats) -> None:
        other.refresh()
        super()._reported(report, other)


class NativeRateLimit(LegRateLimit):
    """Rate limit that the native path enforces."""

    __slots__ = ("_core", "_number")

    def __init__(self, core: Core, number: int, bytes_per_second: float, now: float) -> None:
        self._core, self._number = core, number
        super().__init__(bytes_per_second, now)
        core.limit_rate(number, bytes_per_second, bytes_per_second * BURST_SECONDS, now)

    @property
    def dropped(self) -> int:
        return int(self._core.leg_totals(self._number).dropped)

    @dropped.setter
    def dropped(self, dropped: int) -> None:
        """Ignore the value: the path counts the dropped packets."""

    def admits(self, size: int, now: float) -> bool:
        return self._core.charge(self._number, size, now)


def _bits(payload_types: Iterable[int]) -> bytes:
    number = sum(1 << each for each in set(payload_types) if 0 <= each < _PAYLOAD_TYPES)
    return number.to_bytes(_PAYLOAD_TYPES // 8, "little")
