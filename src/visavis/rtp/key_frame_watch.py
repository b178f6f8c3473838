"""Detects which video streams of a recorded leg need a key frame for their recording.

A browser sends a key frame only on request. The other browser requests one when its own decoder
fails, but not on behalf of the recording: it may be away, may not show the video, its request or
the key frame may be lost, or our disk may have been too slow for the recording alone. Nothing is
decoded here: gaps in the sequence numbers show lost packets, retransmissions show repaired ones,
and the payload descriptor shows where a key frame begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from visavis.rtp.codecs import KEY_FRAME_STARTS
from visavis.rtp.packet import RtpPacket, parse_rtp

REPAIR_SECONDS: Final = 3.0
"""A packet that is missing for longer counts as lost; a browser gives up after the same time."""

ASK_SECONDS: Final = 3.0
"""Minimum interval between two key frame requests for one stream."""

FIRST_SECONDS: Final = 1.0
"""Time allowed for a key frame that comes without our request.

A new stream begins with one, and the other browser may have requested one.
"""

SILENT_SECONDS: Final = 1.5
"""A stream that has sent nothing for this long is not asked: its camera may be off."""

MAX_MISSING: Final = 128
"""If more packets than this are missing, none is waited for: only a key frame helps."""

ORIGINAL_BYTES: Final = 2
"""Length of the original sequence number before a retransmitted payload (OSN, RFC 4588 §4)."""

LEADING_PACKETS: Final = 2
"""Up to this many packets before an IDR slice may belong to its access unit: SPS, PPS, SEI."""

_HALF: Final = 1 << 15


class Watcher(Protocol):
    """Receives packets of a stream: all of them while `is_alert`, else only those out of order."""

    is_alert: bool

    def see(self, packet: bytes, highest: int, step: int) -> None:
        """Examine a packet.

        `highest` is the highest sequence number so far, and `step` the difference from it to the
        packet's own, modulo 2^16.
        """


class KeyFrameWatch:
    """Watches all video streams of one leg.

    `now` is the time of the latest call of `due` or `restart`, in seconds. `codecs` maps a video
    payload type to the name of its codec.
    """

    def __init__(self, now: float) -> None:
        self.codecs: dict[int, str] = {}
        self.now = now
        self._repairs: frozenset[int] = frozenset()
        self._pictures: dict[bytes, _PictureWatcher] = {}

    def set_payload_types(self, codecs: dict[int, str], repairs: frozenset[int]) -> None:
        """Set the payload types of video, with their codecs, and those of retransmissions."""
        self.codecs = codecs
        self._repairs = repairs

    def watcher(self, source: bytes, payload_type: int) -> Watcher | None:
        """Return the watcher of a stream; `None` if it is neither video nor retransmissions."""
        if payload_type in self._repairs:
            return _RepairWatcher(self._pictures)
        if payload_type not in self.codecs:
            return None
        picture = self._pictures.get(source)
        if picture is None:
            picture = self._pictures[source] = _PictureWatcher(self, payload_type)
        return picture

    def restart(self, now: float) -> None:
        """Require a key frame of every video stream, because packets were not recorded."""
        self.now = now
        for picture in self._pictures.values():
            picture.lose()

    def due(self, now: float, most: int) -> list[int]:
        """Return the SSRCs that need a key frame request now: at most `most`, newest first."""
        self.now = now
        return [int.from_bytes(source) for source in self._due(most)]

    def _due(self, most: int) -> Iterator[bytes]:
        for source, picture in reversed(self._pictures.items()):
            if most and picture.is_due():
                most -= 1
                yield source


class _PictureWatcher:
    """Watches one video stream. It is alert while packets or a key frame are missing.

    `_missing` maps the sequence number of each missing packet to its unwrapped number and to the
    time at which the gap was noticed.
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
        """Apply a retransmission; return whether its packet was missing in this stream."""
        missing = self._missing.pop(sequence_number, None)
        if missing is None:
            return False
        self._heard_at = self._leg.now
        self._look(missing[0], repaired)
        self.is_alert = self._is_broken or bool(self._missing)
        return True

    def lose(self) -> None:
        """Require a key frame, after a moment in which one may come without a request."""
        if not self._is_broken:
            self._ask_at = max(self._ask_at, self._leg.now + FIRST_SECONDS)
        self._is_broken = self.is_alert = True
        self._missing.clear()

    def is_due(self) -> bool:
        """Whether a key frame must be requested now; then the next request waits `ASK_SECONDS`."""
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
        """Forget the packets missing before a key frame, if this packet begins one.

        If several packets of one frame look like its beginning, the first of them counts.
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
    """Watches a stream of retransmissions (RFC 4588), which may belong to any video stream."""

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
