"""Assembly of packets into complete frames that a decoder can use."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024


class Frame(NamedTuple):
    """One encoded frame. `timestamp` is the unwrapped RTP timestamp.

    `packets` is the number of packets that carried it. `size` is the width and height of a picture
    with spatial layers, whose first layer is smaller; else `None`.
    """

    timestamp: int
    is_key: bool
    data: bytes
    packets: int = 1
    size: tuple[int, int] | None = None


class Depacketiser(Protocol):
    """Turns the packets of one RTP stream into frames."""

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        """Add the next packet, in order of the unwrapped numbers; return a frame once complete.

        Never raises: a malformed packet only loses the frame that it belongs to.
        """
        ...

    def push_run(self, number: int, timestamp: int, payloads: list[bytes]) -> list[Frame]:
        """Add consecutive packets, the first of which has this number; return complete frames.

        All have the same timestamp, and only the last has the marker bit.
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
"""Part of a frame that one packet carries: whether it begins a frame, its bytes, its unit types.

The first is `None` if the payload does not say, and the last is empty if the codec has no NAL units
or OBUs. It is a plain tuple because one is created for each packet of a picture.
"""


class FrameAssembler:
    """Assembles complete frames; after a loss, it drops all frames up to the next key frame.

    So no frame refers to a lost one. A codec's subclass parses payloads (`_piece`) and joins the
    pieces of a frame (`_assemble`).
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._size = 0
        self._timestamp = -1
        self._expected: int | None = None
        self._is_broken = True
        self._is_fresh = False  # Whether the previous packet ended a frame.

    def push(self, number: int, timestamp: int, marker: bool, payload: bytes) -> Frame | None:
        if number != self._expected:
            self._break()
        self._expected = number + 1
        if not payload:
            return None  # Browsers send empty packets to probe the bandwidth.
        piece = self._piece(payload)
        if piece and timestamp == self._timestamp and self._pieces:  # The frame continues.
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
        """Add a whole frame at once, which takes half as long as adding each packet."""
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
        """Parse a payload; return `None` if it is malformed."""
        raise NotImplementedError

    def _assemble(self, pieces: list[Piece]) -> tuple[bool, bytes] | None:
        """Return whether the pieces are a key frame, and its bytes; `None` if malformed."""
        raise NotImplementedError

    def _break(self) -> None:
        self._is_broken = True
        self._is_fresh = False
        self._pieces = []
        self._size = 0

    def _begin(self, piece: Piece, timestamp: int) -> bool:
        """Begin a frame; return whether the piece is the first of a frame and not too large."""
        begins, data, _ = piece
        if not (self._is_fresh if begins is None else begins):
            return False
        self._is_broken |= bool(self._pieces)  # The previous frame has no last packet.
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
        # Equal to `Frame(…)`, which takes twice as long.
        return tuple.__new__(Frame, (self._timestamp, is_key, data, len(pieces), None))
