"""Native packet path of a media worker: its thread, legs, journals, and events for Python.

`packet_path.h` documents the interface to the C code.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from visavis.domain.leg import BridgeId
from visavis.media.dtls import Identity
from visavis.media.native.journal import NativeJournalWriter
from visavis.media.native.leg import NativeLeg
from visavis.media.native.library import Core
from visavis.media.remote_address import RemoteAddress
from visavis.media.udp_sender import can_segment
from visavis.tasks import start_thread

GATHER_US: Final = 350
"""Pause in microseconds, at a high rate, during which datagrams gather before they are read."""

EVENTS_AT_ONCE: Final = 512
NICENESS: Final = -10
"""Priority of the thread relative to the thread of Python, which computes for milliseconds."""

_UDP_GRO: Final = 104  # <linux/udp.h>
_EVENTFD_FLAGS: Final = os.EFD_CLOEXEC | os.EFD_NONBLOCK

Receive = Callable[[bytes, RemoteAddress, float, int], None]
ReceiveAdmitted = Callable[[bytes, RemoteAddress, float], None]
Send = Callable[[bytes, RemoteAddress], None]


class NativePath:
    """Packet path of one worker; raises `ImportError` if it is not available.

    Before `start` and after `stop`, it handles only datagrams that legs pass to it, and passes the
    datagrams for browsers to `send`.
    """

    def __init__(self, send: Send, gather_us: int = GATHER_US) -> None:
        self.core = Core(gather_us)
        self._thread: PathThread | None = None
        self._send = send
        self._receive: Receive = lambda *_: None
        self._receive_admitted: ReceiveAdmitted = lambda *_: None
        self._legs: dict[int, NativeLeg] = {}

    def hand_to(self, receive: Receive, receive_admitted: ReceiveAdmitted) -> None:
        """Pass on STUN of unknown addresses, and STUN and DTLS that a leg's rate limit admits."""
        self._receive, self._receive_admitted = receive, receive_admitted

    @property
    def is_started(self) -> bool:
        """Whether the thread reads the sockets."""
        return self._thread is not None

    @property
    def events_dropped(self) -> int:
        """Number of datagrams and reports that were dropped because the queue was full."""
        return int(self.core.totals().events_dropped)

    def start(self, sockets: Mapping[socket.AddressFamily, socket.socket]) -> None:
        """Read the sockets in a thread; raises `OSError`."""
        self._thread = PathThread(self.core, sockets)
        asyncio.get_running_loop().add_reader(self._thread.wake, self.dispatch)
        # At exit, the thread must end before libsrtp's sessions are freed.
        weakref.finalize(self, self._thread.stop)

    def stop(self) -> None:
        """Stop the thread."""
        if self._thread:
            asyncio.get_running_loop().remove_reader(self._thread.wake)
            self._thread.stop()
            self._thread = None

    def new_leg(
        self, bridge: BridgeId, number: int, ufrag: str, pwd: str, identity: Identity, now: float
    ) -> NativeLeg:
        """Return a leg whose packets this path relays."""
        leg = NativeLeg(self, bridge, number, ufrag, pwd, identity, now)
        self._legs[leg.path_number] = leg
        return leg

    def forget(self, leg: NativeLeg) -> None:
        """Remove a leg."""
        self._legs.pop(leg.path_number, None)
        self.core.remove_leg(leg.path_number)

    def new_journal(self, *files: Any, **clock: Any) -> NativeJournalWriter:
        """Return a journal for the packets of this path, given `JournalWriter`'s arguments."""
        return NativeJournalWriter(self.core, *files, **clock)

    def dispatch(self) -> None:
        """Handle the events in the queue, up to a limit, after which other tasks can run."""
        for _ in range(EVENTS_AT_ONCE):
            event = self.core.next_event()
            if event is None:
                return
            self._handle(event)
        if self.is_started:
            asyncio.get_running_loop().call_soon(self.dispatch)

    def _handle(self, event: Any) -> None:
        kind, lib, data = event.kind, self.core.lib, self.core.event_data
        if kind == lib.EVENT_DATAGRAM:
            address = self.core.event_address
            if event.leg < 0:
                self._receive(data, address, event.now, event.arrival_us)
            else:
                self._receive_admitted(data, address, event.now)
            return
        leg = self._legs.get(event.leg)
        if leg is None:
            return  # The leg was removed in the meantime.
        if kind == lib.EVENT_REPORT:
            leg.receive_rtcp(data, event.now)
        elif kind == lib.EVENT_WATCHED:
            leg.watch_packet(data, event.highest, event.step)
        elif leg.remote_address:
            self._send(data, leg.remote_address)


class PathThread:
    """Thread in which the C code reads the sockets, from now until `stop`; raises `OSError`.

    `wake` is a file descriptor that becomes readable when an urgent event is queued.
    """

    def __init__(self, core: Core, sockets: Mapping[socket.AddressFamily, socket.socket]) -> None:
        self._core = core
        self._epoll = select.epoll()
        self._stopped = os.eventfd(0, _EVENTFD_FLAGS)
        self.wake = os.eventfd(0, _EVENTFD_FLAGS)
        self._epoll.register(self._stopped, select.EPOLLIN)
        for udp in sockets.values():
            self._epoll.register(udp, select.EPOLLIN)
            with suppress(OSError):  # Without UDP_GRO, the kernel does not join datagrams.
                udp.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
        ipv4, ipv6 = (
            sockets[family].fileno() if family in sockets else -1
            for family in (socket.AF_INET, socket.AF_INET6)
        )
        segments = all(map(can_segment, sockets.values()))
        core.set_files(ipv4, ipv6, self._epoll.fileno(), self.wake, can_segment=segments)
        self._ended = threading.Event()
        start_thread("packet path", self._run)

    def stop(self) -> None:
        """Stop the thread and wait until it has ended. Further calls do nothing."""
        if self._epoll.closed:
            return
        self._core.stop()
        os.eventfd_write(self._stopped, 1)
        self._ended.wait()
        self._core.set_files(-1, -1, -1, -1, can_segment=False)
        self._epoll.close()
        os.close(self._stopped)
        os.close(self.wake)

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        with suppress(OSError):  # It may not be permitted; packets then wait longer.
            _raise_priority()
        self._core.run()
        self._ended.set()


def _raise_priority() -> None:
    """Let the calling thread run before the other threads of the process; raises `OSError`."""
    policy = os.sched_getscheduler(0)  # On Linux, 0 means the calling thread.
    if policy in (os.SCHED_RR, os.SCHED_FIFO):
        priority = os.sched_getparam(0).sched_priority + 1
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    else:
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
