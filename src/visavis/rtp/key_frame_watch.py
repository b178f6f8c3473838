"""Watch over a recorded leg's video: which streams' recordings need a key frame.

A browser sends key frames only when it is asked for one. The other browser asks when its own
picture breaks; nobody asks for the recording's sake where the other browser is away or does not
show the picture, where a request or its answer was lost, or where the disk was too slow. Nothing is
decoded: sequence numbers show what is missing, retransmissions what was repaired, and the payload's
descriptor where a key frame begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from visavis.rtp.codecs import KEY_FRAME_STARTS
from visavis.rtp.packet import RtpPacket, parse_rtp

REPAIR_SECONDS: Final = 3.0
"""A packet that is missing for longer is lost; a live receiver gives up as soon."""

ASK_SECONDS: Final = 3.0
"""One stream is asked for a key frame at most once in so many seconds."""

FIRST_SECONDS: Final = 1.0
"""A key frame that was asked for by others, or belongs to a new stream, has so long to come."""

SILENT_SECONDS: Final = 1.5
"""A stream that has sent nothing for so long has nothing to make a key frame of."""

MAX_MISSING: Final = 128
"""Of more missing packets than these none is waited for: the picture is broken."""

ORIGINAL_BYTES: Final = 2
"""A retransmission's payload begins with the repeated packet's sequence number (RFC 4588 §4)."""

LEADING_PACKETS: Final = 2
"""So many packets before an IDR slice may belong to it: parameter sets and other information."""

_HALF: Final = 1 << 15


class Watcher(Protocol):
    """Sees some of a stream's packets: while `is_alert` all, else those that are out of order."""

    is_alert: bool

    def see(self, packet: bytes, highest: int, step: int) -> None:
        """Take a packet; `step` is from the `highest` number so far to its own, modulo 2^16."""


class KeyFrameWatch:
    """The streams of one leg. `now` is the time of the latest call of `due` or `restart`.

    `codecs` are the names of the video codecs by payload type.
    """

    def __init__(self, now: float) -> None:
        self.codecs: dict[int, str] = {}
        self.now = now
        self._repairs: frozenset[int] = frozenset()
        self._pictures: dict[bytes, _PictureWatcher] = {}

    def set_payload_types(self, codecs: dict[int, str], repairs: frozenset[int]) -> None:
        """Learn the payload types of video, with their codecs, and of retransmissions."""
        self.codecs = codecs
        self._repairs = repairs

    def watcher(self, source: bytes, payload_type: int) -> Watcher | None:
        """The watcher of a stream; `None` if it is not about pictures."""
        if payload_type in self._repairs:
            return _RepairWatcher(self._pictures)
        if payload_type not in self.codecs:
            return None
        picture = self._pictures.get(source)
        if picture is None:
            picture = self._pictures[source] = _PictureWatcher(self, payload_type)
        return picture

    def restart(self, now: float) -> None:
        """Packets were not recorded: every picture needs a key frame."""
        self.now = now
        for picture in self._pictures.values():
            picture.lose()

    def due(self, now: float, most: int) -> list[int]:
        """SSRCs to be asked for a key frame now, of the newest streams and `most` at a time."""
        self.now = now
        return [int.from_bytes(source) for source in self._due(most)]

    def _due(self, most: int) -> Iterator[bytes]:
        for source, picture in reversed(self._pictures.items()):
            if most and picture.is_due():
                most -= 1
                yield source


class _PictureWatcher:
    """One video stream. It is alert while packets or a key frame are missing.

    A missing packet's number and the time when that was noticed are kept by its low 16 bits.
    """

    __slots__ = (
        "_ask_at",
        "_heard_at",
        "_is_broken",
        "_key_timestamp",
        "_leg",
        "_missing",
        "_payload_type",
        "is_alert",
    )

    def __init__(self, leg: KeyFrameWatch, payload_type: int) -> None:
        self.is_alert = True
        self._leg = leg
        self._payload_type = payload_type
        self._key_timestamp = -1
        self._is_broken = True
        self._missing: dict[int, tuple[int, float]] = {}
        self._ask_at = leg.now + FIRST_SECONDS
        self._heard_at = leg.now

    def see(self, packet: bytes, highest: int, step: int) -> None:
        now = self._heard_at = self._leg.now
        number = highest + step
        if step >= _HALF:
            number -= 1 << 16
        if number > highest + 1 + MAX_MISSING - len(self._missing):
            self.lose()
        elif number > highest:
            for missing in range(highest + 1, number):
                self._missing[missing & 0xFFFF] = missing, now
        else:
            self._missing.pop(number & 0xFFFF, None)
        rtp = parse_rtp(packet)
        if rtp:
            self._payload_type = rtp.payload_type
            self._look(number, rtp)
        self.is_alert = self._is_broken or bool(self._missing)

    def repair(self, sequence_number: int, repaired: RtpPacket) -> bool:
        """Take a retransmission; whether its packet was missing in this stream."""
        missing = self._missing.pop(sequence_number, None)
        if missing is None:
            return False
        self._heard_at = self._leg.now
        self._look(missing[0], repaired)
        self.is_alert = self._is_broken or bool(self._missing)
        return True

    def lose(self) -> None:
        """Wait for a key frame; one that is under way need not be asked for."""
        if not self._is_broken:
            self._ask_at = max(self._ask_at, self._leg.now + FIRST_SECONDS)
        self._is_broken = self.is_alert = True
        self._missing.clear()

    def is_due(self) -> bool:
        now = self._leg.now
        noticed_at = next((at for _, at in self._missing.values()), now)
        if now - noticed_at > REPAIR_SECONDS:
            self._is_broken = True
            self._missing.clear()
        is_heard = now - self._heard_at < SILENT_SECONDS
        if not (self._is_broken and is_heard and now >= self._ask_at):
            return False
        self._ask_at = now + ASK_SECONDS
        return True

    def _look(self, number: int, packet: RtpPacket) -> None:
        """Forget what is missing before a key frame.

        Of several packets of one frame that look like its beginning, the first one is.
        """
        begins = KEY_FRAME_STARTS.get(self._leg.codecs.get(self._payload_type, ""))
        if begins is None or not packet.payload or not begins(packet.payload):
            return
        self._is_broken = False
        if packet.timestamp != self._key_timestamp:
            self._key_timestamp = packet.timestamp
            since = number - LEADING_PACKETS
            self._missing = {key: one for key, one in self._missing.items() if one[0] >= since}


class _RepairWatcher:
    """A stream of retransmissions of any of the pictures."""

    __slots__ = ("_pictures", "is_alert")

    def __init__(self, pictures: dict[bytes, _PictureWatcher]) -> None:
        self.is_alert = True
        self._pictures = pictures

    def see(self, packet: bytes, highest: int, step: int) -> None:
        waiting = [picture for picture in self._pictures.values() if picture.is_alert]
        rtp = parse_rtp(packet) if waiting else None
        if rtp and len(rtp.payload) > ORIGINAL_BYTES:
            number = int.from_bytes(rtp.payload[:ORIGINAL_BYTES])
            repaired = rtp._replace(payload=rtp.payload[ORIGINAL_BYTES:])
            any(one.repair(number, repaired) for one in waiting)
