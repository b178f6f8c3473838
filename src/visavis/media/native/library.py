"""C library of the native packet path, called by the declarations of `packet_path.h`.

cffi parses the header at run time and needs no code for the binding, so one library serves every
version of Python. It releases the GIL during each call.
"""

from __future__ import annotations

import functools
import secrets
import socket
import struct
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from cffi import FFI  # type: ignore[import-untyped]

from visavis.media.remote_address import UdpAddress
from visavis.media.srtp import function_addresses

HEADER: Final = Path(__file__).with_name("packet_path.h")
LIBRARY: Final = HEADER.with_suffix(".so")
_FUNCTIONS: Final = ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp")
_FAMILY: Final = struct.Struct("=H")
_PORT: Final = struct.Struct("!H")
_SCOPE: Final = struct.Struct("=I")


@functools.cache
def load() -> tuple[Any, Any]:
    """Return cffi's `ffi` and the library; raises `ImportError` if the library cannot be used."""
    ffi = FFI()
    lines = HEADER.read_text().splitlines(keepends=True)
    ffi.cdef("".join(line for line in lines if not line.startswith("#")))
    try:
        lib = ffi.dlopen(str(LIBRARY))
    except OSError as error:
        raise ImportError(f"the native packet path cannot be loaded: {error}") from None
    if lib.path_header_crc32() != crc32(HEADER.read_bytes()):
        raise ImportError("the native packet path was built from another version")
    return ffi, lib


class Core:
    """The packet path in C: each method calls the function of the same name in `packet_path.h`.

    `run` is called by a thread of its own, `take` by the thread of the journals, and all others by
    the thread of the event loop. Raises `ImportError` if the library cannot be used.
    """

    def __init__(self, gather_us: int) -> None:
        functions = function_addresses(_FUNCTIONS)
        self.ffi, self.lib = load()
        srtp = self.ffi.new("struct path_srtp *")
        for name, address in zip(_FUNCTIONS, functions, strict=True):
            setattr(srtp, name.removeprefix("srtp_"), self.ffi.cast("srtp_function", address))
        path = self.lib.path_new(srtp, secrets.randbits(64), gather_us)
        if not path:
            raise MemoryError
        self._path = self.ffi.gc(path, self.lib.path_free)
        self._event = self.ffi.new("struct path_event *")
        self._data = self.ffi.buffer(self._event.data)
        self._address = self.ffi.buffer(self.ffi.addressof(self._event, "address"))
        self._sources = self.ffi.new("struct path_source[]", self.lib.MAX_SOURCES)
        self._leg_totals = self.ffi.new("struct path_leg_totals *")

    def set_files(self, ipv4: int, ipv6: int, epoll: int, wake: int, *, can_segment: bool) -> None:
        self.lib.path_set_files(self._path, ipv4, ipv6, epoll, wake, can_segment)

    def run(self) -> None:
        self.lib.path_run(self._path)

    def stop(self) -> None:
        self.lib.path_stop(self._path)

    def add_leg(self, journal_leg: int) -> int:
        return _number(self.lib.path_add_leg(self._path, journal_leg))

    def remove_leg(self, leg: int) -> None:
        self.lib.path_remove_leg(self._path, leg)

    def set_sessions(self, leg: int, incoming: int, outgoing: int) -> None:
        """Set the addresses of libsrtp's sessions, 0 for none."""
        pointers = (self.ffi.cast("void *", address) for address in (incoming, outgoing))
        self.lib.path_set_sessions(self._path, leg, *pointers)

    def limit_rate(self, leg: int, rate: float, burst: float, now: float) -> None:
        self.lib.path_limit_rate(self._path, leg, rate, burst, now)

    def set_types(self, leg: int, audio: bytes, watched: bytes) -> None:
        """Set payload types, as 16 bytes each."""
        self.lib.path_set_types(self._path, leg, audio, watched)

    def bind(self, leg: int, address: UdpAddress) -> None:
        self.lib.path_bind(self._path, leg, self._packed(address))

    def unbind(self, address: UdpAddress) -> None:
        self.lib.path_unbind(self._path, self._packed(address))

    def send_to(self, leg: int, address: UdpAddress) -> None:
        self.lib.path_send_to(self._path, leg, self._packed(address))

    def send_by_events(self, leg: int) -> None:
        self.lib.path_send_to(self._path, leg, self.ffi.new("struct path_address *"))

    def send_nowhere(self, leg: int) -> None:
        self.lib.path_send_to(self._path, leg, self.ffi.NULL)

    def connect(self, leg: int, peer: int, journal: int) -> None:
        self.lib.path_connect(self._path, leg, peer, journal)

    def receive(self, leg: int, datagram: bytes, now: float, arrival_us: int) -> None:
        self.lib.path_receive(self._path, leg, datagram, len(datagram), now, arrival_us)

    def receive_from(
        self, address: UdpAddress, datagram: bytes, now: float, arrival_us: int
    ) -> None:
        packed = self._packed(address)
        self.lib.path_receive_from(self._path, packed, datagram, len(datagram), now, arrival_us)

    def send_rtcp(self, leg: int, packet: bytes) -> bool:
        return bool(self.lib.path_send_rtcp(self._path, leg, packet, len(packet)) == 0)

    def charge(self, leg: int, size: int, now: float) -> bool:
        return bool(self.lib.path_charge(self._path, leg, size, now))

    def leg_totals(self, leg: int) -> Any:
        """Return `struct path_leg_totals`, which is valid until the next call."""
        if self.lib.path_leg_totals(self._path, leg, self._leg_totals):
            return self.ffi.new("struct path_leg_totals *")  # The leg does not exist.
        return self._leg_totals

    def sources(self, leg: int) -> Any:
        """Return the leg's `struct path_source`s, which are valid until the next call."""
        return self._sources[0 : self.lib.path_sources(self._path, leg, self._sources)]

    def alert(self, leg: int) -> None:
        self.lib.path_alert(self._path, leg)

    def calm(self, leg: int, ssrc: int) -> None:
        self.lib.path_calm(self._path, leg, ssrc)

    def add_journal(self, offset_us: int, limit: int) -> int:
        return _number(self.lib.path_add_journal(self._path, offset_us, limit))

    def remove_journal(self, journal: int) -> None:
        self.lib.path_remove_journal(self._path, journal)

    def stop_journal(self, journal: int) -> None:
        self.lib.path_stop_journal(self._path, journal)

    def append(self, journal: int, arrival_us: int, kind: int, leg: int, payload: bytes) -> int:
        waiting = self.lib.path_append(
            self._path, journal, arrival_us, kind, leg, payload, len(payload)
        )
        return int(waiting)

    def take(self, journal: int) -> tuple[memoryview, int]:
        """Return the waiting records, without a copy, and how many were dropped after them."""
        body = self.ffi.new("struct path_journal_body *")
        self.lib.path_take(self._path, journal, body)
        if not body.records:
            return memoryview(b""), body.dropped
        records = self.ffi.gc(body.records, self.lib.path_free_records)
        return memoryview(self.ffi.buffer(records, body.length)), body.dropped

    def next_event(self) -> Any:
        """Return a `struct path_event`, which is valid until the next call, or `None`."""
        event = self._event
        return event if self.lib.path_next_event(self._path, event) else None

    @property
    def event_data(self) -> bytes:
        """The data of the last event."""
        return bytes(self._data[: self._event.length])

    @property
    def event_address(self) -> UdpAddress:
        """The address of the last event."""
        return unpack_address(self._address[:])

    def totals(self) -> Any:
        """Return `struct path_totals`."""
        totals = self.ffi.new("struct path_totals *")
        self.lib.path_totals(self._path, totals)
        return totals

    def _packed(self, address: UdpAddress) -> Any:
        return self.ffi.from_buffer("struct path_address *", pack_address(address))


def pack_address(address: UdpAddress) -> bytes:
    """Return an address as `struct path_address`; raises `OSError` if it is not an IP address."""
    host, port, *rest = address
    if not rest:
        ipv4 = socket.inet_pton(socket.AF_INET, host)
        return _FAMILY.pack(socket.AF_INET) + _PORT.pack(port) + ipv4 + bytes(20)
    ipv6 = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    family = _FAMILY.pack(socket.AF_INET6)
    return family + _PORT.pack(port) + bytes(4) + ipv6 + _SCOPE.pack(rest[1])


def unpack_address(packed: bytes) -> UdpAddress:
    """Return an address in the form of Python's sockets."""
    (family,), (port,) = _FAMILY.unpack_from(packed), _PORT.unpack_from(packed, 2)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, packed[4:8]), port
    (scope,) = _SCOPE.unpack_from(packed, 24)
    return socket.inet_ntop(socket.AF_INET6, packed[8:24]), port, 0, scope


def _number(number: int) -> int:
    if number < 0:
        raise OverflowError("too many")
    return number


def is_available() -> bool:
    """Whether the library of this version was built and libsrtp's functions can be found."""
    try:
        Core(0)
    except ImportError:
        return False
    return True


def is_chosen(wanted: str) -> bool:
    """Whether the native path is used with this value of the setting `media_packet_path`.

    Raises `ImportError` if it is required but not available.
    """
    if wanted == "python":
        return False
    if is_available():
        return True
    if wanted == "native":
        raise ImportError("The native packet path is not available: it was not built at set-up.")
    return False
