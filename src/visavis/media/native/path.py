"""Native packet path as the worker uses it: its legs and journals, and the events that come up.

`packet_path.h` documents the interface to the C code.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import secrets
import socket
import weakref
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

from visavis.domain.leg import BridgeId
from visavis.media.dtls import Identity
from visavis.media.native.journal import NativeJournalWriter
from visavis.media.native.leg import NativeLeg
from visavis.media.remote_address import RemoteAddress
from visavis.media.srtp import function_addresses

try:
    _packet_path: Any = importlib.import_module("visavis.media.native._packet_path")
except ImportError:
    _packet_path = None

GATHER_US: Final = 350
"""Longest time in microseconds for which datagrams gather before they are read, at a high rate."""

INTERFACE: Final = 1
"""Number of the interface in `packet_path.h`: an extension of another version is not used."""

EVENTS_AT_ONCE: Final = 512
_FUNCTIONS: Final = ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp")

Receive = Callable[[bytes, RemoteAddress, float, int], None]
ReceiveAdmitted = Callable[[bytes, RemoteAddress, float], None]
Send = Callable[[bytes, RemoteAddress], None]


class _Event(IntEnum):
    DATAGRAM = 1
    REPORT = 2
    WATCHED = 3
    OUTGOING = 4


def is_available() -> bool:
    """Whether the extension of this version was built and libsrtp's functions can be found."""
    if getattr(_packet_path, "INTERFACE", None) != INTERFACE:
        return False
    try:
        return bool(function_addresses(_FUNCTIONS))
    except ImportError:
        return False


def is_chosen(wanted: str) -> bool:
    """Whether the setting `media_packet_path` means the native path here.

    Raises `ImportError` if it is wanted and not available.
    """
    if wanted == "native" and not is_available():
        raise ImportError("The native packet path is not there: it was not built at set-up.")
    return wanted != "python" and is_available()


class NativePath:
    """The packet path of one worker; raises `ImportError` if it is not available.

    Until `start`, and after `stop`, it deals only with the datagrams that legs hand in, and
    datagrams to be sent go to `send`.
    """

    def __init__(self, send: Send, gather_us: int = GATHER_US) -> None:
        if not is_available():
            raise ImportError("the native packet path was not built")
        functions = function_addresses(_FUNCTIONS)
        self.core: Any = _packet_path.Path(*functions, secrets.randbits(64), gather_us)
        weakref.finalize(self, self.core.stop)  # no thread outlives libsrtp's sessions
        self.is_started = False
        self._send = send
        self._receive: Receive = lambda *_: None
        self._receive_admitted: ReceiveAdmitted = lambda *_: None
        self._legs: dict[int, NativeLeg] = {}
        self._wake = -1

    def hand_to(self, receive: Receive, receive_admitted: ReceiveAdmitted) -> None:
        """Pass STUN and DTLS on: of unknown addresses, and of legs whose rate admits it."""
        self._receive, self._receive_admitted = receive, receive_admitted

    @property
    def events_dropped(self) -> int:
        """Number of datagrams and reports that found the queue to Python full."""
        return int(self.core.totals()[3])

    def start(self, sockets: Mapping[socket.AddressFamily, socket.socket]) -> None:
        """Read the sockets in a thread of the path's own; raises `OSError`."""
        ipv4, ipv6 = (
            sockets[family].fileno() if family in sockets else -1
            for family in (socket.AF_INET, socket.AF_INET6)
        )
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.core.start(ipv4, ipv6, self._wake)
        asyncio.get_running_loop().add_reader(self._wake, self.dispatch)
        self.is_started = True

    def stop(self) -> None:
        if self.is_started:
            self.is_started = False
            asyncio.get_running_loop().remove_reader(self._wake)
            self.core.stop()
            os.close(self._wake)

    def new_leg(
        self, bridge: BridgeId, number: int, ufrag: str, pwd: str, identity: Identity, now: float
    ) -> NativeLeg:
        leg = NativeLeg(self, bridge, number, ufrag, pwd, identity, now)
        self._legs[leg.path_number] = leg
        return leg

    def forget(self, leg: NativeLeg) -> None:
        self._legs.pop(leg.path_number, None)
        self.core.remove_leg(leg.path_number)

    def new_journal(self, *files: Any, **clock: Any) -> NativeJournalWriter:
        """Return a writer, with the arguments of `JournalWriter`, of what legs here receive."""
        return NativeJournalWriter(self.core, *files, **clock)

    def dispatch(self) -> None:
        """Deal with the events that have come up, a bounded number at a time."""
        for _ in range(EVENTS_AT_ONCE):
            event = self.core.next_event()
            if event is None:
                return
            self._deal_with(*event)
        if self.is_started:
            asyncio.get_running_loop().call_soon(self.dispatch)

    def _deal_with(
        self,
        kind: int,
        number: int,
        now: float,
        arrival_us: int,
        highest: int,
        step: int,
        data: bytes,
        address: RemoteAddress | None,
    ) -> None:
        leg = self._legs.get(number)
        if address is not None:
            if number < 0:
                self._receive(data, address, now, arrival_us)
            else:
                self._receive_admitted(data, address, now)
        elif leg is None:
            return  # it was removed meanwhile
        elif kind == _Event.REPORT:
            leg.receive_rtcp(data, now)
        elif kind == _Event.WATCHED:
            leg.watch_packet(data, highest, step)
        elif leg.remote_address:
            self._send(data, leg.remote_address)
