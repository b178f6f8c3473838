"""Frames, and their assembly from packets: whole frames that a decoder can use."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024


class Frame(NamedTuple):
    """One encoded frame of so many packets; `timestamp` is RTP's, unwrapped.

    `size` is that of the picture, where it has layers of which the first is smaller.
    """

    timestamp: int
    is_key: bool
    data: bytes
    packets: int = 1
    size: tuple[int, int] | None = None


class Depacketiser(Protocol):
    """Turns one stream's packets into frames."""

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        """Take packets in order of their unwrapped number; a frame when one is whole.

        Never raises: what is malformed costs the frame that it belongs to.
        """
        ...

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        """Take packets that follow each other at once, the first of which has this number.

        They have one timestamp, and the last of them has the marker.
        """
        ...


def push_each(
    depacketiser: Depacketiser, number: int, timestamp: int, payloads: list[bytes]
) -> list[Frame]:
    """Push the packets of a run one by one."""
    last = number + len(payloads) - 1
    frames = [
        depacketiser.push(at, timestamp, at == last, payload)
        for at, payload in enumerate(payloads, start=number)
    ]
    return [frame for frame in frames if frame]


Piece = tuple[bool | None, bytes, tuple[int, ...]]
"""A packet's part of a frame: whether it begins one, its bytes, the types of the units within.

The first is `None` where the payload does not tell, the last is empty where a codec has no units.
A plain tuple, as there is one for every packet of a picture.
"""


class FrameAssembler:
    """Whole frames only, and none that refers to a lost one: after a loss, from a key frame on.

    A codec says what a payload holds (`_piece`) and what becomes of a frame's pieces (`_assemble`).
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._size = 0
        self._timestamp = -1
        self._expected: int | None = None
        self._is_broken = True
        self._is_fresh = False  # the packet before this one ended a frame

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        if number != self._expected:
            self._break()
        self._expected = number + 1
        if not payload:
            return None  # a probe for bandwidth
        piece = self._piece(payload)
        if piece and timestamp == self._timestamp and self._pieces:  # it goes on with a frame
            self._pieces.append(piece)
            self._is_fresh = False
            self._size += len(piece[1])
            is_taken = self._size <= MAX_FRAME_BYTES
        else:
            is_taken = piece is not None and self._begin(piece, timestamp)
        if not is_taken:
            self._break()
            self._is_fresh = marker
            return None
        return self._finish() if marker else None

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        """Take a whole frame in one step, which costs half as much as its packets one by one."""
        if number != self._expected or self._pieces or not all(payloads):
            return push_each(self, number, timestamp, payloads)
        pieces = [piece for piece in map(self._piece, payloads) if piece]
        size = sum([len(data) for _, data, _ in pieces])
        if len(pieces) < len(payloads) or size > MAX_FRAME_BYTES:
            return push_each(self, number, timestamp, payloads)
        begins = pieces[0][0]
        if not (self._is_fresh if begins is None else begins):
            return push_each(self, number, timestamp, payloads)
        self._expected = number + len(payloads)
        self._timestamp = timestamp
        self._pieces = pieces
        frame = self._finish()
        return [frame] if frame else []

    def _piece(self, payload: bytes) -> Piece | None:
        """The payload's piece; `None` if it is malformed."""
        raise NotImplementedError

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        """Whether they are a key frame, and its bytes; `None` if they are no frame."""
        raise NotImplementedError

    def _break(self) -> None:
        self._is_broken = True
        self._is_fresh = False
        self._pieces = []
        self._size = 0

    def _begin(self, piece: Piece, timestamp: int) -> bool:
        """Begin a frame; whether the piece is the first of one."""
        begins, data, _ = piece
        if not (self._is_fresh if begins is None else begins):
            return False
        self._is_broken |= bool(self._pieces)  # the last packet of the one before never came
        self._pieces = [piece]
        self._size = len(data)
        self._timestamp = timestamp
        self._is_fresh = False
        return self._size <= MAX_FRAME_BYTES

    def _finish(self) -> Frame | None:
        pieces, self._pieces = self._pieces, []
        self._size = 0
        self._is_fresh = True
        assembled = self._assemble(pieces)
        if assembled is None:
            self._is_broken = True
            return None
        is_key, data = assembled
        self._is_broken &= not is_key
        if self._is_broken:
            return None
        # as `Frame(…)` does it, which takes twice as long
        return tuple.__new__(Frame, (self._timestamp, is_key, data, len(pieces), None))
