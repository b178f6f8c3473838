"""Load generator: sends and counts the packets of many calls with the C code in `packets.c`."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cffi import FFI  # type: ignore[import-untyped]
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp

from benchmarks.load.transport import LoadTransport

SLICE_SECONDS = 0.1
CONSENT_SLICES = 25
"""A transport sends a connectivity check once in this many slices, like a browser."""

UPLINK = 20.0
"""Uplink of a browser in Mbit/s, which spaces the packets of a frame, although sent at once."""

AUDIO_PACKETS, VIDEO_PACKETS = 100, 280
"""Packets per second of a call, in both directions together, with a scale of 1."""

LATE_SECONDS = 0.5
"""A packet that has not arrived after this time counts as lost."""

DECLARATIONS = """
struct counts {
  uint64_t sent, received, repeated, foreign, broken, unsent, rtcp_sent, rtcp_received;
  uint64_t latency[20000];
};
struct other { int wire, length; uint8_t datagram[2048]; };
struct load *load_new(double uplink, double tick, int scale, void *protect, void *protect_rtcp,
                      void *unprotect, void *unprotect_rtcp);
int load_wire(struct load *load, int socket, void *out, void *in, uint32_t ssrc);
int load_stream(struct load *load, int wire, int is_video, uint32_t ssrc);
void load_run(struct load *load, double seconds);
void load_begin(struct load *load);
void load_end(struct load *load);
struct counts *load_counts(struct load *load);
struct other *load_other(struct load *load);
void load_free(struct load *load);
"""
BUCKET_MS = 0.01


@dataclass(frozen=True)
class Counts:
    """Counts of RTP packets, and the median and 99th percentile of their delay in milliseconds."""

    sent: int
    received: int
    strange: int
    rtcp_received: int
    p50: float
    p99: float

    @property
    def lost(self) -> int:
        return self.sent - self.received


class Generator:
    """Load generator: sends media over the added transports and closes them with itself.

    `uplink` is that of each browser, in Mbit/s. Packets that are due within `tick` seconds are sent
    at once, up to this much too early, which takes the generator less CPU. Video has `scale` times
    1.03 Mbit/s; 0 means no video.
    """

    def __init__(self, uplink: float = UPLINK, tick: float = 0.0, scale: int = 1) -> None:
        self._scale = scale
        self._ffi = FFI()
        self._ffi.cdef(DECLARATIONS)
        with tempfile.TemporaryDirectory() as directory:
            self._c = self._ffi.dlopen(str(_compile(Path(directory))))
        self._load = self._c.load_new(uplink * 1e6, tick, scale, *map(self._function, FUNCTIONS))
        self._transports: list[LoadTransport] = []
        self._slices = itertools.count()

    def add(self, transport: LoadTransport, sends: Iterable[str] = ("audio", "video")) -> None:
        """Add a connected transport that sends these kinds of media, if any."""
        sessions = (self._session(transport.outgoing), self._session(transport.incoming))
        ours = transport.ssrcs["audio"]
        number = self._c.load_wire(self._load, transport.socket.fileno(), *sessions, ours)
        self._transports.append(transport)
        for kind in sends:
            if self._scale or kind == "audio":
                self._c.load_stream(self._load, number, kind == "video", transport.ssrcs[kind])

    @property
    def packets_per_second(self) -> int:
        """Number of RTP packets per second of a call of two transports that send all kinds."""
        return AUDIO_PACKETS + self._scale * VIDEO_PACKETS

    def check(self) -> None:
        """Send a connectivity check from each transport, to keep calls alive without media."""
        for transport in self._transports:
            transport.check()

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / SLICE_SECONDS)):
            self._c.load_run(self._load, SLICE_SECONDS)
            for transport in self._transports[
                next(self._slices) % CONSENT_SLICES :: CONSENT_SLICES
            ]:
                transport.check()
            while other := self._c.load_other(self._load):
                self._transports[other.wire].answer(
                    bytes(self._ffi.buffer(other.datagram, other.length))
                )

    def begin(self) -> None:
        """Count the packets that are sent from now on, until `end`."""
        self._c.load_begin(self._load)

    def end(self) -> Counts:
        """Stop counting and return the counts once all packets in flight have arrived."""
        self._c.load_end(self._load)
        self.run(LATE_SECONDS)
        counts = self._c.load_counts(self._load)
        latency = list(itertools.accumulate(counts.latency))
        return Counts(
            counts.sent,
            counts.received,
            counts.repeated + counts.foreign + counts.broken + counts.unsent,
            counts.rtcp_received,
            _percentile(latency, 0.5),
            _percentile(latency, 0.99),
        )

    def close(self) -> None:
        self._c.load_free(self._load)
        for transport in self._transports:
            transport.socket.close()

    def _function(self, name: str) -> object:
        return self._pointer(srtp_ffi.addressof(srtp, name))

    def _session(self, session: object) -> object:
        return self._pointer(session._srtp[0])  # type: ignore[attr-defined]

    def _pointer(self, pointer: object) -> object:
        return self._ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", pointer)))


FUNCTIONS = ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp")


def _compile(directory: Path) -> Path:
    source, library = Path(__file__).with_name("packets.c"), directory / "packets.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def _percentile(accumulated: list[int], part: float) -> float:
    """Return a percentile in milliseconds; `accumulated` has a bucket for every `BUCKET_MS`."""
    if not accumulated[-1]:
        return float("nan")
    wanted = accumulated[-1] * part
    return BUCKET_MS * next(n for n, count in enumerate(accumulated, 1) if count >= wanted)
